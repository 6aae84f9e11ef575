//! How an API key is written.
//!
//! ```text
//! key = "topkey_" secret checksum
//! secret   = 43 characters of 0-9 A-Z a-z: 256 random bits
//! checksum =  6 characters of them: the CRC-32 of all that stands before
//! ```
//!
//! The prefix is for secret scanners and for people who find a key in a log. The checksum tells a key from a text
//! that begins like one, so that a scanner without false alarms needs no list, and a typo is told at once.

use std::array;

use crate::{key::sha256, random};

/// How each key begins.
pub(super) const PREFIX: &str = "topkey_";
/// 62 to the 43rd is just above 2 to the 256th.
const SECRET: usize = 43;
/// 62 to the 6th is above 2 to the 32nd.
const CHECKSUM: usize = 6;
const LENGTH: usize = PREFIX.len() + SECRET + CHECKSUM;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// SHA-256 of a key's whole text.
pub(crate) type Hash = [u8; 32];

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// No API key.
    Other,
    /// It begins like one. It has another length or alphabet, or a checksum that does not fit.
    Mistyped,
    /// It has the form of one, and this is its hash.
    Key(Hash),
}

/// Tells what a text is; no key is looked up.
pub(super) fn form(text: &str) -> Form {
    if !text.starts_with(PREFIX) {
        return Form::Other;
    }
    let Some((secret, checksum)) = text.split_at_checked(PREFIX.len() + SECRET) else {
        return Form::Mistyped;
    };
    let is_ours = |byte: u8| ALPHABET.contains(&byte);
    let is_spelt = text.len() == LENGTH && text.bytes().skip(PREFIX.len()).all(is_ours);
    // The checksum is no secret: it follows from the text that stands beside it.
    match is_spelt && checksum == checksum_of(secret) {
        true => Form::Key(sha256(text.as_bytes())),
        false => Form::Mistyped,
    }
}

/// The text of a new key.
pub(super) fn new_text() -> String {
    let mut text = String::with_capacity(LENGTH);
    text.push_str(PREFIX);
    while text.len() < PREFIX.len() + SECRET {
        // 248 is four times 62: of what is below, each character is as likely as the others.
        let fair = random::bytes::<32>().into_iter().filter(|byte| *byte < 248);
        let room = PREFIX.len() + SECRET - text.len();
        text.extend(fair.take(room).map(|byte| digit(byte % 62)));
    }
    let checksum = checksum_of(&text);
    text + &checksum
}

fn checksum_of(text: &str) -> String {
    let mut rest = crc32(text.as_bytes());
    let mut digits: [char; CHECKSUM] = array::from_fn(|_| {
        let least = u8::try_from(rest % 62).unwrap_or_default();
        rest /= 62;
        digit(least)
    });
    digits.reverse();
    digits.iter().collect()
}

fn digit(value: u8) -> char {
    ALPHABET
        .get(usize::from(value))
        .map_or('0', |byte| char::from(*byte))
}

/// As in zip and Ethernet, bit by bit: 50 bytes, once for each first sight of a key.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| match crc & 1 {
        1 => (crc >> 1) ^ 0xEDB8_8320,
        _ => crc >> 1,
    };
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), step);
    !bytes.iter().fold(!0, byte)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// What this version made: every later one has to know it.
    const SAMPLE: &str = "topkey_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg";

    #[test]
    fn the_checksum_is_that_of_other_programs() {
        // The check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_key_of_this_version_is_known_for_ever() {
        assert_eq!(checksum_of(SAMPLE), "2LGxWH");
        let key = format!("{SAMPLE}2LGxWH");
        assert_eq!(form(&key), Form::Key(sha256(key.as_bytes())));
    }

    #[test]
    fn new_keys_are_keys_and_no_two_are_one() {
        let keys: HashSet<String> = (0..200).map(|_| new_text()).collect();
        assert_eq!(keys.len(), 200);
        let mut seen = HashSet::new();
        for key in &keys {
            assert_eq!(key.len(), 56);
            assert_eq!(form(key), Form::Key(sha256(key.as_bytes())), "{key}");
            seen.extend(key[PREFIX.len()..PREFIX.len() + SECRET].bytes());
        }
        assert_eq!(seen.len(), 62, "every character is in use");
    }

    #[test]
    fn whatever_differs_in_one_character_is_mistyped_and_what_begins_otherwise_is_another_thing() {
        let key = new_text();
        for at in PREFIX.len()..key.len() {
            for other in ["0", "Z", "-", "é", ""] {
                if &key[at..=at] == other {
                    continue;
                }
                let typo = [&key[..at], other, &key[at + 1..]].concat();
                assert_eq!(form(&typo), Form::Mistyped, "{typo}");
            }
        }
        for begun in [PREFIX, &key[..40], &format!("{key}0"), &format!("{key}\n")] {
            assert_eq!(form(begun), Form::Mistyped, "{begun}");
        }
        for other in [
            "",
            "topkey",
            "Topkey_",
            "TOPKEY_x",
            &key[1..],
            "e30.e30.c2ln",
        ] {
            assert_eq!(form(other), Form::Other, "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            prop_assert_eq!(form(&text) == Form::Other, !text.starts_with(PREFIX));
            let begun = format!("{PREFIX}{text}");
            prop_assert_eq!(form(&begun), Form::Mistyped);
        }
    }
}
