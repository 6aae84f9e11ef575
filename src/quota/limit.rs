//! The limits by name, and what is said of one that is reached.

use std::{fmt, time::Duration};

/// What the operator allows; `None` is no limit.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Allowed {
    pub(crate) registrations_per_minute: Option<u32>,
    pub(crate) logins_per_minute: Option<u32>,
    pub(crate) token_requests_per_minute: Option<u32>,
    pub(crate) callbacks_at_once: Option<usize>,
}

/// One of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Registrations,
    Logins,
    TokenRequests,
    Callbacks,
}

impl Limit {
    /// Each, in the order of a login.
    pub(crate) const ALL: [Self; 4] = [
        Self::Registrations,
        Self::Logins,
        Self::Callbacks,
        Self::TokenRequests,
    ];

    /// The option that sets it, which is also its name in metrics and in the report.
    pub(crate) const fn option(self) -> &'static str {
        match self {
            Self::Registrations => "registrations_per_minute",
            Self::Logins => "logins_per_minute",
            Self::TokenRequests => "token_requests_per_minute",
            Self::Callbacks => "callbacks_at_once",
        }
    }

    /// What it limits.
    pub(crate) const fn of(self) -> &'static str {
        match self {
            Self::Registrations => "registrations of clients",
            Self::Logins => "logins that begin",
            Self::TokenRequests => "requests for tokens of one grant or machine",
            Self::Callbacks => "people who come back from the provider",
        }
    }
}

impl Allowed {
    /// How many are allowed of one.
    pub(crate) fn most(&self, limit: Limit) -> Option<usize> {
        let rate = |most: Option<u32>| most.map(|most| most as usize);
        match limit {
            Limit::Registrations => rate(self.registrations_per_minute),
            Limit::Logins => rate(self.logins_per_minute),
            Limit::TokenRequests => rate(self.token_requests_per_minute),
            Limit::Callbacks => self.callbacks_at_once,
        }
    }
}

/// A limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Over {
    pub(crate) limit: Limit,
    /// When it is worth to come again.
    pub(crate) wait: Duration,
}

impl Over {
    /// The wait in whole seconds, for `Retry-After`: not a moment too early.
    pub(crate) fn wait_secs(&self) -> u64 {
        let part = u64::from(self.wait.subsec_nanos() > 0);
        self.wait.as_secs().saturating_add(part).max(1)
    }
}

/// For the operator.
impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (option, of) = (self.limit.option(), self.limit.of());
        write!(f, "`{option}`: there are as many {of} as it allows")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds() {
        for (millis, secs) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (59_999, 60)] {
            let over = Over {
                limit: Limit::Logins,
                wait: Duration::from_millis(millis),
            };
            assert_eq!(over.wait_secs(), secs, "{millis}");
        }
    }

    /// Where operators look: the chapter on metrics has each value of the label.
    #[test]
    fn the_chapters_name_each_limit() {
        let metrics = include_str!("../docs/metrics.md");
        let limits = include_str!("../docs/limits.md");
        for limit in Limit::ALL {
            let word = format!("`{}`", limit.option());
            assert!(metrics.contains(&word), "{word} is not in docs::metrics");
            assert!(
                limits.contains(&word[1..word.len() - 1]),
                "{word} is not in docs::limits"
            );
        }
    }
}
