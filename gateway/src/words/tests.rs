//! The settings as a whole: what is said is read, all of it; what cannot work is told in a sentence.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    example::example,
    key::{Key, Kind, leaves, names},
    keys::KEYS,
    load::{Said, load},
};
use crate::settings::{BehindSettings, HostSent, Listen, Settings};

/// A folder with the files that settings name. It goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("gateway-words-{}-{number}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(&folder.0).unwrap();
        let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/jose/vectors");
        for (name, vector) in [
            ("p256.pem", "p256.pkcs8.pem"),
            ("ca.pem", "p256.certificate.pem"),
        ] {
            fs::copy(vectors.join(vector), folder.0.join(name)).unwrap();
        }
        let key =
            crate::identity::jwt::derived("another secret of at least 32 bytes, say").unwrap();
        let jwks = serde_json::json!({ "keys": [key.jwk()] }).to_string();
        let api_key = tower_oauth_proxy::ApiKey::generate().line("nightly");
        for (name, text) in [
            ("client.jwks.json", jwks.as_str()),
            ("api-keys.txt", api_key.as_str()),
            ("secret.txt", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8\n"),
            ("store-url.txt", "memory"),
            ("proxy.txt", "http://proxy.example.com:3128\n"),
            ("ed.pem", ED25519),
            ("other.pem", OTHER_ED25519),
            (
                "icon.svg",
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"><rect width=\"1\" height=\"1\"/></svg>",
            ),
        ] {
            fs::write(folder.0.join(name), text).unwrap();
        }
        folder
    }

    fn said(&self, file: &str, variables: &[(&str, &str)]) -> Said {
        let path = self.0.join("gateway.toml");
        fs::write(&path, file).unwrap();
        let pair = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        Said {
            file: Some(path),
            variables: variables.iter().map(pair).collect(),
            command: None,
            is_check: true,
        }
    }

    async fn load(&self, file: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let loaded = load(self.said(file, variables)).await;
        // The name of the folder is another at each run.
        let folder = format!("{}/", self.0.display());
        loaded.map_err(|refusals| refusals.to_string().replace(&folder, ""))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

const ED25519: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIGdhdGV3YXktdGVzdC1rZXktbnVtYmVyLTEtb2YtMmEh\n-----END PRIVATE KEY-----\n";
const OTHER_ED25519: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIGdhdGV3YXktdGVzdC1rZXktbnVtYmVyLTItb2YtMmEh\n-----END PRIVATE KEY-----\n";

/// What has to be said.
const LEAST: &str = r#"
base_url = "https://mcp.example.com"
upstream.url = "http://127.0.0.1:3000"
provider = { preset = "github", client_id = "client-id", client_secret = "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8" }
"#;

/// Settings that work, and say all keys together.
const SCENARIOS: &[&str] = &[
    "all",
    "presets",
    "stores",
    "postgres",
    "passthrough",
    "introspection",
    "userinfo",
    "stdio",
];

/// The keys that a text says, without the numbers and names of the operator's.
fn said_keys(text: &str) -> BTreeSet<String> {
    fn walk(table: &toml::Table, keys: &'static [Key], above: &str, found: &mut BTreeSet<String>) {
        for (name, value) in table {
            let path = format!("{above}{name}");
            found.insert(path.clone());
            let Some(key) = keys.iter().find(|key| key.name == name) else {
                continue;
            };
            match (key.kind, value) {
                (Kind::Table(inner), toml::Value::Table(table)) => {
                    walk(table, inner, &format!("{path}."), found);
                }
                (Kind::Tables(inner), toml::Value::Array(tables)) => {
                    for table in tables {
                        walk(table.as_table().unwrap(), inner, &format!("{path}."), found);
                    }
                }
                (Kind::Named(inner), toml::Value::Table(tables)) => {
                    for table in tables.values() {
                        walk(table.as_table().unwrap(), inner, &format!("{path}."), found);
                    }
                }
                _ => {}
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(&text.parse().unwrap(), KEYS, "", &mut found);
    found
}

fn all_keys(keys: &'static [Key], above: &str, found: &mut BTreeSet<String>) {
    for (name, key) in names(keys) {
        let path = format!("{above}{name}");
        if let Kind::Table(inner) | Kind::Tables(inner) | Kind::Named(inner) = key.kind {
            all_keys(inner, &format!("{path}."), found);
        }
        found.insert(path);
    }
}

#[tokio::test]
async fn every_key_is_read_and_works() {
    let folder = Folder::new();
    let mut said = BTreeSet::new();
    for name in SCENARIOS {
        let path = format!("src/words/tests/{name}.toml");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let scenario = fs::read_to_string(path).unwrap();
        // What is said and not read is refused, so each key of these is read.
        if let Err(refused) = folder.load(&scenario, &[]).await {
            panic!("{name}: {refused}");
        }
        said.extend(said_keys(&scenario));
    }
    let mut all = BTreeSet::new();
    all_keys(KEYS, "", &mut all);
    let said: BTreeSet<String> = said.iter().map(|path| twin(path)).collect();
    let all: BTreeSet<String> = all.iter().map(|path| twin(path)).collect();
    let missing: Vec<_> = all.difference(&said).collect();
    assert!(missing.is_empty(), "no scenario says {missing:#?}");
}

/// The tables that have the same keys, and the same reader.
fn twin(path: &str) -> String {
    let twins = [
        ("also_provider.", "provider."),
        ("prompts.", "tools."),
        ("resources.", "tools."),
        ("methods.", "tools."),
        ("rules.default.", "tools."),
        ("tokens.upstream_verifier.", "tokens.passthrough."),
    ];
    let twin = twins
        .iter()
        .find_map(|(start, other)| Some(format!("{other}{}", path.strip_prefix(start)?)));
    twin.unwrap_or_else(|| path.to_owned())
}

#[tokio::test]
async fn the_example_works_as_it_is() {
    let folder = Folder::new();
    let settings = folder.load(&example(), &[]).await.unwrap();
    assert!(!settings.oauth.report().is_broken());
    // Its tables are there, and those that are empty say nothing.
    assert!(settings.rules.is_none());
    // Each key of it, too.
    let text = example();
    let all = leaves(KEYS);
    let paths: BTreeSet<&str> = all.iter().map(|leaf| &*leaf.path).collect();
    for leaf in &all {
        let secret = leaf.path.strip_suffix("_file");
        let is_of_secret = secret.is_some_and(|secret| paths.contains(secret));
        assert!(
            is_of_secret || text.contains(&leaf.variable),
            "{}",
            leaf.variable
        );
    }
    // With all that is commented out it is still TOML, of which each key has its kind.
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with("# [[") => rest.trim_start_matches("# "),
        Some(rest) if !rest.starts_with(' ') => rest,
        Some(rest) if rest.starts_with(" [") => rest.trim_start(),
        Some(_) => "",
        None => line,
    });
    let whole = lines.collect::<Vec<_>>().join("\n");
    let entries = super::document::parse("example", &whole).unwrap();
    assert_eq!(super::judge::judge(&entries, KEYS, ""), []);
}

/// What only Rust can say, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("on_login", "a function"),
    ("on_register", "a function"),
    (
        "on_event",
        "a function: the gateway writes a log, and counts",
    ),
    ("custom_pages", "a function"),
    ("choose_provider", "a function"),
    ("clock", "for tests"),
    ("page_words", "hundreds of texts in a type of Rust"),
    (
        "keep_authorization_header",
        "the client's token never reaches the server behind: `identity.jwt` and `identity.provider_token` are for that",
    ),
];

#[test]
fn every_option_of_the_library_has_a_key_or_a_reason() {
    fn set(keys: &'static [Key], found: &mut BTreeSet<&'static str>) {
        for key in keys {
            found.extend(key.sets);
            if let Kind::Table(inner) | Kind::Tables(inner) = key.kind {
                set(inner, found);
            }
        }
    }
    let mut found = BTreeSet::new();
    set(KEYS, &mut found);
    let left_out: BTreeMap<_, _> = LEFT_OUT.iter().copied().collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/config/builder");
    let mut wrong = Vec::new();
    let mut options = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let methods = text.split("\n    pub fn ").skip(1);
        for method in methods.filter_map(|rest| rest.split(['(', '<']).next()) {
            options.insert(method.to_owned());
            let is_set = found.contains(method);
            if method != "build" && is_set == left_out.contains_key(method) {
                wrong.push(format!(
                    "{method}: is set: {is_set}, is left out: {}",
                    !is_set
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (option, _) in LEFT_OUT {
        assert!(options.contains(*option), "{option} is no option");
    }
}

#[test]
fn no_two_keys_have_one_variable_and_none_is_of_kubernetes() {
    let mut seen = BTreeMap::new();
    for leaf in leaves(KEYS) {
        let before = seen.insert(leaf.variable.clone(), leaf.path.clone());
        assert_eq!(before, None, "{} and {}", leaf.variable, leaf.path);
        assert!(
            !super::variables::is_of_kubernetes(&leaf.variable, "tcp://10.0.0.1:80"),
            "{}",
            leaf.variable
        );
        assert!(
            leaf.variable
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        );
    }
    assert!(seen.contains_key("GATEWAY_PROVIDER_CLIENT_SECRET_FILE"));
}

#[tokio::test]
async fn the_environment_alone_is_enough() {
    let said = Said {
        variables: [
            ("GATEWAY_BASE_URL", "http://127.0.0.1:8080"),
            ("GATEWAY_UPSTREAM_URL", "unix:/run/mcp.sock"),
            ("GATEWAY_UPSTREAM_HOST", "public"),
            ("GATEWAY_PROVIDER_PRESET", "google"),
            (
                "GATEWAY_PROVIDER_CLIENT_ID",
                "id.apps.googleusercontent.com",
            ),
            (
                "GATEWAY_PROVIDER_CLIENT_SECRET",
                "GOCSPX-of-the-console-0123456789",
            ),
            ("GATEWAY_PEOPLE_ALLOWED_DOMAINS", "example.com, example.org"),
            ("GATEWAY_TOKENS_SCOPES", "openid email read"),
            ("GATEWAY_TOOLS", r#"{ "delete_*" = { scopes = ["read"] } }"#),
            ("GATEWAY_LIMITS_BODY", "10MiB"),
            ("GATEWAY_LISTEN", "unix:/run/gateway.sock"),
            ("GATEWAY_ADMIN_LISTEN", "off"),
        ]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .into(),
        ..Said::default()
    };
    let settings = load(said).await.unwrap();
    assert!(matches!(&settings.listen, Listen::Unix(path) if path.ends_with("gateway.sock")));
    assert_eq!(settings.admin_listen, None);
    assert_eq!(settings.limits.body, 10 << 20);
    assert_eq!(settings.cookie_prefix, "");
    assert!(settings.rules.is_some());
    let BehindSettings::Http(upstream) = settings.behind else {
        panic!()
    };
    assert_eq!(upstream.host, HostSent::Public);
    let report = settings.oauth.report().to_string();
    assert!(report.contains("read"), "{report}");
}

#[tokio::test]
async fn what_cannot_work_is_a_sentence_with_file_line_and_key() {
    let folder = Folder::new();
    let with = |more: &str| format!("{LEAST}{more}");
    for (file, expected) in [
        (
            String::new(),
            "base_url: is missing: set GATEWAY_BASE_URL, or `base_url` in gateway.toml",
        ),
        (
            "base_url = \"https://a.example\"".to_owned(),
            "upstream.url: is missing: set GATEWAY_UPSTREAM_URL, or `upstream.url` in gateway.toml",
        ),
        (
            with("[[also_provider]]\npreset = \"google\""),
            "gateway.toml:5: also_provider[1].client_id: is missing: set `also_provider[1].client_id` in gateway.toml",
        ),
        (
            with("[people]\nallowed_domain = [\"a\"]"),
            "gateway.toml:6: people.allowed_domain: the gateway has no such key: is `people.allowed_domains` meant?",
        ),
        (
            with("[people]\nallowed_domains = []"),
            "gateway.toml:6: people.allowed_domains: ",
        ),
        (
            with("[tokens]\nsession_cache_ttl = \"2d\""),
            "gateway.toml:6: tokens.session_cache_ttl: ",
        ),
        (
            with("[keys]\nsecret = \"short\""),
            "gateway.toml:6: keys.secret: the passphrase has 5 bytes",
        ),
        (
            with("[keys]\nsecret_file = \"nowhere\""),
            "gateway.toml:6: keys.secret_file: nowhere: No such file or directory",
        ),
        (
            with("[storage]\nurl = \"mysql://user:s3cret@host\""),
            "gateway.toml:6: storage.url: is not one of memory",
        ),
        (
            with("[storage]\nprefix = \"mcp\""),
            "gateway.toml:6: storage.prefix: has no meaning beside what else is said here",
        ),
        (
            with("[tools]\nb = { }\n\"a*b\" = { }"),
            "gateway.toml:7: tools.\"a*b\": `a*b` has a `*` that is not its last character",
        ),
        (
            with("[resources.\"file:///a/../b\"]\ndeny = true"),
            "gateway.toml:5: resources.\"file:///a/../b\": `file:///a/../b` can be written otherwise",
        ),
        (
            with("[tools]\na = { deny = true, scopes = [\"read\"] }"),
            "gateway.toml:6: tools.a.deny: is said besides what a call needs",
        ),
        (
            with("[identity.jwt]\nheader = \"X-Auth-Jwt\"\naudience = \"a\""),
            "gateway.toml:5: identity.jwt.key_file: is missing: give a key, or a `keys.secret`",
        ),
        (
            with("[identity.headers]\nsubject = \"X_User\""),
            "gateway.toml:6: identity.headers.subject: `X_User` is no name of a header",
        ),
        (
            with("[identity.headers]\nsubject = \"Content-Length\""),
            "gateway.toml:6: identity.headers.subject: `Content-Length` means something else",
        ),
        (
            with("[identity.headers]\nsubject = \"Authorization\""),
            "gateway.toml:6: identity.headers.subject: `Authorization` is for tokens",
        ),
        (
            with("[identity.headers]\nsubject = \"X-Auth-Email\""),
            "gateway.toml:5: identity.headers: two things are sent in `x-auth-email`",
        ),
        (
            with("[stdio]\ncommand = [\"cat\"]"),
            "gateway.toml:3: upstream: is said besides a command of `stdio`",
        ),
        (
            with("[limits]\nidle = 0"),
            "gateway.toml:6: limits.idle: cannot be 0",
        ),
        (
            with("[machines]\nassertion_token_ttl = \"2h\""),
            "gateway.toml:6: machines.assertion_token_ttl: ",
        ),
        (
            with("[clients]\nloopback = false\ndynamic_registration = \"no\""),
            "gateway.toml:7: clients.dynamic_registration: `no` is not true or false",
        ),
    ] {
        let told = folder.load(&file, &[]).await.unwrap_err();
        assert!(
            told.starts_with(expected),
            "{file}\nexpected: {expected}\ntold:     {told}"
        );
        assert!(!told.contains("s3cret"), "{told}");
    }
}

#[tokio::test]
async fn a_mistake_in_a_variable_names_the_variable() {
    let folder = Folder::new();
    for (name, text, expected) in [
        ("GATEWAY_BASE_URL", "ftp://x", "GATEWAY_BASE_URL: "),
        (
            "GATEWAY_PEOPLE_ALLOWED_DOMAINS",
            ",",
            "GATEWAY_PEOPLE_ALLOWED_DOMAINS: ",
        ),
        (
            "GATEWAY_PEOPLE_ALLOWED_DOMAINS",
            "",
            "GATEWAY_PEOPLE_ALLOWED_DOMAINS: is empty",
        ),
        (
            "GATEWAY_LIMITS_IDLE",
            "soon",
            "GATEWAY_LIMITS_IDLE: `soon` is not a time",
        ),
        (
            "GATEWAY_PROVIDER_PRESET",
            "googlex",
            "GATEWAY_PROVIDER_PRESET: `googlex` is not one of",
        ),
        (
            "GATEWAY_PROVIDER_REALM",
            "acme",
            "GATEWAY_PROVIDER_REALM: has no meaning",
        ),
        (
            "GATEWAY_KEYS_SECRET_FILE",
            "x",
            "GATEWAY_KEYS_SECRET_FILE: x: No such file",
        ),
        (
            "GATEWAY_PROVIDER_CLIENT_SECRET_FILE",
            "x",
            "gateway.toml:4: provider.client_secret: is said besides `client_secret_file`",
        ),
        (
            "GATEWAY_TOOLS",
            "{ a = { role = 1 } }",
            "GATEWAY_TOOLS: tools.a.role: the gateway has no such key",
        ),
        (
            "GATEWAY_TOOLS",
            "{ a = ",
            "GATEWAY_TOOLS: not as it would stand in the file: ",
        ),
    ] {
        let told = folder.load(LEAST, &[(name, text)]).await.unwrap_err();
        assert!(
            told.starts_with(expected),
            "expected: {expected}\ntold:     {told}"
        );
    }
}

#[tokio::test]
async fn a_secret_comes_from_one_place() {
    let folder = Folder::new();
    let file = LEAST.replace(
        "client_secret = \"c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8\"",
        "client_secret_file = \"secret.txt\"",
    );
    // Beside the settings file, wherever the program was started; without the end of the line.
    folder.load(&file, &[]).await.unwrap();
    let both = [(
        "GATEWAY_PROVIDER_CLIENT_SECRET",
        "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8",
    )];
    let told = folder.load(&file, &both).await.unwrap_err();
    assert!(
        told.contains("is said besides `client_secret_file`"),
        "{told}"
    );
    fs::remove_file(folder.0.join("secret.txt")).unwrap();
    let told = folder.load(&file, &both).await.unwrap_err();
    assert!(told.contains("say one of both"), "{told}");
    fs::write(folder.0.join("secret.txt"), "\n").unwrap();
    let told = folder.load(&file, &[]).await.unwrap_err();
    assert!(told.ends_with("secret.txt is empty"), "{told}");
}

#[tokio::test]
async fn without_a_file_what_is_missing_names_its_variable_and_the_option() {
    let told = load(Said::default()).await.unwrap_err().to_string();
    assert_eq!(
        told,
        "base_url: is missing: set GATEWAY_BASE_URL, or `base_url` in a settings file, which `--config FILE` names"
    );
}

#[tokio::test]
async fn a_command_stands_instead_of_a_server() {
    let folder = Folder::new();
    let file = LEAST.replace("upstream.url = \"http://127.0.0.1:3000\"", "");
    let mut said = folder.said(&file, &[]);
    said.command = Some(vec!["cat".to_owned()]);
    let settings = load(said).await.unwrap();
    assert!(matches!(settings.behind, BehindSettings::Stdio(stdio) if stdio.logs_persons));
    let mut said = folder.said(&file, &[("GATEWAY_LOG_EVENT_DETAIL", "no_persons")]);
    said.command = Some(vec!["cat".to_owned()]);
    let settings = load(said).await.unwrap();
    assert!(matches!(settings.behind, BehindSettings::Stdio(stdio) if !stdio.logs_persons));
    for (more, expected) in [
        ("[identity]\nunverified_email = true", None),
        ("[identity.headers]", None),
        (
            "[identity.headers]\nsubject = \"X-User\"",
            Some("gateway.toml:5: identity.headers: does nothing"),
        ),
        (
            "[identity.jwt]\nheader = \"X-Jwt\"\naudience = \"a\"",
            Some("gateway.toml:5: identity.jwt: does nothing for a command of `stdio`"),
        ),
        (
            "[identity]\nstrip = [\"X-A\"]",
            Some("gateway.toml:6: identity.strip: does nothing"),
        ),
    ] {
        let mut said = folder.said(&format!("{file}{more}"), &[]);
        said.command = Some(vec!["cat".to_owned()]);
        match (load(said).await, expected) {
            (Ok(settings), None) => {
                let BehindSettings::Stdio(stdio) = settings.behind else {
                    panic!()
                };
                assert_eq!(stdio.trusts_any_email, more.contains("true"));
            }
            (loaded, expected) => {
                let told = loaded.unwrap_err().to_string();
                assert!(told.contains(expected.unwrap()), "{told}");
            }
        }
    }
    let mut said = folder.said(LEAST, &[]);
    said.command = Some(vec!["cat".to_owned()]);
    assert!(
        load(said)
            .await
            .unwrap_err()
            .to_string()
            .contains("one server behind")
    );
}

/// The reviewed list of what is public, as lines that begin so: what comes next.
fn public(start: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/public.txt");
    let text = fs::read_to_string(path).unwrap();
    let names = text.lines().filter_map(|line| line.strip_prefix(start));
    let names = names.filter_map(|rest| rest.split(['(', '<']).next());
    names.map(str::to_owned).collect()
}

#[test]
fn every_preset_of_the_library_is_one_of_the_gateway() {
    let presets = public("pub fn tower_oauth_proxy::provider::");
    let presets = presets.iter().filter(|name| !name.contains(':'));
    let presets: BTreeSet<String> = presets.map(|name| name.replace('_', "-")).collect();
    assert!(presets.len() > 20);
    let Kind::Choice(ours) = provider_key("preset").kind else {
        panic!()
    };
    let ours: BTreeSet<String> = ours.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(ours, presets);
}

#[test]
fn every_option_of_a_provider_has_a_key_or_a_reason() {
    // By another name in the file, or made by the preset's own keys.
    let others = [
        ("allowed_claim", "allowed_claims"),
        ("authorization_param", "authorization_params"),
        ("token_param", "token_params"),
        ("refresh_param", "refresh_params"),
        ("uses_pkce", "pkce"),
        ("private_key_jwt", "key_file"),
        ("without_client_secret", "client_metadata_document"),
    ];
    let functions = ["client_assertion", "client_secret_from", "check", "fmt"];
    let options = public("pub fn tower_oauth_proxy::Provider::");
    assert!(options.len() > 25);
    for option in options {
        let key = others.iter().find(|(name, _)| *name == option);
        let key = key.map_or(option.as_str(), |(_, key)| key);
        let is_there = super::section::provider_keys::KEYS
            .iter()
            .any(|known| known.name == key);
        assert!(is_there || functions.contains(&key), "{option} has no key");
    }
}

#[test]
fn every_known_client_can_be_allowed() {
    let clients = super::section::clients::KEYS.iter();
    let Some(Kind::Choices(names)) = clients
        .clone()
        .find(|key| key.name == "allow")
        .map(|key| key.kind)
    else {
        panic!()
    };
    assert_eq!(names.len(), tower_oauth_proxy::KnownClient::all().len());
}

fn provider_key(name: &str) -> &'static Key {
    let mut keys = super::section::provider_keys::KEYS.iter();
    keys.find(|key| key.name == name).unwrap()
}

/// What people copy: the examples, and the blocks of the chapter and the README that are whole files.
#[tokio::test]
async fn what_people_copy_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files: Vec<(String, String)> = Vec::new();
    for name in ["src/docs/gateway.md", "gateway/README.md"] {
        let text = fs::read_to_string(root.join(name)).unwrap();
        let blocks = text.split("```toml\n").skip(1);
        let blocks = blocks.map(|block| block.split("```").next().unwrap().to_owned());
        files.extend(
            blocks
                .filter(|block| block.contains("base_url"))
                .map(|block| (name.to_owned(), block)),
        );
    }
    assert_eq!(files.len(), 3);
    for file in fs::read_dir(root.join("examples/gateway")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|end| end == "toml") {
            files.push((
                path.display().to_string(),
                fs::read_to_string(path).unwrap(),
            ));
        }
    }
    assert!(files.len() >= 4, "{}", files.len());
    let folder = Folder::new();
    for name in ["github-secret", "gateway-secret"] {
        let secret = "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8";
        fs::write(folder.0.join(name), secret).unwrap();
    }
    for (name, text) in files {
        // No folder of this machine's.
        let text = text.replace("sqlite:/var/lib/gateway/grants.sqlite", "memory");
        let secret = [(
            "GATEWAY_PROVIDER_CLIENT_SECRET",
            "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8",
        )];
        let variables = match text.contains("client_secret") {
            true => &[][..],
            false => &secret[..],
        };
        if let Err(refused) = folder.load(&text, variables).await {
            panic!("{name}: {refused}");
        }
    }
}
