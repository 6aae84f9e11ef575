//! What clients hold: tokens of this proxy, or the provider's own.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    key::{Rotating, SealKey},
    limits::MAX_REVOCATIONS_AT_WORK,
    token::AccessTokens,
};

/// Chosen once, when the configuration is built. Whatever only one mode needs is inside.
pub(crate) enum Mode {
    /// Tokens of this proxy; the provider's stay on the server.
    Swap(AccessTokens),
    /// The provider's access token, and its refresh token sealed for the one client.
    Passthrough(Passthrough),
}

/// What passthrough mode works with.
pub(crate) struct Passthrough {
    /// Seals the provider's refresh token for the client.
    pub(crate) seal: Rotating<SealKey>,
    revoking: Semaphore,
}

impl Passthrough {
    pub(crate) fn new(seal: Rotating<SealKey>) -> Self {
        Self {
            seal,
            revoking: Semaphore::new(MAX_REVOCATIONS_AT_WORK),
        }
    }

    /// A turn for one revocation at the provider; `None` when all of them are taken.
    pub(crate) fn turn_to_revoke(&self) -> Option<SemaphorePermit<'_>> {
        self.revoking.try_acquire().ok()
    }
}
