//! The operator's word on a client that the operator did not configure: one that registers, or comes with a document.

use super::refusal::Refusal;
use crate::{
    client::{Client, ClientKind},
    config::RegistrationRequest,
    error::OAuthErrorCode,
    event::Reason,
    limits::HOOK_TIMEOUT,
    page::Situation,
    proxy::Proxy,
};

/// What the hook says of this client. No hook says yes.
pub(super) async fn ask(proxy: &Proxy, request: RegistrationRequest) -> Result<(), Refusal> {
    let Some(hook) = &proxy.options.on_register else {
        return Ok(());
    };
    match tokio::time::timeout(HOOK_TIMEOUT, hook(request)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(no)) => Err(Refusal::new(
            Reason::HookDenied,
            OAuthErrorCode::InvalidClientMetadata,
            no.into_description(),
        )),
        Err(_) => Err(Refusal::unavailable(Reason::HookDenied).detail("on_register timed out")),
    }
}

/// The same of a client in a person's browser: its document has not been asked about before, and may have
/// changed since.
pub(super) async fn ask_of_document(
    proxy: &Proxy,
    client: &Client,
) -> Result<(), (Refusal, Situation)> {
    if client.kind != ClientKind::Document || proxy.options.on_register.is_none() {
        return Ok(());
    }
    let offered = &proxy.options.scopes;
    let scopes = client
        .scope
        .as_ref()
        .map(|scopes| scopes.retain(|scope| scope == "offline_access" || offered.contains(scope)));
    let request = RegistrationRequest {
        client_name: client.name.clone(),
        redirect_uris: client
            .redirect_uris
            .iter()
            .map(ToString::to_string)
            .collect(),
        scopes: scopes.unwrap_or_default(),
        document: Some(client.id.clone()),
    };
    ask(proxy, request).await.map_err(|refusal| {
        let situation = match refusal.error.code {
            OAuthErrorCode::TemporarilyUnavailable => Situation::CannotStart,
            _ => Situation::DeniedClient,
        };
        (refusal, situation)
    })
}
