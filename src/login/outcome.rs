//! What a login comes to.

use super::{AccountName, admission::NotGranted, returned::NoCode};
use crate::{error::StorageError, event::Who, provider::UpstreamError};

/// What a login came to. It does not change any more, whatever the browser repeats.
pub(crate) type Outcome = Result<Granted, LoginError>;

/// The client's authorization code, and the grant that it stands for.
pub(crate) struct Granted {
    pub(crate) code: String,
    /// The grant and its person, for events.
    pub(crate) who: Who,
    /// Where the person has to see it first: the account that they came with.
    pub(crate) account: Option<AccountName>,
}

/// Why a login came to no grant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    /// The provider sent the browser back without a code.
    #[error(transparent)]
    NoCode(NoCode),
    /// The provider's token endpoint did not take the code.
    #[error(transparent)]
    Exchange(UpstreamError),
    /// The login was completed before, here or by another instance.
    #[error("this login was already used")]
    Replayed,
    /// The code was spent, and the store did not take the mark.
    #[error(transparent)]
    Store(StorageError),
    /// The person did not come in.
    #[error(transparent)]
    NotAdmitted(Box<NotGranted>),
}

/// Why a login cannot be completed now. Nothing was spent: a reload may complete it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotNow {
    #[error(
        "as many callbacks are at work as this process takes (`callbacks_at_once`, where it is set)"
    )]
    Crowded,
    #[error("another instance did not finish in time")]
    Contended,
    #[error(transparent)]
    Store(StorageError),
    #[error("the task ended early")]
    Ended,
}
