//! The answer of the grant types whose tokens are the proxy's own.

use serde_json::{Value, json};

use crate::{
    endpoint::refusal::Refusal,
    error::OAuthErrorCode,
    event::Reason,
    grant::{Grant, GrantId, term},
    jose::KeyError,
    oauth::{Resource, ScopeSet},
    proxy::Proxy,
    random,
    time::Unix,
    token::{AccessClaims, AccessTokens},
};

/// A fresh access token, and the refresh token of the given generation (RFC 6749 section 5.1).
///
/// RFC 6749 section 3.3: "If the issued access token scope is different from the one requested by the
/// client, the authorization server MUST include the "scope" response parameter". It always does.
pub(super) fn issue(
    proxy: &Proxy,
    tokens: &AccessTokens,
    id: &GrantId,
    grant: &Grant,
    scopes: &ScopeSet,
    resource: &Resource,
    generation: u32,
) -> Result<Value, Refusal> {
    let now = proxy.now();
    let ttl = proxy.options.access_token_ttl;
    let exp = term::access_token_expiry(ttl, &grant.upstream, now);
    let last_day = proxy.freshness.last_day(grant);
    let exp = last_day.map_or(exp, |day| exp.min(day));
    let scope = scopes.to_string();
    let token = access_token(proxy, tokens, id, grant, &scope, resource, (now, exp));
    let token = token.map_err(|refusal| refusal.of(*id))?;
    Ok(json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": exp.since(now).as_secs(),
        "refresh_token": proxy.grants.refresh_tokens.issue(id, generation),
        "scope": scope,
    }))
}

/// The access token of a grant, good from the first of these times to the second.
pub(super) fn access_token(
    proxy: &Proxy,
    tokens: &AccessTokens,
    id: &GrantId,
    grant: &Grant,
    scope: &str,
    resource: &Resource,
    (iat, exp): (Unix, Unix),
) -> Result<String, Refusal> {
    let claims = AccessClaims {
        sub: proxy.grants.subject_of(grant),
        aud: resource.as_str().into(),
        client_id: (&grant.client_id).into(),
        scope: scope.into(),
        iat,
        exp,
        jti: random::token::<16>().into(),
        gid: id.to_string().into(),
    };
    tokens.issue(&claims, grant.claims.map()).map_err(unsigned)
}

/// The key did not sign. The client may come again: a refresh token is answered with the same successor.
pub(super) fn unsigned(error: KeyError) -> Refusal {
    let words = "the access token could not be signed";
    Refusal::new(Reason::Unsigned, OAuthErrorCode::ServerError, words).detail(error)
}
