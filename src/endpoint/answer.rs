//! How answers look: JSON for machines, pages for people, and the headers that both need.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;

use super::visit::Visit;

use crate::{
    body::OwnResponse,
    error::OAuthError,
    limits::RETRY_AFTER_SECS,
    oauth::description,
    page::{Page, Situation},
};

/// A JSON answer that no cache keeps (RFC 6749 section 5.1).
pub(super) fn json(status: StatusCode, body: &Value) -> OwnResponse {
    // Nothing in a `Value` can fail to be written.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    no_store(response)
}

/// 200 without a body.
pub(super) fn ok_empty() -> OwnResponse {
    no_store(Response::new(Bytes::new()))
}

/// An OAuth error as JSON (RFC 6749 section 5.2).
pub(super) fn error(error: &OAuthError) -> OwnResponse {
    let body = serde_json::json!({
        "error": error.code.as_str(),
        "error_description": description(&error.description),
    });
    let mut response = json(error.status, &body);
    if error.status == StatusCode::SERVICE_UNAVAILABLE {
        let headers = response.headers_mut();
        headers.insert(
            header::RETRY_AFTER,
            HeaderValue::from_static(RETRY_AFTER_SECS),
        );
    }
    response
}

/// A page for a person, which no cache keeps.
pub(super) fn page(visit: &Visit<'_>, status: StatusCode, page: &Page<'_>) -> OwnResponse {
    let id = visit.id();
    let stage = visit.stage(&id);
    let mut response = Response::new(Bytes::from(page.html(&stage)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.extend(stage.look.headers());
    if let Ok(tag) = HeaderValue::from_str(stage.language.tag()) {
        headers.insert(header::CONTENT_LANGUAGE, tag);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(
            header::RETRY_AFTER,
            HeaderValue::from_static(RETRY_AFTER_SECS),
        );
    }
    no_store(response)
}

/// The page that says what happened.
pub(super) fn message(visit: &Visit<'_>, status: StatusCode, situation: Situation) -> OwnResponse {
    page(visit, status, &Page::Message(situation))
}

/// A redirect of a browser. The status is 302 after a GET and 303 after a POST.
pub(super) fn redirect(status: StatusCode, to: &str, cookies: Vec<HeaderValue>) -> OwnResponse {
    let mut response = Response::new(Bytes::new());
    // Every target was parsed as a URL and percent-encoded; what still is no header value is a
    // mistake, and goes nowhere.
    let Ok(location) = HeaderValue::try_from(to) else {
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return no_store(response);
    };
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    // The URL that is left holds a `state` or a code.
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
    no_store(response)
}

pub(super) fn no_store(mut response: OwnResponse) -> OwnResponse {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
