//! The same refusals for gRPC clients: they read a status of their own and no HTTP status.
//!
//! "Trailers-Only is permitted for calls that produce an immediate error" (gRPC over HTTP2, section *Responses*): one
//! block of headers with status 200, `grpc-status` and `grpc-message`. What else stands in it is metadata to the
//! client, the challenge included.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::Value;

use crate::body::OwnResponse;

const GRPC: &str = "application/grpc";
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// How a client reads a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// By the status and JSON.
    Http,
    /// By `grpc-status`.
    Grpc,
}

impl Form {
    /// That of the client who sent this. gRPC-Web is not gRPC here: its clients read the HTTP status.
    ///
    /// `Method → ":method POST"` (gRPC over HTTP2, section *Requests*). Whatever the headers say, other
    /// methods are answered by status: a web server that asks here whether to let a request in (`auth_request`,
    /// `forward_auth`) asks with `GET` and the client's headers, and would take 200 for a yes.
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Self {
        if method != Method::POST {
            return Self::Http;
        }
        let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        let Some((kind, rest)) = content_type.and_then(|value| value.split_at_checked(GRPC.len()))
        else {
            return Self::Http;
        };
        // "application/grpc" [("+proto" / "+json" / {custom})]
        match kind.eq_ignore_ascii_case(GRPC.as_bytes())
            && matches!(rest, [] | [b'+' | b';' | b' ', ..])
        {
            true => Self::Grpc,
            false => Self::Http,
        }
    }

    /// The refusal in this form.
    pub(crate) fn spoken(self, refusal: OwnResponse) -> OwnResponse {
        match (self, code(refusal.status())) {
            (Self::Grpc, Some(code)) => trailers_only(refusal, code),
            _ => refusal,
        }
    }
}

/// `UNAUTHENTICATED`, `PERMISSION_DENIED`, `UNAVAILABLE`: as gRPC's own mapping has these statuses
/// (*HTTP to gRPC Status Code Mapping*).
fn code(status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::UNAUTHORIZED => Some("16"),
        StatusCode::FORBIDDEN => Some("7"),
        StatusCode::SERVICE_UNAVAILABLE => Some("14"),
        _ => None,
    }
}

fn trailers_only(mut refusal: OwnResponse, code: &'static str) -> OwnResponse {
    let body = std::mem::take(refusal.body_mut());
    *refusal.status_mut() = StatusCode::OK;
    let headers = refusal.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(GRPC));
    headers.insert(GRPC_STATUS, HeaderValue::from_static(code));
    if let Some(message) = message(&body) {
        headers.insert(GRPC_MESSAGE, message);
    }
    refusal
}

/// The words of the JSON body. They are our own, of characters that stand for themselves: "space and VCHAR, except %".
fn message(body: &Bytes) -> Option<HeaderValue> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let words = body.get("error_description")?.as_str()?;
    let stands_for_itself = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'%';
    words
        .bytes()
        .all(stands_for_itself)
        .then(|| HeaderValue::from_str(words).ok())?
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;

    #[test]
    fn a_grpc_client_is_known_by_its_method_and_content_type() {
        for (content_type, form) in [
            ("application/grpc", Form::Grpc),
            ("application/grpc+proto", Form::Grpc),
            ("application/grpc+json", Form::Grpc),
            ("Application/GRPC", Form::Grpc),
            ("application/grpc; charset=utf-8", Form::Grpc),
            ("application/grpc-web", Form::Http),
            ("application/grpc-web+proto", Form::Http),
            ("application/grpcx", Form::Http),
            ("application/json", Form::Http),
            ("application/grp", Form::Http),
            ("", Form::Http),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("content-type", content_type.parse().unwrap());
            assert_eq!(Form::of(&Method::POST, &headers), form, "{content_type}");
            assert_eq!(Form::of(&Method::GET, &headers), Form::Http);
        }
        assert_eq!(Form::of(&Method::POST, &HeaderMap::new()), Form::Http);
    }

    #[test]
    fn each_refusal_has_its_status_its_words_and_the_same_headers() {
        for (status, code) in [(401, "16"), (403, "7"), (503, "14")] {
            let refusal = Response::builder()
                .status(status)
                .header("www-authenticate", "Bearer x")
                .header("retry-after", "5")
                .header("content-type", "application/json")
                .body(Bytes::from_static(
                    br#"{"error_description":"a bearer token is required"}"#,
                ));
            let spoken = Form::Grpc.spoken(refusal.unwrap());
            assert_eq!(spoken.status(), 200);
            let headers = spoken.headers();
            assert_eq!(headers["content-type"], "application/grpc");
            assert_eq!(headers["grpc-status"], code);
            assert_eq!(headers["grpc-message"], "a bearer token is required");
            assert_eq!(headers["www-authenticate"], "Bearer x");
            assert_eq!(headers["retry-after"], "5");
            assert!(spoken.body().is_empty());
        }
    }

    #[test]
    fn what_is_no_refusal_of_these_and_what_another_client_reads_stays_as_it_is() {
        let answer = |status: u16| {
            Response::builder()
                .status(status)
                .body(Bytes::from_static(b"{}"))
        };
        for (form, status) in [(Form::Http, 401), (Form::Grpc, 200), (Form::Grpc, 404)] {
            let spoken = form.spoken(answer(status).unwrap());
            assert_eq!(
                (spoken.status().as_u16(), spoken.headers().len()),
                (status, 0)
            );
            assert_eq!(&**spoken.body(), b"{}");
        }
    }

    #[test]
    fn words_that_would_have_to_be_encoded_are_left_out() {
        for body in [
            r#"{"error_description":"100 %"}"#,
            r#"{"error_description":"é"}"#,
            "no JSON",
            "{}",
        ] {
            assert_eq!(
                message(&Bytes::from_static(body.as_bytes())),
                None,
                "{body}"
            );
        }
    }
}
