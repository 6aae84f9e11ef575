use std::time::Duration;

use crate::{
    ApiKey, Consent, FindingLevel, JwksVerifier, OAuthProxyConfig, OAuthProxyConfigBuilder,
    RefreshGrace, ReportedMode, SecretKey, StaticClient, TrustedIssuer, provider,
    provider::Provider,
};

const BASE: &str = "https://mcp.example.com/api";
const SECRET: &str = "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8";

fn at(provider: Provider) -> OAuthProxyConfigBuilder {
    OAuthProxyConfig::builder(provider, BASE)
}

fn generic() -> Provider {
    let url = |path: &str| format!("https://sso.example/{path}");
    provider::generic(url("authorize"), url("token"), "the-app", SECRET).name("Acme")
}

#[test]
fn the_callback_to_register_is_that_of_each_provider_to_the_byte() {
    let other = generic().id("staff").name("Acme Staff");
    let config = at(generic()).also_provider(other).build().unwrap();
    let report = config.report();
    let callbacks = report
        .providers
        .iter()
        .map(|provider| &*provider.callback_url);
    assert_eq!(
        callbacks.collect::<Vec<_>>(),
        [
            format!("{BASE}/oauth/callback"),
            format!("{BASE}/oauth/return/staff")
        ]
    );
    let text = report.to_string();
    for provider in &report.providers {
        let words = format!("{} as the app's redirect URI", provider.callback_url);
        assert!(text.contains(&words), "{text}");
        let url = |url: &crate::ReportedUrl| url.url == provider.callback_url;
        assert!(report.urls.iter().any(url), "{:?}", report.urls);
    }
    let moved = at(generic())
        .redirect_path("/back")
        .build()
        .unwrap()
        .report();
    assert_eq!(moved.providers[0].callback_url, format!("{BASE}/back"));
}

#[test]
fn documents_are_named_where_clients_look_for_them() {
    let report = at(generic()).build().unwrap().report();
    let urls: Vec<&str> = report.urls.iter().map(|url| &*url.url).collect();
    for url in [
        "https://mcp.example.com/.well-known/oauth-authorization-server/api",
        "https://mcp.example.com/.well-known/oauth-protected-resource/api",
        "https://mcp.example.com/api/oauth/token",
    ] {
        assert!(urls.contains(&url), "{urls:?}");
    }
    for absent in ["jwks", "introspect", "client.json"] {
        assert!(!urls.iter().any(|url| url.contains(absent)), "{urls:?}");
    }
}

#[test]
fn everybody_is_a_warning_where_anyone_can_have_an_account_and_nothing_is_asked() {
    let open = at(provider::google("id", SECRET)).build().unwrap().report();
    assert!(open.providers[0].is_open);
    assert!(
        open.to_string()
            .contains("EVERYBODY who has an account of Google")
    );
    let weak = open
        .findings
        .iter()
        .filter(|it| it.level == FindingLevel::Weak);
    assert!(
        weak.clone()
            .any(|it| it.words.contains("anyone with an account of Google"))
    );

    let ours = at(generic()).build().unwrap().report();
    assert!(!ours.providers[0].is_open);
    assert_eq!(
        ours.providers[0].who_may_log_in,
        ["everybody whom Acme lets in"]
    );
}

#[test]
fn who_may_log_in_is_said_by_option_and_no_address_is_named() {
    let config = at(provider::google("id", SECRET).allowed_organizations(["acme.example"]))
        .allowed_domains(["acme.example", "acme.test"])
        .allowed_emails(["eve@guest.example"])
        .on_login(async |_| Ok(()))
        .build()
        .unwrap();
    let report = config.report();
    assert!(!report.providers[0].is_open);
    let who = report.providers[0].who_may_log_in.join("\n");
    for words in [
        "people with a verified address of acme.example or acme.test (allowed_domains) or among the 1 of \
         allowed_emails",
        "(allowed_organizations)",
        "(on_login)",
    ] {
        assert!(who.contains(words), "{who}");
    }
    for text in [report.to_string(), report.to_json().to_string()] {
        assert!(!text.contains("eve@"), "{text}");
    }
}

