//! `POST {base}/oauth/revoke`: token revocation (RFC 7009).
//!
//! Either token ends the whole grant, for its own client only. A token that is none of ours, or
//! another client's, is answered 200 like one that was revoked before (section 2.2): the client
//! learns nothing and nothing changes.

use std::sync::Arc;

use http::request::Parts;
use http_body::Body;
use tokio::sync::oneshot;

use super::{
    answer,
    refusal::Refusal,
    request,
    token::{authenticate, open_passed_through},
};
use crate::{
    body::OwnResponse,
    client::Client,
    error::{BoxError, OAuthErrorCode, StorageError, Verdict},
    event::{Event, Reason, Step},
    grant::{self, Grant, GrantId, at_once},
    limits::{MAX_BEARER, REVOKE_WAIT},
    proxy::Proxy,
    token::AccessClaims,
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
    if !proxy.options.token_swap {
        return revoke_passed_through(proxy, &client, token).await;
    }
    let Some(id) = grant_of(proxy, token) else {
        let event = Event::refused(Step::Revoke, Reason::InvalidToken);
        proxy.emit(&event.detail("the token is none of this server, or expired"));
        return Ok(());
    };
    let Some(loaded) = proxy.grants.load(&id).await? else {
        proxy.grants.forget(id);
        return Ok(());
    };
    if loaded.grant.client_id != client.id {
        let event = Event::refused(Step::Revoke, Reason::ForeignClient);
        proxy.emit(&event.grant(id.to_string()));
        return Ok(());
    }
    end_grant(proxy, id).await?;
    proxy.emit(&Event::done(Step::Revoke).grant(id.to_string()));
    Ok(())
}

/// The grant of one of our tokens, whatever `token_type_hint` says.
fn grant_of(proxy: &Proxy, token: &str) -> Option<GrantId> {
    if let Some((id, _)) = proxy.grants.refresh_tokens.read(token) {
        return Some(id);
    }
    let grant = |claims: &AccessClaims<'_>| GrantId::parse(&claims.gid);
    proxy.access_tokens.verify(token, proxy.now(), grant).ok()?
}

/// Ends a grant here, then at the provider; `false` when there was none. The provider's answer is
/// waited for a little and never decides: what the client held is dead either way.
pub(crate) async fn end_grant(proxy: &Arc<Proxy>, id: GrantId) -> Result<bool, StorageError> {
    let (done, told) = oneshot::channel();
    let proxy = Arc::clone(proxy);
    // In a task of its own: a caller that hangs up must not end a grant by halves.
    let tasks = proxy.tasks.clone();
    let at_provider = tasks.spawn(async move {
        match proxy.grants.end(&id).await {
            Ok(Some(grant)) => {
                let _ = done.send(Ok(true));
                end_at_provider(&proxy, id, &grant).await;
            }
            Ok(None) => {
                let _ = done.send(Ok(false));
            }
            Err(error) => {
                let _ = done.send(Err(error));
            }
        }
    });
    let ended = told
        .await
        .unwrap_or_else(|_| Err(StorageError::unavailable("the task ended early")))?;
    if ended {
        let _ = tokio::time::timeout(REVOKE_WAIT, at_provider).await;
    }
    Ok(ended)
}

/// Ends many grants here, some at once; the provider hears of them one after the other, later.
pub(crate) async fn end_grants(
    proxy: &Arc<Proxy>,
    ids: Vec<GrantId>,
) -> Result<usize, StorageError> {
    let end = |id: GrantId| {
        let grants = Arc::clone(&proxy.grants);
        async move { Ok(grants.end(&id).await?.map(|grant| (id, grant))) }
    };
    let (ended, outcome) = at_once(ids, end).await;
    let ended: Vec<_> = ended.into_iter().flatten().collect();
    let count = ended.len();
    end_all_at_provider(proxy, ended);
    outcome.map(|()| count)
}

/// One after the other, later.
fn end_all_at_provider(proxy: &Arc<Proxy>, ended: Vec<(GrantId, Grant)>) {
    if ended.is_empty() {
        return;
    }
    let (proxy, tasks) = (Arc::clone(proxy), proxy.tasks.clone());
    tasks.spawn(async move {
        for (id, grant) in ended {
            end_at_provider(&proxy, id, &grant).await;
        }
    });
}

pub(super) async fn end_at_provider(proxy: &Proxy, id: GrantId, grant: &Grant) {
    let given = grant.upstream.revocable();
    grant::end_at_provider(&proxy.provider, &proxy.events, id, given).await;
}

/// Passthrough mode: the provider's revocation is all there is, so its failure is ours. The client's
/// refresh token opens for it alone; anything else is taken for an access token, whose holder could
/// use it anyway.
async fn revoke_passed_through(proxy: &Proxy, client: &Client, token: &str) -> Result<(), Refusal> {
    let opened = open_passed_through(proxy, &client.id, token);
    let (token, hint) = match &opened {
        Some(sealed) => (sealed.token.as_str(), "refresh_token"),
        None => (token, "access_token"),
    };
    // What cannot be a token was never one (RFC 7009 section 2.2), and is not sent on.
    let is_token = token.len() <= MAX_BEARER && token.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_token {
        return Ok(());
    }
    let Ok(_turn) = proxy.revoking.try_acquire() else {
        let refusal = Refusal::unavailable(Reason::Busy);
        return Err(refusal.detail("as many revocations are at the provider as this process takes"));
    };
    // A client that hangs up now takes the rest of this with it.
    proxy.sessions.forget(token.as_bytes());
    let answer = proxy.provider.revoke(token, hint).await;
    // Again: a request while the provider was asked may have been let in, and kept.
    proxy.sessions.forget(token.as_bytes());
    match answer {
        Ok(true) => {
            proxy.emit(&Event::done(Step::Revoke));
            Ok(())
        }
        Ok(false) => Err(not_revocable(Reason::UnsupportedType)),
        Err(error) => match error.verdict() {
            // The provider knows no such token: it is as good as revoked (RFC 7009 section 2.2).
            Verdict::Ends => Ok(()),
            // Any other refusal leaves it alive, and the client has to know.
            Verdict::Bounded => Err(not_revocable(Reason::ProviderRejected).detail(error)),
            Verdict::Trouble => {
                Err(Refusal::unavailable(Reason::ProviderUnavailable).detail(error))
            }
        },
    }
}

fn not_revocable(reason: Reason) -> Refusal {
    let words = "the identity provider cannot revoke this token";
    Refusal::new(reason, OAuthErrorCode::UnsupportedTokenType, words)
}
