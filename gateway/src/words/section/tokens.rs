//! `[tokens]`: what clients get, and for how long.

use tower_oauth_proxy::{ClaimsPassthrough, OAuthProxyConfigBuilder, RefreshGrace};

use crate::words::{
    key::{Key, Kind, key, sets},
    refusal::Refusal,
    table::Table,
};

use super::verifier;

/// The keys of `[tokens]`.
pub(crate) const KEYS: &[Key] = &[
    sets(
        &["scopes"],
        key(
            "scopes",
            Kind::Scopes,
            "the provider's",
            "[\"openid\", \"email\", \"read\", \"write\"]",
            "what clients may ask for",
        ),
    ),
    sets(
        &["scopes_imply"],
        key(
            "scopes_imply",
            Kind::Lists,
            "none",
            "{ write = [\"read\"] }",
            "what a scope includes: who has `write` may all that needs `read`",
        ),
    ),
    sets(
        &["access_token_ttl"],
        key(
            "access_token_ttl",
            Kind::Time,
            "1 hour",
            "\"1h\"",
            "of access tokens, whatever the provider's",
        ),
    ),
    sets(
        &["refresh_token_ttl"],
        key(
            "refresh_token_ttl",
            Kind::Time,
            "30 days",
            "\"30d\"",
            "how long an unused grant lives",
        ),
    ),
    sets(
        &["refresh_token_grace"],
        key(
            "refresh_token_grace",
            Kind::Time,
            "60 seconds",
            "\"60s\"",
            "how long a rotated refresh token gets its successor again",
        ),
    ),
    sets(
        &["refresh_token_grace"],
        key(
            "refresh_token_grace_until_used",
            Kind::Switch,
            "`false`",
            "false",
            "weak: until the successor is used",
        ),
    ),
    sets(
        &["authorization_code_ttl"],
        key(
            "authorization_code_ttl",
            Kind::Time,
            "5 minutes",
            "\"5m\"",
            "of codes",
        ),
    ),
    sets(
        &["session_cache_ttl"],
        key(
            "session_cache_ttl",
            Kind::Time,
            "10 seconds",
            "\"10s\"",
            "how long a revocation on another instance can go unseen; 0 turns the cache off",
        ),
    ),
    sets(
        &["custom_claims_passthrough"],
        key(
            "claims",
            Kind::Switch,
            "`true`",
            "true",
            "whether claims of the provider go into tokens and sessions, and so to the server behind",
        ),
    ),
    sets(
        &["custom_claims_passthrough"],
        key(
            "allowed_claims",
            Kind::Words,
            "all simple ones",
            "[\"email\", \"email_verified\", \"name\"]",
            "the only claims that go on",
        ),
    ),
    sets(
        &["custom_claims_passthrough"],
        key(
            "blocked_claims",
            Kind::Words,
            "none",
            "[\"address\"]",
            "claims that do not",
        ),
    ),
    sets(
        &["custom_claims_passthrough"],
        key(
            "complex_claims",
            Kind::Switch,
            "`false`",
            "false",
            "whether lists and objects go on too",
        ),
    ),
    sets(
        &["access_token_audiences"],
        key(
            "access_token_audiences",
            Kind::Words,
            "the client id, and what the provider is asked for",
            "[\"api://mcp\"]",
            "whose access tokens of the provider may name roles and claims here",
        ),
    ),
    sets(
        &["passthrough"],
        key(
            "passthrough",
            Kind::Table(verifier::KEYS),
            "off",
            "",
            "weak: clients hold the provider's own tokens, which are checked so",
        ),
    ),
    sets(
        &["upstream_verifier"],
        key(
            "upstream_verifier",
            Kind::Table(verifier::KEYS),
            "off",
            "",
            "asks at each first sight whether the provider's own token is still good",
        ),
    ),
];

pub(crate) fn apply(
    said: Table<'_>,
    mut builder: OAuthProxyConfigBuilder,
    provider: &tower_oauth_proxy::Provider,
) -> Result<OAuthProxyConfigBuilder, Refusal> {
    if let Some(scopes) = said.words("scopes")? {
        builder = builder.scopes(scopes);
    }
    for (scope, implied) in said.lists("scopes_imply")? {
        builder = builder.scopes_imply(scope, implied);
    }
    if let Some(time) = said.time("access_token_ttl")? {
        builder = builder.access_token_ttl(time);
    }
    if let Some(time) = said.time("refresh_token_ttl")? {
        builder = builder.refresh_token_ttl(time);
    }
    let grace = said.time("refresh_token_grace")?;
    match (said.is_on("refresh_token_grace_until_used")?, grace) {
        (true, Some(_)) => {
            let why = "has no meaning while `refresh_token_grace_until_used` is true";
            return Err(said.refuse("refresh_token_grace", why));
        }
        (true, None) => builder = builder.refresh_token_grace(RefreshGrace::UntilUsed),
        (false, Some(time)) => builder = builder.refresh_token_grace(time),
        (false, None) => {}
    }
    if let Some(time) = said.time("authorization_code_ttl")? {
        builder = builder.authorization_code_ttl(time);
    }
    if let Some(time) = said.time("session_cache_ttl")? {
        builder = builder.session_cache_ttl(time);
    }
    if let Some(claims) = claims(said)? {
        builder = builder.custom_claims_passthrough(claims);
    }
    if let Some(audiences) = said.words("access_token_audiences")? {
        builder = builder.access_token_audiences(audiences);
    }
    let passthrough = said.table("passthrough")?;
    if passthrough.table().is_said() {
        builder = verifier::passthrough(passthrough.table(), builder, provider)?;
    }
    let upstream = said.table("upstream_verifier")?;
    if upstream.table().is_said() {
        builder = verifier::upstream(upstream.table(), builder, provider)?;
    }
    Ok(builder)
}

fn claims(said: Table<'_>) -> Result<Option<ClaimsPassthrough>, Refusal> {
    if said.switch("claims")? == Some(false) {
        return Ok(Some(ClaimsPassthrough::disabled()));
    }
    let names = ["allowed_claims", "blocked_claims", "complex_claims"];
    if !names.into_iter().any(|name| said.has(name)) {
        return Ok(None);
    }
    let mut claims = ClaimsPassthrough::default().allow_complex(said.is_on("complex_claims")?);
    if let Some(allowed) = said.words("allowed_claims")? {
        claims = claims.allowed_claims(allowed);
    }
    if let Some(blocked) = said.words("blocked_claims")? {
        claims = claims.blocked_claims(blocked);
    }
    Ok(Some(claims))
}
