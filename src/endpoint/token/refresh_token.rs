//! `grant_type=refresh_token` (RFC 6749 section 6, RFC 9700 section 4.14.2).
//!
//! The order of the checks stands in the table of the parent module. One compare-and-swap makes the
//! successor live. The immediate predecessor is answered with the same successor while its grace
//! runs ([`RefreshGrace`](crate::RefreshGrace)), so that a lost answer or a racing process costs
//! nothing; anything older is reuse and ends the grant.

use std::sync::Arc;

use serde_json::Value;

use super::{issue, missing, narrowed, resource};
use crate::{
    client::Client,
    endpoint::{refusal::Refusal, revoke::end_grant},
    event::{Event, Reason, Step},
    grant::{
        CodeMark, Grant, GrantId, Need, OnDoubt, Phase,
        rotation::{Reuse, Rotation, judge},
    },
    limits::SWAP_ATTEMPTS,
    oauth::{Params, Resource, ScopeSet},
    proxy::Proxy,
    token::AccessTokens,
};

pub(super) async fn refresh(
    proxy: &Arc<Proxy>,
    access_tokens: &AccessTokens,
    client: &Client,
    params: &Params,
) -> Result<Value, Refusal> {
    let token = params
        .get("refresh_token")
        .ok_or_else(|| missing("refresh_token"))?;
    let tokens = &proxy.grants.refresh_tokens;
    let Some((id, presented)) = tokens.read(token) else {
        let refusal = Refusal::grant(Reason::InvalidToken);
        return Err(refusal.detail("the refresh token is none of this server"));
    };
    let live = proxy.grants.handle(id);
    let mut standing = Standing::Unknown;
    for _ in 0..SWAP_ATTEMPTS {
        if !live.settles().await {
            return Err(Refusal::unavailable(Reason::StoreUnavailable).of(id));
        }
        let gone = || Refusal::grant(Reason::GrantEnded).of(id);
        let loaded = proxy.grants.load(&id).await?.ok_or_else(gone)?;
        judged(
            proxy,
            client,
            params,
            id,
            presented,
            standing,
            &loaded.grant,
        )
        .await?;
        standing = Standing::WasGood;
        // Before anything of ours changes: if the provider cannot be asked now, nothing has.
        let loaded = proxy
            .freshness
            .ensure(id, loaded, Need::Proof)
            .await
            .map_err(|error| Refusal::from(error).of(id))?;
        // That may have taken long: what counts is the record that is about to be replaced.
        let asked = judged(
            proxy,
            client,
            params,
            id,
            presented,
            standing,
            &loaded.grant,
        )
        .await?;
        let (grant, generation) = match asked.rotation {
            Rotation::Advance { to } => {
                let mut grant = Grant::clone(&loaded.grant);
                grant.phase = Phase::Active {
                    generation: to,
                    rotated_at: proxy.now(),
                    code: asked.code,
                };
                let ttl = proxy.freshness.record_ttl(&grant, proxy.now());
                proxy
                    .grants
                    .stay_listed(&id, &mut grant, ttl, proxy.now())
                    .await;
                match proxy
                    .grants
                    .replace(&id, &loaded, grant, ttl, OnDoubt::TakeBack { ttl })
                    .await?
                {
                    Some(rotated) => (rotated.grant, to),
                    None => continue,
                }
            }
            Rotation::Repeat { live } => (loaded.grant, live),
        };
        proxy.emit(&Event::done(Step::Refresh).grant(id.to_string()));
        return Ok(issue(
            proxy,
            access_tokens,
            &id,
            &grant,
            &asked.scopes,
            &asked.resource,
            generation,
        ));
    }
    Err(Refusal::unavailable(Reason::Contention).of(id))
}

/// What is known of a refresh token from an earlier look in the same request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Unknown,
    /// It was no reuse when it came: others rotated while this request waited.
    WasGood,
}

/// What a valid request asks for, and what its token leads to.
struct Asked {
    rotation: Rotation,
    code: Option<CodeMark>,
    scopes: ScopeSet,
    resource: Resource,
}

/// Checks the request against one state of the grant; a reused token, or a provider's token that is
/// over for good, ends it.
async fn judged(
    proxy: &Arc<Proxy>,
    client: &Client,
    params: &Params,
    id: GrantId,
    presented: u32,
    standing: Standing,
    grant: &Grant,
) -> Result<Asked, Refusal> {
    let Phase::Active {
        generation,
        rotated_at,
        code,
    } = &grant.phase
    else {
        return Err(Refusal::grant(Reason::GrantEnded).of(id));
    };
    if grant.client_id != client.id {
        return Err(Refusal::grant(Reason::ForeignClient).of(id));
    }
    let now = proxy.now();
    let grace = proxy.options.refresh_token_grace;
    let rotation = match judge(presented, *generation, *rotated_at, grace, now) {
        Err(Reuse) if standing == Standing::WasGood => {
            let refusal = Refusal::grant(Reason::RefreshReuse).of(id);
            let detail = "others rotated more than once while this request waited: nothing ends";
            return Err(refusal.detail(detail));
        }
        Err(Reuse) => Err(Reason::RefreshReuse),
        // The person has to log in again.
        Ok(_) if proxy.freshness.is_past_last_day(grant, now) => {
            proxy.freshness.expire(id).await?;
            return Err(Refusal::grant(Reason::Expired).of(id));
        }
        Ok(_) if grant.upstream.is_over(now) => Err(Reason::Expired),
        Ok(rotation) => Ok(rotation),
    };
    let rotation = match rotation {
        Ok(rotation) => rotation,
        Err(over) => {
            end_grant(proxy, id).await?;
            return Err(Refusal::grant(over).of(id));
        }
    };
    let offered = &proxy.options.scopes;
    let scopes = narrowed(params.get("scope"), &grant.scopes, offered).map_err(|no| no.of(id))?;
    let resource = resource(proxy, params, &grant.resource).map_err(|no| no.of(id))?;
    Ok(Asked {
        rotation,
        // A mark is kept to know a replay; after the code's own end there is none.
        code: code.clone().filter(|mark| now < mark.expires_at),
        scopes,
        resource,
    })
}
