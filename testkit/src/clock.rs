//! A clock that stands still until told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tower_oauth_proxy::Clock;

/// Where every fake clock starts: a full second in the year 2027.
pub const START: u64 = 1_800_000_000;

/// Seconds since the Unix epoch; clones tell the same time.
#[derive(Debug, Clone)]
pub struct FakeClock(Arc<AtomicU64>);

impl Default for FakeClock {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(START)))
    }
}

impl FakeClock {
    /// The time in seconds since the Unix epoch.
    pub fn unix(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_secs(), Ordering::SeqCst);
    }

    /// Lets time pass, in seconds.
    pub fn advance_secs(&self, by: u64) {
        self.advance(Duration::from_secs(by));
    }

    /// Sets the time, in seconds since the Unix epoch.
    pub fn set(&self, unix: u64) {
        self.0.store(unix, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.unix())
    }
}
