//! How long the provider is left alone after a renewal that failed.
//!
//! One grant must not cause more than a few requests a minute at the provider, however many ask: a
//! provider that is in trouble is not helped by more of them, and an app that asks too often is
//! throttled for all.

use moka::{policy::EvictionPolicy, sync::Cache};

use super::GrantId;
use crate::{
    limits::{BACK_OFF_FIRST, BACK_OFF_MEMORY, BACK_OFF_MOST, MAX_BACK_OFFS},
    metrics,
    time::Unix,
};

/// A renewal that failed, and how many before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    /// Failures in a row, this one included.
    pub(super) count: u32,
    /// The provider is not asked again before this.
    pub(super) until: Unix,
}

impl Failure {
    /// One more failure after `before` in a row: 2 s, 4 s, 8 s, up to 30 s.
    pub(super) fn after(before: u32, now: Unix) -> Self {
        let pause = BACK_OFF_FIRST * (1 << before.min(16));
        Self {
            count: before.saturating_add(1),
            until: now + pause.min(BACK_OFF_MOST),
        }
    }

    /// Whether the provider is still to be left alone. An end that lies further ahead than any pause
    /// comes from a clock that was set back since, and holds no one back.
    pub(super) fn holds(self, now: Unix) -> bool {
        now < self.until && self.until <= now + BACK_OFF_MOST
    }
}

/// The failures that this process remembers, its own and those that other instances left in the
/// store.
pub(super) struct Failures(Cache<GrantId, Failure>);

impl Failures {
    pub(super) fn new() -> Self {
        let failures = Cache::builder()
            .max_capacity(MAX_BACK_OFFS)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_live(BACK_OFF_MEMORY);
        // Each that goes: replaced, renewed, forgotten in time, or pushed out.
        #[cfg(feature = "metrics")]
        let failures = failures.eviction_listener(|_, _, _| metrics::no_longer_backed_off());
        Self(failures.build())
    }

    pub(super) fn hold(&self, id: GrantId, now: Unix) -> bool {
        self.0.get(&id).is_some_and(|failure| failure.holds(now))
    }

    /// How many there were in a row.
    pub(super) fn count(&self, id: GrantId) -> u32 {
        self.0.get(&id).map_or(0, |failure| failure.count)
    }

    pub(super) fn remember(&self, id: GrantId, failure: Failure) {
        metrics::backed_off();
        self.0.insert(id, failure);
    }

    pub(super) fn forget(&self, id: GrantId) {
        self.0.invalidate(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_half_a_minute() {
        let now = Unix::at(1_000);
        let pauses = (0..8).map(|before| Failure::after(before, now).until.since(now).as_secs());
        assert_eq!(pauses.collect::<Vec<_>>(), [2, 4, 8, 16, 30, 30, 30, 30]);
        assert_eq!(Failure::after(u32::MAX, Unix::NEVER).until, Unix::NEVER);
    }

    #[test]
    fn asking_as_often_as_one_may_is_a_few_requests_a_minute() {
        let (mut now, mut asked, mut failures) = (Unix::EPOCH, Vec::new(), 0);
        while now < Unix::at(600) {
            asked.push(now.secs());
            let failure = Failure::after(failures, now);
            (now, failures) = (failure.until, failure.count);
        }
        for start in 0..600 {
            let within = asked.iter().filter(|at| (start..start + 60).contains(*at));
            assert!(within.count() <= 5, "{asked:?}");
        }
    }

    #[test]
    fn a_pause_ends_and_a_clock_that_was_set_back_does_not_make_it_longer() {
        let failure = Failure::after(0, Unix::at(1_000));
        assert!(failure.holds(Unix::at(1_000)) && failure.holds(Unix::at(1_001)));
        assert!(!failure.holds(Unix::at(1_002)));
        assert!(!failure.holds(Unix::at(500)));
    }
}
