//! An HTTP answer of the provider, and what its headers say beyond the status.

use bytes::Bytes;
use http::{
    HeaderMap, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};

use super::upstream_error::UpstreamError;
use crate::{
    limits::MAX_CODING,
    oauth::printable,
    outbound::{OutboundError, Reply},
};

/// An answer that was read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<String>,
    /// The provider asks for patience, whatever the status.
    pub(crate) limited: bool,
    pub(crate) challenge: Challenge,
    pub(crate) body: Bytes,
}

/// What `WWW-Authenticate` says of a bearer token (RFC 6750 section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Challenge {
    None,
    /// A gateway wants a password or a machine's login: not of us, and not the provider's API.
    Password,
    Bearer,
    InvalidToken,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        let headers = &reply.headers;
        let content_type = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
        Self {
            status: reply.status,
            content_type: content_type.map(str::to_owned),
            limited: is_limited(headers),
            challenge: challenge(headers),
            body: reply.body,
        }
    }
}

impl From<OutboundError> for UpstreamError {
    fn from(error: OutboundError) -> Self {
        match error {
            OutboundError::Refused(refusal) => Self::Transport(refusal.to_string()),
            OutboundError::Transport(words) => Self::Transport(words),
            OutboundError::Timeout => Self::Timeout,
            OutboundError::TooLarge(limit) => {
                Self::Malformed(format!("the body is larger than {limit} bytes"))
            }
            OutboundError::Coded { status, coding } => {
                let coding = printable(&coding, MAX_CODING);
                let words =
                    format!("the body has the content coding {coding}, and none was accepted");
                match status.is_success() {
                    true => Self::Malformed(words),
                    false => Self::Failed {
                        status: status.as_u16(),
                        said: Some(words),
                    },
                }
            }
        }
    }
}

/// `Retry-After` (RFC 9110 section 10.2.3), or a count of requests that is down to zero: GitHub says
/// its limits with 403 and one of these.
fn is_limited(headers: &HeaderMap) -> bool {
    let is_used_up = |name| {
        let left = headers.get(name);
        left.is_some_and(|left| left.as_bytes().trim_ascii() == b"0")
    };
    headers.contains_key(RETRY_AFTER)
        || is_used_up("x-ratelimit-remaining")
        || is_used_up("ratelimit-remaining")
}

fn challenge(headers: &HeaderMap) -> Challenge {
    let values = headers.get_all(WWW_AUTHENTICATE).iter();
    let text: Vec<String> = values
        .filter_map(|value| Some(value.to_str().ok()?.to_ascii_lowercase()))
        .collect();
    let any = |word| text.iter().any(|value| value.contains(word));
    let starts = |scheme| text.iter().any(|value| value.starts_with(scheme));
    match (any("invalid_token"), any("bearer")) {
        (true, _) => Challenge::InvalidToken,
        (false, true) => Challenge::Bearer,
        _ if ["basic", "digest", "negotiate", "ntlm"]
            .into_iter()
            .any(starts) =>
        {
            Challenge::Password
        }
        (false, false) => Challenge::None,
    }
}
