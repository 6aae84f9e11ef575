//! The instants of the memory store: a record is over to the nanosecond.

use std::{
    ops::Add,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// An instant, in nanoseconds since the Unix epoch. A clock before 1970 reads as 0, and one at the end
/// of time, where nothing lives, as the year 2554.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Nanos(u64);

impl Nanos {
    pub(super) const fn at(nanos: u64) -> Self {
        Self(nanos)
    }

    pub(super) const fn count(self) -> u64 {
        self.0
    }
}

impl From<SystemTime> for Nanos {
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).map_or(0, whole))
    }
}

/// Stops at the end of time.
impl Add<Duration> for Nanos {
    type Output = Self;

    #[inline]
    fn add(self, length: Duration) -> Self {
        Self(self.0.saturating_add(whole(length)))
    }
}

fn whole(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}
