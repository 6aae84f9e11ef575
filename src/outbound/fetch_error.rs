//! Why there is no document, for the operator.

use http::StatusCode;
use url::Url;

use super::{destination::Refusal, send::OutboundError};
use crate::{
    limits::{MAX_CODING, MAX_TRANSPORT_WORDS},
    oauth::printable,
};

/// Why there is no document. Each names the host, and never a path or a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FetchError {
    /// No request was sent to such a place.
    #[error("{host} is not asked for a document: {refusal}")]
    Refused { host: String, refusal: Refusal },
    #[error("{host} could not be reached: {words}")]
    Transport { host: String, words: String },
    #[error("{host} did not answer in time")]
    Timeout { host: String },
    #[error("{host} is not asked now: too many documents are being fetched")]
    Busy { host: String },
    #[error(
        "{host} is not asked now: strangers made this server ask it often enough in this minute"
    )]
    TooOften { host: String },
    #[error("{host} answered with status {status}{}", redirect(*status))]
    Status { host: String, status: StatusCode },
    /// There is an answer, and it is not the document.
    #[error("the answer of {host} is of no use: {words}")]
    Content { host: String, words: String },
}

fn redirect(status: StatusCode) -> &'static str {
    match status.is_redirection() {
        true => ": redirects are not followed, so name the URL that it leads to",
        false => "",
    }
}

impl FetchError {
    pub(crate) fn new(url: &str, error: OutboundError) -> Self {
        let host = host(url);
        match error {
            OutboundError::Refused(refusal) => Self::Refused { host, refusal },
            OutboundError::Transport(words) => Self::Transport { host, words },
            OutboundError::Timeout => Self::Timeout { host },
            OutboundError::TooLarge(limit) => {
                let words = format!("it is larger than {limit} bytes");
                Self::Content { host, words }
            }
            OutboundError::Coded { coding, .. } => {
                let coding = printable(&coding, MAX_CODING);
                let words = format!("it has the content coding {coding}, and none was accepted");
                Self::Content { host, words }
            }
        }
    }

    pub(crate) fn status(url: &str, status: StatusCode) -> Self {
        let host = host(url);
        Self::Status { host, status }
    }

    pub(crate) fn content(url: &str, words: &str) -> Self {
        Self::Content {
            host: host(url),
            words: printable(words, MAX_TRANSPORT_WORDS),
        }
    }

    /// Whether the source said nothing about the document: it is down, or too busy, or we are. Otherwise
    /// the document is gone, or is not one.
    pub(crate) fn is_trouble(&self) -> bool {
        match self {
            Self::Transport { .. }
            | Self::Timeout { .. }
            | Self::Busy { .. }
            | Self::TooOften { .. } => true,
            Self::Status { status, .. } => {
                status.is_server_error()
                    || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(status)
            }
            Self::Refused { .. } | Self::Content { .. } => false,
        }
    }

    /// Whether nothing was asked, because too many others had asked before.
    pub(crate) fn is_crowded(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::TooOften { .. })
    }

    /// Whether it says what a name leads to inside our network: to strangers that is to look like a server that
    /// does not answer, or they could ask us for the names that there are.
    pub(crate) fn tells_of_inside(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                refusal: Refusal::Leads { .. },
                ..
            }
        )
    }
}

/// For words: what of a URL may be told to the operator.
pub(super) fn host(url: &str) -> String {
    let parsed = Url::parse(url).ok();
    let host = parsed.as_ref().and_then(Url::host_str);
    host.map_or_else(
        || "a URL without a host".to_owned(),
        |host| printable(host, MAX_TRANSPORT_WORDS),
    )
}
