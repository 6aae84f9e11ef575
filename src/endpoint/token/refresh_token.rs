//! `grant_type=refresh_token` (RFC 6749 section 6, RFC 9700 section 4.14.2).
//!
//! One compare-and-swap makes the successor live. The immediate predecessor is answered with the
//! same successor for 30 seconds, so that a lost answer or a racing process costs nothing; anything
//! older is reuse and ends the grant.

use std::sync::Arc;

use serde_json::Value;

use super::{issue, missing, resource};
use crate::{
    client::Client,
    endpoint::{refusal::Refusal, revoke::end_grant},
    error::OAuthErrorCode,
    event::{Event, Reason, Step},
    grant::{
        CodeMark, Grant, GrantId, Phase,
        rotation::{Rotation, judge},
    },
    limits::SWAP_ATTEMPTS,
    oauth::{Params, Resource, ScopeSet},
    proxy::Proxy,
};

pub(super) async fn refresh(
    proxy: &Arc<Proxy>,
    client: &Client,
    params: &Params,
) -> Result<Value, Refusal> {
    let token = params
        .get("refresh_token")
        .ok_or_else(|| missing("refresh_token"))?;
    let (id, presented) = proxy.grants.refresh_tokens.read(token).ok_or_else(|| {
        Refusal::grant(Reason::InvalidToken).detail("the refresh token is none of this server")
    })?;
    let live = proxy.grants.handle(id);
    for _ in 0..SWAP_ATTEMPTS {
        let gone = || Refusal::grant(Reason::GrantEnded).of(id);
        let loaded = proxy.grants.load(&id).await?.ok_or_else(gone)?;
        let asked = ask(proxy, client, params, id, &loaded.grant)?;
        let rotation = judge(presented, asked.generation, asked.rotated_at, proxy.now());
        if rotation == Rotation::Reuse {
            end_grant(proxy, id).await?;
            return Err(Refusal::grant(Reason::RefreshReuse).of(id));
        }
        if loaded.grant.upstream.is_over(proxy.now()) {
            // The provider's token is over and cannot be renewed: the person has to log in again.
            end_grant(proxy, id).await?;
            return Err(Refusal::grant(Reason::Expired).of(id));
        }
        // Before anything of ours changes: if the provider cannot be asked now, nothing has.
        let loaded = proxy
            .freshness
            .ensure(id, &live, loaded)
            .await
            .map_err(|error| Refusal::from(error).of(id))?;
        let mut grant = loaded.grant.clone();
        let generation = match rotation {
            Rotation::Advance { to } => {
                grant.phase = Phase::Active {
                    generation: to,
                    rotated_at: proxy.now(),
                    // A code cannot be replayed usefully by now, and its mark is dead weight.
                    code: asked.code_mark(proxy.now()),
                };
                let ttl = proxy.settings.refresh_token_ttl;
                if !proxy.grants.replace(&id, &loaded, &grant, ttl).await? {
                    continue;
                }
                to
            }
            Rotation::Repeat | Rotation::Reuse => asked.generation,
        };
        proxy.emit(&Event::done(Step::Refresh).grant(id.to_string()));
        return Ok(issue(
            proxy,
            &id,
            &grant,
            &asked.scopes,
            &asked.resource,
            generation,
        ));
    }
    Err(Refusal::unavailable(Reason::Contention).of(id))
}

/// What a valid request asks for, and the chain's state that it is judged by.
struct Asked {
    generation: u32,
    rotated_at: u64,
    code: Option<CodeMark>,
    scopes: ScopeSet,
    resource: Resource,
}

impl Asked {
    fn code_mark(&self, now: u64) -> Option<CodeMark> {
        self.code.clone().filter(|mark| now < mark.expires_at)
    }
}

/// Checks that change nothing.
fn ask(
    proxy: &Proxy,
    client: &Client,
    params: &Params,
    id: GrantId,
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
    Ok(Asked {
        generation: *generation,
        rotated_at: *rotated_at,
        code: code.clone(),
        scopes: narrowed(params.get("scope"), &grant.scopes)?,
        resource: resource(proxy, params, &grant.resource)?,
    })
}

/// The scope of a refresh may be narrower than the grant's, never wider.
pub(super) fn narrowed(asked: Option<&str>, granted: &ScopeSet) -> Result<ScopeSet, Refusal> {
    let Some(asked) = asked else {
        return Ok(granted.clone());
    };
    let wider = |text: String| Refusal::new(Reason::Scope, OAuthErrorCode::InvalidScope, text);
    let asked = ScopeSet::parse(asked).map_err(|error| wider(error.to_string()))?;
    if asked.is_subset(granted) {
        Ok(asked)
    } else {
        Err(wider(
            "a refresh cannot ask for more than was granted".to_owned(),
        ))
    }
}
