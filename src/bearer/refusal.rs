//! Why a token is not good.

use crate::{error::StorageError, event::Reason, grant::GrantId, session::AuthSession};

/// What the operator hears, and what of it the client may know.
pub(super) struct Refusal {
    pub(super) reason: Reason,
    /// For the client; `None` when nobody knows just now.
    pub(super) description: Option<&'static str>,
    pub(super) grant: Option<String>,
    pub(super) detail: Option<String>,
}

impl Refusal {
    pub(super) fn token(reason: Reason, description: &'static str) -> Self {
        Self {
            reason,
            description: Some(description),
            grant: None,
            detail: None,
        }
    }

    pub(super) fn invalid() -> Self {
        Self::token(Reason::InvalidToken, "the token is not valid")
    }

    pub(super) fn expired() -> Self {
        Self::token(Reason::Expired, "the token has expired")
    }

    pub(super) fn elsewhere() -> Self {
        Self::token(Reason::WrongAudience, "the token is for another resource")
    }

    pub(super) fn ended(id: GrantId) -> Self {
        Self::token(Reason::GrantEnded, "the grant has ended").of_grant(id)
    }

    pub(super) fn unavailable(reason: Reason, detail: Option<String>) -> Self {
        Self {
            reason,
            description: None,
            grant: None,
            detail,
        }
    }

    pub(super) fn of(mut self, session: &AuthSession) -> Self {
        self.grant = session.grant_id().map(str::to_owned);
        self
    }

    pub(super) fn of_grant(mut self, id: GrantId) -> Self {
        self.grant = Some(id.to_string());
        self
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Self::unavailable(Reason::StoreUnavailable, Some(error.to_string()))
    }
}
