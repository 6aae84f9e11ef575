//! How long things live: rules on numbers, all in seconds.

use std::time::Duration;

use super::{Grant, Phase, UpstreamGrant};
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

/// What is left of the record's life since it was last written for a whole one: at a rotation, a
/// renewal or a look at its person.
pub(super) fn remaining(grant: &Grant, whole: Duration, now: u64) -> Duration {
    let rotated_at = match grant.phase {
        Phase::Active { rotated_at, .. } => rotated_at,
        Phase::Pending(_) | Phase::Spent(_) => 0,
    };
    let renewed_at = grant.upstream.renewed_at.unwrap_or_default();
    let written_at = rotated_at.max(renewed_at).max(grant.proven_at);
    ttl_until(written_at.saturating_add(whole.as_secs()), now).min(whole)
}

/// When an access token issued now ends.
///
/// Its life is ours to say, whatever the provider's lives: a provider that says ten years would make
/// a leaked token good for ten years, one that says ten minutes would send every client to refresh
/// six times an hour. Only where the provider's token ends and cannot be renewed does ours end with
/// it: a handler could do nothing with it after that.
pub(crate) fn access_token_expiry(ttl: Duration, upstream: &UpstreamGrant, now: u64) -> u64 {
    let end = now.saturating_add(ttl.as_secs());
    match upstream.expires_at {
        Some(last) if !upstream.can_renew() => end.min(last),
        _ => end,
    }
}

/// The shortest time to live that a store is given: some cannot express less.
pub(crate) fn ttl_until(end: u64, now: u64) -> Duration {
    Duration::from_secs(end.saturating_sub(now).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream(expires_at: Option<u64>, renewable: bool) -> UpstreamGrant {
        UpstreamGrant {
            access_token: "a".into(),
            refresh_token: renewable.then(|| "r".into()),
            id_token: None,
            expires_at,
            renew_at: None,
            renewed_at: None,
            refused_since: None,
        }
    }

    #[test]
    fn what_is_left_of_a_life_counts_from_the_last_whole_one() {
        let base = crate::oauth::BaseUrl::parse("https://p.example").unwrap();
        let scopes = crate::oauth::ScopeSet::new(["read"]).unwrap();
        let resource = crate::oauth::Resource::base(&base);
        let mut grant =
            Grant::passed_through("client", "ada", &scopes, &resource, upstream(None, true));
        let day = Duration::from_secs(86_400);
        let left = |grant: &Grant, now| remaining(grant, day, now).as_secs();
        grant.phase = Phase::Active {
            generation: 1,
            rotated_at: 1_000,
            code: None,
        };
        assert_eq!(left(&grant, 1_600), 85_800);
        grant.upstream.renewed_at = Some(1_200);
        assert_eq!(left(&grant, 1_600), 86_000);
        grant.proven_at = 1_500;
        assert_eq!(left(&grant, 1_600), 86_300);
        assert_eq!(left(&grant, 200_000), 1, "no store is given less");
        assert_eq!(
            left(&grant, 1_000),
            86_400,
            "a clock that went back gives no more"
        );
    }

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
    fn our_life_is_our_own_unless_the_providers_token_ends_first_and_cannot_be_renewed() {
        let hour = Duration::from_secs(3_600);
        let ten_years = 1_000 + 315_360_000;
        for (upstream, end) in [
            (upstream(Some(1_600), true), 4_600),
            (upstream(Some(1_600), false), 1_600),
            (upstream(Some(900), true), 4_600),
            (upstream(Some(900), false), 900),
            (upstream(Some(ten_years), true), 4_600),
            (upstream(Some(ten_years), false), 4_600),
            (upstream(None, true), 4_600),
            (upstream(None, false), 4_600),
        ] {
            let said = access_token_expiry(hour, &upstream, 1_000);
            assert_eq!(
                said,
                end,
                "{:?} {}",
                upstream.expires_at,
                upstream.can_renew()
            );
        }
    }

    #[test]
    fn renewal_begins_a_minute_or_a_tenth_before_the_end() {
        assert_eq!(renew_at(1_000, 3_600), 4_540);
        assert_eq!(renew_at(1_000, 10), 1_009);
        assert_eq!(renew_at(1_000, 1), 1_001);
        assert_eq!(renew_at(u64::MAX, u64::MAX), u64::MAX - RENEW_AHEAD_SECS);
    }
}
