//! The claim of seconds on a callback whose code is at the provider.
//!
//! Claim and mark are one record with two values: somebody's, then used. A claim is the one thing
//! that somebody who has not logged in yet can cause to be kept, so it lives for seconds, also where
//! the provider then refuses; only its living owner prolongs it, and a killed one blocks nobody for
//! longer.
//!
//! The order is claim, provider, mark, grant. A crash before the mark leaves the code at the
//! provider, which is the judge of a second try; a crash after it costs the login. Neither gives two
//! grants.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::{
    error::StorageError,
    grant::{bounded, hashed_key},
    limits::{CLAIM_AGAIN, CLAIM_POLL, CLAIM_TTL},
    random,
    storage::TokenStorage,
};

/// This process's hand on the claims of its deployment.
pub(crate) struct Claims {
    storage: Arc<dyn TokenStorage>,
    /// A used callback is remembered for as long as a login cookie lives.
    used_for: Duration,
    /// This process: one request at a time asks for a callback here, so a claim in this name whose
    /// making was not heard of is ours again.
    owner: [u8; 16],
}

/// What came of asking for a claim.
pub(crate) enum Claimed {
    /// Nobody else works on this callback.
    Ours(Claim),
    /// The callback did its work before.
    Used,
    /// Another instance is still at it.
    Busy,
}

/// This process's claim on one callback.
pub(crate) struct Claim {
    storage: Arc<dyn TokenStorage>,
    used_for: Duration,
    key: String,
    owner: [u8; 16],
}

impl Claims {
    pub(crate) fn new(storage: Arc<dyn TokenStorage>, used_for: Duration) -> Self {
        Self {
            storage,
            used_for,
            owner: random::bytes(),
        }
    }

    /// Gets the claim, or waits for the instance that has it.
    pub(crate) async fn claim(
        &self,
        state: &str,
        patience: Duration,
    ) -> Result<Claimed, StorageError> {
        let claim = Claim {
            storage: Arc::clone(&self.storage),
            used_for: self.used_for,
            key: hashed_key("callback:", state),
            owner: self.owner,
        };
        let deadline = Instant::now() + patience;
        loop {
            if claim.insert().await? {
                return Ok(Claimed::Ours(claim));
            }
            while let Some(held) = bounded(self.storage.get(&claim.key)).await? {
                if is_used(&held) {
                    return Ok(Claimed::Used);
                }
                if held == claim.owner && claim.prolong().await? {
                    return Ok(Claimed::Ours(claim));
                }
                if Instant::now() >= deadline {
                    return Ok(Claimed::Busy);
                }
                sleep(CLAIM_POLL).await;
            }
            if Instant::now() >= deadline {
                return Ok(Claimed::Busy);
            }
        }
    }
}

impl Claim {
    async fn insert(&self) -> Result<bool, StorageError> {
        let owner = self.owner.to_vec();
        bounded(self.storage.insert_if_absent(&self.key, owner, CLAIM_TTL)).await
    }

    async fn prolong(&self) -> Result<bool, StorageError> {
        let again = self.owner.to_vec();
        let swap = self
            .storage
            .compare_and_swap(&self.key, &self.owner, again, CLAIM_TTL);
        bounded(swap).await
    }

    /// Prolongs the claim again and again. Whether it is still ours is asked when it matters, at the
    /// mark.
    async fn beats(&self) {
        loop {
            sleep(CLAIM_AGAIN).await;
            let _ = self.prolong().await;
        }
    }

    /// Does this work, and prolongs the claim as long as that takes.
    pub(crate) async fn keep_during<T>(&self, work: impl Future<Output = T>) -> T {
        let (mut work, mut beats) = (pin!(work), pin!(self.beats()));
        // Both at once: a store that hangs must not hold the work up.
        poll_fn(|cx| {
            let done = work.as_mut().poll(cx);
            if done.is_pending() {
                let _ = beats.as_mut().poll(cx);
            }
            done
        })
        .await
    }

    /// The provider let nobody in: those who wait learn that the callback is over, and after seconds
    /// nothing is kept. Somebody who has not logged in can cause no more than that.
    pub(crate) async fn end(self) {
        let used = self.used();
        let end = self
            .storage
            .compare_and_swap(&self.key, &self.owner, used, CLAIM_TTL);
        // Where it fails, the claim runs out.
        let _ = bounded(end).await;
    }

    /// Marks the callback as used. `false` when somebody else did, or is at it: the claim had run
    /// out.
    pub(crate) async fn mark_used(self) -> Result<bool, StorageError> {
        let used = self.used();
        let mark =
            self.storage
                .compare_and_swap(&self.key, &self.owner, used.clone(), self.used_for);
        let error = match bounded(mark).await {
            Ok(true) => return Ok(true),
            Ok(false) => {
                // It ran out on a slow store. Where nobody came in between, it is still ours.
                let insert = self
                    .storage
                    .insert_if_absent(&self.key, used, self.used_for);
                return bounded(insert).await;
            }
            Err(error @ StorageError::Unavailable(_)) => error,
            Err(error) => return Err(error),
        };
        // The answer was lost, and the mark may be there.
        match bounded(self.storage.get(&self.key)).await? {
            Some(held) if held == used => Ok(true),
            Some(held) if held != self.owner => Ok(false),
            _ => Err(error),
        }
    }

    /// The mark, told from any other.
    fn used(&self) -> Vec<u8> {
        [self.owner, random::bytes()].concat()
    }
}

/// An owner's name has 16 bytes; a mark is longer.
fn is_used(held: &[u8]) -> bool {
    held.len() > 16
}
