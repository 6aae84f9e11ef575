//! The client first, then its grant type.

use std::sync::Arc;

use http::{StatusCode, request::Parts};
use http_body::Body;
use serde_json::Value;

use super::{
    authorization_code, client_credentials, jwt_bearer, passthrough, refresh_token,
    request::missing,
};
use crate::{
    body::OwnResponse,
    client::Client,
    endpoint::{
        answer,
        caller::Caller,
        client_auth::{authenticate, names_client},
        refusal::Refusal,
        request,
    },
    error::{BoxError, OAuthErrorCode},
    event::{Reason, Step, mark_span},
    mode::Mode,
    oauth::{GrantType, Params, describable},
    proxy::Proxy,
};

pub(in crate::endpoint) async fn handle<B>(
    proxy: &Arc<Proxy>,
    parts: &Parts,
    body: B,
) -> OwnResponse
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let (step, result) = match request::form(parts, body).await {
        Ok(params) => {
            let grant_type = params.get("grant_type").and_then(GrantType::parse);
            (step(grant_type), token(proxy, parts, &params).await)
        }
        Err(refusal) => (Step::Redeem, Err(refusal)),
    };
    match result {
        Ok(body) => answer::json(StatusCode::OK, &body),
        Err(refusal) => refusal.into_json(proxy, step),
    }
}

async fn token(proxy: &Arc<Proxy>, parts: &Parts, params: &Params) -> Result<Value, Refusal> {
    let grant_type = params.get("grant_type").and_then(GrantType::parse);
    if let (Some(GrantType::JwtBearer), Mode::Swap(tokens)) = (grant_type, &proxy.mode)
        && proxy.trusted_issuers.have_workloads()
        && !names_client(parts, params)
    {
        return jwt_bearer::redeem(proxy, tokens, None, params).await;
    }
    let client = authenticate(proxy, parts, params).await?;
    mark_span(|| client.who());
    let granted = granted(proxy, &client, params).await;
    let settled = client.settle(proxy, granted).await;
    settled.map_err(|no| no.about(client.who()))
}

async fn granted(proxy: &Arc<Proxy>, client: &Caller, params: &Params) -> Result<Value, Refusal> {
    let name = params.get("grant_type");
    let name = name.ok_or_else(|| missing("grant_type"))?;
    let served = &proxy.options.grant_types;
    let grant_type = GrantType::parse(name).filter(|asked| served.contains(asked));
    let grant_type = grant_type.ok_or_else(|| unsupported(served))?;
    if !proxy.clients.may_use(client, grant_type) {
        return Err(unauthorized(client, grant_type));
    }
    match grant_type {
        GrantType::AuthorizationCode => authorization_code::redeem(proxy, client, params).await,
        GrantType::RefreshToken => match &proxy.mode {
            Mode::Swap(tokens) => refresh_token::refresh(proxy, tokens, client, params).await,
            Mode::Passthrough(mode) => passthrough::refresh(proxy, mode, client, params).await,
        },
        GrantType::ClientCredentials => match (&proxy.mode, proxy.clients.machine(&client.id)) {
            (Mode::Swap(tokens), Some(machine)) => {
                client_credentials::issue(proxy, tokens, client, machine, params).await
            }
            _ => Err(unauthorized(client, grant_type)),
        },
        GrantType::JwtBearer => match &proxy.mode {
            Mode::Swap(tokens) => jwt_bearer::redeem(proxy, tokens, Some(client), params).await,
            Mode::Passthrough(_) => Err(unsupported(served)),
        },
    }
}

/// What events call a request of this grant type; one that is not known comes from a client that holds a
/// code of something.
fn step(grant_type: Option<GrantType>) -> Step {
    match grant_type {
        Some(GrantType::AuthorizationCode) | None => Step::Redeem,
        Some(GrantType::RefreshToken) => Step::Refresh,
        Some(GrantType::ClientCredentials) => Step::ClientCredentials,
        Some(GrantType::JwtBearer) => Step::Assertion,
    }
}

/// RFC 6749 section 5.2, `unsupported_grant_type`: "The authorization grant type is not supported by the
/// authorization server."
fn unsupported(served: &[GrantType]) -> Refusal {
    let served: Vec<_> = served.iter().map(|served| served.as_str()).collect();
    Refusal::new(
        Reason::UnsupportedType,
        OAuthErrorCode::UnsupportedGrantType,
        format!("this server serves {}", served.join(", ")),
    )
}

/// RFC 6749 section 5.2, `unauthorized_client`: "The authenticated client is not authorized to use this
/// authorization grant type."
fn unauthorized(client: &Client, grant_type: GrantType) -> Refusal {
    let (id, grant_type) = (describable(&client.id), grant_type.as_str());
    Refusal::new(
        Reason::UnsupportedType,
        OAuthErrorCode::UnauthorizedClient,
        format!("this client may not use {grant_type}"),
    )
    .detail(format!("client `{id}` may not use {grant_type}"))
}
