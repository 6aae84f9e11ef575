//! `POST {base}/oauth/revoke`: token revocation (RFC 7009).
//!
//! Either token ends the whole grant, for its own client only. A token that is not ours, or is
//! another client's, is answered 200 like one that was revoked before (section 2.2): the client
//! learns nothing and nothing changes.

mod at_provider;
mod machine_token;

use std::sync::Arc;

use http::request::Parts;
use http_body::Body;

use super::{answer, caller::Caller, client_auth::authenticate, refusal::Refusal, request};
use crate::{
    body::OwnResponse,
    error::{BoxError, OAuthErrorCode},
    event::{Event, Reason, Step, mark_span},
    grant::GrantId,
    mode::Mode,
    oauth::{Params, describable},
    proxy::Proxy,
    token::{AccessClaims, AccessTokens},
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
    let client = authenticate(proxy, parts, &params).await?;
    mark_span(|| client.who());
    let revoked = revoke_for(proxy, &client, &params).await;
    if let Err(refusal) = &revoked {
        client.give_back(proxy, refusal).await;
    }
    revoked.map_err(|no| no.about(client.who()))
}

async fn revoke_for(proxy: &Arc<Proxy>, client: &Caller, params: &Params) -> Result<(), Refusal> {
    let Some(token) = params.get("token") else {
        let text = "token is missing";
        let code = OAuthErrorCode::InvalidRequest;
        return Err(Refusal::new(Reason::MissingParameter, code, text));
    };
    let tokens = match &proxy.mode {
        Mode::Swap(tokens) => tokens,
        Mode::Passthrough(mode) => return at_provider::revoke(proxy, mode, client, token).await,
    };
    let Some(id) = grant_of(proxy, tokens, token) else {
        return machine_token::revoke(proxy, tokens, client, token).await;
    };
    // Whichever provider it is of: revoked is revoked.
    let Some(grant) = proxy.grants.stored(&id).await? else {
        proxy.grants.forget(id);
        return Ok(());
    };
    // RFC 7009 section 2.1: the server "verifies whether the token was issued to the client making the
    // revocation request".
    if grant.client_id != client.id {
        let event = Event::refused(Step::Revoke, Reason::ForeignClient).about(client.who());
        let owner = describable(&grant.client_id);
        let event = event.about(proxy.grants.who(&id, &grant));
        proxy.emit(&event.detail(format_args!("the token is of client `{owner}`")));
        return Ok(());
    }
    client.spend(proxy).await.map_err(|no| no.of(id))?;
    proxy.ending.end(id).await?;
    let event = Event::done(Step::Revoke).about(client.who());
    proxy.emit(&event.about(proxy.grants.who(&id, &grant)));
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
