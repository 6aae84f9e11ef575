//! Reports to the operator that people were logged out because memory ran short.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{clock::Clock, time::Unix};

/// At most one warning in this time.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// Counts live records lost to the size bound, and says so once in a while.
pub(super) struct Losses {
    clock: Arc<dyn Clock>,
    lost: AtomicU64,
    /// A [`Unix`].
    quiet_until: AtomicU64,
}

impl Losses {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            lost: AtomicU64::new(0),
            quiet_until: AtomicU64::new(0),
        }
    }

    #[cfg(test)]
    pub(super) fn is_any(&self) -> bool {
        self.quiet_until.load(Ordering::Relaxed) > 0
    }

    /// Whether a warning was given.
    pub(super) fn count(&self) -> bool {
        let now = Unix::from(self.clock.now());
        self.lost.fetch_add(1, Ordering::Relaxed);
        let quiet_until = Unix::at(self.quiet_until.load(Ordering::Relaxed));
        // Further off than that: the clock was ahead.
        if now < quiet_until && quiet_until <= now + WARN_EVERY {
            return false;
        }
        // Of threads that are here at once, one warns.
        let next = now + WARN_EVERY;
        let swap = self.quiet_until.compare_exchange(
            quiet_until.secs(),
            next.secs(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        if swap.is_err() {
            return false;
        }
        tracing::warn!(
            target: "tower_oauth_proxy",
            lost = self.lost.swap(0, Ordering::Relaxed),
            "the memory store is full: live records were dropped, and their owners have to log in \
             again; give it more bytes, or use a store on disk"
        );
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::storage::by_hand::ByHand;

    #[test]
    fn the_loss_of_live_records_is_told_once_a_minute() {
        let clock = ByHand::new();
        let losses = Losses::new(clock.clone());
        assert!(losses.count());
        assert!(!losses.count());
        clock.pass(Duration::from_secs(60));
        assert!(losses.count());
        clock.set_back(Duration::from_secs(3_600));
        assert!(losses.count());
        assert!(!losses.count());
    }
}
