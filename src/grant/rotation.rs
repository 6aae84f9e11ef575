//! May this refresh token rotate? One rule, on numbers.

use crate::limits::REFRESH_GRACE_SECS;

/// What to do with a refresh token of one generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// It is the live one (or newer than the store knows): its successor becomes live.
    Advance {
        /// The generation that becomes live.
        to: u32,
    },
    /// It was exchanged a moment ago: the same successor again.
    Repeat,
    /// It was exchanged long ago or several times over: somebody else has the chain
    /// (RFC 9700 section 4.14.2).
    Reuse,
}

/// Judges a token of generation `presented` of a grant whose live generation is `live` since
/// `rotated_at`.
///
/// A generation newer than the live one can only be one that we issued (its MAC is right): a store
/// that fell back to an older state forgot it. The person must not pay for that.
pub(crate) fn judge(presented: u32, live: u32, rotated_at: u64, now: u64) -> Rotation {
    if presented >= live {
        return Rotation::Advance {
            to: presented.saturating_add(1),
        };
    }
    let is_predecessor = presented.checked_add(1) == Some(live);
    if is_predecessor && now <= rotated_at.saturating_add(REFRESH_GRACE_SECS) {
        Rotation::Repeat
    } else {
        Rotation::Reuse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_live_token_advances_its_predecessor_repeats_and_anything_else_is_reuse() {
        assert_eq!(judge(5, 5, 100, 9_999), Rotation::Advance { to: 6 });
        assert_eq!(judge(4, 5, 100, 100), Rotation::Repeat);
        assert_eq!(judge(4, 5, 100, 130), Rotation::Repeat);
        assert_eq!(judge(4, 5, 100, 131), Rotation::Reuse);
        assert_eq!(judge(3, 5, 100, 100), Rotation::Reuse);
        assert_eq!(judge(0, 5, 100, 100), Rotation::Reuse);
    }

    #[test]
    fn a_store_that_fell_back_does_not_end_the_grant() {
        assert_eq!(judge(7, 5, 100, 9_999), Rotation::Advance { to: 8 });
    }
}
