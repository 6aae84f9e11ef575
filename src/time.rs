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

impl Unix {
    /// `2027-06-30T12:34:56Z` (RFC 3339), at most the year 9999.
    pub(crate) fn rfc3339(self) -> String {
        let secs = self.0.min(FAR_FUTURE);
        let (days, second) = (secs / 86_400, secs % 86_400);
        // Years begin in March here, so that a leap day is the last of one; 400 of them are an era.
        let shifted = days + 719_468;
        let (era, day) = (shifted / 146_097, shifted % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year + u64::from(month <= 2);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
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
    fn people_read_a_day_and_a_time() {
        for (secs, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (946_684_799, "1999-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_814_358_896, "2027-06-30T12:34:56Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (FAR_FUTURE, "9999-12-31T23:59:59Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Unix::at(secs).rfc3339(), text);
        }
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
