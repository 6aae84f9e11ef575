//! How answers look: JSON for machines, pages for people, and the headers that both need.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::Value;

use crate::{
    body::OwnResponse,
    cors,
    error::{OAuthError, OAuthErrorCode},
    event::{Event, Reason, Step},
    limits::RETRY_AFTER_SECS,
    oauth::description,
    page::{self, Page, Situation},
    proxy::Proxy,
    resource_server::ResourceServer,
    route::Caller,
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

/// 405 with `Allow` (RFC 9110 section 15.5.6).
pub(super) fn method_not_allowed(
    server: &ResourceServer,
    methods: &'static [Method],
    caller: Caller,
) -> OwnResponse {
    server.emit(&Event::refused(Step::Http, Reason::NotServed).detail("method"));
    let mut response = if caller == Caller::Browser {
        let page = Page::Message(Situation::WrongMethod);
        page_of(
            server.options.shown_name(),
            StatusCode::METHOD_NOT_ALLOWED,
            &page,
        )
    } else {
        let refusal = OAuthError::new(OAuthErrorCode::InvalidRequest, "method not allowed");
        error(&refusal.with_status(StatusCode::METHOD_NOT_ALLOWED))
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
    json(
        StatusCode::NOT_FOUND,
        &serde_json::json!({ "error": "not_found" }),
    )
}

/// A page for a person, which no cache keeps.
pub(super) fn page(proxy: &Proxy, status: StatusCode, page: &Page<'_>) -> OwnResponse {
    page_of(proxy.service_name(), status, page)
}

fn page_of(service: &str, status: StatusCode, page: &Page<'_>) -> OwnResponse {
    let html = page.html(service);
    let mut response = Response::new(Bytes::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.extend(page::headers());
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(
            header::RETRY_AFTER,
            HeaderValue::from_static(RETRY_AFTER_SECS),
        );
    }
    no_store(response)
}

/// The page that says what happened.
pub(super) fn message(proxy: &Proxy, status: StatusCode, situation: Situation) -> OwnResponse {
    page(proxy, status, &Page::Message(situation))
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
