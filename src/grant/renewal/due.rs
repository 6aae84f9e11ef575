//! What a grant needs now: rules on its record and the time.

use std::time::Duration;

use super::super::Grant;
use crate::{limits::REPLACED_ONCE_IN, time::Unix};

/// What a caller needs of a grant.
#[derive(Clone, Debug)]
pub(crate) enum Need {
    /// A token of the provider that is good now: a request with an access token of ours.
    Token,
    /// That, and a person who was looked at not long ago: a client refreshes.
    Proof,
    /// Another access token than this one, which the provider's API refused.
    Another {
        /// The provider's access token, as a handler had it.
        than: String,
    },
}

/// What has to be done for it, by one task for all instances.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::grant) enum Due {
    /// The record has what is needed, or it cannot be had.
    Nothing,
    /// The provider's token is renewed, and the answer looked into.
    Renewal,
    /// The person is looked at, with the token that is there.
    Look,
}

/// How long a look at a person is good, and who can be asked without a renewal.
#[derive(Clone, Copy)]
pub(in crate::grant) struct Looks {
    pub(in crate::grant) max_age: Duration,
    /// Someone: the provider, or the operator's lists and hook.
    pub(in crate::grant) can_ask: bool,
    pub(in crate::grant) can_ask_provider: bool,
}

impl Looks {
    /// Whether the provider is ever heard of again.
    pub(in crate::grant) fn can_prove(self, grant: &Grant) -> bool {
        self.can_ask_provider || grant.upstream.can_renew()
    }

    /// Whether what was known of the person has stood for twice its time: trouble at the provider
    /// keeps them no longer.
    pub(in crate::grant) fn are_overdue(self, grant: &Grant, now: Unix) -> bool {
        (self.can_ask || self.can_prove(grant)) && self.has_passed(grant, 2, now)
    }

    fn is_due(self, grant: &Grant, now: Unix) -> bool {
        self.has_passed(grant, 1, now)
    }

    fn has_passed(self, grant: &Grant, times: u32, now: Unix) -> bool {
        let age = self.max_age.saturating_mul(times);
        now >= grant.proven_at + age || is_ahead(grant.proven_at, self.max_age, now)
    }
}

/// Whether a time lies further ahead than it is good for: the clock was set back since, and how
/// long ago it was is unknown.
fn is_ahead(at: Unix, good_for: Duration, now: Unix) -> bool {
    at > now + good_for
}

