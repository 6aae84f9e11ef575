//! `POST {base}/oauth/token`: tokens (RFC 6749 sections 4.1.3 and 6). One file for each grant type.
//!
//! The client is authenticated before anything is looked at: a client that is not known any more
//! must hear `invalid_client`, or it keeps its dead registration for ever.

mod authorization_code;
mod client;
mod passthrough;
mod refresh_token;

use std::sync::Arc;

use http::{StatusCode, request::Parts};
use http_body::Body;
use serde_json::{Value, json};

pub(super) use client::authenticate;
pub(super) use passthrough::open as open_passed_through;

use super::{answer, refusal::Refusal, request};
use crate::{
    body::OwnResponse,
    clock::unix_now,
    error::{BoxError, OAuthErrorCode},
    event::{Reason, Step},
    grant::{Grant, GrantId, lifetime},
    oauth::{Params, Resource, ScopeSet},
    proxy::Proxy,
    random,
    token::AccessClaims,
};

pub(super) async fn handle<B>(proxy: &Arc<Proxy>, parts: &Parts, body: B) -> OwnResponse
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let (step, result) = match request::form(parts, body).await {
        Ok(params) => {
            let step = match params.get("grant_type") {
                Some("refresh_token") => Step::Refresh,
                _ => Step::Redeem,
            };
            (step, token(proxy, parts, &params).await)
        }
        Err(refusal) => (Step::Redeem, Err(refusal)),
    };
    match result {
        Ok(body) => answer::json(StatusCode::OK, &body),
        Err(refusal) => refusal.into_json(proxy, step),
    }
}

async fn token(proxy: &Arc<Proxy>, parts: &Parts, params: &Params) -> Result<Value, Refusal> {
    let client = authenticate(proxy, &parts.headers, params).await?;
    match params.get("grant_type") {
        Some("authorization_code") => authorization_code::redeem(proxy, &client, params).await,
        Some("refresh_token") if proxy.settings.token_swap => {
            refresh_token::refresh(proxy, &client, params).await
        }
        Some("refresh_token") => passthrough::refresh(proxy, &client, params).await,
        Some(_) => Err(Refusal::new(
            Reason::UnsupportedType,
            OAuthErrorCode::UnsupportedGrantType,
            "only authorization_code and refresh_token are served",
        )),
        None => Err(missing("grant_type")),
    }
}

fn missing(name: &'static str) -> Refusal {
    Refusal::new(
        Reason::MissingParameter,
        OAuthErrorCode::InvalidRequest,
        format!("{name} is missing"),
    )
}

/// The resource that a token request names: the granted one, or one below it (RFC 8707 section
/// 2.2).
fn resource(proxy: &Proxy, params: &Params, granted: &Resource) -> Result<Resource, Refusal> {
    match Resource::asked_for(params, &proxy.settings.base) {
        Ok(None) => Ok(granted.clone()),
        Ok(Some(asked)) if asked.is_within(granted) => Ok(asked),
        _ => Err(Refusal::new(
            Reason::Resource,
            OAuthErrorCode::InvalidTarget,
            "the resource is not the one that was granted",
        )),
    }
}

/// The answer of both grant types (RFC 6749 section 5.1): a fresh access token, and the refresh
/// token of the given generation.
fn issue(
    proxy: &Proxy,
    id: &GrantId,
    grant: &Grant,
    scopes: &ScopeSet,
    resource: &Resource,
    generation: u32,
) -> Value {
    let now = unix_now(&*proxy.clock);
    let ttl = proxy.settings.access_token_ttl;
    let exp = lifetime::access_token_expiry(ttl, &grant.upstream, now);
    let scope = scopes.to_string();
    let claims = AccessClaims {
        sub: (&grant.subject).into(),
        aud: resource.as_str().into(),
        client_id: (&grant.client_id).into(),
        scope: (&scope).into(),
        iat: now,
        exp,
        jti: random::token::<16>().into(),
        gid: id.to_string().into(),
    };
    json!({
        "access_token": proxy.access_tokens.issue(&claims, &grant.claims),
        "token_type": "Bearer",
        "expires_in": exp.saturating_sub(now),
        "refresh_token": proxy.grants.refresh_tokens.issue(id, generation),
        "scope": scope,
    })
}
