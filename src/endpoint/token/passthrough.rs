//! Passthrough mode: the client holds the provider's access token, and the provider's refresh token
//! sealed for it ([`PassedThrough`]).
//!
//! Nothing is kept here. The seal binds the refresh token to the client and to what was granted; the
//! provider rotates it, or does not.

mod renewal;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tracing::Instrument;

use super::request::{missing, narrowed, resource};
use crate::{
    client::Client,
    endpoint::{caller::Caller, refusal::Refusal},
    event::{Reason, Who, mark_span},
    grant::{Grant, GrantId},
    mode::Passthrough,
    oauth::{Params, ScopeSet},
    proxy::Proxy,
    quota::Holder,
    token::PassedThrough,
};
use renewal::{Renewal, Renewed};

/// The answer to a redeemed code.
pub(super) fn issue(
    proxy: &Proxy,
    mode: &Passthrough,
    client: &Client,
    id: GrantId,
    grant: &Grant,
) -> Value {
    let (now, upstream) = (proxy.now(), &grant.upstream);
    let refresh_token = upstream.refresh_token.clone().map(|token| PassedThrough {
        provider: grant.provider.clone(),
        token: token.to_string(),
        scopes: grant.scopes.clone(),
        resource: grant.resource.clone(),
        expires_at: now + proxy.options.refresh_token_ttl,
        login: *id.as_bytes(),
        subject: grant.subject.clone(),
        created_at: grant.created_at,
    });
    answer(
        &upstream.access_token,
        upstream.expires_at.map(|end| end.since(now)),
        &grant.scopes,
        refresh_token.map(|held| mode.seal_for(client, &held)),
    )
}

/// `grant_type=refresh_token`: asks the provider in the client's name.
pub(super) async fn refresh(
    proxy: &Arc<Proxy>,
    mode: &Passthrough,
    client: &Caller,
    params: &Params,
) -> Result<Value, Refusal> {
    let token = params
        .get("refresh_token")
        .ok_or_else(|| missing("refresh_token"))?;
    // RFC 6749 section 6: "The authorization server MUST: [...] ensure that the refresh token was issued
    // to the authenticated client, and validate the refresh token."
    let held = mode.open_for(client, token);
    let held = held.ok_or_else(|| {
        let why = "the refresh token was not issued by this server to this client";
        Refusal::grant(Reason::InvalidToken).detail(why)
    })?;
    let (now, id) = (proxy.now(), GrantId::from_bytes(held.login));
    let who = client.who().grant(id).or(held.who());
    mark_span(|| Who::default().grant(id));
    let of = |refusal: Refusal| refusal.about(who.clone());
    if !held.is_from(proxy.providers.main().about()) {
        let refusal = Refusal::grant(Reason::GrantEnded);
        return Err(of(refusal.detail(held.why_foreign())));
    }
    if now >= held.expires_at {
        let refusal = Refusal::grant(Reason::Expired);
        return Err(of(
            refusal.detail("`refresh_token_ttl`: the refresh token is over")
        ));
    }
    let last_day = proxy.freshness.last_day_of_login(held.created_at);
    // As in the other mode, nothing is revoked at the provider: see `Freshness::expire`.
    if last_day.is_some_and(|day| now >= day) {
        let refusal = Refusal::grant(Reason::Expired);
        return Err(of(refusal.detail(
            "`grant_max_age`: the grant is as old as it may get, and ends",
        )));
    }
    let asked = narrowed(params.get("scope"), &held.scopes, &proxy.options.scopes);
    let asked = asked.map_err(of)?;
    resource(&proxy.options.base, params, &held.resource).map_err(of)?;
    let within = proxy
        .quotas
        .token_request(Holder::Grant(id.as_bytes()), proxy.clock.now());
    within.map_err(|over| of(over.into()))?;
    client.spend(proxy).await.map_err(of)?;
    let renewal = Renewal {
        proxy: Arc::clone(proxy),
        client_id: client.id.clone(),
        id,
        held,
        who,
        asked,
    };
    // In a task of its own: what the provider has begun is brought to its end, and a process that stops
    // waits for it, although the client may have hung up.
    let renewed = proxy.tasks.spawn(renewal.run().in_current_span()).await;
    let Renewed {
        tokens,
        scopes,
        held,
    } = renewed.unwrap_or_else(|_| {
        let refusal = Refusal::unavailable(Reason::ProviderUnavailable);
        Err(refusal.detail("the task ended early").of(id))
    })?;
    Ok(answer(
        tokens.access_token(),
        tokens.expires_in,
        &scopes,
        Some(mode.seal_for(client, &held)),
    ))
}

/// RFC 6749 section 5.1.
fn answer(
    access_token: &str,
    expires_in: Option<Duration>,
    scopes: &ScopeSet,
    refresh_token: Option<String>,
) -> Value {
    let mut body = json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "scope": scopes.to_string(),
    });
    if let Some(fields) = body.as_object_mut() {
        fields.extend(expires_in.map(|left| ("expires_in".into(), left.as_secs().into())));
        fields.extend(refresh_token.map(|token| ("refresh_token".into(), token.into())));
    }
    body
}
