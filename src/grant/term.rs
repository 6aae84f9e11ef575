//! How long a grant's record has left, and how long a token that is issued for it lives.

use std::time::Duration;

use super::{Grant, Phase, UpstreamGrant, lifetime::ttl_until};
use crate::time::Unix;

/// What is left of the record's life since it was last written for a whole one: at a rotation, a
/// renewal or a look at its person.
pub(super) fn remaining(grant: &Grant, whole: Duration, now: Unix) -> Duration {
    let rotated_at = match grant.phase {
        Phase::Active { rotated_at, .. } => rotated_at,
        Phase::Pending(_) | Phase::Spent(_) | Phase::Asserted { .. } => Unix::EPOCH,
    };
    let renewed_at = grant.upstream.renewed_at.unwrap_or_default();
    let written_at = rotated_at.max(renewed_at).max(grant.proven_at);
    ttl_until(written_at + whole, now).min(whole)
}

/// When an access token issued now ends.
///
/// Its life is ours to say, whatever the provider's lives: a provider that says ten years would make
/// a leaked token good for ten years, one that says ten minutes would send every client to refresh
/// six times an hour. Only where the provider's token ends and cannot be renewed does ours end with
/// it: a handler could do nothing with it after that.
pub(crate) fn access_token_expiry(ttl: Duration, upstream: &UpstreamGrant, now: Unix) -> Unix {
    let end = now + ttl;
    match upstream.expires_at {
        Some(last) if !upstream.can_renew() => end.min(last),
        _ => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream(expires_at: Option<u64>, renewable: bool) -> UpstreamGrant {
        UpstreamGrant {
            access_token: "a".into(),
            refresh_token: renewable.then(|| "r".into()),
            id_token: None,
            expires_at: expires_at.map(Unix::at),
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
        let left = |grant: &Grant, now| remaining(grant, day, Unix::at(now)).as_secs();
        grant.phase = Phase::Active {
            generation: 1,
            rotated_at: Unix::at(1_000),
            code: None,
        };
        assert_eq!(left(&grant, 1_600), 85_800);
        grant.upstream.renewed_at = Some(Unix::at(1_200));
        assert_eq!(left(&grant, 1_600), 86_000);
        grant.proven_at = Unix::at(1_500);
        assert_eq!(left(&grant, 1_600), 86_300);
        assert_eq!(left(&grant, 200_000), 1, "no store is given less");
        assert_eq!(
            left(&grant, 1_000),
            86_400,
            "a clock that went back gives no more"
        );
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
            let said = access_token_expiry(hour, &upstream, Unix::at(1_000));
            assert_eq!(
                said,
                Unix::at(end),
                "{:?} {}",
                upstream.expires_at,
                upstream.can_renew()
            );
        }
    }
}
