//! The session as an axum extractor (feature `axum`).

use std::convert::Infallible;

use axum_core::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::request::Parts;

use crate::{
    guard::{Denied, refuse},
    session::AuthSession,
};

/// The rejection of a handler's `AuthSession` argument: 401 with the challenge.
#[derive(Debug)]
pub struct NoSession(Response);

impl IntoResponse for NoSession {
    fn into_response(self) -> Response {
        self.0
    }
}

impl<S: Sync> FromRequestParts<S> for AuthSession {
    type Rejection = NoSession;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoSession> {
        match Self::from_extensions(&parts.extensions) {
            Some(session) => Ok(session.clone()),
            None => {
                let refusal = refuse(
                    parts.uri.path(),
                    &parts.extensions,
                    &Denied::NoSession,
                    None,
                );
                Err(NoSession(refusal.map(Body::from)))
            }
        }
    }
}

/// `Option<AuthSession>`: for public paths and the optional mode.
impl<S: Sync> OptionalFromRequestParts<S> for AuthSession {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(Self::from_extensions(&parts.extensions).cloned())
    }
}
