//! Requests at our URLs that no endpoint serves.

use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode, header, request::Parts};

use super::{answer, callback, visit::Visit};
use crate::{
    body::OwnResponse,
    cors,
    error::{OAuthError, OAuthErrorCode},
    event::{Event, Reason, Step},
    page::Situation,
    proxy::Proxy,
    resource_server::ResourceServer,
    route::{Caller, Endpoint, Row},
};

/// The answer to a method that the endpoint does not serve, or to a preflight.
pub(super) fn method_refused(
    server: &ResourceServer,
    row: &Row,
    parts: &Parts,
) -> Option<OwnResponse> {
    let method = &parts.method;
    let may_be_posted = |proxy: &Arc<Proxy>| callback::may_be_posted(proxy, parts);
    let methods: &'static [Method] = match row.endpoint {
        Endpoint::Callback if !server.proxy.as_ref().is_some_and(may_be_posted) => &[Method::GET],
        _ => row.methods,
    };
    if row.caller == Caller::Machine && *method == Method::OPTIONS {
        return Some(cors::preflight(methods));
    }
    let is_served = methods.contains(method);
    (!is_served).then(|| method_not_allowed(server, methods, row.caller, parts))
}

/// 405 with `Allow` (RFC 9110 section 15.5.6).
fn method_not_allowed(
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
