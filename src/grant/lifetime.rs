//! How long things live: rules on numbers, all in seconds.

use std::time::Duration;

use super::UpstreamGrant;
use crate::limits::{ACCESS_TOKEN_TTL, RENEW_AHEAD_SECS};

/// From when on a token that lives `lifetime` seconds should be renewed: a minute before its end,
/// or a tenth of its life where that is shorter.
pub(crate) fn renew_at(now: u64, lifetime: u64) -> u64 {
    let ahead = RENEW_AHEAD_SECS.min(lifetime / 10);
    now.saturating_add(lifetime).saturating_sub(ahead)
}

/// When an access token issued now ends.
///
/// The configured life stands where the provider's token can be renewed or never ends; else ours
/// ends with the provider's at the latest. Nothing configured: the provider's, or one hour.
pub(crate) fn access_token_expiry(
    configured: Option<Duration>,
    upstream: &UpstreamGrant,
    now: u64,
) -> u64 {
    let configured = configured.map(|ttl| now.saturating_add(ttl.as_secs()));
    let one_hour = now.saturating_add(ACCESS_TOKEN_TTL.as_secs());
    match (configured, upstream.expires_at, upstream.can_renew()) {
        (Some(end), Some(upstream), false) => end.min(upstream),
        (Some(end), ..) => end,
        (None, Some(upstream), false) => upstream,
        // Renewable and nearly over: it will be renewed at the next request.
        (None, Some(upstream), true) if upstream > now => upstream,
        (None, ..) => one_hour,
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
    fn our_life_is_our_own_only_where_the_providers_token_can_be_renewed() {
        let ttl = Some(Duration::from_secs(7_200));
        assert_eq!(
            access_token_expiry(ttl, &upstream(Some(1_600), true), 1_000),
            8_200
        );
        assert_eq!(
            access_token_expiry(ttl, &upstream(Some(1_600), false), 1_000),
            1_600
        );
        assert_eq!(
            access_token_expiry(ttl, &upstream(None, false), 1_000),
            8_200
        );
        assert_eq!(
            access_token_expiry(None, &upstream(Some(1_600), true), 1_000),
            1_600
        );
        assert_eq!(
            access_token_expiry(None, &upstream(Some(1_600), false), 1_000),
            1_600
        );
        assert_eq!(
            access_token_expiry(None, &upstream(None, false), 1_000),
            4_600
        );
    }

    #[test]
    fn renewal_begins_a_minute_or_a_tenth_before_the_end() {
        assert_eq!(renew_at(1_000, 3_600), 4_540);
        assert_eq!(renew_at(1_000, 10), 1_009);
        assert_eq!(renew_at(1_000, 1), 1_001);
        assert_eq!(renew_at(u64::MAX, u64::MAX), u64::MAX - RENEW_AHEAD_SECS);
    }
}
