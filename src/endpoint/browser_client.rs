//! The client that a person's browser comes from, at the endpoints that a person sees.

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
    let (reason, detail, situation) = match proxy.clients.identify(client_id).await {
        // A registration has no end of its own: where the operator ended registering, no more logins by one.
        Identified::Client(client)
            if client.kind == ClientKind::Signed && !proxy.options.dynamic_registration =>
        {
            let detail = "the client registered, and dynamic_registration is off".to_owned();
            (Reason::UnknownClient, detail, Situation::UnknownClient)
        }
        Identified::Client(client) => return Ok(client),
        Identified::Unknown(why) => {
            let detail = why.to_string();
            (Reason::UnknownClient, detail, Situation::UnknownClient)
        }
        Identified::Denied => {
            let detail = "the operator denied the client".to_owned();
            (Reason::DeniedClient, detail, Situation::DeniedClient)
        }
        Identified::NotLetIn(host) => {
            let detail = format!("metadata_documents lets in no document of {host}");
            (Reason::DeniedClient, detail, Situation::DeniedClient)
        }
        Identified::NoDocument(error) if error.is_trouble() || error.tells_of_inside() => {
            let refusal = Refusal::unavailable(Reason::ClientDocument).detail(error);
            return Err((refusal, Situation::NoDocument));
        }
        Identified::NoDocument(error) => {
            let detail = error.to_string();
            (Reason::ClientMetadata, detail, Situation::BadDocument)
        }
        Identified::Later(error) => return Err((error.into(), Situation::CannotStart)),
    };
    let error = OAuthError::new(OAuthErrorCode::InvalidClient, detail);
    let error = error.with_status(StatusCode::BAD_REQUEST);
    Err((Refusal::from_error(reason, error), situation))
}
