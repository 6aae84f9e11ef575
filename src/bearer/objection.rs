//! Why a token is not accepted.

use crate::{
    challenge::words::{self, Words},
    error::{StorageError, with_causes},
    event::{Reason, Told, Who},
    grant::GrantId,
    metrics::{Check, NO_SOURCE},
    session::AuthSession,
};

/// For the operator; and what of it the client may know.
pub(super) struct Objection {
    pub(super) reason: Reason,
    /// For the client; `None` when the token cannot be judged right now.
    pub(super) words: Option<&'static Words>,
    /// Whose token it is, as far as that is known.
    pub(super) who: Option<Box<Who>>,
    pub(super) detail: Option<Told>,
    /// Whose token it would be, for metrics.
    pub(super) source: &'static str,
}

/// RFC 6750 section 3.1, `invalid_token`: "The access token provided is expired, revoked, malformed, or
/// invalid for other reasons."
impl Objection {
    fn token(reason: Reason, words: &'static Words) -> Self {
        Self {
            reason,
            words: Some(words),
            who: None,
            detail: None,
            source: NO_SOURCE,
        }
    }

    pub(super) fn malformed() -> Self {
        Self::token(Reason::Malformed, &words::MALFORMED)
    }

    pub(super) fn invalid() -> Self {
        Self::token(Reason::InvalidToken, &words::INVALID)
    }

    /// A token that was good, and is not any more.
    pub(super) fn withdrawn(reason: Reason) -> Self {
        Self::token(reason, &words::INVALID)
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

    /// The operator does not let them in.
    pub(super) fn not_admitted(reason: Reason) -> Self {
        Self::token(reason, &words::NOT_ADMITTED)
    }

    pub(super) fn ended(id: GrantId) -> Self {
        Self::token(Reason::GrantEnded, &words::ENDED).of_grant(id)
    }

    pub(super) fn unavailable(reason: Reason) -> Self {
        Self {
            reason,
            words: None,
            who: None,
            detail: None,
            source: NO_SOURCE,
        }
    }

    pub(super) fn detail(mut self, detail: impl Into<Told>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same, with whose token it is.
    pub(super) fn said_by(mut self, who: &str) -> Self {
        let detail = self.detail.unwrap_or_else(|| "no answer in time".into());
        let lead = format!("{who}: ");
        self.detail = Some(detail.after(&lead, &lead));
        self
    }

    pub(super) fn of(self, session: &AuthSession) -> Self {
        self.by(session.source().as_str()).about(session.who())
    }

    /// The same, by this source.
    pub(super) fn by(mut self, source: &'static str) -> Self {
        self.source = source;
        self
    }

    /// What came of the check.
    pub(super) fn check(&self) -> Check {
        match self.words {
            Some(_) => Check::Refused,
            None => Check::Unavailable,
        }
    }

    pub(super) fn of_grant(self, id: GrantId) -> Self {
        self.about(Who::default().grant(id))
    }

    /// Whose token it is. What was said before stands.
    pub(super) fn about(mut self, who: Who) -> Self {
        self.who = Some(Box::new(match self.who {
            Some(said) => said.or(who),
            None => who,
        }));
        self
    }
}

impl From<StorageError> for Objection {
    fn from(error: StorageError) -> Self {
        Self::unavailable(Reason::StoreUnavailable).detail(with_causes(&error))
    }
}
