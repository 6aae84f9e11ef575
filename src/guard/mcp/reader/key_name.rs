//! The keys that are read of a message and of its `params`, and what some readers take for them.

use std::fmt;

use super::call::NameKey;

/// The longest key that is read has so many bytes.
const LONGEST: usize = 7;

/// A key that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    JsonRpc,
    Id,
    Method,
    Params,
    Result,
    Error,
    Name(NameKey),
}

impl Known {
    /// The key, as it has to be written.
    pub(super) fn exact(key: &[u8], of_params: bool) -> Option<Self> {
        Some(match (of_params, key) {
            (false, b"method") => Self::Method,
            (false, b"params") => Self::Params,
            (false, b"jsonrpc") => Self::JsonRpc,
            (false, b"id") => Self::Id,
            (false, b"result") => Self::Result,
            (false, b"error") => Self::Error,
            (true, b"name") => Self::Name(NameKey::Name),
            (true, b"uri") => Self::Name(NameKey::Uri),
            (true, b"taskId") => Self::Name(NameKey::TaskId),
            _ => return None,
        })
    }

    /// The key that the most lenient readers take this one for: Go's `encoding/json` folds case, the long s and the
    /// Kelvin sign included; Java's `equalsIgnoreCase` takes the dotless and the dotted i for an i; Go's second `json`
    /// leaves out dashes and underscores where it is asked to ignore case.
    pub(super) fn almost(key: &str, of_params: bool) -> Option<Self> {
        let mut folded = [0; LONGEST];
        let mut length = 0;
        for char in key.chars() {
            let plain = match char {
                '-' | '_' | '\u{307}' => continue,
                'ſ' => b's',
                '\u{212a}' => b'k',
                'ı' | 'İ' => b'i',
                char => u8::try_from(char).ok()?.to_ascii_lowercase(),
            };
            *folded.get_mut(length)? = plain;
            length += 1;
        }
        match folded.get(..length)? {
            b"taskid" if of_params => Some(Self::Name(NameKey::TaskId)),
            folded => Self::exact(folded, of_params),
        }
    }

    fn text(self) -> &'static str {
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

    pub(super) fn bit(self) -> u16 {
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

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
