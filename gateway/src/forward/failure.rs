//! Why the server behind did not answer: for the client a status, for the operator the reason.

use std::{error::Error, fmt};

use http::{HeaderValue, Method, Response, StatusCode, header};

use super::connector::ConnectTimeout;
use crate::{
    answer::{AnswerBody, refusal},
    identity::IdentityError,
    inbound::UploadError,
    limits::MAX_REASON,
    numbers,
};

/// What went wrong.
#[derive(Debug)]
pub(super) enum Failure {
    /// As many requests as are allowed are at work.
    Full,
    /// No connection.
    NotReached(String),
    /// No connection in time.
    NotReachedInTime(String),
    /// The connection broke before the answer began, or what came is no HTTP.
    Broken(String),
    /// The answer did not begin in time.
    NoAnswer,
    /// It changed the protocol to one that was not asked for.
    StrangeUpgrade,
    /// The client's body.
    Upload(UploadError),
    /// A path that cannot be joined to the server's.
    Target,
    /// Nobody is logged in, and what stands behind is a person's own.
    NoSession,
    /// The server behind could not be told who is calling.
    Identity(IdentityError),
}

impl Failure {
    /// Of an error of the HTTP client.
    pub(super) fn of(error: &hyper_util::client::legacy::Error) -> Self {
        let reason = reason(error);
        if find::<ConnectTimeout>(error).is_some() {
            return Self::NotReachedInTime(reason);
        }
        let io = find::<std::io::Error>(error).map(std::io::Error::kind);
        match error.is_connect() {
            true if io == Some(std::io::ErrorKind::TimedOut) => Self::NotReachedInTime(reason),
            true => Self::NotReached(reason),
            false => Self::Broken(reason),
        }
    }

    /// A word for metrics and logs.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::NotReached(_) => "not_reached",
            Self::NotReachedInTime(_) => "connect_timeout",
            Self::Broken(_) => "broken",
            Self::NoAnswer => "answer_timeout",
            Self::StrangeUpgrade => "strange_upgrade",
            Self::Upload(UploadError::TooLarge) => "body_too_large",
            Self::Upload(UploadError::Stalled) => "upload_stalled",
            Self::Upload(UploadError::Broken) => "upload_broken",
            Self::Target => "target",
            Self::NoSession => "no_session",
            Self::Identity(_) => "identity",
        }
    }

    /// Tells the operator, of a request for this path to the server at this address.
    pub(super) fn report(&self, server: &str, method: &Method, path: &str) {
        let reason = self.word();
        numbers::failed(reason);
        let path: String = path.chars().take(MAX_REASON).collect();
        match self.is_of_server() {
            true => tracing::warn!(reason, %method, path, server, "the server behind: {self}"),
            false => {
                tracing::info!(reason, %method, path, "a request that was not handed on: {self}");
            }
        }
    }

    /// Whether it is the server behind that failed, and not the client.
    pub(super) fn is_of_server(&self) -> bool {
        !matches!(self, Self::Upload(_) | Self::Target | Self::NoSession)
    }

    /// The answer. It says nothing of where the server behind stands.
    pub(super) fn answer(&self) -> Response<AnswerBody> {
        let (status, code, words) = match self {
            Self::Full => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "the server is busy: try again in a moment",
            ),
            Self::NotReached(_) => (
                StatusCode::BAD_GATEWAY,
                "bad_gateway",
                "the server behind this gateway cannot be reached",
            ),
            Self::Broken(_) | Self::StrangeUpgrade => (
                StatusCode::BAD_GATEWAY,
                "bad_gateway",
                "the server behind this gateway gave no proper answer",
            ),
            Self::NotReachedInTime(_) | Self::NoAnswer => (
                StatusCode::GATEWAY_TIMEOUT,
                "gateway_timeout",
                "the server behind this gateway did not answer in time",
            ),
            Self::Upload(error) => return error.answer(),
            Self::Target => (
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "the path cannot be asked for",
            ),
            Self::NoSession => (
                StatusCode::NOT_FOUND,
                "not_found",
                "there is nothing here without a login",
            ),
            Self::Identity(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                "the server behind this gateway cannot be told who is calling",
            ),
        };
        let mut answer = refusal(status, code, words);
        let headers = answer.headers_mut();
        if matches!(self, Self::Full) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        answer
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("as many requests as `limits.requests` allows are at work"),
            Self::NotReached(reason) => write!(
                f,
                "no connection: {reason}. Does it run, and listen where `upstream.url` says?"
            ),
            Self::NotReachedInTime(reason) => {
                write!(f, "no connection within `limits.connect`: {reason}")
            }
            Self::Broken(reason) => {
                write!(
                    f,
                    "it broke off before its answer, or sent no HTTP: {reason}"
                )
            }
            Self::NoAnswer => f.write_str("no answer within `limits.answer`"),
            Self::StrangeUpgrade => f.write_str("it changed to a protocol that was not asked for"),
            Self::Upload(error) => error.fmt(f),
            Self::Target => f.write_str("the path cannot be joined to the server's"),
            Self::NoSession => f.write_str("a request without a session for a process"),
            Self::Identity(error) => error.fmt(f),
        }
    }
}

/// An error and its causes.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// The chain of causes, in one line of bounded length.
pub(super) fn reason(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = causes(error).map(ToString::to_string).collect();
    said.dedup();
    let line = said.join(": ").replace(|c: char| c.is_control(), " ");
    line.chars().take(MAX_REASON).collect()
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|error| error.downcast_ref())
}