pub(in crate::grant) fn due(grant: &Grant, need: &Need, looks: Looks, now: Unix) -> Due {
    let upstream = &grant.upstream;
    let can_renew = upstream.can_renew();
    match need {
        _ if upstream.wants_renewal(now) => Due::Renewal,
        Need::Another { than } if upstream.access_token == *than => {
            let was_just_renewed = upstream.renewed_at.is_some_and(|at| {
                now < at + REPLACED_ONCE_IN && !is_ahead(at, REPLACED_ONCE_IN, now)
            });
            match can_renew {
                true if !was_just_renewed => Due::Renewal,
                false if looks.can_ask_provider => Due::Look,
                _ => Due::Nothing,
            }
        }
        Need::Proof if looks.is_due(grant, now) => {
            match looks.can_ask {
                // A renewal is a proof: the provider still gives tokens for this person.
                _ if can_renew && !looks.can_ask_provider => Due::Renewal,
                true => Due::Look,
                false => Due::Nothing,
            }
        }
        Need::Token | Need::Proof | Need::Another { .. } => Due::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::renewal::tests::grant;

    const HOUR: u64 = 3_600;

    fn looks(can_ask: bool) -> Looks {
        Looks {
            max_age: Duration::from_secs(HOUR),
            can_ask,
            can_ask_provider: can_ask,
        }
    }

    fn another(than: &str) -> Need {
        Need::Another { than: than.into() }
    }

    #[test]
    fn a_request_renews_what_is_about_to_end_and_asks_nobody_about_the_person() {
        let grant = grant(Unix::EPOCH);
        for can_ask in [true, false] {
            let due = |now| due(&grant, &Need::Token, looks(can_ask), now);
            assert_eq!(due(Unix::at(3_539)), Due::Nothing);
            assert_eq!(due(Unix::at(3_540)), Due::Renewal);
        }
        let mut endless = grant.clone();
        endless.upstream.renew_at = None;
        assert_eq!(
            due(&endless, &Need::Token, looks(true), Unix::NEVER),
            Due::Nothing
        );
    }

    #[test]
    fn a_refresh_looks_at_the_person_when_the_last_look_is_as_old_as_it_may_be() {
        let mut grant = grant(Unix::EPOCH);
        grant.upstream.renew_at = Some(Unix::at(100 * HOUR));
        let at = |can_ask, now| due(&grant, &Need::Proof, looks(can_ask), now);
        assert_eq!(at(true, Unix::at(HOUR - 1)), Due::Nothing);
        assert_eq!(at(true, Unix::at(HOUR)), Due::Look);
        assert_eq!(at(false, Unix::at(HOUR)), Due::Renewal);
        assert_eq!(
            at(true, Unix::at(100 * HOUR)),
            Due::Renewal,
            "one answer for both"
        );
        grant.upstream.refresh_token = None;
        assert_eq!(
            due(&grant, &Need::Proof, looks(true), Unix::at(HOUR)),
            Due::Look
        );
        assert_eq!(
            due(&grant, &Need::Proof, looks(false), Unix::at(HOUR)),
            Due::Nothing
        );
    }

    #[test]
    fn the_operator_alone_is_asked_only_where_the_provider_is_never_heard_of_again() {
        let operator = Looks {
            can_ask_provider: false,
            ..looks(true)
        };
        let mut grant = grant(Unix::EPOCH);
        grant.upstream.renew_at = Some(Unix::at(100 * HOUR));
        let due = |grant: &Grant, need: &Need| due(grant, need, operator, Unix::at(HOUR));
        assert_eq!(due(&grant, &Need::Proof), Due::Renewal);
        grant.upstream.refresh_token = None;
        assert_eq!(due(&grant, &Need::Proof), Due::Look);
        assert_eq!(due(&grant, &another("at")), Due::Nothing, "knows no tokens");
        assert!(!operator.can_prove(&grant), "it has a last day");
        assert!(operator.are_overdue(&grant, Unix::at(2 * HOUR)));
    }

    #[test]
    fn what_was_known_stands_for_twice_its_time_where_anybody_can_be_asked() {
        let mut grant = grant(Unix::EPOCH);
        assert!(!looks(false).are_overdue(&grant, Unix::at(2 * HOUR - 1)));
        assert!(looks(false).are_overdue(&grant, Unix::at(2 * HOUR)));
        grant.upstream.refresh_token = None;
        assert!(looks(true).are_overdue(&grant, Unix::at(2 * HOUR)));
        assert!(!looks(false).are_overdue(&grant, Unix::NEVER));
    }

    /// Otherwise a person who was removed stays until the clock has caught up.
    #[test]
    fn a_clock_that_was_set_back_makes_no_proof_good_for_longer() {
        let mut grant = grant(Unix::at(1_000 * HOUR));
        grant.upstream.renew_at = Some(Unix::at(2_000 * HOUR));
        let at = |grant: &Grant, need: &Need, now| due(grant, need, looks(true), now);
        assert_eq!(at(&grant, &Need::Proof, Unix::at(999 * HOUR)), Due::Nothing);
        assert!(!looks(true).are_overdue(&grant, Unix::at(999 * HOUR)));
        assert_eq!(
            at(&grant, &Need::Proof, Unix::at(999 * HOUR - 1)),
            Due::Look
        );
        assert!(looks(true).are_overdue(&grant, Unix::at(999 * HOUR - 1)));
        grant.upstream.renewed_at = Some(Unix::at(1_000));
        assert_eq!(at(&grant, &another("at"), Unix::at(970)), Due::Nothing);
        assert_eq!(at(&grant, &another("at"), Unix::at(969)), Due::Renewal);
    }

    #[test]
    fn a_refused_token_is_replaced_once_in_half_a_minute() {
        let mut grant = grant(Unix::EPOCH);
        assert_eq!(
            due(&grant, &another("at"), looks(true), Unix::EPOCH),
            Due::Renewal
        );
        assert_eq!(
            due(&grant, &another("older"), looks(true), Unix::EPOCH),
            Due::Nothing
        );
        let older = due(&grant, &another("older"), looks(true), Unix::at(HOUR));
        assert_eq!(older, Due::Renewal, "the newer one has run out as well");
        grant.upstream.renewed_at = Some(Unix::at(1_000));
        assert_eq!(
            due(&grant, &another("at"), looks(true), Unix::at(1_029)),
            Due::Nothing
        );
        assert_eq!(
            due(&grant, &another("at"), looks(true), Unix::at(1_030)),
            Due::Renewal
        );
        grant.upstream.refresh_token = None;
        assert_eq!(
            due(&grant, &another("at"), looks(true), Unix::at(1_029)),
            Due::Look
        );
        assert_eq!(
            due(&grant, &another("at"), looks(false), Unix::at(1_029)),
            Due::Nothing
        );
    }
}
