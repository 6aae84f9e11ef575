//! May this refresh token rotate? One rule, on numbers.

use std::time::Duration;

use crate::{limits::REFRESH_GRACE, time::Unix};

/// How long a rotated refresh token is still answered with its successor.
///
/// A refresh token is good once: it is exchanged for its successor, and one that comes back later is
/// taken for stolen and ends the grant (RFC 9700 section 4.14.2). An honest client sends one twice
/// all the same: its answer was lost, or two of its processes share one token file. The grace keeps
/// the two apart.
///
/// **Its price** is the time in which a theft goes unseen. A thief who presents the predecessor
/// within the grace gets the live token, and the client notices nothing. With
/// [`UntilUsed`](Self::UntilUsed) that time has no end: a copied token of an idle client stays good
/// until the client refreshes with the successor, and a thief and a client who take turns, neither
/// ever two rotations behind, share one grant for as long as it lives. It is reported at start as a weak
/// option.
///
/// ```
/// use std::time::Duration;
/// use tower_oauth_proxy::RefreshGrace;
///
/// assert_eq!(RefreshGrace::default(), Duration::from_secs(60).into());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshGrace {
    /// For this long after the rotation, counted in whole seconds. Zero leaves only what arrives
    /// within the same second.
    For(Duration),
    /// Until the successor is presented for the first time, however long that takes.
    UntilUsed,
}

/// One minute.
impl Default for RefreshGrace {
    fn default() -> Self {
        Self::For(REFRESH_GRACE)
    }
}

impl From<Duration> for RefreshGrace {
    fn from(grace: Duration) -> Self {
        Self::For(grace)
    }
}

impl RefreshGrace {
    /// Whether it still runs for what was rotated at `rotated_at`.
    fn runs(self, rotated_at: Unix, now: Unix) -> bool {
        match self {
            Self::For(grace) => now <= rotated_at + grace,
            Self::UntilUsed => true,
        }
    }
}

/// What an honest refresh token leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// It is the live one (or newer than the store knows): its successor becomes live.
    Advance {
        /// The generation that becomes live.
        to: u32,
    },
    /// It was exchanged, and its grace runs: the same successor again.
    Repeat {
        /// The successor's generation, which is live.
        live: u32,
    },
}

/// The token was exchanged too long ago or several times over: someone else has the chain
/// (RFC 9700 section 4.14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reuse;

/// Judges a token of generation `presented` of a grant whose live generation is `live` since
/// `rotated_at`.
///
/// Only the immediate predecessor has a grace. Once its successor was presented it is two behind,
/// so [`RefreshGrace::UntilUsed`] needs no memory of its own.
///
/// A generation newer than the live one can only be one that we issued (its MAC is right): a store
/// that fell back to an older state forgot it. The person must not pay for that.
pub(crate) fn judge(
    presented: u32,
    live: u32,
    rotated_at: Unix,
    grace: RefreshGrace,
    now: Unix,
) -> Result<Rotation, Reuse> {
    if presented >= live {
        let to = presented.saturating_add(1);
        return Ok(Rotation::Advance { to });
    }
    let is_predecessor = presented.checked_add(1) == Some(live);
    if is_predecessor && grace.runs(rotated_at, now) {
        Ok(Rotation::Repeat { live })
    } else {
        Err(Reuse)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: RefreshGrace = RefreshGrace::For(Duration::from_secs(60));

    #[test]
    fn the_live_token_advances_its_predecessor_repeats_and_anything_else_is_reuse() {
        let judge = |presented, now| judge(presented, 5, Unix::at(100), MINUTE, Unix::at(now));
        assert_eq!(judge(5, 9_999), Ok(Rotation::Advance { to: 6 }));
        assert_eq!(judge(4, 100), Ok(Rotation::Repeat { live: 5 }));
        assert_eq!(judge(4, 160), Ok(Rotation::Repeat { live: 5 }));
        assert_eq!(judge(4, 161), Err(Reuse));
        assert_eq!(judge(3, 100), Err(Reuse));
        assert_eq!(judge(0, 100), Err(Reuse));
    }

    #[test]
    fn without_a_grace_only_the_same_second_is_forgiven() {
        let none = RefreshGrace::For(Duration::ZERO);
        assert_eq!(
            judge(4, 5, Unix::at(100), none, Unix::at(100)),
            Ok(Rotation::Repeat { live: 5 })
        );
        assert_eq!(judge(4, 5, Unix::at(100), none, Unix::at(101)), Err(Reuse));
    }

    #[test]
    fn until_used_the_predecessor_repeats_for_ever_and_an_older_one_never_does() {
        let judge = |presented, now| {
            let (at, now) = (Unix::at(100), Unix::at(now));
            judge(presented, 5, at, RefreshGrace::UntilUsed, now)
        };
        assert_eq!(judge(4, u64::MAX), Ok(Rotation::Repeat { live: 5 }));
        assert_eq!(judge(3, 100), Err(Reuse));
    }

    #[test]
    fn a_store_that_fell_back_does_not_end_the_grant() {
        for grace in [MINUTE, RefreshGrace::UntilUsed] {
            let newer = judge(7, 5, Unix::at(100), grace, Unix::at(9_999));
            assert_eq!(newer, Ok(Rotation::Advance { to: 8 }));
        }
    }

    proptest! {
        #[test]
        fn a_longer_grace_never_refuses_what_a_shorter_one_admits(
            presented in 0_u32..8, live in 0_u32..8, at in 0_u64..400, now in 0_u64..400,
            shorter in 0_u64..200, more in 0_u64..200,
        ) {
            let with = |grace| judge(presented, live, Unix::at(at), grace, Unix::at(now));
            let seconds = |secs| RefreshGrace::For(Duration::from_secs(secs));
            if let Ok(rotation) = with(seconds(shorter)) {
                prop_assert_eq!(with(seconds(shorter + more)), Ok(rotation));
                prop_assert_eq!(with(RefreshGrace::UntilUsed), Ok(rotation));
            }
        }
    }
}
