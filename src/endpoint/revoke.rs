//! `POST {base}/oauth/revoke`: token revocation (RFC 7009).
//!
//! Either token ends the whole grant, for its own client only. A token that is not ours, or is
//! another client's, is answered 200 like one that was revoked before (section 2.2): the client
//! learns nothing and nothing changes.

mod machine_token;

use std::sync::Arc;

use http::request::Parts;
use http_body::Body;

use super::{answer, client_auth::authenticate, refusal::Refusal, request};
use crate::{
    body::OwnResponse,
    client::Client,
    error::{BoxError, OAuthErrorCode},
    event::{Event, Reason, Step},
    grant::GrantId,
    limits::MAX_BEARER,
    mode::{Mode, Passthrough},
    provider::Finality,
    proxy::Proxy,
    token::{AccessClaims, AccessTokens, PassedThrough},
};

pub(super) async fn handle<B>(proxy: &Arc<Proxy>, parts: &Parts, body: B) -> OwnResponse
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    match revoke(proxy, parts, body).await {
        Ok(()) => answer::ok_empty(),
        Err(refusal) => refusal.into_json(proxy, Step::Revoke),
    }
}

async fn revoke<B>(proxy: &Arc<Proxy>, parts: &Parts, body: B) -> Result<(), Refusal>
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let params = request::form(parts, body).await?;
    let client = authenticate(proxy, &parts.headers, &params).await?;
    let Some(token) = params.get("token") else {
        let text = "token is missing";
        let code = OAuthErrorCode::InvalidRequest;
        return Err(Refusal::new(Reason::MissingParameter, code, text));
    };
    let tokens = match &proxy.mode {
        Mode::Swap(tokens) => tokens,
        Mode::Passthrough(mode) => return revoke_passed_through(proxy, mode, &client, token).await,
    };
    let Some(id) = grant_of(proxy, tokens, token) else {
        return machine_token::revoke(proxy, tokens, &client, token).await;
    };
    // Whichever provider it is of: revoked is revoked.
    let Some(grant) = proxy.grants.stored(&id).await? else {
        proxy.grants.forget(id);
        return Ok(());
    };
    // RFC 7009 section 2.1: the server "verifies whether the token was issued to the client making the
    // revocation request".
    if grant.client_id != client.id {
        let event = Event::refused(Step::Revoke, Reason::ForeignClient);
        proxy.emit(&event.grant(id.to_string()));
        return Ok(());
    }
    proxy.ending.end(id).await?;
    proxy.emit(&Event::done(Step::Revoke).grant(id.to_string()));
    Ok(())
}

/// The grant of one of our tokens, whatever `token_type_hint` says.
fn grant_of(proxy: &Proxy, tokens: &AccessTokens, token: &str) -> Option<GrantId> {
    if let Some((id, _)) = proxy.grants.refresh_tokens.read(token) {
        return Some(id);
    }
    let grant = |claims: &AccessClaims<'_>| GrantId::parse(&claims.gid);
    tokens.verify(token, proxy.now(), grant).ok()?
}

/// Passthrough mode: the provider's revocation is all there is, so its failure is ours. The client's
/// refresh token opens for it alone; anything else is taken for an access token, whose holder could
/// use it anyway.
async fn revoke_passed_through(
    proxy: &Proxy,
    mode: &Passthrough,
    client: &Client,
    token: &str,
) -> Result<(), Refusal> {
    let opened = PassedThrough::open(&mode.seal, &client.id, token);
    let (token, hint) = match &opened {
        Some(sealed) if !sealed.is_from(proxy.providers.main().about()) => {
            return Err(not_revocable(Reason::GrantEnded).detail(sealed.why_foreign()));
        }
        Some(sealed) => (sealed.token.as_str(), "refresh_token"),
        None => (token, "access_token"),
    };
    // What cannot be a token was never one (RFC 7009 section 2.2), and is not sent on.
    let is_token = token.len() <= MAX_BEARER && token.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_token {
        return Ok(());
    }
    let Some(_turn) = mode.turn_to_revoke() else {
        let refusal = Refusal::unavailable(Reason::Busy);
        return Err(refusal.detail("as many revocations are at the provider as this process takes"));
    };
    // A client that hangs up now takes the rest of this with it.
    proxy.sessions.forget(token.as_bytes());
    let answer = proxy.providers.main().revoke(token, hint).await;
    // Again: a request while the provider was asked may have been let in, and kept.
    proxy.sessions.forget(token.as_bytes());
    match answer {
        Ok(true) => {
            proxy.emit(&Event::done(Step::Revoke));
            Ok(())
        }
        Ok(false) => Err(not_revocable(Reason::UnsupportedType)),
        Err(error) => match error.finality() {
            // The provider knows no such token: it is as good as revoked (RFC 7009 section 2.2).
            Finality::Ends => Ok(()),
            // Any other refusal leaves it alive, and the client has to know.
            Finality::Bounded => Err(not_revocable(Reason::ProviderRejected).detail(error)),
            Finality::Trouble => {
                Err(Refusal::unavailable(Reason::ProviderUnavailable).detail(error))
            }
        },
    }
}

fn not_revocable(reason: Reason) -> Refusal {
    let words = "the identity provider cannot revoke this token";
    Refusal::new(reason, OAuthErrorCode::UnsupportedTokenType, words)
}
