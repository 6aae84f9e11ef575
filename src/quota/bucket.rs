//! A bucket that fills by the clock. Plain numbers, so that no test has to wait.

use std::time::Duration;

/// What one bucket gets in a minute, and holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PerMinute {
    /// The time that one takes to come back, in nanoseconds.
    each: u64,
}

/// A minute, in nanoseconds.
const MINUTE: u64 = 60_000_000_000;

/// More than this in a minute is no limit. Up to here a minute is divided finely enough that exactly so many fit.
pub(crate) const MOST_PER_MINUTE: u32 = 100_000;

impl PerMinute {
    /// `most` is from 1 to [`MOST_PER_MINUTE`].
    pub(super) fn new(most: u32) -> Self {
        let each = MINUTE / u64::from(most.clamp(1, MOST_PER_MINUTE));
        Self { each }
    }

    /// Takes one at `now`. A bucket is a single number: when it is full again, in nanoseconds since the epoch; 0 is a
    /// full one. Returns that number anew, or how long it takes until there is one.
    pub(super) fn take(self, full_at: u64, now: u64) -> Result<u64, Duration> {
        let latest = now.saturating_add(MINUTE);
        // An empty one is full in a minute. Later than that by some moments is another thread, which read the clock
        // after this one; by more, the clock was set back, and what was counted before says nothing now.
        let full_at = match full_at > latest.saturating_add(MINUTE) {
            true => now,
            false => full_at.clamp(now, latest),
        };
        let taken = full_at.saturating_add(self.each);
        match taken <= latest {
            true => Ok(taken),
            false => Err(Duration::from_nanos(taken - latest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const NOW: u64 = 1_800_000_000 * SECOND;

    /// How many come through at these instants.
    fn admitted(rate: PerMinute, at: impl IntoIterator<Item = u64>) -> u32 {
        let (mut full_at, mut admitted) = (0, 0);
        for now in at {
            if let Ok(taken) = rate.take(full_at, now) {
                full_at = taken;
                admitted += 1;
            }
        }
        admitted
    }

    #[test]
    fn a_full_bucket_gives_as_many_at_once_as_it_says_and_not_one_more() {
        for most in [1, 2, 3, 7, 59, 60, 61, 1_000, 99_999, MOST_PER_MINUTE] {
            let at_once = std::iter::repeat_n(NOW, most as usize + 5);
            assert_eq!(admitted(PerMinute::new(most), at_once), most);
        }
    }

    #[test]
    fn then_one_comes_back_each_part_of_a_minute_and_the_wait_is_exact() {
        let rate = PerMinute::new(6);
        let full_at = (0..6).try_fold(0, |full_at, _| rate.take(full_at, NOW));
        let empty = full_at.unwrap();
        let wait = rate.take(empty, NOW).unwrap_err();
        assert_eq!(wait, Duration::from_secs(10));
        assert!(rate.take(empty, NOW + 10 * SECOND - 1).is_err());
        assert!(rate.take(empty, NOW + 10 * SECOND).is_ok());
        // A minute later it is full, and not fuller.
        let at_once = std::iter::repeat_n(NOW + 3_600 * SECOND, 20);
        let later = at_once.fold((empty, 0), |(full_at, count), now| {
            rate.take(full_at, now)
                .map_or((full_at, count), |taken| (taken, count + 1))
        });
        assert_eq!(later.1, 6);
    }

    #[test]
    fn a_clock_that_was_set_back_costs_a_minute_at_most() {
        let rate = PerMinute::new(1);
        for ahead in [1, 59, 60, 61, 120, 365 * 86_400] {
            // An empty bucket.
            let full_at = rate.take(0, NOW + ahead * SECOND).unwrap();
            let waits = (0..=120).find(|waited| rate.take(full_at, NOW + waited * SECOND).is_ok());
            assert!(
                waits.is_some_and(|waited| waited <= 60 + ahead.min(60)),
                "{ahead}: {waits:?}"
            );
        }
        // The largest clock there is does not overflow.
        assert!(rate.take(0, u64::MAX).is_ok());
    }

    #[test]
    fn a_thread_that_read_the_clock_earlier_takes_nothing_from_an_empty_bucket() {
        let rate = PerMinute::new(60);
        let empty = (0..60)
            .try_fold(0, |full_at, _| rate.take(full_at, NOW))
            .unwrap();
        for earlier in [1, 1_000, SECOND, 30 * SECOND, MINUTE] {
            assert!(rate.take(empty, NOW - earlier).is_err(), "{earlier}");
        }
    }

    proptest! {
        /// Whatever comes when: in no stretch of time more than a bucket and what comes back in it.
        #[test]
        fn no_stretch_of_time_lets_in_more_than_a_bucket_and_what_comes_back(
            most in 1..200_u32,
            gaps in prop::collection::vec(0..5 * SECOND, 1..400),
        ) {
            let at: Vec<u64> = gaps.iter().scan(NOW, |now, gap| { *now += gap; Some(*now) }).collect();
            let length = at.last().unwrap() - at.first().unwrap();
            let bound = u128::from(most) + u128::from(length) * u128::from(most) / u128::from(MINUTE) + 1;
            prop_assert!(u128::from(admitted(PerMinute::new(most), at)) <= bound);
        }
    }
}
