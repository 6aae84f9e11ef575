//! CORS for the documents and the machine endpoints: any origin, no credentials. Never for
//! authorize, consent and callback, which act on a person's cookies.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};

use crate::body::OwnResponse;

/// The answer to `OPTIONS`, from any origin.
pub(super) fn preflight(methods: &'static [Method]) -> OwnResponse {
    let mut response = allow(Response::new(Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    if let Ok(methods) = HeaderValue::try_from(list(methods)) {
        headers.insert(header::ALLOW, methods.clone());
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        // The protocol version goes with every request of a browser client.
        HeaderValue::from_static("Authorization, Content-Type, Accept, mcp-protocol-version, *"),
    );
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("86400"),
    );
    response
}

/// Lets any page read the answer.
pub(super) fn allow(mut response: OwnResponse) -> OwnResponse {
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("WWW-Authenticate, Retry-After"),
    );
    response
}

/// `GET, HEAD, OPTIONS`
pub(super) fn list(methods: &[Method]) -> String {
    let names: Vec<&str> = methods
        .iter()
        .map(Method::as_str)
        .chain(["OPTIONS"])
        .collect();
    names.join(", ")
}
