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
    page,
    proxy::Proxy,
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
    proxy: &Proxy,
    methods: &'static [Method],
    is_machines: bool,
) -> OwnResponse {
    proxy.emit(&Event::refused(Step::Http, Reason::NotServed).detail("method"));
    let mut response = if is_machines {
        let refusal = OAuthError::new(OAuthErrorCode::InvalidRequest, "method not allowed");
        error(&refusal.with_status(StatusCode::METHOD_NOT_ALLOWED))
    } else {
        page(
            StatusCode::METHOD_NOT_ALLOWED,
            page::message(
                proxy.service_name(),
                "This address is opened by a browser",
                "Nothing was changed. Start the login from your app.",
            ),
        )
    };
    let allowed = match is_machines {
        true => cors::list(methods),
        false => methods
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
pub(super) fn not_found(proxy: &Proxy) -> OwnResponse {
    proxy.emit(&Event::refused(Step::Http, Reason::NotServed).detail("no such document"));
    json(
        StatusCode::NOT_FOUND,
        &serde_json::json!({ "error": "not_found" }),
    )
}

/// A page for a person. It holds no script, loads nothing, stands in no frame and is kept by no
/// cache.
///
/// No `Cross-Origin-Opener-Policy`: it would cut a web client off from the popup that it opened for
/// the login and waits for.
pub(super) fn page(status: StatusCode, html: String) -> OwnResponse {
    let mut response = Response::new(Bytes::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        // No `form-action`: browsers apply it to the whole chain of redirects after the form, which
        // ends at the client's own scheme.
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        ),
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        // With `no-referrer` browsers post the form with `Origin: null`.
        HeaderValue::from_static("same-origin"),
    );
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(
            header::RETRY_AFTER,
            HeaderValue::from_static(RETRY_AFTER_SECS),
        );
    }
    no_store(response)
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
