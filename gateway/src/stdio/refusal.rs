//! What is not passed on to a process, and the answer that says so.

use http::{HeaderValue, Response, StatusCode, header};

use super::{
    body::StdioBody,
    message::{Id, Malformed, error},
    mux::Barred,
    process::Unheard,
};

/// An answer of the gateway's own: a status, and an error of JSON-RPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: i64,
    pub(super) words: String,
    pub(super) id: Option<Id>,
}

/// "The HTTP headers do not match the corresponding values in the request body" (MCP 2026-07-28).
pub(super) const HEADER_MISMATCH: i64 = -32020;
const INVALID: i64 = -32600;
/// The codes of the server, of which no client takes one for a sign of 2026-07-28.
const OURS: i64 = -32000;
/// What the stock servers say of a session.
const NO_SESSION: i64 = -32001;
const INTERNAL: i64 = -32603;

impl Refusal {
    pub(super) fn new(status: StatusCode, code: i64, words: impl Into<String>) -> Self {
        Self {
            status,
            code,
            words: words.into(),
            id: None,
        }
    }

    pub(super) fn bad(words: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID, words)
    }

    pub(super) fn mismatch(words: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, HEADER_MISMATCH, words)
    }

    /// "The server MAY terminate the session at any time, after which it MUST respond to requests containing that
    /// session ID with HTTP 404 Not Found."
    pub(super) fn no_session() -> Self {
        Self::new(StatusCode::NOT_FOUND, NO_SESSION, "Session not found")
    }

    pub(super) fn not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, OURS, "Method not allowed.")
    }

    pub(super) fn too_large(most: usize) -> Self {
        let words = format!("the body is longer than {most} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, OURS, words)
    }

    pub(super) fn slow() -> Self {
        let words = "the body did not come in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, OURS, words)
    }

    pub(super) fn full() -> Self {
        let words = "too many MCP servers run at the moment: try again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, OURS, words)
    }

    pub(super) fn stopping() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            OURS,
            "the gateway stops: try again later",
        )
    }

    pub(super) fn not_started() -> Self {
        Self::new(
            StatusCode::BAD_GATEWAY,
            INTERNAL,
            "the MCP server could not be started",
        )
    }

    pub(super) fn no_answer() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            INTERNAL,
            "the MCP server did not answer in time",
        )
    }

    /// Such a body is no sign of 2026-07-28, so that a client that knows both goes on with `initialize`.
    pub(super) fn only_sessions() -> Self {
        let words =
            "this MCP server speaks protocol versions up to 2025-11-25: begin with `initialize`";
        Self::new(StatusCode::BAD_REQUEST, OURS, words)
    }

    pub(super) fn of(self, id: Option<&Id>) -> Self {
        Self {
            id: id.cloned(),
            ..self
        }
    }

    pub(super) fn answer(&self) -> Response<StdioBody> {
        let mut answer = json(self.status, error(self.id.as_ref(), self.code, &self.words));
        let headers = answer.headers_mut();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, POST, DELETE"));
        }
        answer
    }
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            malformed.code(),
            malformed.to_string(),
        )
    }
}

impl From<Unheard> for Refusal {
    fn from(unheard: Unheard) -> Self {
        match unheard {
            Unheard::Barred(Barred::Full) => {
                let words = "too many requests wait for this MCP server: try again later";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, OURS, words)
            }
            Unheard::Busy => {
                let words = "the MCP server takes no messages at the moment: try again later";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, OURS, words)
            }
            Unheard::Barred(Barred::Ended) => Self::no_session(),
            Unheard::Barred(Barred::Unasked) => {
                Self::bad("the MCP server asked for no such answer")
            }
        }
    }
}

pub(super) fn json(status: StatusCode, text: impl Into<bytes::Bytes>) -> Response<StdioBody> {
    let mut answer = Response::new(StdioBody::whole(text));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

pub(super) fn empty(status: StatusCode) -> Response<StdioBody> {
    let mut answer = Response::new(StdioBody::whole(bytes::Bytes::new()));
    *answer.status_mut() = status;
    answer
}
