//! A token for another API, and why there is none.

use std::{fmt, time::SystemTime};

use secrecy::{ExposeSecret, SecretString};

use crate::{oauth::ScopeSet, provider::TokenAnswer, time::Unix};

/// A token of the provider for another API, in the name of the person: see
/// [`AuthSession::token_for`](crate::AuthSession::token_for). Prints as redacted.
#[derive(Clone)]
pub struct ExchangedToken {
    access_token: SecretString,
    expires_at: Option<Unix>,
    scopes: Option<ScopeSet>,
}

impl ExchangedToken {
    pub(super) fn new(answer: TokenAnswer, now: Unix) -> Self {
        Self {
            expires_at: answer.expires_in.map(|life| now + life),
            scopes: answer.scope,
            access_token: answer.access_token,
        }
    }

    /// The access token, for an `Authorization: Bearer` header.
    #[must_use]
    pub fn access_token(&self) -> &str {
        self.access_token.expose_secret()
    }

    /// When it ends; `None` when the provider did not say.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at.map(SystemTime::from)
    }

    /// What it may do, where the provider named that; else what was asked for (RFC 8693 section 2.2.1).
    #[must_use]
    pub fn scopes(&self) -> Option<&ScopeSet> {
        self.scopes.as_ref()
    }

    pub(super) fn end(&self) -> Option<Unix> {
        self.expires_at
    }

    pub(super) fn size(&self) -> usize {
        let scopes = self
            .scopes
            .as_ref()
            .map_or(0, |scopes| scopes.as_str().len());
        self.access_token().len() + scopes
    }
}

impl fmt::Debug for ExchangedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangedToken")
            .field("access_token", &"[redacted]")
            .field("expires_at", &self.expires_at)
            .field("scopes", &self.scopes)
            .finish()
    }
}

/// Why there is no token for another API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenForError {
    /// The provider has no way to it that is known here. No later try helps; the text says what can.
    #[error("{0}")]
    NotOffered(String),
    /// The provider refused: the API is not known to it, or the person or an administrator has to
    /// consent first. The login stands.
    #[error("the provider refused a token for the other API: {code}")]
    #[non_exhaustive]
    Refused {
        /// The provider's `error`, printable and at most 100 characters.
        code: String,
        /// The provider's `error_description`, printable and at most 300 characters. For the operator:
        /// it is not written for the person.
        description: Option<String>,
    },
    /// The provider or the store cannot answer right now, or the token was replaced within the last
    /// half minute and is refused all the same. Try again later.
    #[error("a token for the other API cannot be had right now")]
    Unavailable,
    /// The grant has ended: the provider refused it, or it was revoked. The person has to log in again;
    /// the next request with this access token is answered 401.
    #[error("the login behind this session has ended")]
    Ended,
    /// The target cannot be asked for, in words for the one who wrote it.
    #[error("this is no target of a token: {0}")]
    Target(String),
}
