//! The one type of an instant: whole seconds since the Unix epoch.
//!
//! Tokens, cookies and records carry instants as numbers (RFC 7519 section 2, *NumericDate*). In
//! between they are [`Unix`], so that neither a length of time nor another unit is taken for one. A
//! length of time is a [`Duration`].

use std::{
    ops::{Add, Sub},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

/// An instant, in whole seconds since the Unix epoch. It is written as its number, and neither sums
/// nor differences overflow.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
#[repr(transparent)]
pub(crate) struct Unix(u64);

/// The last second of the year 9999, for ends that are not known.
const FAR_FUTURE: u64 = 253_402_300_799;

impl Unix {
    /// Before everything that happens here.
    pub(crate) const EPOCH: Self = Self(0);
    /// The end of what has none.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    pub(crate) const fn at(secs: u64) -> Self {
        Self(secs)
    }

    pub(crate) const fn secs(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to this instant; zero when `earlier` is later.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

/// Parts of a second are dropped.
impl Add<Duration> for Unix {
    type Output = Self;

    #[inline]
    fn add(self, length: Duration) -> Self {
        Self(self.0.saturating_add(length.as_secs()))
    }
}

/// Parts of a second are dropped.
impl Sub<Duration> for Unix {
    type Output = Self;

    #[inline]
    fn sub(self, length: Duration) -> Self {
        Self(self.0.saturating_sub(length.as_secs()))
    }
}

/// A clock set before 1970 reads as 0: everything then looks unexpired-yet-unissued and is refused by
/// the `iat` and `exp` rules.
impl From<SystemTime> for Unix {
    fn from(time: SystemTime) -> Self {
        Self(
            time.duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
        )
    }
}

/// Stops at the year 9999 instead of overflowing.
impl From<Unix> for SystemTime {
    fn from(time: Unix) -> Self {
        UNIX_EPOCH + Duration::from_secs(time.0.min(FAR_FUTURE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_is_not_known_is_far_ahead_and_never_1970() {
        let there_and_back = |time: Unix| Unix::from(SystemTime::from(time));
        assert_eq!(there_and_back(Unix::at(1_000)), Unix::at(1_000));
        assert_eq!(there_and_back(Unix::NEVER), Unix::at(FAR_FUTURE));
        let before_1970 = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(Unix::from(before_1970), Unix::EPOCH);
    }

    #[test]
    fn sums_and_differences_stop_at_both_ends() {
        let (day, time) = (Duration::from_secs(86_400), Unix::at(1_000));
        assert_eq!(time + day, Unix::at(87_400));
        assert_eq!(time - day, Unix::EPOCH);
        assert_eq!(Unix::NEVER + day, Unix::NEVER);
        assert_eq!((time + day).since(time), day);
        assert_eq!(time.since(time + day), Duration::ZERO);
        assert_eq!(time + Duration::from_millis(1_900), Unix::at(1_001));
    }

    #[test]
    fn an_instant_is_written_as_its_number() {
        let time = Unix::at(1_800_000_000);
        assert_eq!(serde_json::to_string(&time).unwrap(), "1800000000");
        let bytes = postcard::to_allocvec(&time).unwrap();
        assert_eq!(bytes, postcard::to_allocvec(&time.secs()).unwrap());
        assert_eq!(postcard::from_bytes::<Unix>(&bytes).unwrap(), time);
    }
}
