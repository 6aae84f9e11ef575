//! What can go wrong, one type for each audience.
//!
//! [`ConfigError`] speaks to the operator at build time, [`OAuthError`] to a client over the wire,
//! [`StorageError`] to the code that has to choose between the two. The description of an
//! [`OAuthError`] is safe to show; its detail goes to the event only.

use std::{borrow::Cow, fmt};

use http::StatusCode;

/// Any error, as the ecosystem boxes it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The configuration cannot work; says which option to change, and how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{option}`: {message}")]
pub struct ConfigError {
    option: &'static str,
    message: String,
}

impl ConfigError {
    /// An error about one option of the builder.
    pub fn new(option: &'static str, message: impl Into<String>) -> Self {
        Self {
            option,
            message: message.into(),
        }
    }

    /// The name of the option to change.
    pub fn option(&self) -> &'static str {
        self.option
    }
}

/// Why a store could not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The store cannot be reached, or did not answer in time. Nothing is known to have changed.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] BoxError),
    /// The store answered with something it was never given.
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

/// The error codes that this crate sends, from RFC 6749, 6750, 7009, 7591, 8707 and
/// OpenID Connect Core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each variant is the code of the same name")]
pub enum OAuthErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    InvalidTarget,
    InvalidToken,
    InvalidRedirectUri,
    InvalidClientMetadata,
    InsufficientScope,
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
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidToken => "invalid_token",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InsufficientScope => "insufficient_scope",
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
    pub fn status(self) -> StatusCode {
        match self {
            Self::InvalidClient | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope | Self::AccessDenied => StatusCode::FORBIDDEN,
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
#[non_exhaustive]
pub struct OAuthError {
    /// What stands in `error`.
    pub code: OAuthErrorCode,
    /// What stands in `error_description`: safe for anybody to read.
    pub description: Cow<'static, str>,
    /// What the operator learns besides, in the event; never sent.
    pub detail: Option<String>,
    /// The HTTP status; follows the code unless set.
    pub status: StatusCode,
}

impl OAuthError {
    /// A refusal with the code's own status.
    pub fn new(code: OAuthErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            description: description.into(),
            detail: None,
            status: code.status(),
        }
    }

    /// Adds what only the operator may read.
    #[must_use]
    pub fn with_detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    /// Answers with another HTTP status than the code's own.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}
