//! What is known of one grant's token for one API, and what follows from it.

use super::token::{ExchangedToken, TokenForError};
use crate::{
    limits::{ASSUMED_EXCHANGED_TTL, EXCHANGE_FAILED_FOR, RENEW_AHEAD, REPLACED_ONCE_IN},
    time::Unix,
};

/// The last token, and the last failure.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    token: Option<(ExchangedToken, Unix)>,
    failure: Option<(TokenForError, Unix)>,
}

/// What a caller gets.
#[derive(Debug)]
pub(super) enum Decision {
    Hand(ExchangedToken),
    Fail(TokenForError),
    Ask,
}

impl Kept {
    /// With the token that came now.
    pub(super) fn of(token: ExchangedToken, now: Unix) -> Self {
        Self {
            token: Some((token, now)),
            failure: None,
        }
    }

    /// With the failure that came now. An old token is used to its end.
    pub(super) fn failed(self, error: TokenForError, now: Unix) -> Self {
        Self {
            failure: Some((error, now)),
            ..self
        }
    }

    /// The token, if the API may take it now. `refused` is the one that it did not take.
    pub(super) fn good(&self, refused: Option<&str>, now: Unix) -> Option<ExchangedToken> {
        let made = self.made(now)?;
        let good = Some(made).filter(|made| is_good(made, refused, now));
        good.map(|(token, _)| token.clone())
    }

    fn made(&self, now: Unix) -> Option<&(ExchangedToken, Unix)> {
        // Made later than now: the clock was set back, and its age is unknown.
        self.token.as_ref().filter(|(_, made_at)| *made_at <= now)
    }

    /// `refused` is the token that the other API did not take.
    pub(super) fn decide(&self, refused: Option<&str>, now: Unix) -> Decision {
        let made = self.made(now);
        let good = made.filter(|made| is_good(made, refused, now));
        if let Some((token, made_at)) = good
            && now < again_at(token, *made_at)
        {
            return Decision::Hand(token.clone());
        }
        // An API that refuses every token must not turn each call into a request at the provider.
        let is_new = |made_at: Unix| now < made_at + REPLACED_ONCE_IN;
        if made.is_some_and(|(token, at)| is_refused(token, refused) && is_new(*at)) {
            return Decision::Fail(TokenForError::Unavailable);
        }
        let holds = |at: Unix| (at..at + EXCHANGE_FAILED_FOR).contains(&now);
        let failure = self.failure.as_ref().filter(|(_, at)| holds(*at));
        match (failure, good) {
            (None, _) => Decision::Ask,
            (Some(_), Some((token, _))) => Decision::Hand(token.clone()),
            (Some((error, _)), None) => Decision::Fail(error.clone()),
        }
    }

    /// About what it takes in memory, in bytes.
    pub(super) fn size(&self) -> usize {
        let words = match &self.failure {
            Some((TokenForError::Refused { code, description }, _)) => {
                code.len() + description.as_ref().map_or(0, String::len)
            }
            _ => 0,
        };
        self.token.as_ref().map_or(0, |(token, _)| token.size()) + words
    }
}

fn is_good((token, made_at): &(ExchangedToken, Unix), refused: Option<&str>, now: Unix) -> bool {
    !is_refused(token, refused) && now < end(token, *made_at)
}

fn is_refused(token: &ExchangedToken, refused: Option<&str>) -> bool {
    refused == Some(token.access_token())
}

/// RFC 8693 section 2.2.1 only recommends `expires_in`. A token without it is kept for a burst of calls.
fn end(token: &ExchangedToken, made_at: Unix) -> Unix {
    token.end().unwrap_or(made_at + ASSUMED_EXCHANGED_TTL)
}

/// A minute before its end, or a tenth of its life where that is shorter: whoever gets it has still to
/// send it.
fn again_at(token: &ExchangedToken, made_at: Unix) -> Unix {
    let end = end(token, made_at);
    end - RENEW_AHEAD.min(end.since(made_at) / 10)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::provider::TokenAnswer;

    const NOW: Unix = Unix::at(10_000);

    fn token(text: &str, life: Option<u64>) -> ExchangedToken {
        let answer = TokenAnswer {
            access_token: text.to_owned().into(),
            expires_in: life.map(Duration::from_secs),
            refresh_token: None,
            scope: None,
            id_token: None,
        };
        ExchangedToken::new(answer, NOW)
    }

    fn after(seconds: u64) -> Unix {
        NOW + Duration::from_secs(seconds)
    }

    fn decided(kept: &Kept, refused: Option<&str>, now: Unix) -> String {
        match kept.decide(refused, now) {
            Decision::Hand(token) => token.access_token().to_owned(),
            Decision::Fail(error) => format!("{error:?}"),
            Decision::Ask => "ask".to_owned(),
        }
    }

    #[test]
    fn a_token_is_handed_out_until_a_minute_or_a_tenth_before_its_end() {
        for (life, last) in [(Some(3_600), 3_539), (Some(100), 89), (None, 53)] {
            let kept = Kept::of(token("t", life), NOW);
            for (at, expected) in [(0, "t"), (last, "t"), (last + 1, "ask")] {
                assert_eq!(decided(&kept, None, after(at)), expected, "{life:?} {at}");
            }
            assert_eq!(
                decided(&kept, None, Unix::at(9_999)),
                "ask",
                "a clock set back"
            );
        }
    }

    #[test]
    fn a_failure_is_repeated_for_seconds_and_an_old_token_is_used_to_its_end_meanwhile() {
        let kept = Kept::default().failed(TokenForError::Unavailable, NOW);
        assert_eq!(decided(&kept, None, NOW), "Unavailable");
        assert_eq!(decided(&kept, None, after(4)), "Unavailable");
        assert_eq!(decided(&kept, None, after(5)), "ask");
        assert_eq!(decided(&kept, None, Unix::at(9_999)), "ask");
        let kept = Kept::of(token("t", Some(100)), NOW);
        let kept = kept.failed(TokenForError::Unavailable, after(96));
        assert_eq!(decided(&kept, None, after(97)), "t");
        assert_eq!(
            decided(&kept, None, after(100)),
            "Unavailable",
            "it has ended"
        );
        assert_eq!(
            decided(&kept, Some("t"), after(97)),
            "Unavailable",
            "it was refused"
        );
    }

    #[test]
    fn a_refused_token_is_replaced_once_in_half_a_minute_and_one_replaced_already_at_once() {
        let kept = Kept::of(token("t", Some(3_600)), NOW);
        assert_eq!(decided(&kept, Some("t"), after(29)), "Unavailable");
        assert_eq!(decided(&kept, Some("t"), after(30)), "ask");
        assert_eq!(decided(&kept, Some("older"), after(1)), "t");
        assert_eq!(decided(&kept, None, after(29)), "t");
    }

    #[test]
    fn a_token_prints_as_redacted() {
        let kept = Kept::of(token("hunter2", Some(9)), NOW);
        assert!(!format!("{kept:?}").contains("hunter2"));
    }
}
