//! A clock that stands still until a test moves it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use crate::{clock::Clock, time::Unix};

/// A clock that a test moves by hand, in whole seconds. Clones show the same time.
///
/// Give it to [`OAuthProxyConfigBuilder::clock`](crate::OAuthProxyConfigBuilder::clock), and tokens,
/// cookies and grants expire when you say so. A store has a clock of its own.
///
/// ```
/// use std::time::Duration;
/// use tower_oauth_proxy::{Clock, testing::ManualClock};
///
/// let clock = ManualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(90));
/// assert_eq!(clock.now().duration_since(before).unwrap().as_secs(), 90);
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// What a new clock shows, in seconds since the Unix epoch: a full second in January 2027.
    pub const START: u64 = 1_800_000_000;

    /// A clock that shows [`START`](Self::START).
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(AtomicU64::new(Self::START)))
    }

    /// Lets time pass; parts of a second are dropped.
    pub fn advance(&self, by: Duration) {
        self.advance_secs(by.as_secs());
    }

    /// Lets this many seconds pass.
    pub fn advance_secs(&self, by: u64) {
        self.0.fetch_add(by, Ordering::SeqCst);
    }

    /// Sets the time, in seconds since the Unix epoch; backwards too.
    pub fn set_unix(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    /// The time, in seconds since the Unix epoch.
    #[must_use]
    pub fn unix(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        Unix::at(self.unix()).into()
    }
}
