//! The client that a person's browser comes from, at the endpoints that a person sees.

use std::fmt;

use http::StatusCode;

use super::refusal::Refusal;
use crate::{
    client::{Client, ClientKind, Identified},
    error::{OAuthError, OAuthErrorCode},
    event::Reason,
    page::Situation,
    proxy::Proxy,
};

/// Who asks, where a person waits in the browser; else the page that they see.
pub(super) async fn client_in_browser(
    proxy: &Proxy,
    client_id: &str,
) -> Result<Client, (Refusal, Situation)> {
    let refused = |reason, detail: &dyn fmt::Display, situation| {
        let error = OAuthError::new(OAuthErrorCode::InvalidClient, detail.to_string());
        let error = error.with_status(StatusCode::BAD_REQUEST);
        Err((Refusal::from_error(reason, error), situation))
    };
    match proxy.clients.identify(client_id).await {
        // A registration has no end of its own: where the operator ended registering, no more logins by one.
        Identified::Client(client)
            if client.kind == ClientKind::Signed && !proxy.options.dynamic_registration =>
        {
            let detail = &"the client registered, and dynamic_registration is off";
            refused(Reason::UnknownClient, detail, Situation::UnknownClient)
        }
        Identified::Client(client) => Ok(client),
        Identified::Unknown(why) => refused(Reason::UnknownClient, &why, Situation::UnknownClient),
        Identified::Denied => {
            let detail = &"the operator denied the client";
            refused(Reason::DeniedClient, detail, Situation::DeniedClient)
        }
        Identified::NotLetIn(host) => {
            let detail = &format!("metadata_documents lets in no document of {host}");
            refused(Reason::DeniedClient, detail, Situation::DeniedClient)
        }
        Identified::NoDocument(error) if error.is_trouble() || error.tells_of_inside() => {
            let refusal = Refusal::unavailable(Reason::ClientDocument).detail(error);
            Err((refusal, Situation::NoDocument))
        }
        Identified::NoDocument(error) => {
            refused(Reason::ClientMetadata, &error, Situation::BadDocument)
        }
        Identified::Later(error) => Err((error.into(), Situation::CannotStart)),
    }
}
