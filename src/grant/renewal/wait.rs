//! One instance at a time: gets the lease, or waits for the one that has it.

use tokio::time::Instant;

use super::{
    super::{FreshnessError, Loaded, freshness::POLL, store::bounded},
    Renewal,
    due::Due,
    lease::Lease,
    record::{LeaseRecord, Watch},
};
use crate::{
    error::StorageError,
    event::Reason,
    limits::{LEASE_DEAD_AFTER, SETTLE_PAUSE, STORE_TIMEOUT},
    random,
};

/// How waiting ended.
pub(super) enum Turn {
    /// The lease is ours.
    Ours(Lease),
    /// Another instance has done what was needed.
    Done(Loaded),
}

/// One try to get the lease.
enum Try {
    Ours(Lease),
    /// Its owner lives, or has not been silent for long enough.
    Held {
        is_late: bool,
    },
    /// The provider is to be left alone.
    Pause,
}

impl Renewal {
    pub(super) async fn wait(&mut self) -> Result<Turn, FreshnessError> {
        let timeout = self.of.settings.upstream_timeout;
        let deadline = Instant::now() + timeout.max(LEASE_DEAD_AFTER) + STORE_TIMEOUT;
        let owner = u64::from_le_bytes(random::bytes());
        let (mut watch, mut pause) = (Watch::default(), POLL);
        let fresh = LeaseRecord::default().taken(owner, self.of.now());
        let key = self.id.lease_key();
        let claimed = Lease::claim(&self.of.grants.storage, &key, None, fresh).await?;
        if let Some(lease) = claimed {
            return Ok(Turn::Ours(lease));
        }
        loop {
            match self.try_lease(owner, &mut watch).await? {
                Try::Ours(lease) => return Ok(Turn::Ours(lease)),
                Try::Pause => return Err(FreshnessError::Later),
                Try::Held { is_late: false } => {}
                // Nobody waits, but somebody has to see whether it still lives.
                Try::Held { is_late: true } => {
                    self.keep_nobody_waiting();
                    pause = SETTLE_PAUSE;
                }
            }
            if Instant::now() >= deadline {
                let detail = "another instance did not finish in time";
                self.tell(Reason::Contention, detail);
                return Err(FreshnessError::Later);
            }
            tokio::time::sleep(pause).await;
            let loaded = self.of.grants.load(&self.id).await?;
            let loaded = loaded.ok_or(FreshnessError::Over)?;
            if self.of.due(&loaded.grant, &self.need) == Due::Nothing {
                return Ok(Turn::Done(loaded));
            }
        }
    }

    async fn try_lease(&self, owner: u64, watch: &mut Watch) -> Result<Try, StorageError> {
        let (storage, key) = (&self.of.grants.storage, self.id.lease_key());
        let asked = Instant::now();
        let seen = bounded(storage.get(&key)).await?;
        let now = self.of.now();
        let record = match &seen {
            None => LeaseRecord::default().taken(owner, now),
            Some(seen) => match LeaseRecord::read(seen) {
                Some(free) if free.owner.is_none() => {
                    if let Some(failure) = free.failure(now) {
                        self.of.failures.remember(self.id, failure);
                        return Ok(Try::Pause);
                    }
                    free.taken(owner, now)
                }
                // Written late, after the store had said that it could not.
                Some(ours) if ours.owner == Some(owner) => ours.beaten(false),
                held => {
                    if !watch.is_dead(seen, asked, Instant::now()) {
                        let is_late = held.is_some_and(|held| held.is_late);
                        return Ok(Try::Held { is_late });
                    }
                    LeaseRecord::taken_over(held.as_ref(), owner, now)
                }
            },
        };
        let claimed = Lease::claim(storage, &key, seen.as_deref(), record).await?;
        Ok(claimed.map_or(Try::Held { is_late: false }, Try::Ours))
    }
}
