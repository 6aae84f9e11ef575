//! `[machines]`: programs without a person, and tokens of others.

use tower_oauth_proxy::{ApiKey, IntrospectionVerifier, OAuthProxyConfigBuilder};

use super::trusted_issuer;

use crate::words::{
    key::{Key, Kind, key, sets},
    refusal::Refusal,
    table::Table,
};

const INTROSPECTION: &[Key] = &[
    key(
        "url",
        Kind::Text,
        "required",
        "\"https://idp.example.com/introspect\"",
        "where tokens are asked about (RFC 7662)",
    ),
    key(
        "id",
        Kind::Text,
        "`introspection`",
        "\"partner\"",
        "what it is called in events and in names of people",
    ),
    key(
        "client_id",
        Kind::Text,
        "",
        "\"mcp\"",
        "who asks: an id and a secret, or `bearer_token`",
    ),
    key(
        "client_secret",
        Kind::Secret,
        "",
        "\"c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8\"",
        "",
    ),
    key("bearer_token", Kind::Secret, "", "\"f2a6\"", ""),
    key(
        "credentials_in_body",
        Kind::Switch,
        "`false`",
        "false",
        "send id and secret in the body",
    ),
    key(
        "audience",
        Kind::Text,
        "",
        "\"https://mcp.example.com\"",
        "the `aud` that a token needs",
    ),
    key(
        "without_audience",
        Kind::Switch,
        "`false`",
        "false",
        "the other server names no audience; then say `token_client`",
    ),
    key(
        "token_client",
        Kind::Text,
        "any",
        "\"desk\"",
        "the `client_id` that a token needs",
    ),
    key(
        "issuer",
        Kind::Text,
        "any",
        "\"https://idp.example.com\"",
        "the `iss` that the answer needs",
    ),
    key(
        "subject_claim",
        Kind::Text,
        "`sub`",
        "\"sub\"",
        "the member that names who it is",
    ),
    key(
        "cache_ttl",
        Kind::Time,
        "the library's",
        "\"10s\"",
        "how long a yes is kept",
    ),
    key(
        "refused_cache_ttl",
        Kind::Time,
        "the library's",
        "\"10s\"",
        "how long a no is kept",
    ),
    key(
        "without_allow_lists",
        Kind::Switch,
        "`false`",
        "false",
        "weak: its people are not asked about in `[people]`",
    ),
];

/// The keys of `[machines]`.
pub(crate) const KEYS: &[Key] = &[
    sets(
        &["api_keys", "api_key"],
        key(
            "api_keys_file",
            Kind::File,
            "none",
            "\"api-keys.txt\"",
            "keys of programs, one a line, as `new_api_key` prints them: hashes, no keys",
        ),
    ),
    sets(
        &["trusted_issuer"],
        key(
            "trusted_issuers",
            Kind::Tables(trusted_issuer::KEYS),
            "none",
            "",
            "whose assertions, workloads or access tokens are accepted",
        ),
    ),
    sets(
        &["introspection", "introspection_without_allow_lists"],
        key(
            "introspection",
            Kind::Table(INTROSPECTION),
            "none",
            "",
            "a server that is asked about tokens that nothing else here knows",
        ),
    ),
    sets(
        &["machine_token_ttl"],
        key(
            "machine_token_ttl",
            Kind::Time,
            "15 minutes",
            "\"15m\"",
            "of tokens of machines; a minute to an hour",
        ),
    ),
    sets(
        &["assertion_token_ttl"],
        key(
            "assertion_token_ttl",
            Kind::Time,
            "15 minutes",
            "\"15m\"",
            "of tokens for assertions; a minute to an hour",
        ),
    ),
];

pub(crate) fn apply(
    said: Table<'_>,
    mut builder: OAuthProxyConfigBuilder,
) -> Result<OAuthProxyConfigBuilder, Refusal> {
    if let Some(file) = said.file("api_keys_file")? {
        let refused =
            |error| said.refuse("api_keys_file", format!("{}: {error}", file.path.display()));
        builder = builder.api_keys(ApiKey::parse_all(&file.text).map_err(refused)?);
    }
    for said in said.tables("trusted_issuers")? {
        builder = builder.trusted_issuer(trusted_issuer::issuer(said.table())?);
    }
    let asked = said.table("introspection")?;
    if asked.table().is_said() {
        let said = asked.table();
        let id = said.text("id")?.unwrap_or("introspection");
        builder = builder.introspection(id, introspection(said)?);
        if said.is_on("without_allow_lists")? {
            builder = builder.introspection_without_allow_lists();
        }
    }
    if let Some(time) = said.time("machine_token_ttl")? {
        builder = builder.machine_token_ttl(time);
    }
    if let Some(time) = said.time("assertion_token_ttl")? {
        builder = builder.assertion_token_ttl(time);
    }
    Ok(builder)
}

/// Who is asked about tokens, and what they must say.
fn introspection(said: Table<'_>) -> Result<IntrospectionVerifier, Refusal> {
    let url = said.required("url")?;
    let secret = said.secret("client_secret")?;
    let mut verifier = match (
        said.text("client_id")?,
        secret,
        said.secret("bearer_token")?,
    ) {
        (Some(id), Some(secret), None) => IntrospectionVerifier::new(url, id, secret),
        (None, None, Some(token)) => IntrospectionVerifier::with_bearer_token(url, token),
        _ => {
            let why =
                "says who asks: give `client_id` and `client_secret`, or `bearer_token` alone";
            return Err(said.refuse("client_id", why));
        }
    };
    if said.is_on("credentials_in_body")? {
        verifier = verifier.credentials_in_body();
    }
    if let Some(audience) = said.text("audience")? {
        verifier = verifier.audience(audience);
    }
    if said.is_on("without_audience")? {
        verifier = verifier.without_audience();
    }
    if let Some(client) = said.text("token_client")? {
        verifier = verifier.client(client);
    }
    if let Some(issuer) = said.text("issuer")? {
        verifier = verifier.issuer(issuer);
    }
    if let Some(claim) = said.text("subject_claim")? {
        verifier = verifier.subject_claim(claim);
    }
    if let Some(time) = said.time("cache_ttl")? {
        verifier = verifier.cache_ttl(time);
    }
    if let Some(time) = said.time("refused_cache_ttl")? {
        verifier = verifier.refused_cache_ttl(time);
    }
    Ok(verifier)
}
