//! Why a browser does not hold the login that it asks for, as far as that can be known.

use std::time::Duration;

use super::stamp;
use crate::time::Unix;

/// What a page can say of a login that is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// By its own name it is older than a login may be.
    Expired,
    /// It is young, and the browser sent no cookie of ours at all: it keeps none for this site, or the login
    /// is another browser's.
    NoCookies,
    /// The browser keeps our cookies, and this login is not among them; or there is no telling.
    Elsewhere,
}

/// Judges the id or the `state` that was asked for. `keeps_cookies` says that the browser sent some of ours.
pub(crate) fn absent(name: &str, keeps_cookies: bool, ttl: Duration, now: Unix) -> Absent {
    match stamp::made_at(name) {
        Some(made_at) if now >= made_at + ttl => Absent::Expired,
        Some(_) if !keeps_cookies => Absent::NoCookies,
        _ => Absent::Elsewhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_login_has_expired_and_a_young_one_tells_by_the_other_cookies() {
        let (ttl, made_at) = (Duration::from_secs(600), Unix::at(1_790_000_000));
        let name = stamp::id(made_at);
        let after = |secs, keeps| absent(&name, keeps, ttl, made_at + Duration::from_secs(secs));
        assert_eq!(after(1, true), Absent::Elsewhere);
        assert_eq!(after(1, false), Absent::NoCookies);
        assert_eq!(after(599, false), Absent::NoCookies);
        for keeps in [true, false] {
            assert_eq!(after(600, keeps), Absent::Expired);
            assert_eq!(absent("made up", keeps, ttl, made_at), Absent::Elsewhere);
        }
    }
}
