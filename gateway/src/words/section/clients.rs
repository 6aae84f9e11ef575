//! `[clients]`: which programs may ask people to log in.

use tower_oauth_proxy::{
    ClientAuthMethod, KnownClient, MetadataDocuments, OAuthProxyConfigBuilder, PublicKeys,
    RedirectPolicy, ScopeSet, StaticClient,
};

use crate::words::{
    key::{Key, Kind, key, sets},
    refusal::Refusal,
    table::Table,
};

const KNOWN: &[&str] = &[
    "chatgpt",
    "claude",
    "copilot_studio",
    "cursor",
    "gemini",
    "gemini_enterprise",
    "grok",
    "vscode",
];

const METHODS: &[&str] = &[
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "none",
];

/// The keys of a configured client.
const CONFIGURED: &[Key] = &[
    key(
        "id",
        Kind::Text,
        "required",
        "\"nightly\"",
        "its `client_id`",
    ),
    key(
        "name",
        Kind::Text,
        "the id",
        "\"Nightly export\"",
        "what people read",
    ),
    key(
        "secret",
        Kind::Secret,
        "none: a public client",
        "\"76f1fb6b5d5a9c5f8d1ad5ed5ae1b7c8\"",
        "its secret",
    ),
    key(
        "secret_sha256",
        Kind::Text,
        "",
        "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"",
        "or the SHA-256 of it, 64 hexadecimal digits",
    ),
    key(
        "jwks_file",
        Kind::File,
        "",
        "\"client.jwks.json\"",
        "or the public keys that it proves itself with",
    ),
    key(
        "jwks_url",
        Kind::Text,
        "",
        "\"https://client.example.com/jwks.json\"",
        "or where they are",
    ),
    key(
        "auth_method",
        Kind::Choice(METHODS),
        "by what it has",
        "\"client_secret_basic\"",
        "how it proves itself",
    ),
    key(
        "redirect_uris",
        Kind::Words,
        "none",
        "[\"https://client.example.com/callback\"]",
        "where people come back to",
    ),
    key(
        "scopes",
        Kind::Scopes,
        "all",
        "[\"read\"]",
        "of a machine: the most that it may; of others: what a login asks for that names none",
    ),
    key(
        "machine",
        Kind::Switch,
        "`false`",
        "true",
        "whether it gets tokens of its own, without a person (`client_credentials`)",
    ),
    key(
        "roles",
        Kind::Words,
        "none",
        "[\"batch\"]",
        "the roles of its own tokens",
    ),
    key(
        "introspects",
        Kind::Words,
        "nothing",
        "[\"https://mcp.example.com/search\"]",
        "resources about whose tokens it may ask",
    ),
];

/// The keys of `[clients]`.
pub(crate) const KEYS: &[Key] = &[
    sets(
        &["allow_client"],
        key(
            "allow",
            Kind::Choices(KNOWN),
            "none",
            "[\"claude\", \"chatgpt\"]",
            "well-known clients that are not on the person's own computer; `[\"claude\", …]`. Those on loopback need no mention",
        ),
    ),
    sets(
        &["allowed_redirect_uri_patterns"],
        key(
            "allowed_redirect_uri_patterns",
            Kind::Words,
            "none",
            "[\"https://client.example.com/callback\"]",
            "exact URIs, one wildcard label, or a path that ends in `/*`",
        ),
    ),
    sets(
        &["redirect_policy"],
        key(
            "loopback",
            Kind::Switch,
            "`true`",
            "true",
            "whether clients on the person's own computer may register",
        ),
    ),
    sets(
        &["dynamic_registration"],
        key(
            "dynamic_registration",
            Kind::Switch,
            "`true`",
            "true",
            "whether clients can register themselves",
        ),
    ),
    sets(
        &["metadata_documents"],
        key(
            "metadata_documents",
            Kind::Switch,
            "`true`",
            "true",
            "whether a client may be the URL of a document about itself",
        ),
    ),
    sets(
        &["metadata_documents"],
        key(
            "metadata_document_hosts",
            Kind::Words,
            "all public hosts",
            "[\"client.example.com\"]",
            "the only hosts of such documents",
        ),
    ),
    sets(
        &["metadata_documents"],
        key(
            "metadata_documents_except",
            Kind::Words,
            "none",
            "[\"other.example.com\"]",
            "hosts of which no document is taken",
        ),
    ),
    sets(
        &["static_client", "static_clients"],
        key(
            "configured",
            Kind::Tables(CONFIGURED),
            "none",
            "",
            "clients that you know by name: apps, machines, services that ask about tokens",
        ),
    ),
    sets(
        &["allow_plain_pkce"],
        key(
            "allow_plain_pkce",
            Kind::Switch,
            "`false`",
            "false",
            "weak: for clients that cannot do S256",
        ),
    ),
];

pub(crate) fn apply(
    said: Table<'_>,
    mut builder: OAuthProxyConfigBuilder,
) -> Result<OAuthProxyConfigBuilder, Refusal> {
    // Before what is allowed: it replaces that.
    if said.switch("loopback")? == Some(false) {
        builder = builder.redirect_policy(RedirectPolicy::none());
    }
    for name in said.words("allow")?.unwrap_or_default() {
        let unknown = || said.refuse("allow", format!("{name} is unknown"));
        builder = builder.allow_client(known(name).ok_or_else(unknown)?);
    }
    if let Some(patterns) = said.words("allowed_redirect_uri_patterns")? {
        builder = builder.allowed_redirect_uri_patterns(patterns);
    }
    if let Some(on) = said.switch("dynamic_registration")? {
        builder = builder.dynamic_registration(on);
    }
    if let Some(documents) = documents(said)? {
        builder = builder.metadata_documents(documents);
    }
    for client in said.tables("configured")? {
        builder = builder.static_client(configured(client.table())?);
    }
    if let Some(on) = said.switch("allow_plain_pkce")? {
        builder = builder.allow_plain_pkce(on);
    }
    Ok(builder)
}

