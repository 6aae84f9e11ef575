//! Random names that say when they were made: the id of a login, and the `state` toward a provider.
//!
//! ```text
//! name = base64url(seconds since 1970 (5 bytes) || random)
//! ```
//!
//! No one signs the time. It chooses what a page and an event say of a login that this browser does not hold,
//! and nothing else: a made-up name is refused all the same.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{random, time::Unix};

const TIME_BYTES: usize = 5;
/// 104 random bits, and no character of base64url is wasted.
const ID_BYTES: usize = 18;
/// RFC 6749 section 10.10: "The probability of an attacker guessing generated tokens [...] MUST be less than
/// or equal to 2^(-128) and SHOULD be less than or equal to 2^(-160)." These have 248 random bits.
const STATE_BYTES: usize = 36;

/// A fresh id: 24 characters.
pub(super) fn id(now: Unix) -> String {
    name::<ID_BYTES>(now)
}

/// A fresh `state`: 48 characters.
pub(super) fn state(now: Unix) -> String {
    name::<STATE_BYTES>(now)
}

fn name<const N: usize>(now: Unix) -> String {
    let mut bytes = random::bytes::<N>();
    let time = now.secs().to_be_bytes();
    let places = bytes.iter_mut().zip(time.iter().skip(8 - TIME_BYTES));
    places.for_each(|(to, from)| *to = *from);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// When a name says that it was made; `None` for what is no such name, one from before they said so included.
pub(super) fn made_at(name: &str) -> Option<Unix> {
    // Longer input is refused before it is decoded.
    let is_one = [ID_BYTES, STATE_BYTES].map(|bytes| bytes / 3 * 4);
    if !is_one.contains(&name.len()) {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(name).ok()?;
    let time = bytes.first_chunk::<TIME_BYTES>()?;
    let secs = time
        .iter()
        .fold(0, |secs, byte| secs << 8 | u64::from(*byte));
    Some(Unix::at(secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_when_it_was_made_and_is_random_in_all_else() {
        let now = Unix::at(1_790_000_000);
        for make in [id, state] {
            let (one, other) = (make(now), make(now));
            assert_eq!(made_at(&one), Some(now));
            assert_ne!(one, other);
            // Five bytes end within the seventh character.
            assert_eq!(one[..6], other[..6]);
        }
        assert_eq!((id(now).len(), state(now).len()), (24, 48));
    }

    #[test]
    fn what_is_no_such_name_says_nothing() {
        for odd in [
            "",
            // Of the versions before: 16 and 32 bytes.
            "AAAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "+AAAAAAAAAAAAAAAAAAAAAAA",
            "\u{e9}AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(made_at(odd), None, "{odd}");
        }
    }
}
