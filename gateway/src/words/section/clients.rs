//! `[clients]`: which programs may ask people to log in.

use tower_oauth_proxy::{KnownClient, MetadataDocuments, OAuthProxyConfigBuilder, RedirectPolicy};

use super::configured_client;

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
            Kind::Tables(configured_client::KEYS),
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
        builder = builder.static_client(configured_client::configured(client.table())?);
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
