//! A document that caches keep for a while: metadata, and the key set.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, header};

use crate::{body::OwnResponse, limits::DOCUMENT_MAX_AGE};

/// The document, or only its headers (RFC 9110 section 9.3.2).
pub(super) fn cacheable(method: &Method, media_type: &'static str, body: Bytes) -> OwnResponse {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(if method == Method::HEAD {
        Bytes::new()
    } else {
        body
    });
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_LENGTH, length);
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(DOCUMENT_MAX_AGE),
    );
    response
}
