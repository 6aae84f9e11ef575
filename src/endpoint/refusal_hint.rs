//! What a header of a refusal says in addition to its body.

use http::{HeaderName, HeaderValue, header};

use crate::body::OwnResponse;

/// What a header says in addition.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hint {
    /// RFC 6749 section 5.2, of a client that tried HTTP Basic: "the authorization server MUST
    /// respond with an HTTP 401 (Unauthorized) status code and include the "WWW-Authenticate" response
    /// header field matching the authentication scheme used".
    Basic,
    /// RFC 9110 section 15.5.16: "If the problem was caused by an unsupported content coding, the
    /// Accept-Encoding response header field ought to be used".
    NoContentCoding,
    /// In seconds. RFC 6585 section 4, of 429: "and MAY include a Retry-After header indicating how long to wait
    /// before making a new request."
    RetryAfter(u64),
}

impl Hint {
    fn header(self) -> (HeaderName, HeaderValue) {
        let (name, value) = match self {
            Self::Basic => (header::WWW_AUTHENTICATE, "Basic realm=\"oauth\""),
            Self::NoContentCoding => (header::ACCEPT_ENCODING, "identity"),
            Self::RetryAfter(secs) => return (header::RETRY_AFTER, HeaderValue::from(secs)),
        };
        (name, HeaderValue::from_static(value))
    }
}

/// The answer with what the hint says, in place of what such an answer says otherwise.
pub(super) fn hinted(hint: Option<Hint>, mut response: OwnResponse) -> OwnResponse {
    if let Some((name, value)) = hint.map(Hint::header) {
        response.headers_mut().insert(name, value);
    }
    response
}
