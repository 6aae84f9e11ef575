//! `POST {base}/oauth/register`: dynamic client registration (RFC 7591 section 3).
//!
//! Nothing is stored: the registration is signed into the `client_id`, and the secret of a
//! confidential client is derived from that. Any instance with the same key knows the client.

use http::{StatusCode, request::Parts};
use http_body::Body;

use super::{answer, on_register, refusal::Refusal, request};
use crate::{
    body::OwnResponse,
    client::{ClientMetadata, RedirectUri, registration_answer},
    config::RegistrationRequest,
    error::{BoxError, OAuthErrorCode},
    event::{Event, Reason, Step, Who},
    proxy::Proxy,
};

pub(super) async fn handle<B>(proxy: &Proxy, parts: &Parts, body: B) -> OwnResponse
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    match register(proxy, parts, body).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_json(proxy, Step::Register),
    }
}

async fn register<B>(proxy: &Proxy, parts: &Parts, body: B) -> Result<OwnResponse, Refusal>
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let options = &proxy.options;
    let body = request::body(&parts.headers, body, "application/json").await?;
    let metadata = ClientMetadata::parse(
        &body,
        &options.redirect_policy,
        &options.scopes,
        proxy.now(),
    )
    .map_err(|error| {
        let reason = match error.code {
            OAuthErrorCode::InvalidRedirectUri => Reason::RedirectUri,
            _ => Reason::ClientMetadata,
        };
        Refusal::from_error(reason, error)
    })?;
    let registration = &metadata.registration;
    let request = RegistrationRequest {
        client_name: registration.name.clone(),
        redirect_uris: registration
            .redirect_uris
            .iter()
            .map(ToString::to_string)
            .collect(),
        scopes: registration.scope.clone().unwrap_or_default(),
        document: None,
    };
    let hosts = registration.redirect_uris.iter();
    let hosts: Vec<_> = hosts.map(RedirectUri::shown_address).collect();
    let who = |client_id: &str| {
        let who = Who::default().client(client_id, registration.name.as_deref());
        who.redirect_host(&hosts.join(" "))
    };
    // What breaks a rule counts for nothing: else garbage would keep others out.
    let within = proxy.quotas.registration(proxy.clock.now());
    within.map_err(|over| Refusal::from(over).about(who("")))?;
    let asked = on_register::ask(proxy, request).await;
    asked.map_err(|no| no.about(who("")))?;
    let (client_id, secret) = proxy.clients.register(registration).map_err(|error| {
        let code = OAuthErrorCode::InvalidClientMetadata;
        Refusal::new(Reason::TooLarge, code, error.to_string()).about(who(""))
    })?;
    proxy.emit(&Event::done(Step::Register).about(who(&client_id)));
    let body = registration_answer(
        &metadata,
        &client_id,
        secret.as_deref(),
        &options.grant_types,
    );
    Ok(answer::json(StatusCode::CREATED, &body))
}