fn known(name: &str) -> Option<KnownClient> {
    Some(match name {
        "chatgpt" => KnownClient::ChatGpt,
        "claude" => KnownClient::Claude,
        "copilot_studio" => KnownClient::CopilotStudio,
        "cursor" => KnownClient::Cursor,
        "gemini" => KnownClient::Gemini,
        "gemini_enterprise" => KnownClient::GeminiEnterprise,
        "grok" => KnownClient::Grok,
        "vscode" => KnownClient::VsCode,
        _ => return None,
    })
}

fn documents(said: Table<'_>) -> Result<Option<MetadataDocuments>, Refusal> {
    const LISTS: [&str; 2] = ["metadata_document_hosts", "metadata_documents_except"];
    let on = said.switch("metadata_documents")?;
    let [only, except] = LISTS.map(|name| said.words(name));
    match (on, only?, except?) {
        (_, Some(_), Some(_)) => {
            let why = format!("is said besides `{}`: say one of both", LISTS[0]);
            Err(said.refuse(LISTS[1], why))
        }
        (Some(false), Some(_), _) => Err(said.refuse(
            LISTS[0],
            "has no meaning while `metadata_documents` is false",
        )),
        (Some(false), _, Some(_)) => Err(said.refuse(
            LISTS[1],
            "has no meaning while `metadata_documents` is false",
        )),
        (_, Some(hosts), None) if hosts.is_empty() => {
            let why = "names no host: say `metadata_documents = false` for none";
            Err(said.refuse(LISTS[0], why))
        }
        (_, Some(hosts), None) => Ok(Some(MetadataDocuments::only_hosts(hosts))),
        (_, None, Some(hosts)) => Ok(Some(MetadataDocuments::except_hosts(hosts))),
        (Some(true), None, None) => Ok(Some(MetadataDocuments::on())),
        (Some(false), None, None) => Ok(Some(MetadataDocuments::off())),
        (None, None, None) => Ok(None),
    }
}

fn configured(said: Table<'_>) -> Result<StaticClient, Refusal> {
    let mut client = by_proof(said)?;
    for uri in said.words("redirect_uris")?.unwrap_or_default() {
        let refused = |error| said.refuse("redirect_uris", error);
        client = client.redirect_uri(uri).map_err(refused)?;
    }
    if let Some(name) = said.text("name")? {
        client = client.name(name);
    }
    if let Some(method) = said.text("auth_method")? {
        client = client.auth_method(match method {
            "client_secret_basic" => ClientAuthMethod::ClientSecretBasic,
            "client_secret_post" => ClientAuthMethod::ClientSecretPost,
            "private_key_jwt" => ClientAuthMethod::PrivateKeyJwt,
            _ => ClientAuthMethod::None,
        });
    }
    let is_machine = said.is_on("machine")?;
    if let Some(scopes) = said.words("scopes")? {
        if is_machine {
            client = client.scopes(scopes.iter().copied());
        }
        if said.has("redirect_uris") || !is_machine {
            let refused = |error| said.refuse("scopes", error);
            client = client.default_scope(ScopeSet::new(&scopes).map_err(refused)?);
        }
    }
    if is_machine {
        client = client.as_machine();
    }
    if let Some(roles) = said.words("roles")? {
        client = client.roles(roles);
    }
    for resource in said.words("introspects")?.unwrap_or_default() {
        client = client.introspects(resource);
    }
    Ok(client)
}

/// The client, by what it proves itself with.
fn by_proof(said: Table<'_>) -> Result<StaticClient, Refusal> {
    let id = said.required("id")?;
    let mut proofs = Vec::new();
    if let Some(secret) = said.secret("secret")? {
        proofs.push(StaticClient::confidential(id, secret));
    }
    if let Some(hash) = said.text("secret_sha256")? {
        let digits = hash.strip_prefix("sha256:").unwrap_or(hash);
        if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            // The value is not shown: it may be the secret itself.
            let why = "is not 64 hexadecimal digits of SHA-256";
            return Err(said.refuse("secret_sha256", why));
        }
        let hash = format!("sha256:{}", digits.to_ascii_lowercase());
        proofs.push(StaticClient::confidential_by_hash(id, hash));
    }
    if let Some(file) = said.file("jwks_file")? {
        let refused = |error| said.refuse("jwks_file", format!("{}: {error}", file.path.display()));
        let keys = PublicKeys::from_jwks(&file.text).map_err(refused)?;
        proofs.push(StaticClient::with_keys(id, keys));
    }
    if let Some(url) = said.text("jwks_url")? {
        let keys = PublicKeys::at(url).map_err(|error| said.refuse("jwks_url", error))?;
        proofs.push(StaticClient::with_keys(id, keys));
    }
    match (proofs.pop(), proofs.is_empty()) {
        (Some(client), true) => Ok(client),
        (None, _) => Ok(StaticClient::public(id)),
        (Some(_), false) => {
            let why = "proves itself in two ways: give one of `secret`, `secret_sha256`, `jwks_file` and \
                       `jwks_url`";
            Err(said.refuse("id", why))
        }
    }
}
