//! `grant_type=refresh_token` (RFC 6749 section 6, RFC 9700 section 4.14.2).
//!
//! The order of the checks stands in the table of `token/mod.rs`. One compare-and-swap makes the
//! successor live. The immediate predecessor is answered with the same successor while its grace
//! runs ([`RefreshGrace`](crate::RefreshGrace)), so that a lost answer or a racing process costs
//! nothing; anything older is reuse and ends the grant.

use std::sync::Arc;

use serde_json::Value;

use super::{answer::issue, refresh_check::Asked, request::missing};
use crate::{
    endpoint::{caller::Caller, refusal::Refusal},
    event::{Event, Reason, Step, Who, mark_span},
    grant::{Need, Phase, rotation::Rotation},
    limits::SWAP_ATTEMPTS,
    oauth::Params,
    proxy::Proxy,
    quota::Holder,
    token::AccessTokens,
};

pub(super) async fn refresh(
    proxy: &Arc<Proxy>,
    access_tokens: &AccessTokens,
    client: &Caller,
    params: &Params,
) -> Result<Value, Refusal> {
    let token = params.get("refresh_token");
    let token = token.ok_or_else(|| missing("refresh_token"))?;
    let Some((id, presented)) = proxy.grants.refresh_tokens.read(token) else {
        let refusal = Refusal::grant(Reason::InvalidToken);
        return Err(refusal.detail("the refresh token was not issued by this server"));
    };
    mark_span(|| Who::default().grant(id));
    let of = |refusal: Refusal| refusal.of(id);
    let mut asked = Asked {
        client,
        params,
        id,
        presented,
        was_good: false,
    };
    for _ in 0..SWAP_ATTEMPTS {
        let seen = proxy
            .grants
            .load(&id)
            .await
            .map_err(|error| of(error.into()))?;
        let seen = seen.ok_or_else(|| of(Refusal::grant(Reason::GrantEnded)))?;
        let who = client.who().or(proxy.grants.who(&id, &seen));
        let of = |refusal: Refusal| refusal.about(who.clone());
        asked.judged(proxy, &seen).await.map_err(of)?;
        // After the judgement: a limit must not hide that a token was stolen.
        if !asked.was_good {
            let within = proxy
                .quotas
                .token_request(Holder::Grant(id.as_bytes()), proxy.clock.now());
            within.map_err(|over| of(over.into()))?;
        }
        asked.was_good = true;
        // Before anything of ours changes: if the provider cannot be asked now, nothing has.
        let fresh = proxy.freshness.ensure(id, &seen, Need::Proof).await;
        let seen = fresh.map_err(|error| of(error.into()))?.unwrap_or(seen);
        // That may have taken long: what counts is the record that is about to be replaced.
        let due = asked.judged(proxy, &seen).await.map_err(of)?;
        let (seen, generation) = match due.rotation {
            Rotation::Advance { to } => {
                let now = proxy.now();
                let next = Phase::Active {
                    generation: to,
                    rotated_at: now,
                    code: due.code,
                };
                let ttl = proxy.freshness.record_ttl(&seen, now);
                let rotated = proxy.grants.advance(&id, &seen, next, ttl, ttl, now);
                match rotated.await? {
                    Some(rotated) => (rotated, to),
                    None => continue,
                }
            }
            Rotation::Repeat { live } => (seen, live),
        };
        let event = Event::done(Step::Refresh).about(client.who());
        proxy.emit(&event.about(proxy.grants.who(&id, &seen)));
        let (scopes, resource) = (&due.scopes, &due.resource);
        return issue(
            proxy,
            access_tokens,
            &id,
            &seen,
            scopes,
            resource,
            generation,
        );
    }
    Err(of(Refusal::unavailable(Reason::Contention)))
}
