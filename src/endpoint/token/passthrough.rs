//! Passthrough mode (`token_swap(false)`): the client holds the provider's access token, and the
//! provider's refresh token sealed for it.
//!
//! Nothing is kept. The seal binds the refresh token to the client and to what was granted, so that
//! no other client can use it; the provider rotates it, or does not.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::missing;
use crate::{
    client::Client,
    endpoint::refusal::Refusal,
    error::UpstreamError,
    event::{Event, Reason, Step},
    grant::{Grant, scopes},
    limits::MAX_BODY,
    oauth::{Params, Resource, ScopeSet},
    proxy::Proxy,
};

/// What the client's refresh token holds, sealed with the client's id as context.
#[derive(Serialize, Deserialize)]
pub(in crate::endpoint) struct SealedRefreshToken {
    #[serde(rename = "t")]
    pub(in crate::endpoint) token: String,
    #[serde(rename = "s")]
    scopes: ScopeSet,
    #[serde(rename = "r")]
    resource: Resource,
    #[serde(rename = "e")]
    expires_at: u64,
}

/// The answer to a redeemed code.
pub(super) fn issue(proxy: &Proxy, grant: &Grant) -> Value {
    let now = proxy.now();
    let expires_in = grant.upstream.expires_at.map(|end| end.saturating_sub(now));
    let sealed = grant
        .upstream
        .refresh_token
        .clone()
        .map(|token| SealedRefreshToken {
            token,
            scopes: grant.scopes.clone(),
            resource: grant.resource.clone(),
            expires_at: now.saturating_add(proxy.settings.refresh_token_ttl.as_secs()),
        });
    answer(
        proxy,
        &grant.client_id,
        &grant.upstream.access_token,
        expires_in,
        &grant.scopes,
        sealed,
    )
}

/// `grant_type=refresh_token`: asks the provider in the client's name.
pub(super) async fn refresh(
    proxy: &Proxy,
    client: &Client,
    params: &Params,
) -> Result<Value, Refusal> {
    let token = params
        .get("refresh_token")
        .ok_or_else(|| missing("refresh_token"))?;
    let held =
        open(proxy, &client.id, token).ok_or_else(|| Refusal::grant(Reason::InvalidToken))?;
    if proxy.now() >= held.expires_at {
        return Err(Refusal::grant(Reason::Expired));
    }
    let asked = super::refresh_token::narrowed(params.get("scope"), &held.scopes)?;
    super::resource(proxy, params, &held.resource)?;
    let names = scopes::for_provider(&asked, &proxy.settings.offered_scopes);
    let scope = proxy
        .upstream
        .provider()
        .scopes_to_upstream(names.iter())
        .join(" ");
    let extra = &proxy.settings.extra_token_params;
    let tokens = proxy
        .upstream
        .refresh(&held.token, Some(&scope), extra)
        .await
        .map_err(|error| refused(&error))?;
    let granted = scopes::granted(&asked, tokens.scope.as_ref());
    proxy.emit(&Event::done(Step::Refresh));
    let sealed = SealedRefreshToken {
        token: tokens.refresh_token().map_or(held.token, str::to_owned),
        scopes: held.scopes,
        resource: held.resource,
        expires_at: proxy
            .now()
            .saturating_add(proxy.settings.refresh_token_ttl.as_secs()),
    };
    let access_token = tokens.access_token();
    Ok(answer(
        proxy,
        &client.id,
        access_token,
        tokens.expires_in,
        &granted,
        Some(sealed),
    ))
}

/// What a client's refresh token holds; `None` when it is not this client's.
pub(in crate::endpoint) fn open(
    proxy: &Proxy,
    client_id: &str,
    token: &str,
) -> Option<SealedRefreshToken> {
    if token.len() > MAX_BODY {
        return None;
    }
    let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
    let plain = proxy.passthrough.open(client_id.as_bytes(), sealed).ok()?;
    serde_json::from_slice(&plain).ok()
}

fn answer(
    proxy: &Proxy,
    client_id: &str,
    access_token: &str,
    expires_in: Option<u64>,
    scopes: &ScopeSet,
    sealed: Option<SealedRefreshToken>,
) -> Value {
    let mut body = json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "scope": scopes.to_string(),
    });
    if let Some(fields) = body.as_object_mut() {
        if let Some(seconds) = expires_in {
            fields.insert("expires_in".into(), seconds.into());
        }
        if let Some(plain) = sealed.and_then(|sealed| serde_json::to_vec(&sealed).ok()) {
            let sealed = proxy.passthrough.seal(client_id.as_bytes(), &plain);
            fields.insert(
                "refresh_token".into(),
                URL_SAFE_NO_PAD.encode(sealed).into(),
            );
        }
    }
    body
}

/// Only the provider's own word on this token is `invalid_grant`.
fn refused(error: &UpstreamError) -> Refusal {
    if error.is_dead_grant() {
        return Refusal::grant(Reason::ProviderRejected).detail(error);
    }
    let reason = match error {
        UpstreamError::Rejected { .. } => Reason::ProviderRejected,
        UpstreamError::Malformed(_) => Reason::ProviderMalformed,
        _ => Reason::ProviderUnavailable,
    };
    Refusal::unavailable(reason).detail(error)
}
