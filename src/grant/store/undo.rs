//! Taking back a change that nobody was told of.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    super::{Grant, freshness::POLL, live::Doubt},
    grants::bounded,
};
use crate::{error::StorageError, limits, random, storage::TokenStorage};

/// A step of a grant's life (a code redeemed, a token rotated) that may have been written although
/// the store did not say so. The client was told that nothing has changed, so it is made true.
pub(super) struct Undo {
    pub(super) storage: Arc<dyn TokenStorage>,
    pub(super) key: String,
    /// The step that may have been written, by its own random number.
    pub(super) step: u64,
    /// The state before it.
    pub(super) before: Grant,
    /// The record's life when it is taken back.
    pub(super) ttl: Duration,
}

/// So often the store has to say that nothing, or nothing more, is to be taken back: a server that
/// was frozen may carry out late what was sent before.
const ANSWERS: usize = 4;

impl Undo {
    /// Goes on until the store answers. Whatever else was written over the step meanwhile (a renewed
    /// token of the provider) stays.
    pub(super) async fn run(self, _doubt: Doubt) {
        let deadline = Instant::now() + limits::SETTLE_FOR;
        let (mut pause, mut answers) = (POLL, 0);
        while answers < ANSWERS && Instant::now() < deadline {
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(limits::SETTLE_PAUSE);
            if self.take_back().await.is_ok() {
                answers += 1;
            }
        }
    }

    async fn take_back(&self) -> Result<(), StorageError> {
        let Some(bytes) = bounded(self.storage.get(&self.key)).await? else {
            return Ok(());
        };
        let current = Grant::decode(&bytes).ok();
        let Some(mut grant) = current.filter(|grant| grant.step == self.step) else {
            return Ok(());
        };
        grant.phase = self.before.phase.clone();
        grant.step = self.before.step;
        grant.stamp = u64::from_le_bytes(random::bytes());
        let swap = self
            .storage
            .compare_and_swap(&self.key, &bytes, grant.encode(), self.ttl);
        match bounded(swap).await? {
            true => Ok(()),
            // Somebody wrote in between: look again.
            false => Err(StorageError::unavailable("the record changed")),
        }
    }
}
