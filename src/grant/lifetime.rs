//! How long things live: rules on numbers, all in seconds.

use std::time::Duration;

use super::UpstreamGrant;
use crate::limits::RENEW_AHEAD_SECS;

/// From when on a token that lives `lifetime` seconds should be renewed: a minute before its end,
/// or a tenth of its life where that is shorter.
pub(crate) fn renew_at(now: u64, lifetime: u64) -> u64 {
    let ahead = RENEW_AHEAD_SECS.min(lifetime / 10);
    now.saturating_add(lifetime).saturating_sub(ahead)
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
        }
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
