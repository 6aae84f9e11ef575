//! Taking back a step whose client heard that nothing has changed.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::super::{Grant, Phase, live::Doubt};
use crate::{
    error::StorageError,
    limits::{CLEAN_READS, POLL, SETTLE_FOR, SETTLE_PAUSE},
    vault::Vault,
};

/// A step of a grant's life (a code redeemed, a token rotated) that may have been written although
/// the store did not say so. The client heard that nothing has changed, so that is made true.
pub(super) struct Undo {
    pub(super) vault: Arc<Vault>,
    pub(super) key: String,
    /// The step that may have been written, by its own random number.
    pub(super) step: u64,
    /// The phase before it, and the number of the step that had led there.
    pub(super) before: (Phase, u64),
    /// The record's life when it is taken back.
    pub(super) ttl: Duration,
}

impl Undo {
    /// Goes on until the store answers. Whatever else was written over the step meanwhile (a renewed
    /// token of the provider) stays.
    pub(super) async fn run(self, _doubt: Doubt) {
        let deadline = Instant::now() + SETTLE_FOR;
        let (mut pause, mut clean) = (POLL, 0);
        while clean < CLEAN_READS && Instant::now() < deadline {
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(SETTLE_PAUSE);
            if self.take_back().await.is_ok() {
                clean += 1;
            }
        }
    }

    async fn take_back(&self) -> Result<(), StorageError> {
        let Some(seen) = self.vault.read(&self.key).await? else {
            return Ok(());
        };
        let text = seen.as_deref().map(<[u8]>::to_vec);
        let grant = text.and_then(|text| Grant::decode(text).ok());
        let Some(mut grant) = grant.filter(|grant| grant.step == self.step) else {
            return Ok(());
        };
        (grant.phase, grant.step) = self.before.clone();
        let new = self.vault.seal(&self.key, &grant.encode());
        let put = self.vault.put(&self.key, Some(seen.raw()), &new, self.ttl);
        match put.await? {
            true => Ok(()),
            // Another write came in between: look again.
            false => Err(StorageError::unavailable("the record changed")),
        }
    }
}
