//! The client first, then its grant type.

use std::sync::Arc;

use http::{StatusCode, request::Parts};
use http_body::Body;
use serde_json::Value;

use super::{authorization_code, passthrough, refresh_token, request::missing};
use crate::{
    body::OwnResponse,
    endpoint::{
        answer,
        client_auth::{Caller, authenticate},
        refusal::Refusal,
        request,
    },
    error::{BoxError, OAuthErrorCode},
    event::{Reason, Step},
    mode::Mode,
    oauth::Params,
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
    let client = authenticate(proxy, parts, params).await?;
    let granted = granted(proxy, &client, params).await;
    client.settle(proxy, granted).await
}

async fn granted(proxy: &Arc<Proxy>, client: &Caller, params: &Params) -> Result<Value, Refusal> {
    match params.get("grant_type") {
        Some("authorization_code") => authorization_code::redeem(proxy, client, params).await,
        Some("refresh_token") => match &proxy.mode {
            Mode::Swap(tokens) => refresh_token::refresh(proxy, tokens, client, params).await,
            Mode::Passthrough(mode) => passthrough::refresh(proxy, mode, client, params).await,
        },
        Some(_) => Err(Refusal::new(
            Reason::UnsupportedType,
            OAuthErrorCode::UnsupportedGrantType,
            "only authorization_code and refresh_token are served",
        )),
        None => Err(missing("grant_type")),
    }
}
