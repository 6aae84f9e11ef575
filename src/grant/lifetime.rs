//! How long things live: rules on numbers alone, all in seconds.

use std::time::Duration;

use crate::limits::{
    AFTER_LAST_DAY, ASSUMED_UPSTREAM_TTL, RENEW_AHEAD_SECS, UNPROVABLE_GRANT_MAX_AGE,
};

/// From when on a token that lives `lifetime` seconds should be renewed: a minute before its end,
/// or a tenth of its life where that is shorter.
pub(crate) fn renew_at(now: u64, lifetime: u64) -> u64 {
    let ahead = RENEW_AHEAD_SECS.min(lifetime / 10);
    now.saturating_add(lifetime).saturating_sub(ahead)
}

/// From when on a token should be renewed that came with this `expires_in`. A life is assumed where
/// none is said, but only for a token that can be renewed: nothing else follows from it.
pub(super) fn renewal(now: u64, expires_in: Option<u64>, can_renew: bool) -> Option<u64> {
    let assumed = can_renew.then_some(ASSUMED_UPSTREAM_TTL.as_secs());
    expires_in
        .or(assumed)
        .map(|lifetime| renew_at(now, lifetime))
}

/// When a grant ends, however often it is used: its login and the configured age. Where no one can be
/// asked whether its person may still come in, there is an age without a configured one.
pub(crate) fn last_day(
    created_at: u64,
    configured: Option<Duration>,
    is_provable: bool,
) -> Option<u64> {
    let unprovable = (!is_provable).then_some(UNPROVABLE_GRANT_MAX_AGE);
    configured
        .or(unprovable)
        .map(|age| created_at.saturating_add(age.as_secs()))
}

/// A time to live that ends with the grant's last day, and a little after.
pub(crate) fn cut_to(last_day: Option<u64>, ttl: Duration, now: u64) -> Duration {
    let left = last_day.map(|day| ttl_until(day.saturating_add(AFTER_LAST_DAY.as_secs()), now));
    left.map_or(ttl, |left| left.min(ttl))
}

/// The shortest time to live that a store is given: some cannot express less.
pub(crate) fn ttl_until(end: u64, now: u64) -> Duration {
    Duration::from_secs(end.saturating_sub(now).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_assumed_where_the_provider_says_none_and_the_token_can_be_renewed() {
        assert_eq!(renewal(1_000, Some(3_600), true), Some(4_540));
        assert_eq!(renewal(1_000, None, true), Some(4_540));
        assert_eq!(renewal(1_000, None, false), None);
        assert_eq!(renewal(1_000, Some(600), false), Some(1_540));
    }

    #[test]
    fn a_grant_has_a_last_day_where_it_is_given_one_or_nobody_can_be_asked() {
        let day = Duration::from_secs(86_400);
        assert_eq!(last_day(1_000, None, true), None);
        assert_eq!(last_day(1_000, Some(day), true), Some(87_400));
        assert_eq!(last_day(1_000, Some(365 * day), false), Some(31_537_000));
        assert_eq!(last_day(1_000, None, false), Some(1_000 + 30 * 86_400));
    }

    #[test]
    fn a_record_goes_a_day_after_the_last_day_at_the_latest() {
        let (hour, day) = (Duration::from_secs(3_600), Duration::from_secs(86_400));
        assert_eq!(cut_to(None, 30 * day, 1_000), 30 * day);
        assert_eq!(cut_to(Some(1_000 + 3_600), 30 * day, 1_000), day + hour);
        assert_eq!(cut_to(Some(1_000), hour, 1_000), hour);
        assert_eq!(cut_to(Some(0), day, 1_000_000), Duration::from_secs(1));
    }

    #[test]
    fn renewal_begins_a_minute_or_a_tenth_before_the_end() {
        assert_eq!(renew_at(1_000, 3_600), 4_540);
        assert_eq!(renew_at(1_000, 10), 1_009);
        assert_eq!(renew_at(1_000, 1), 1_001);
        assert_eq!(renew_at(u64::MAX, u64::MAX), u64::MAX - RENEW_AHEAD_SECS);
    }
}
