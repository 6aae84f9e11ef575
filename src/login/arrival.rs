//! A person's return from the provider, as this process knows it.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::OnceCell;

use crate::{error::OAuthError, event::Reason, grant::GrantId};

/// One callback: the provider's code is sent once, whatever the browser repeats, and the outcome is
/// given to one request.
#[derive(Default)]
pub(crate) struct Arrival {
    pub(crate) outcome: OnceCell<Outcome>,
    is_given: AtomicBool,
}

/// What a return came to.
pub(crate) enum Outcome {
    /// The client's authorization code, and the grant it stands for.
    Granted {
        /// The code.
        code: String,
        /// The grant.
        id: GrantId,
    },
    /// What the client hears instead.
    Refused {
        /// For the operator.
        reason: Reason,
        /// For the client.
        error: OAuthError,
    },
}

impl Arrival {
    /// Whether this is the request that gets the outcome: true once.
    pub(crate) fn give(&self) -> bool {
        !self.is_given.swap(true, Ordering::AcqRel)
    }
}
