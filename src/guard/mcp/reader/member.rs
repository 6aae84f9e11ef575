//! The keys of one object: none may stand twice, or look like one that is read.

use super::{ambiguous::Ambiguous, key_name::Known};
use crate::limits::MAX_JSON_KEYS;

/// The keys of one object so far.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// One bit for each of those that are read.
    known: u16,
    /// Hashes of the others. Two keys of one hash count as one: at worst an honest body is refused.
    others: Vec<u64>,
}

impl Keys {
    pub(super) fn clear(&mut self) {
        self.known = 0;
        self.others.clear();
    }

    pub(super) fn has(&self, key: Known) -> bool {
        self.known & key.bit() != 0
    }

    /// Notes a key of a message, or of its `params`. RFC 8259 section 4: "When the names within an object are not
    /// unique, the behavior of software that receives such an object is unpredictable."
    pub(super) fn note(&mut self, key: &str, of_params: bool) -> Result<Option<Known>, Ambiguous> {
        if let Some(known) = Known::exact(key.as_bytes(), of_params) {
            if self.has(known) {
                return Err(Ambiguous::TwoKeys(known));
            }
            self.known |= known.bit();
            return Ok(Some(known));
        }
        // What JavaScript's `Object.assign` makes the prototype of a message: its members are then the message's.
        if key == "__proto__" {
            return Err(Ambiguous::Prototype);
        }
        if let Some(known) = Known::almost(key, of_params) {
            return Err(Ambiguous::AlmostKey(known));
        }
        let hash = fnv(key);
        if self.others.contains(&hash) {
            return Err(Ambiguous::OtherKeyTwice);
        }
        if self.others.len() >= MAX_JSON_KEYS {
            return Err(Ambiguous::ManyKeys);
        }
        self.others.push(hash);
        Ok(None)
    }
}

/// FNV-1a. It need not resist anyone: a collision refuses, and equal keys always collide.
fn fnv(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
