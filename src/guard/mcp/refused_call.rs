//! The answers to requests whose call cannot be judged, and to calls that are not allowed.

use std::fmt;

use bytes::Bytes;
use http::{Extensions, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use super::{
    held_body::Unread,
    reader::{Ambiguous, Call},
    rules::No,
};
use crate::{
    body::OwnResponse,
    event::{Event, Reason, Step},
    guard::{
        Denied,
        layer::{Needs, refuse},
    },
    limits::MAX_TOLD_NAME,
    session::AuthSession,
};

/// JSON-RPC 2.0 section 5.1: "Invalid JSON was received by the server."
const PARSE_ERROR: i32 = -32700;
/// "The JSON sent is not a valid Request object."
const INVALID_REQUEST: i32 = -32600;
/// "Internal JSON-RPC error."
const INTERNAL_ERROR: i32 = -32603;
/// MCP 2026-07-28, Streamable HTTP, "Server Validation": "When rejecting a request due to header validation failure,
/// servers MUST return HTTP status `400 Bad Request` and MUST include a JSON-RPC error response using the following
/// error code".
const HEADER_MISMATCH: i32 = -32020;

/// Why a request is answered without asking a guard. The words hold nothing that the client sent.
pub(super) struct Unjudged {
    status: StatusCode,
    code: i32,
    reason: Reason,
    words: String,
    /// The call that is meant, where it is known.
    call: String,
}

impl Unjudged {
    fn new(status: StatusCode, code: i32, reason: Reason, words: impl fmt::Display) -> Self {
        Self {
            status,
            code,
            reason,
            words: words.to_string(),
            call: String::new(),
        }
    }

    /// For the operator, which call it was.
    pub(super) fn of(mut self, call: Called<'_>) -> Self {
        self.call = format!(" ({})", call.without_name());
        self
    }

    /// A batch with a call that is denied.
    pub(super) fn batch(no: &No<'_>) -> Self {
        let reason = match no {
            No::Denied(Denied::Scopes(_), _) => Reason::Scope,
            No::Denied(..) => Reason::Forbidden,
            No::Odd(_) => Reason::Ambiguous,
        };
        let words = "a call of the batch is not allowed: send the calls one by one";
        Self::new(StatusCode::BAD_REQUEST, INVALID_REQUEST, reason, words)
    }

    /// Headers that contradict the body, or each other.
    pub(super) fn header(words: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            HEADER_MISMATCH,
            Reason::Ambiguous,
            words,
        )
    }

    /// A body that is no JSON, or is in a coding: two readers could see two calls.
    pub(super) fn media_type(words: &str) -> Self {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Self::new(status, INVALID_REQUEST, Reason::Ambiguous, words)
    }

    /// A list of the server that cannot be filtered.
    pub(super) fn unlisted(words: &str) -> Self {
        let status = StatusCode::BAD_GATEWAY;
        Self::new(status, INTERNAL_ERROR, Reason::Unlisted, words)
    }

    pub(super) fn odd(words: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            INVALID_REQUEST,
            Reason::Ambiguous,
            words,
        )
    }

    pub(super) fn ambiguous(ambiguous: &Ambiguous) -> Self {
        let code = match ambiguous {
            Ambiguous::NotJson => PARSE_ERROR,
            _ => INVALID_REQUEST,
        };
        Self::new(StatusCode::BAD_REQUEST, code, Reason::Ambiguous, ambiguous)
    }

    pub(super) fn unread(unread: &Unread, limit: usize) -> Self {
        match unread {
            Unread::Ambiguous(ambiguous) => Self::ambiguous(ambiguous),
            Unread::TooLong => {
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                let words = format!(
                    "the first {limit} bytes of the body do not say which call it makes: send `method` and the \
                     call's name before what is long, and batches in parts"
                );
                Self::new(status, INVALID_REQUEST, Reason::TooLarge, words)
            }
            Unread::Unexpected => Self::odd("a request with this HTTP method has no body"),
            Unread::TooSlow => {
                let words = "the body did not say in time which call it makes";
                Self::new(
                    StatusCode::REQUEST_TIMEOUT,
                    INVALID_REQUEST,
                    Reason::Malformed,
                    words,
                )
            }
            Unread::Broken => {
                let words = "the body could not be read";
                Self::new(
                    StatusCode::BAD_REQUEST,
                    INVALID_REQUEST,
                    Reason::Malformed,
                    words,
                )
            }
        }
    }

    /// Tells the operator.
    pub(super) fn report(&self, session: &AuthSession) {
        let Some(challenges) = session.challenges() else {
            return;
        };
        let at = session.asked().unwrap_or_default();
        let event = Event::refused(Step::Guard, self.reason).about(session.who());
        let detail = format_args!("an MCP request at {at}: {}{}", self.words, self.call);
        challenges.report(&event.detail(detail));
    }

    /// The answer. Which request it is for is not known for sure: JSON-RPC 2.0 section 5 has "If there was an error in
    /// detecting the id in the Request object (e.g. Parse error/Invalid Request), it MUST be Null."
    pub(super) fn answer(&self) -> OwnResponse {
        let body = json!({
            "jsonrpc": "2.0",
            "id": Value::Null,
            "error": {"code": self.code, "message": self.words},
        });
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            // RFC 9110 section 15.5.16: "If the problem was caused by an unsupported content coding, the
            // Accept-Encoding response header field ought to be used to indicate which (if any) content codings would
            // have been accepted in the request."
            let identity = HeaderValue::from_static("identity");
            headers.insert(header::ACCEPT_ENCODING, identity);
        }
        response
    }
}

/// The answer to a call at `path` that the rules do not let through, and its event.
pub(super) fn refused(
    path: &str,
    extensions: &Extensions,
    call: Called<'_>,
    no: &No<'_>,
) -> OwnResponse {
    match no {
        No::Denied(denied, guard) => {
            let guard = guard.map_or_else(
                || "a rule that cannot be meant".to_owned(),
                |guard| format!("{guard:?}"),
            );
            let needs = Needs {
                full: format!("{guard} for {call}"),
                without_person: format!("{guard} for {}", call.without_name()),
            };
            refuse(path, extensions, denied, Some(needs))
        }
        No::Odd(words) => {
            let unjudged = Unjudged::odd(words).of(call);
            if let Some(session) = AuthSession::from_extensions(extensions) {
                unjudged.report(session);
            }
            unjudged.answer()
        }
    }
}

/// A call as an operator reads it. The name is the client's: what prints it makes it fit to be read.
#[derive(Clone, Copy)]
pub(super) struct Called<'a> {
    pub(super) method: Option<&'a str>,
    pub(super) name: Option<&'a str>,
}

impl<'a> Called<'a> {
    pub(super) fn of(call: &'a Call) -> Self {
        Self {
            method: call.method.as_deref(),
            name: call.name.as_deref(),
        }
    }

    /// A resource's URI may say who it is about.
    fn without_name(self) -> Self {
        match self
            .method
            .is_some_and(|method| method.starts_with("resources/"))
        {
            true => Self { name: None, ..self },
            false => self,
        }
    }
}

impl fmt::Display for Called<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| text.chars().take(MAX_TOLD_NAME).collect::<String>();
        match (self.method, self.name) {
            (None, _) => f.write_str("an answer to the server"),
            (Some(method), None) => write!(f, "`{}`", shown(method)),
            (Some(method), Some(name)) => write!(f, "`{}` of `{}`", shown(method), shown(name)),
        }
    }
}
