//! CORS: for the documents and the machine endpoints always, for protected paths where the operator
//! wants it from this layer. Never for authorize, consent and callback, which act on a person's cookies.
//!
//! Any origin, no credentials: a token stands in a header that a page has to set itself, so a foreign
//! page gains nothing from a browser's cookies.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};

use crate::body::OwnResponse;

const ANY: HeaderValue = HeaderValue::from_static("*");
const DAY: HeaderValue = HeaderValue::from_static("86400");

/// What pages may send to the machine endpoints. The protocol version goes with every request of a
/// browser client.
const HEADERS_OF_OURS: HeaderValue =
    HeaderValue::from_static("Authorization, Content-Type, Accept, mcp-protocol-version, *");
const EXPOSED_OF_OURS: HeaderValue = HeaderValue::from_static("WWW-Authenticate, Retry-After");

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS");
/// `*` covers every header but `Authorization`; the names are for readers and old browsers.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Accept, mcp-session-id, mcp-protocol-version, last-event-id, *",
);
const EXPOSED: HeaderValue =
    HeaderValue::from_static("WWW-Authenticate, Retry-After, mcp-session-id");

// ---- documents and machine endpoints

/// Lets any page read the answer.
pub(crate) fn allow(mut response: OwnResponse) -> OwnResponse {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_OF_OURS);
    response
}

/// The answer to `OPTIONS`.
pub(crate) fn preflight(methods: &'static [Method]) -> OwnResponse {
    let mut response = allow(Response::new(Bytes::new()));
    let methods = HeaderValue::try_from(list(methods)).ok();
    if let Some(methods) = &methods {
        response
            .headers_mut()
            .insert(header::ALLOW, methods.clone());
    }
    permit(&mut response, methods, HEADERS_OF_OURS);
    response
}

/// `GET, HEAD, OPTIONS`
pub(crate) fn list(methods: &[Method]) -> String {
    let names: Vec<&str> = methods
        .iter()
        .map(Method::as_str)
        .chain(["OPTIONS"])
        .collect();
    names.join(", ")
}

// ---- protected paths

/// Whether a request is a preflight: it never carries a token.
pub(crate) fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight for a protected path.
pub(crate) fn preflight_of_protected() -> OwnResponse {
    let mut response = Response::new(Bytes::new());
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    permit(&mut response, Some(METHODS), HEADERS);
    response
}

/// Lets a browser client read the answer and the headers it needs. What the inner service said
/// about origins stands.
pub(crate) fn expose(headers: &mut HeaderMap) {
    if !headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

fn permit(response: &mut OwnResponse, methods: Option<HeaderValue>, allowed: HeaderValue) {
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    if let Some(methods) = methods {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, DAY);
}
