//! The one place where time enters.
//!
//! Every expiry in this crate is computed from a [`Clock`], so that it can be tested without sleeping.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A source of the current time.
///
/// ```
/// use std::time::{Duration, SystemTime, UNIX_EPOCH};
/// use tower_oauth_proxy::Clock;
///
/// struct Noon;
/// impl Clock for Noon {
///     fn now(&self) -> SystemTime {
///         UNIX_EPOCH + Duration::from_secs(43_200)
///     }
/// }
/// assert_eq!(Noon.now().duration_since(UNIX_EPOCH).unwrap().as_secs(), 43_200);
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The current time.
    fn now(&self) -> SystemTime;
}

/// A clock that is shared, so that a test can move it.
impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> SystemTime {
        (**self).now()
    }
}

/// The system's clock; the default.
#[derive(Debug, Clone, Copy, Default)]
#[allow(
    clippy::exhaustive_structs,
    reason = "it is written as its name, and has nothing to hold"
)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// Seconds since the Unix epoch, as tokens and records carry them. A clock set before 1970 reads
/// as 0: everything then looks unexpired-yet-unissued and is refused by the `iat` and `exp` rules.
pub(crate) fn unix_now(clock: &dyn Clock) -> u64 {
    to_unix(clock.now())
}

/// A point in time as whole seconds since the Unix epoch.
pub(crate) fn to_unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The last second of the year 9999, for ends that are not known.
const FAR_FUTURE: u64 = 253_402_300_799;

/// The inverse of [`to_unix`]; stops at the year 9999 instead of overflowing.
pub(crate) fn from_unix(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.min(FAR_FUTURE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_nobody_knows_is_far_ahead_and_never_1970() {
        assert_eq!(to_unix(from_unix(1_000)), 1_000);
        assert_eq!(to_unix(from_unix(u64::MAX)), FAR_FUTURE);
    }
}
