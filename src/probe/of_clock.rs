//! Whether our clock is right, by what the providers' answers say. A pure rule.

use std::time::Duration;

use crate::{limits::MAX_CLOCK_DIFFERENCE, time::Unix};

/// What is wrong with the clock. `clocks`: what others say it is, and how long their answers took: they
/// spoke at any time of that. One of them that agrees is enough: the others are wrong then.
pub(super) fn fault(now: Unix, clocks: &[(Unix, Duration)]) -> Option<String> {
    let apart = |(theirs, took): &(Unix, Duration)| {
        let (behind, ahead) = (theirs.since(now), now.since(*theirs));
        match behind > ahead {
            true => (behind, "behind"),
            false => (ahead.saturating_sub(*took), "ahead of"),
        }
    };
    let (by, which) = clocks.iter().map(apart).min()?;
    (by > MAX_CLOCK_DIFFERENCE).then(|| {
        format!(
            "it is {} s {which} the provider's: tokens of one count as over, or as not yet good, at the other; \
             let NTP set it",
            by.as_secs()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Unix = Unix::at(1_800_000_000);
    const NONE: Duration = Duration::ZERO;

    #[test]
    fn a_minute_apart_is_borne_and_more_is_not_in_either_direction() {
        let minute = MAX_CLOCK_DIFFERENCE;
        let second = Duration::from_secs(1);
        for (theirs, says) in [
            (NOW, None),
            (NOW + minute, None),
            (NOW - minute, None),
            (NOW + minute + second, Some("61 s behind")),
            (NOW - minute - second, Some("61 s ahead of")),
        ] {
            let fault = fault(NOW, &[(theirs, NONE)]);
            assert_eq!(fault.is_some(), says.is_some(), "{theirs:?}");
            let words = fault.unwrap_or_default();
            assert!(words.contains(says.unwrap_or_default()), "{words}");
        }
    }

    #[test]
    fn an_answer_that_took_long_may_have_been_made_at_its_begin() {
        let minute = MAX_CLOCK_DIFFERENCE;
        let took = Duration::from_secs(5);
        assert_eq!(fault(NOW, &[(NOW - minute - took, took)]), None);
        assert!(fault(NOW, &[(NOW - minute - took, NONE)]).is_some());
    }

    #[test]
    fn one_that_agrees_is_enough_and_none_says_nothing() {
        let hour = Duration::from_secs(3600);
        assert_eq!(fault(NOW, &[(NOW + hour, NONE), (NOW, NONE)]), None);
        assert!(fault(NOW, &[(NOW + hour, NONE), (NOW - hour, NONE)]).is_some());
        assert_eq!(fault(NOW, &[]), None);
    }
}
