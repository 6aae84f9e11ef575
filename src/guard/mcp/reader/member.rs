//! The keys of a message and of its `params`: which of them are read, and which only look like it.

use super::{ambiguous::Ambiguous, call::NameKey};
use crate::limits::MAX_JSON_KEYS;

/// A key that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    JsonRpc,
    Id,
    Method,
    Params,
    Result,
    Error,
    Name(NameKey),
}

const OF_MESSAGE: &[Known] = &[
    Known::Method,
    Known::Params,
    Known::JsonRpc,
    Known::Id,
    Known::Result,
    Known::Error,
];
const OF_PARAMS: &[Known] = &[
    Known::Name(NameKey::Name),
    Known::Name(NameKey::Uri),
    Known::Name(NameKey::TaskId),
];

impl Known {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::JsonRpc => "jsonrpc",
            Self::Id => "id",
            Self::Method => "method",
            Self::Params => "params",
            Self::Result => "result",
            Self::Error => "error",
            Self::Name(NameKey::Name) => "name",
            Self::Name(NameKey::Uri) => "uri",
            Self::Name(NameKey::TaskId) => "taskId",
        }
    }

    fn bit(self) -> u16 {
        match self {
            Self::JsonRpc => 1,
            Self::Id => 1 << 1,
            Self::Method => 1 << 2,
            Self::Params => 1 << 3,
            Self::Result => 1 << 4,
            Self::Error => 1 << 5,
            Self::Name(NameKey::Name) => 1 << 6,
            Self::Name(NameKey::Uri) => 1 << 7,
            Self::Name(NameKey::TaskId) => 1 << 8,
        }
    }
}

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
        let table = if of_params { OF_PARAMS } else { OF_MESSAGE };
        if let Some(known) = table.iter().find(|known| known.text() == key) {
            if self.has(*known) {
                return Err(Ambiguous::TwoKeys(known.text()));
            }
            self.known |= known.bit();
            return Ok(Some(*known));
        }
        // What JavaScript's `Object.assign` makes the prototype of a message: its members are then the message's.
        if key == "__proto__" {
            return Err(Ambiguous::Prototype);
        }
        let almost = |known: &&Known| folded(key).eq(folded(known.text()));
        if let Some(known) = table.iter().find(almost) {
            return Err(Ambiguous::AlmostKey(known.text()));
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

/// A key as the most lenient readers compare it: Go's `encoding/json` folds case, the long s and the Kelvin sign
/// included; Java's `equalsIgnoreCase` takes the dotless and the dotted i for an i; Go's second `json` leaves out
/// dashes and underscores where it is asked to ignore case.
fn folded(key: &str) -> impl Iterator<Item = char> {
    let wanted = |char: &char| !matches!(char, '-' | '_' | '\u{307}');
    key.chars().filter(wanted).map(|char| match char {
        'ſ' => 's',
        '\u{212a}' => 'k',
        'ı' | 'İ' => 'i',
        char => char.to_ascii_lowercase(),
    })
}

/// FNV-1a. It need not resist anyone: a collision refuses, and equal keys always collide.
fn fnv(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
