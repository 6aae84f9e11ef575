//! `POST {base}/oauth/token`: tokens (RFC 6749 sections 4.1.3 and 6). One file for each grant type.
//!
//! # The order of the checks
//!
//! What a refusal reveals, and what it ends, depends on what was asked before. Of both grant types:
//!
//! | | check | refusal | why here |
//! |---|---|---|---|
//! | 1 | the body is a form, each parameter once (but `resource`) | `invalid_request` | what reads in two ways is not judged |
//! | 2 | the client is known, then not denied, then authenticated | `invalid_client` | no stranger learns or ends anything; and a client that is not known any more has to hear it, or keeps its dead registration for ever. The deny list costs a stranger with a known `client_id` one read of the store, as at authorize |
//! | 3 | code or refresh token is one of ours | `invalid_grant` | before its record is read: garbage costs no round trip more |
//! | 4 | the record is settled and readable | 503 | a token must not be judged by a record that may be wrong |
//!
//! `authorization_code`: what has to be *proven* comes before the replay, what is merely *wanted*
//! after it.
//!
//! | | check | refusal | why here |
//! |---|---|---|---|
//! | 5 | the code's secret, in constant time | `invalid_grant` | the id in front of it stands in access tokens |
//! | 6 | it is this client's | `invalid_grant` | another client's request must not end a grant |
//! | 7 | it has not expired | `invalid_grant` | an old code from some log ends nothing |
//! | 8 | `redirect_uri`, then `code_verifier` | `invalid_grant`; `invalid_request` without a verifier | a stranger with a leaked code ends nothing |
//! | 9 | it was not redeemed before | `invalid_grant`, **the grant ends** | only a request that has all that the client has is a replay; and no wrong `resource` hides it |
//! | 10 | `resource` | `invalid_target` | before the code is consumed: a mistake here can be mended |
//!
//! `refresh_token`:
//!
//! | | check | refusal | why here |
//! |---|---|---|---|
//! | 5 | the grant is live and this client's | `invalid_grant` | another client's request must not end a grant |
//! | 6 | the token is live, or its grace runs | `invalid_grant`, **the grant ends** | before all that could refuse the request: a wider `scope` or a foreign `resource` must not hide a theft |
//! | 7 | the provider's token is alive, or can be renewed, and the grant's last day has not come | `invalid_grant`, **the grant ends** | the person has to come again, whatever is asked for |
//! | 8 | `scope`, then `resource` | `invalid_scope`, `invalid_target` | before the provider is asked, and before anything changes |
//! | 9 | the provider's token is fresh | 503 | the last that can fail: after it one swap rotates |
//!
//! After the wait for the provider 5 to 8 are asked again, of the record that is about to change. A
//! token that was good when it came is then refused without an end of the grant: others were faster,
//! and nobody presented it after its time.
//!
//! In passthrough mode the refresh token itself is the record: it opens for its client alone; its end
//! and the grant's last day, `scope` and `resource` are asked before the provider.

mod authorization_code;

mod passthrough;
mod refresh_token;

use std::sync::Arc;

use http::{StatusCode, request::Parts};
use http_body::Body;
use serde_json::{Value, json};

pub(super) use super::client_auth::authenticate;
pub(super) use passthrough::open as open_passed_through;

use super::{answer, refusal::Refusal, request};
use crate::{
    body::OwnResponse,
    clock::unix_now,
    error::{BoxError, OAuthErrorCode},
    event::{Reason, Step},
    grant::{Grant, GrantId, lifetime, scopes},
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
        Some("refresh_token") if proxy.options.token_swap => {
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

/// The scope that a refresh names, or the whole grant's.
fn narrowed(
    asked: Option<&str>,
    granted: &ScopeSet,
    offered: &ScopeSet,
) -> Result<ScopeSet, Refusal> {
    let wider = |text: String| Refusal::new(Reason::Scope, OAuthErrorCode::InvalidScope, text);
    let Some(asked) = asked else {
        return Ok(granted.clone());
    };
    let asked = ScopeSet::parse(asked).map_err(|error| wider(error.to_string()))?;
    scopes::narrowed(&asked, granted, offered)
        .ok_or_else(|| wider("a refresh cannot ask for more than was granted".to_owned()))
}

/// The resource that a token request names: the granted one, or one below it (RFC 8707 section
/// 2.2).
fn resource(proxy: &Proxy, params: &Params, granted: &Resource) -> Result<Resource, Refusal> {
    match Resource::asked_for(params, &proxy.options.base) {
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
    let ttl = proxy.options.access_token_ttl;
    let exp = lifetime::access_token_expiry(ttl, &grant.upstream, now);
    let exp = proxy
        .freshness
        .last_day(grant)
        .map_or(exp, |day| exp.min(day));
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
