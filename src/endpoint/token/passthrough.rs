//! Passthrough mode (`token_swap(false)`): the client holds the provider's access token, and the
//! provider's refresh token sealed for it.
//!
//! Nothing is kept. The seal binds the refresh token to the client and to what was granted, so that
//! no other client can use it; the provider rotates it, or does not.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::request::{missing, narrowed, resource};
use crate::{
    client::Client,
    endpoint::refusal::Refusal,
    error::{OAuthErrorCode, UpstreamError, Verdict},
    event::{Event, Reason, Step},
    grant::{Grant, GrantId, Look, ProofOfLife, UpstreamGrant, end_at_provider, scopes},
    limits::MAX_BODY,
    oauth::{Params, Resource, ScopeSet},
    provider::TokenAnswer,
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
    /// The login's name in events.
    #[serde(rename = "g")]
    id: GrantId,
    /// The person, to be looked at again at each renewal.
    #[serde(rename = "u")]
    subject: String,
    /// When they logged in.
    #[serde(rename = "b")]
    created_at: u64,
}

/// The answer to a redeemed code.
pub(super) fn issue(proxy: &Proxy, id: GrantId, grant: &Grant) -> Value {
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
            expires_at: now.saturating_add(proxy.options.refresh_token_ttl.as_secs()),
            id,
            subject: grant.subject.clone(),
            created_at: grant.created_at,
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
    proxy: &Arc<Proxy>,
    client: &Client,
    params: &Params,
) -> Result<Value, Refusal> {
    let token = params
        .get("refresh_token")
        .ok_or_else(|| missing("refresh_token"))?;
    let held =
        open(proxy, &client.id, token).ok_or_else(|| Refusal::grant(Reason::InvalidToken))?;
    let now = proxy.now();
    if now >= held.expires_at {
        return Err(Refusal::grant(Reason::Expired).of(held.id));
    }
    let last_day = proxy.freshness.last_day_of_login(held.created_at);
    // The provider is not told, as in the other mode: see `Freshness::expire`.
    if last_day.is_some_and(|day| now >= day) {
        let refusal = Refusal::grant(Reason::Expired).of(held.id);
        return Err(refusal.detail("the grant is as old as it may get: it ends"));
    }
    let asked = narrowed(params.get("scope"), &held.scopes, &proxy.options.scopes)?;
    resource(&proxy.options.base, params, &held.resource)?;
    let names = scopes::for_provider(&asked, &proxy.options.offered_scopes);
    let scope = proxy
        .provider
        .about()
        .scopes_to_upstream(names.iter())
        .join(" ");
    let extra = &proxy.options.extra_token_params;
    let tokens = proxy
        .provider
        .refresh(&held.token, Some(&scope), extra)
        .await
        .map_err(|error| refused(&error).of(held.id))?;
    look_again(proxy, client, &held, &tokens).await?;
    let granted = scopes::granted(&asked, tokens.scope.as_ref());
    proxy.emit(&Event::done(Step::Refresh).grant(held.id.to_string()));
    let sealed = SealedRefreshToken {
        token: tokens
            .refresh_token()
            .map_or_else(|| held.token.clone(), str::to_owned),
        expires_at: proxy
            .now()
            .saturating_add(proxy.options.refresh_token_ttl.as_secs()),
        ..held
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

/// What was true at login must not stay true for ever: each renewal is a proof of life. A no is told
/// to the provider, too. Trouble is no answer: the provider has just renewed, its new token must not be
/// lost, and the verifier judges it at its first sight.
async fn look_again(
    proxy: &Arc<Proxy>,
    client: &Client,
    held: &SealedRefreshToken,
    tokens: &TokenAnswer,
) -> Result<(), Refusal> {
    // Nothing is kept of the person but `sub`: who is allowed by e-mail address would be refused for
    // what nobody can say again.
    if tokens.id_token().is_none() && !proxy.admission.can_ask_provider() {
        return Ok(());
    }
    let now = proxy.now();
    let grant = Grant::passed_through(
        &client.id,
        &held.subject,
        &held.scopes,
        &held.resource,
        UpstreamGrant::new(tokens, now),
    );
    let look = match proxy.admission.read(held.id, &grant, tokens, now) {
        Some(look) => look,
        None => {
            let ask = proxy.admission.ask(held.id, &grant, Some(tokens), now);
            ask.await
        }
    };
    match look {
        Look::Proven(_) | Look::TokenRefused => Ok(()),
        Look::Later { reason, detail } => {
            let event = Event::refused(Step::UpstreamRefresh, reason);
            proxy.emit(&event.grant(held.id.to_string()).detail(detail));
            Ok(())
        }
        Look::No { reason, detail } => {
            end(proxy, held, tokens);
            Err(Refusal::grant(reason).detail(detail).of(held.id))
        }
    }
}

/// Tells the provider, in a task of its own: a client that hangs up must not keep its tokens by that.
/// The refresh token goes first, which is the old one where a renewal named no other.
fn end(proxy: &Arc<Proxy>, held: &SealedRefreshToken, renewed: &TokenAnswer) {
    let refresh_token = renewed.refresh_token().unwrap_or(&held.token).to_owned();
    let access_token = renewed.access_token().to_owned();
    let (proxy, tasks, id) = (Arc::clone(proxy), proxy.tasks.clone(), held.id);
    tasks.spawn(async move {
        let given = [
            (&*refresh_token, "refresh_token"),
            (&*access_token, "access_token"),
        ];
        end_at_provider(&proxy.provider, &proxy.events, id, given.into_iter()).await;
    });
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

/// What a client hears of the provider's refusal. Nothing is kept here, so the time that a refusal
/// has stood cannot be counted: what a retry cannot mend is said at once.
///
/// | the provider | the client hears | why |
/// |---|---|---|
/// | `invalid_scope` | the same | it can ask for less |
/// | refuses the operator's own credentials | 503 | a login would fail as well, and the token works again once that is mended |
/// | any other code (`invalid_grant`, `interaction_required`, `invalid_request` …) | `invalid_grant` | a person has to come again: only that can help |
/// | 5xx, 429, no code at all, no answer | 503 | nothing was decided; it ends with the refresh token's own end |
fn refused(error: &UpstreamError) -> Refusal {
    let code = match error {
        UpstreamError::Rejected { code, .. } if error.verdict() != Verdict::Trouble => {
            code.as_str()
        }
        UpstreamError::Rejected { .. } => {
            return Refusal::unavailable(Reason::ProviderRejected).detail(error);
        }
        UpstreamError::Malformed(_) => {
            return Refusal::unavailable(Reason::ProviderMalformed).detail(error);
        }
        _ => return Refusal::unavailable(Reason::ProviderUnavailable).detail(error),
    };
    if code == "invalid_scope" {
        let text = "the identity provider does not grant this scope, or no longer";
        let code = OAuthErrorCode::InvalidScope;
        return Refusal::new(Reason::ProviderRejected, code, text).detail(error);
    }
    Refusal::grant(Reason::ProviderRejected).detail(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_repeating_cannot_mend_is_said_at_once_and_trouble_is_no_refusal() {
        let said = |code: &str| {
            let refusal = refused(&UpstreamError::Rejected {
                status: 400,
                code: code.to_owned(),
                description: None,
            });
            refusal.error.code
        };
        for code in [
            "invalid_grant",
            "interaction_required",
            "invalid_request",
            "odd",
        ] {
            assert_eq!(said(code), OAuthErrorCode::InvalidGrant, "{code}");
        }
        assert_eq!(said("invalid_scope"), OAuthErrorCode::InvalidScope);
        for code in ["invalid_client", "incorrect_client_credentials"] {
            assert_eq!(said(code), OAuthErrorCode::TemporarilyUnavailable, "{code}");
        }
        for trouble in [
            UpstreamError::Timeout,
            UpstreamError::Transport(String::new()),
            UpstreamError::Malformed(String::new()),
        ] {
            let code = refused(&trouble).error.code;
            assert_eq!(code, OAuthErrorCode::TemporarilyUnavailable, "{trouble}");
        }
    }
}
