//! `grant_type=authorization_code` (RFC 6749 section 4.1.3, RFC 7636 section 4.6).
//!
//! The order of the checks stands in the table of the parent module. Everything is checked before
//! anything changes; then one compare-and-swap turns the pending grant into a live one.
//!
//! A code that comes back after that is a replay and ends the grant: RFC 6749 section 4.1.2, "the
//! authorization server MUST deny the request and SHOULD revoke (when possible) all tokens previously
//! issued based on that authorization code". Only a request that proves all that the first one proved
//! is one: a code leaks into logs and histories, and a stranger who finds it must not be able to log
//! people out (RFC 9700 section 4.5, OWASP ASVS 5.0 section 10.4.2).

use std::sync::Arc;

use serde_json::Value;

use super::{issue, missing, passthrough, resource};
use crate::{
    client::Client,
    endpoint::{refusal::Refusal, revoke::end_grant},
    event::{Event, Reason, Step},
    grant::{CodeMark, Grant, GrantId, Loaded, OnDoubt, Phase, code_hash, lifetime, read_code},
    key::constant_time_eq,
    mode::Mode,
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
    let gone = || Refusal::grant(Reason::GrantEnded).of(id);
    if !proxy.grants.handle(id).settles().await {
        return Err(Refusal::unavailable(Reason::StoreUnavailable).of(id));
    }
    let loaded = proxy.grants.load(&id).await?.ok_or_else(gone)?;
    let now = proxy.now();
    let mark = proven(&loaded.grant, client, code, params, now).map_err(|no| no.of(id))?;
    if !matches!(loaded.grant.phase, Phase::Pending(_)) {
        return Err(replayed(proxy, id).await);
    }
    // Before the code is consumed, not after (a peer's bug).
    let resource = resource(proxy, params, &loaded.grant.resource).map_err(|no| no.of(id))?;

    let ttl = proxy.freshness.record_ttl(&loaded.grant, now);
    let code_ttl = lifetime::ttl_until(mark.expires_at, now);
    let tokens = match &proxy.mode {
        Mode::Passthrough(mode) => {
            let mut spent = Grant::clone(&loaded.grant);
            spent.phase = Phase::Spent(mark.clone());
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
                return Err(lost_race(proxy, client, id, code, params).await);
            };
            tell(proxy, id);
            return Ok(passthrough::issue(proxy, mode, id, &spent));
        }
        Mode::Swap(tokens) => tokens,
    };
    let mut active = Grant::clone(&loaded.grant);
    active.phase = Phase::Active {
        generation: 0,
        rotated_at: now,
        code: Some(mark.clone()),
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
        return Err(lost_race(proxy, client, id, code, params).await);
    };
    tell(proxy, id);
    Ok(issue(
        proxy,
        tokens,
        &id,
        &active,
        &active.scopes,
        &resource,
        0,
    ))
}

/// All that a request has to prove, whether it is the first one with this code or a replay: that it
/// has the code, is the code's client, comes in time, and holds the redirect URI and the verifier.
fn proven<'a>(
    grant: &'a Grant,
    client: &Client,
    code: &str,
    params: &Params,
    now: u64,
) -> Result<&'a CodeMark, Refusal> {
    let mark = match &grant.phase {
        Phase::Pending(mark)
        | Phase::Spent(mark)
        | Phase::Active {
            code: Some(mark), ..
        } => mark,
        // Redeemed so long ago that a replay can no longer be told.
        Phase::Active { code: None, .. } => return Err(Refusal::grant(Reason::GrantEnded)),
    };
    // The id in front of a code is no secret: it stands in access tokens.
    if !constant_time_eq(mark.hash.as_bytes(), code_hash(code).as_bytes()) {
        let refusal = Refusal::grant(Reason::InvalidToken);
        return Err(refusal.detail("the code has the id of a grant and not its secret"));
    }
    let refused = |reason: Reason| match grant.phase {
        Phase::Pending(_) => Refusal::grant(reason),
        _ => Refusal::grant(reason).detail(
            "the code was redeemed before, and this request does not prove what its client did",
        ),
    };
    // RFC 6749 section 4.1.3: "ensure that the authorization code was issued to the authenticated
    // confidential client, or if the client is public, [...] to client_id in the request".
    if grant.client_id != client.id {
        return Err(refused(Reason::ForeignClient));
    }
    // An old code from some log is no attack on what it gave.
    if now >= mark.expires_at {
        return Err(refused(Reason::Expired));
    }
    // OAuth 2.1 no longer sends redirect_uri here; RFC 6749 does, and then it has to be the same.
    if let Some(redirect_uri) = params.get("redirect_uri")
        && redirect_uri != &*mark.redirect_uri
    {
        return Err(refused(Reason::RedirectUri));
    }
    let verifier = params
        .get("code_verifier")
        .ok_or_else(|| missing("code_verifier"))?;
    // RFC 7636 section 4.6: "If the values are not equal, an error response indicating
    // "invalid_grant" [...] MUST be returned."
    if !mark.challenge.verify(verifier) {
        return Err(refused(Reason::Pkce));
    }
    Ok(mark)
}

/// The record changed between our look and our swap. Mostly another request with this code was
/// faster, which makes this one a replay.
async fn lost_race(
    proxy: &Arc<Proxy>,
    client: &Client,
    id: GrantId,
    code: &str,
    params: &Params,
) -> Refusal {
    let Loaded { grant, .. } = match proxy.grants.load(&id).await {
        Ok(Some(loaded)) => loaded,
        Ok(None) => return Refusal::grant(Reason::GrantEnded).of(id),
        Err(error) => return error.into(),
    };
    match proven(&grant, client, code, params, proxy.now()) {
        // Something else was written: the code is as good as before.
        Ok(_) if matches!(grant.phase, Phase::Pending(_)) => {
            Refusal::unavailable(Reason::Contention).of(id)
        }
        Ok(_) => replayed(proxy, id).await,
        Err(refusal) => refusal.of(id),
    }
}

/// The code was redeemed before, and this request proves all that the first one proved: two parties
/// hold it. What it gave has to go.
async fn replayed(proxy: &Arc<Proxy>, id: GrantId) -> Refusal {
    match end_grant(proxy, id).await {
        Ok(_) => Refusal::grant(Reason::Replayed).of(id),
        Err(error) => error.into(),
    }
}

fn tell(proxy: &Proxy, id: GrantId) {
    proxy.emit(&Event::done(Step::Redeem).grant(id.to_string()));
}
