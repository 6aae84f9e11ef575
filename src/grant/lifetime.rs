//! How long things live: rules on times alone.

use std::time::Duration;

use crate::{
    limits::{AFTER_LAST_DAY, ASSUMED_UPSTREAM_TTL, RENEW_AHEAD, UNPROVABLE_GRANT_MAX_AGE},
    time::Unix,
};

/// From when on a token that lives this long should be renewed: a minute before its end, or a tenth
/// of its life where that is shorter.
pub(crate) fn renew_at(now: Unix, lifetime: Duration) -> Unix {
    let ahead = RENEW_AHEAD.min(lifetime / 10);
    now + lifetime - ahead
}

/// From when on a token should be renewed that came with this `expires_in`. A life is assumed where
/// none is said, but only for a token that can be renewed: nothing else follows from it.
pub(super) fn renewal(now: Unix, expires_in: Option<Duration>, can_renew: bool) -> Option<Unix> {
    let assumed = can_renew.then_some(ASSUMED_UPSTREAM_TTL);
    expires_in
        .or(assumed)
        .map(|lifetime| renew_at(now, lifetime))
}

/// When a grant ends, however often it is used: its login and the configured age. Where no one can be
/// asked whether its person may still come in, there is an age without a configured one.
pub(crate) fn last_day(
    created_at: Unix,
    configured: Option<Duration>,
    is_provable: bool,
) -> Option<Unix> {
    let unprovable = (!is_provable).then_some(UNPROVABLE_GRANT_MAX_AGE);
    configured.or(unprovable).map(|age| created_at + age)
}

/// A time to live that ends with the grant's last day, and a little after.
pub(crate) fn cut_to(last_day: Option<Unix>, ttl: Duration, now: Unix) -> Duration {
    let left = last_day.map(|day| ttl_until(day + AFTER_LAST_DAY, now));
    left.map_or(ttl, |left| left.min(ttl))
}

/// The shortest time to live that a store is given: some cannot express less.
pub(crate) fn ttl_until(end: Unix, now: Unix) -> Duration {
    end.since(now).max(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Unix = Unix::at(1_000);
    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_life_is_assumed_where_the_provider_says_none_and_the_token_can_be_renewed() {
        assert_eq!(renewal(NOW, Some(HOUR), true), Some(Unix::at(4_540)));
        assert_eq!(renewal(NOW, None, true), Some(Unix::at(4_540)));
        assert_eq!(renewal(NOW, None, false), None);
        assert_eq!(renewal(NOW, Some(HOUR / 6), false), Some(Unix::at(1_540)));
    }

    #[test]
    fn a_grant_has_a_last_day_where_it_is_given_one_or_nobody_can_be_asked() {
        let day = Duration::from_secs(86_400);
        assert_eq!(last_day(NOW, None, true), None);
        assert_eq!(last_day(NOW, Some(day), true), Some(Unix::at(87_400)));
        assert_eq!(
            last_day(NOW, Some(365 * day), false),
            Some(Unix::at(31_537_000))
        );
        assert_eq!(
            last_day(NOW, None, false),
            Some(Unix::at(1_000 + 30 * 86_400))
        );
    }

    #[test]
    fn a_record_goes_a_day_after_the_last_day_at_the_latest() {
        let (hour, day) = (HOUR, Duration::from_secs(86_400));
        assert_eq!(cut_to(None, 30 * day, NOW), 30 * day);
        assert_eq!(
            cut_to(Some(Unix::at(1_000 + 3_600)), 30 * day, NOW),
            day + hour
        );
        assert_eq!(cut_to(Some(NOW), hour, NOW), hour);
        assert_eq!(
            cut_to(Some(Unix::EPOCH), day, Unix::at(1_000_000)),
            Duration::from_secs(1)
        );
    }

    #[test]
    fn renewal_begins_a_minute_or_a_tenth_before_the_end() {
        assert_eq!(renew_at(NOW, HOUR), Unix::at(4_540));
        assert_eq!(renew_at(NOW, Duration::from_secs(10)), Unix::at(1_009));
        assert_eq!(renew_at(NOW, Duration::from_secs(1)), Unix::at(1_001));
        assert_eq!(
            renew_at(Unix::NEVER, Duration::MAX),
            Unix::NEVER - RENEW_AHEAD
        );
    }
}
