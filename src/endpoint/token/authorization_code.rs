//! `grant_type=authorization_code` (RFC 6749 section 4.1.3, RFC 7636 section 4.6).
//!
//! Everything is checked before anything changes; then one compare-and-swap turns the pending grant
//! into a live one. A code that comes back after that is a replay and ends the grant (RFC 6749
//! section 4.1.2), but only when client and code both matched.

use std::sync::Arc;

use serde_json::Value;

use super::{issue, missing, passthrough, resource};
use crate::{
    client::Client,
    endpoint::{refusal::Refusal, revoke::end_grant},
    event::{Event, Reason, Step},
    grant::{
        CodeMark, Grant, GrantId, Loaded, OnDoubt, PendingCode, Phase, code_hash, lifetime,
        read_code,
    },
    key::constant_time_eq,
    oauth::Params,
    proxy::Proxy,
};

pub(super) async fn redeem(
    proxy: &Arc<Proxy>,
    client: &Client,
    params: &Params,
) -> Result<Value, Refusal> {
    let code = params.get("code").ok_or_else(|| missing("code"))?;
    let id = read_code(code).ok_or_else(|| {
        Refusal::grant(Reason::InvalidToken).detail("the code is none of this server")
    })?;
    let hash = code_hash(code);
    let gone = || Refusal::grant(Reason::GrantEnded).of(id);
    if !proxy.grants.handle(id).settles().await {
        return Err(Refusal::unavailable(Reason::StoreUnavailable).of(id));
    }
    let loaded = proxy.grants.load(&id).await?.ok_or_else(gone)?;
    let now = proxy.now();
    let pending = match &loaded.grant.phase {
        Phase::Pending(pending) => pending,
        Phase::Active { code: None, .. } => return Err(gone()),
        Phase::Active {
            code: Some(mark), ..
        }
        | Phase::Spent(mark) => {
            return Err(replayed(proxy, client, id, &loaded.grant, mark, &hash).await);
        }
    };
    if !constant_time_eq(pending.mark.hash.as_bytes(), hash.as_bytes()) {
        return Err(Refusal::grant(Reason::InvalidToken).of(id));
    }
    if loaded.grant.client_id != client.id {
        return Err(Refusal::grant(Reason::ForeignClient).of(id));
    }
    if now >= pending.mark.expires_at {
        return Err(Refusal::grant(Reason::Expired).of(id));
    }
    check(params, pending).map_err(|refusal| refusal.of(id))?;
    // Before the code is consumed, not after (a peer's bug).
    let resource = resource(proxy, params, &loaded.grant.resource)?;

    let ttl = proxy.settings.refresh_token_ttl;
    let code_ttl = lifetime::ttl_until(pending.mark.expires_at, now);
    if !proxy.settings.token_swap {
        let mut spent = Grant::clone(&loaded.grant);
        spent.phase = Phase::Spent(pending.mark.clone());
        let spent = proxy
            .grants
            .replace(
                &id,
                &loaded,
                spent,
                code_ttl,
                OnDoubt::TakeBack { ttl: code_ttl },
            )
            .await?;
        let Some(Loaded { grant: spent, .. }) = spent else {
            return Err(lost_race(proxy, client, id, &hash).await);
        };
        tell(proxy, id);
        return Ok(passthrough::issue(proxy, &spent));
    }
    let mut active = Grant::clone(&loaded.grant);
    active.phase = Phase::Active {
        generation: 0,
        rotated_at: now,
        code: Some(pending.mark.clone()),
    };
    proxy.grants.stay_listed(&id, &mut active, ttl, now).await;
    let active = proxy
        .grants
        .replace(
            &id,
            &loaded,
            active,
            ttl,
            OnDoubt::TakeBack { ttl: code_ttl },
        )
        .await?;
    let Some(Loaded { grant: active, .. }) = active else {
        return Err(lost_race(proxy, client, id, &hash).await);
    };
    tell(proxy, id);
    Ok(issue(proxy, &id, &active, &active.scopes, &resource, 0))
}

/// What the request has to repeat, and to prove.
fn check(params: &Params, pending: &PendingCode) -> Result<(), Refusal> {
    // OAuth 2.1 no longer sends redirect_uri here; RFC 6749 does, and then it has to be the same.
    if let Some(redirect_uri) = params.get("redirect_uri")
        && redirect_uri != pending.redirect_uri.as_str()
    {
        return Err(Refusal::grant(Reason::RedirectUri));
    }
    let verifier = params
        .get("code_verifier")
        .ok_or_else(|| missing("code_verifier"))?;
    if !pending.challenge.verify(verifier) {
        return Err(Refusal::grant(Reason::Pkce));
    }
    Ok(())
}

/// Somebody redeemed between our look and our swap.
async fn lost_race(proxy: &Arc<Proxy>, client: &Client, id: GrantId, hash: &str) -> Refusal {
    let Loaded { grant, .. } = match proxy.grants.load(&id).await {
        Ok(Some(loaded)) => loaded,
        Ok(None) => return Refusal::grant(Reason::GrantEnded).of(id),
        Err(error) => return error.into(),
    };
    match &grant.phase {
        Phase::Active {
            code: Some(mark), ..
        }
        | Phase::Spent(mark) => replayed(proxy, client, id, &grant, mark, hash).await,
        _ => Refusal::grant(Reason::GrantEnded).of(id),
    }
}

/// The code was redeemed before. Whoever has it besides the client must not keep what it gave.
async fn replayed(
    proxy: &Arc<Proxy>,
    client: &Client,
    id: GrantId,
    grant: &Grant,
    redeemed: &CodeMark,
    presented: &str,
) -> Refusal {
    if !constant_time_eq(redeemed.hash.as_bytes(), presented.as_bytes()) {
        return Refusal::grant(Reason::InvalidToken).of(id);
    }
    if grant.client_id != client.id {
        return Refusal::grant(Reason::ForeignClient).of(id);
    }
    if proxy.now() >= redeemed.expires_at {
        // An old code from some log is nobody's attack on this grant.
        return Refusal::grant(Reason::Expired).of(id);
    }
    match end_grant(proxy, id).await {
        Ok(_) => Refusal::grant(Reason::Replayed).of(id),
        Err(error) => error.into(),
    }
}

fn tell(proxy: &Proxy, id: GrantId) {
    proxy.emit(&Event::done(Step::Redeem).grant(id.to_string()));
}
