//! `grant_type=authorization_code` (RFC 6749 section 4.1.3, RFC 7636 section 4.6).
//!
//! The order of the checks stands in the table of `token/mod.rs`. Everything is checked before
//! anything changes; then one compare-and-swap turns the pending grant into a live one.
//!
//! A code that comes back after that is a replay and ends the grant: RFC 6749 section 4.1.2, "the
//! authorization server MUST deny the request and SHOULD revoke (when possible) all tokens previously
//! issued based on that authorization code". Only a request that proves all that the first one proved
//! is one: a code leaks into logs and histories, and a stranger who finds it must not be able to log
//! people out (RFC 9700 section 4.5, OWASP ASVS 5.0 section 10.4.2).

use std::sync::Arc;

use serde_json::Value;

use super::{
    answer::issue,
    code_proof::proven,
    passthrough,
    request::{ended, missing, resource},
};
use crate::{
    client::Client,
    endpoint::{caller::Caller, refusal::Refusal},
    event::{Event, Reason, Step, Who, mark_span},
    grant::{GrantId, Phase, lifetime, read_code},
    mode::Mode,
    oauth::Params,
    proxy::Proxy,
};

const REPLAYED: &str = "the client brings the code a second time: the grant ends";

pub(super) async fn redeem(
    proxy: &Arc<Proxy>,
    client: &Caller,
    params: &Params,
) -> Result<Value, Refusal> {
    let code = params.get("code").ok_or_else(|| missing("code"))?;
    let id = read_code(code).ok_or_else(|| {
        Refusal::grant(Reason::InvalidToken).detail("the code was not issued by this server")
    })?;
    mark_span(|| Who::default().grant(id));
    let seen = proxy.grants.load(&id).await;
    let seen = seen.map_err(|error| Refusal::from(error).of(id))?;
    let seen = seen.ok_or_else(|| Refusal::grant(Reason::GrantEnded).of(id))?;
    let now = proxy.now();
    let of = |no: Refusal| no.about(client.who().or(proxy.grants.who(&id, &seen)));
    let mark = proven(&seen, client, code, params, now).map_err(of)?;
    client.spend(proxy).await.map_err(of)?;
    if !matches!(seen.phase, Phase::Pending(_)) {
        // Two parties hold it: what it gave has to go.
        return Err(of(ended(proxy, id, Reason::Replayed, REPLAYED).await));
    }
    // Before the code is consumed, not after (a peer's bug).
    let options = &proxy.options;
    let resource = resource(&options.base, params, &seen.resource).map_err(of)?;

    let code_ttl = lifetime::ttl_until(mark.expires_at, now);
    let (to, ttl) = match &proxy.mode {
        Mode::Swap(_) => {
            let (generation, rotated_at, code) = (0, now, Some(mark.clone()));
            let live = Phase::Active {
                generation,
                rotated_at,
                code,
            };
            (live, proxy.freshness.record_ttl(&seen, now))
        }
        Mode::Passthrough(_) => (Phase::Spent(mark.clone()), code_ttl),
    };
    let redeemed = proxy.grants.advance(&id, &seen, to, ttl, code_ttl, now);
    let Some(grant) = redeemed.await? else {
        return Err(of(lost_race(proxy, client, id, code, params).await));
    };
    let event = Event::done(Step::Redeem).about(client.who());
    proxy.emit(&event.about(proxy.grants.who(&id, &grant)));
    match &proxy.mode {
        Mode::Swap(tokens) => issue(proxy, tokens, &id, &grant, &grant.scopes, &resource, 0),
        Mode::Passthrough(mode) => Ok(passthrough::issue(proxy, mode, client, id, &grant)),
    }
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
    let grant = match proxy.grants.look(&id).await {
        Ok(Some(grant)) => grant,
        Ok(None) => return Refusal::grant(Reason::GrantEnded).of(id),
        Err(error) => return error.into(),
    };
    match proven(&grant, client, code, params, proxy.now()) {
        // Something else was written: the code is as good as before.
        Ok(_) if matches!(grant.phase, Phase::Pending(_)) => {
            Refusal::unavailable(Reason::Contention).of(id)
        }
        Ok(_) => ended(proxy, id, Reason::Replayed, REPLAYED).await,
        Err(refusal) => refusal.of(id),
    }
}