#[test]
fn no_secret_is_in_a_report() {
    let key = SecretKey::from_bytes("r7Kq2ZtV9wLx4MbYc8Jd3HsYu6PfGe1N").unwrap();
    let machine = StaticClient::machine("nightly", "r7Kq2ZtV9wLx4MbYqq").scopes(["read"]);
    let generated = ApiKey::generate();
    let api_key = ApiKey::new("report", generated.hash());
    let generated = generated.reveal();
    let config = at(generic())
        .secret_key(key)
        .scopes(["read"])
        .static_client(machine)
        .api_keys([api_key])
        .outbound_proxy("http://u:hunter2@proxy.example:3128")
        .build()
        .unwrap();
    let report = config.report();
    for text in [
        report.to_string(),
        format!("{report:?}"),
        report.to_json().to_string(),
    ] {
        for secret in [SECRET, "r7Kq2ZtV9wLx4MbY", "hunter2", &generated] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    let text = report.to_string();
    assert!(
        text.contains("`nightly`, a machine") && text.contains("1 API keys"),
        "{text}"
    );
    assert_eq!(report.grant_types.last(), Some(&"client_credentials"));
}

#[test]
fn what_was_reported_as_an_event_is_a_finding_and_the_worst_comes_first() {
    let config = at(generic())
        .consent(Consent::Disabled)
        .refresh_token_grace(RefreshGrace::UntilUsed)
        .extra_token_params([("code", "x")])
        .build()
        .unwrap();
    let report = config.report();
    let levels: Vec<FindingLevel> = report.findings.iter().map(|it| it.level).collect();
    assert!(levels.is_sorted_by(|one, other| one >= other), "{levels:?}");
    let words = report.findings.iter().map(|it| it.words.as_str());
    let words: Vec<&str> = words.collect();
    for begin in [
        "consent is disabled",
        "refresh_token_grace",
        "extra_token_params: `code`",
    ] {
        assert!(
            words.iter().any(|words| words.starts_with(begin)),
            "{words:?}"
        );
    }
    assert!(!report.is_broken());
}

#[test]
fn times_that_make_each_other_pointless_are_odd() {
    const DAY: Duration = Duration::from_secs(86_400);
    let fine = at(generic()).build().unwrap().report();
    let odd = |report: &crate::Report| {
        let odd = report
            .findings
            .iter()
            .filter(|it| it.level == FindingLevel::Odd);
        odd.map(|it| it.words.clone())
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(odd(&fine), "");
    let short = at(generic())
        .access_token_ttl(2 * DAY)
        .refresh_token_ttl(DAY)
        .build()
        .unwrap();
    assert!(odd(&short.report()).contains("refresh_token_ttl"));
    let unasked = at(generic())
        .grant_max_age(DAY)
        .identity_max_age(DAY)
        .build()
        .unwrap();
    assert!(odd(&unasked.report()).contains("identity_max_age"));
    let hurried = at(generic())
        .transaction_ttl(Duration::from_secs(30))
        .build()
        .unwrap();
    assert!(odd(&hurried.report()).contains("transaction_ttl"));
}

#[test]
fn a_store_and_keys_that_a_restart_or_a_second_instance_lacks_are_notes() {
    let note = |report: &crate::Report, begin: &str| {
        let notes = report
            .findings
            .iter()
            .filter(|it| it.level == FindingLevel::Note);
        notes.clone().any(|it| it.words.starts_with(begin))
    };
    let bare = at(generic()).build().unwrap().report();
    assert!(note(
        &bare,
        "token_storage: the store is the memory of this process"
    ));
    assert!(note(&bare, "secret_key is not set"));
    let store = bare.store.unwrap();
    assert_eq!(
        (&*store.kind, store.is_shared),
        ("MemoryStorage", Some(false))
    );

    let key = SecretKey::from_bytes("r7Kq2ZtV9wLx4MbYc8Jd3HsYu6PfGe1N").unwrap();
    let given = at(generic())
        .secret_key(key)
        .token_storage(crate::storage::MemoryStorage::new());
    let given = given.build().unwrap().report();
    assert!(note(&given, "token_storage"), "it is the same, said or not");
    assert!(!note(&given, "secret_key"));

    #[cfg(feature = "redis")]
    {
        let redis = crate::storage::RedisStorage::builder("redis://127.0.0.1:1")
            .lazy()
            .unwrap();
        let shared = at(generic()).token_storage(redis).build().unwrap().report();
        assert!(!note(&shared, "token_storage"));
        assert_eq!(shared.store.unwrap().is_shared, Some(true));
    }
    #[cfg(feature = "postgres")]
    {
        let postgres = crate::storage::PostgresStorage::builder("postgres://127.0.0.1:1/app")
            .lazy()
            .unwrap();
        let shared = at(generic()).token_storage(postgres).build();
        let shared = shared.unwrap().report();
        assert!(!note(&shared, "token_storage"));
        assert_eq!(shared.store.unwrap().is_shared, Some(true));
    }
}

#[test]
fn a_resource_server_has_neither_providers_nor_store() {
    let verifier = JwksVerifier::for_issuer("https://sso.example").audience("mcp");
    let config = OAuthProxyConfig::resource_server(BASE, verifier)
        .authorization_server("https://sso.example")
        .trusted_issuer(TrustedIssuer::new("ci", "https://ci.example").access_tokens(["mcp"]))
        .build()
        .unwrap();
    let report = config.report();
    assert_eq!(report.mode, ReportedMode::ResourceServer);
    assert!(report.providers.is_empty() && report.store.is_none() && report.clients.is_empty());
    let sources: Vec<&str> = report.bearer_sources.iter().map(|it| it.source).collect();
    assert_eq!(sources, ["trusted_issuer", "provider"]);
    let options: Vec<&str> = report.times.iter().map(|it| it.option).collect();
    assert_eq!(options, ["session_cache_ttl", "upstream_request_timeout"]);
    assert!(report.to_string().contains("https://sso.example"));
}

/// Somebody reads it in a log, some lines of it in a grep: each says what it is of.
#[test]
fn the_text_has_a_line_for_each_thing_and_no_line_is_left_open() {
    let config = at(generic())
        .scopes(["read", "write", "admin"])
        .required_scopes(["read"])
        .scopes_imply("admin", ["write"])
        .scopes_imply("write", ["read"])
        .build()
        .unwrap();
    let text = config.report().to_string();
    for line in text.lines().skip(1) {
        assert!(
            line.starts_with("  ") && line.trim_end() == line,
            "{line:?}"
        );
    }
    for words in [
        "  needed          read",
        "  good for more   admin: write read",
        "access_token_ttl = 1 h: an access token",
        "refresh_token_ttl = 30 d: a login that is not used",
        "session_cache_ttl = 10 s",
        "grant_max_age = no end",
        "registered: callbacks: http on loopback",
        "metadata document: of every host",
        "consent           a page asks each time",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
}
