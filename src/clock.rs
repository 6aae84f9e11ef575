//! The one place where time enters.
//!
//! Every expiry in this crate is computed from a [`Clock`], so that it can be tested without sleeping.

use std::{sync::Arc, time::SystemTime};

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
