//! What can go wrong, one type for each audience.
//!
//! [`ConfigError`] speaks to the operator at build time, [`OAuthError`] to a client over the wire.
//! [`StorageError`] speaks to the code that decides what either of them hears.

use std::{borrow::Cow, fmt};

use http::StatusCode;

/// Any error, as the ecosystem boxes it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The configuration cannot work; the text says which option to change, and how.
///
/// It is neither `Clone` nor `Eq`, so that a later version can carry the error that caused it.
#[derive(Debug, thiserror::Error)]
#[cfg_attr(test, derive(PartialEq))]
#[error("`{option}`: {message}")]
pub struct ConfigError {
    option: &'static str,
    message: String,
}

impl ConfigError {
    /// An error about one option of the builder; the message says what to change.
    pub fn new(option: &'static str, message: impl Into<String>) -> Self {
        Self {
            option,
            message: message.into(),
        }
    }

    /// The same about one of several providers.
    pub(crate) fn of(self, option: &'static str, provider: &str) -> Self {
        let message = match self.option {
            own if own == option || own == "provider" => self.message,
            setter => format!("`{setter}`: {}", self.message),
        };
        let message = format!("provider `{provider}`: {message}");
        Self { option, message }
    }

    /// The name of the option to change.
    #[must_use]
    pub fn option(&self) -> &'static str {
        self.option
    }
}

/// Why a store could not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The store cannot be reached, or did not answer in time. Nothing is known to have changed.
    #[error("the store is unavailable")]
    Unavailable(#[source] BoxError),
    /// The store answered with something that was never put into it.
    #[error("the store holds a corrupt record: {0}")]
    Corrupt(String),
    /// The value is larger than the store accepts.
    #[error("the value of {size} bytes is over the store's limit of {limit} bytes")]
    TooLarge {
        /// Size of the refused value, in bytes.
        size: usize,
        /// What the store accepts, in bytes.
        limit: usize,
    },
}

impl StorageError {
    /// Wraps a backend's own error as [`StorageError::Unavailable`].
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self::Unavailable(source.into())
    }
}

/// An error and its causes on one line, as events have it.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The error codes of our own endpoints, from RFC 6749, 7009, 7591, 8707 and OpenID Connect Core. (Those
/// of protected paths, RFC 6750, stand in `challenge/`.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum OAuthErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    InvalidTarget,
    InvalidRedirectUri,
    InvalidClientMetadata,
    UnauthorizedClient,
    UnsupportedGrantType,
    UnsupportedResponseType,
    UnsupportedTokenType,
    AccessDenied,
    InteractionRequired,
    ServerError,
    TemporarilyUnavailable,
}

impl OAuthErrorCode {
    /// The code as it stands in `error`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::AccessDenied => "access_denied",
            Self::InteractionRequired => "interaction_required",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }

    /// The HTTP status that goes with the code at a JSON endpoint.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::InvalidClient => StatusCode::UNAUTHORIZED,
            Self::AccessDenied => StatusCode::FORBIDDEN,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for OAuthErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal towards a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {description}")]
pub(crate) struct OAuthError {
    /// What stands in `error`.
    pub(crate) code: OAuthErrorCode,
    /// What stands in `error_description`: safe to show to anyone.
    pub(crate) description: Cow<'static, str>,
    /// What only the operator learns, in the event; never sent.
    pub(crate) detail: Option<String>,
    /// The HTTP status; follows the code unless set.
    pub(crate) status: StatusCode,
}

impl OAuthError {
    /// A refusal with the code's own status.
    pub(crate) fn new(code: OAuthErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            description: description.into(),
            detail: None,
            status: code.status(),
        }
    }

    /// Adds what only the operator may read.
    #[must_use]
    pub(crate) fn with_detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    /// Answers with another HTTP status than the code's own.
    #[must_use]
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn a_reporter_prints_the_cause_once_and_so_does_an_event() {
        let error = StorageError::unavailable("connection refused");
        assert_eq!(error.to_string(), "the store is unavailable");
        assert_eq!(error.source().unwrap().to_string(), "connection refused");
        let line = "the store is unavailable: connection refused";
        assert_eq!(with_causes(&error), line);
    }
}
