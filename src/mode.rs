//! What clients hold: tokens of this proxy, or the provider's own.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    client::Client,
    key::{Rotating, SealKey},
    limits::MAX_REVOCATIONS_AT_WORK,
    token::{AccessTokens, PassedThrough},
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
    seal: Rotating<SealKey>,
    revoking: Semaphore,
}

impl Passthrough {
    pub(crate) fn new(seal: Rotating<SealKey>) -> Self {
        Self {
            seal,
            revoking: Semaphore::new(MAX_REVOCATIONS_AT_WORK),
        }
    }

    /// The provider's refresh token, for this client to keep.
    pub(crate) fn seal_for(&self, client: &Client, held: &PassedThrough) -> String {
        held.seal(&self.seal, &client.holder())
    }

    /// What was sealed for this client; `None` for anything else. A client that has a key by now may go on with
    /// what it was given without one.
    pub(crate) fn open_for(&self, client: &Client, token: &str) -> Option<PassedThrough> {
        PassedThrough::open(&self.seal, &client.holder(), token)
            .or_else(|| PassedThrough::open(&self.seal, &client.weaker_holder()?, token))
    }

    /// Whether it was sealed for a client of this id, however that proves itself.
    pub(crate) fn is_kept_by(&self, client_id: &str, token: &str) -> bool {
        let holders = Client::holders(client_id);
        let mut holders = holders.iter();
        holders.any(|holder| PassedThrough::open(&self.seal, holder, token).is_some())
    }

    /// A turn for one revocation at the provider; `None` when all of them are taken.
    pub(crate) fn turn_to_revoke(&self) -> Option<SemaphorePermit<'_>> {
        self.revoking.try_acquire().ok()
    }
}
