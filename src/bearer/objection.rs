//! Why a token is not good.

use crate::{
    challenge::words::{self, Words},
    error::{StorageError, with_causes},
    event::Reason,
    grant::GrantId,
    session::AuthSession,
};

/// What the operator hears, and what of it the client may know.
pub(super) struct Refusal {
    pub(super) reason: Reason,
    /// For the client; `None` when nobody knows just now.
    pub(super) words: Option<&'static Words>,
    pub(super) grant: Option<String>,
    pub(super) detail: Option<String>,
}

impl Refusal {
    fn token(reason: Reason, words: &'static Words) -> Self {
        Self {
            reason,
            words: Some(words),
            grant: None,
            detail: None,
        }
    }

    pub(super) fn invalid() -> Self {
        Self::token(Reason::InvalidToken, &words::INVALID)
    }

    pub(super) fn expired() -> Self {
        Self::token(Reason::Expired, &words::EXPIRED)
    }

    pub(super) fn elsewhere() -> Self {
        Self::token(Reason::WrongAudience, &words::ELSEWHERE)
    }

    pub(super) fn of_another_issuer() -> Self {
        Self::token(Reason::WrongAudience, &words::OTHER_ISSUER)
    }

    pub(super) fn ended(id: GrantId) -> Self {
        Self::token(Reason::GrantEnded, &words::ENDED).of_grant(id)
    }

    pub(super) fn unavailable(reason: Reason, detail: Option<String>) -> Self {
        Self {
            reason,
            words: None,
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
        Self::unavailable(Reason::StoreUnavailable, Some(with_causes(&error)))
    }
}
