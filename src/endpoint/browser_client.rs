//! The client that a person's browser comes from, at the endpoints that a person sees.

use std::fmt;

use http::StatusCode;

use super::refusal::Refusal;
use crate::{
    client::{Client, Identified},
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
        Identified::Client(client) => Ok(client),
        Identified::Unknown(why) => refused(Reason::UnknownClient, &why, Situation::UnknownClient),
        Identified::Denied => {
            let detail = &"the operator denied the client";
            refused(Reason::DeniedClient, detail, Situation::DeniedClient)
        }
        Identified::Later(error) => Err((error.into(), Situation::CannotStart)),
    }
}
