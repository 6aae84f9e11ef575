//! One instance at a time: gets the lease, or waits for the one that has it.

use tokio::time::Instant;

use super::{
    super::SeenGrant,
    due::Due,
    lease::Lease,
    lease_record::{LeaseRecord, Watch},
    renewer::FreshnessError,
    task::Renewal,
};
use crate::{
    error::StorageError,
    event::Reason,
    limits::{LEASE_DEAD_AFTER, POLL, SETTLE_PAUSE, STORE_TIMEOUT},
    random,
    vault::Seen,
};

/// How waiting ended.
pub(super) enum Turn {
    /// The lease is ours.
    Ours(Lease),
    /// Another instance has done what was needed.
    Done(SeenGrant),
}

/// One try to get the lease.
enum Try {
    Ours(Box<Lease>),
    /// Its owner lives, or has not been silent for long enough.
    Held {
        is_late: bool,
    },
    /// The provider is to be left alone.
    Pause,
}

impl Renewal {
    pub(super) async fn wait(&mut self) -> Result<Turn, FreshnessError> {
        let timeout = self.of.settings.upstream_request_timeout;
        let deadline = Instant::now() + timeout.max(LEASE_DEAD_AFTER) + STORE_TIMEOUT;
        let owner = u64::from_le_bytes(random::bytes());
        let (mut watch, mut pause) = (Watch::default(), POLL);
        let fresh = LeaseRecord::default().taken(owner, self.of.now());
        let key = self.id.lease_key();
        let claimed = Lease::claim(&self.of.vault, &key, None, fresh).await?;
        if let Some(lease) = claimed {
            return Ok(Turn::Ours(lease));
        }
        loop {
            match self.try_lease(owner, &mut watch).await? {
                Try::Ours(lease) => return Ok(Turn::Ours(*lease)),
                Try::Pause => return Err(FreshnessError::Later),
                Try::Held { is_late: false } => {}
                // No caller waits, but someone has to see whether its owner still lives.
                Try::Held { is_late: true } => {
                    self.stop_waiting();
                    pause = SETTLE_PAUSE;
                }
            }
            if Instant::now() >= deadline {
                let detail = "another instance did not finish in time";
                self.emit(Reason::Contention, detail);
                return Err(FreshnessError::Later);
            }
            tokio::time::sleep(pause).await;
            let seen = self.of.grants.load_in_doubt(&self.id).await?;
            let seen = seen.ok_or(FreshnessError::Ended)?;
            if self.of.due(&seen, &self.need) == Due::Nothing {
                return Ok(Turn::Done(seen));
            }
        }
    }

    async fn try_lease(&self, owner: u64, watch: &mut Watch) -> Result<Try, StorageError> {
        let (vault, key) = (&self.of.vault, self.id.lease_key());
        let asked = Instant::now();
        let seen = vault.read(&key).await?;
        let (raw, now) = (seen.as_ref().map(Seen::raw), self.of.now());
        let text = seen.as_deref().and_then(Option::as_deref);
        let record = match (text, raw) {
            // Nothing stands there, or nothing that opens.
            (None, _) | (_, None) => LeaseRecord::default().taken(owner, now),
            (Some(text), Some(raw)) => match LeaseRecord::read(text) {
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
                    if !watch.is_dead(raw, asked, Instant::now()) {
                        let is_late = held.is_some_and(|held| held.is_late);
                        return Ok(Try::Held { is_late });
                    }
                    LeaseRecord::taken_over(held.as_ref(), owner, now)
                }
            },
        };
        let claimed = Lease::claim(vault, &key, raw, record).await?;
        Ok(match claimed {
            Some(lease) => Try::Ours(Box::new(lease)),
            None => Try::Held { is_late: false },
        })
    }
}
