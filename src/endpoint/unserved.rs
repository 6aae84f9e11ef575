//! Requests at our URLs that no endpoint serves.

use http::{HeaderValue, Method, StatusCode, header, request::Parts};

use super::{answer, visit::Visit};
use crate::{
    body::OwnResponse,
    cors,
    error::{OAuthError, OAuthErrorCode},
    event::{Event, Reason, Step},
    page::Situation,
    resource_server::ResourceServer,
    route::Caller,
};

/// 405 with `Allow` (RFC 9110 section 15.5.6).
pub(super) fn method_not_allowed(
    server: &ResourceServer,
    methods: &'static [Method],
    caller: Caller,
    parts: &Parts,
) -> OwnResponse {
    let event = Event::refused(Step::Http, Reason::NotServed).detail("method");
    let mut response = if caller == Caller::Browser {
        let visit = Visit::of_server(server, parts);
        let id = visit.id();
        server.emit(&event.login(&*id));
        let status = StatusCode::METHOD_NOT_ALLOWED;
        answer::message(&visit.in_login(&id), status, Situation::WrongMethod)
    } else {
        server.emit(&event);
        let refusal = OAuthError::new(OAuthErrorCode::InvalidRequest, "method not allowed");
        answer::error(&refusal.with_status(StatusCode::METHOD_NOT_ALLOWED))
    };
    let allowed = match caller {
        Caller::Machine => cors::list(methods),
        Caller::Service | Caller::Browser => methods
            .iter()
            .map(Method::as_str)
            .collect::<Vec<_>>()
            .join(", "),
    };
    if let Ok(allowed) = HeaderValue::try_from(allowed) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

/// A document that does not exist.
pub(super) fn not_found(server: &ResourceServer) -> OwnResponse {
    server.emit(&Event::refused(Step::Http, Reason::NotServed).detail("no such document"));
    answer::json(
        StatusCode::NOT_FOUND,
        &serde_json::json!({ "error": "not_found" }),
    )
}
