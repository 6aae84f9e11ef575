//! Words for the operator.

use std::fmt;

/// Words for the operator, and the same without what only this person's claims say.
///
/// Addresses need no second text: they are found in the first, see `narrowed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(super) full: String,
    pub(super) without_person: Option<String>,
}

impl Told {
    /// Words that quote a person's claims, and the same without.
    pub(crate) fn of_person(full: impl Into<String>, without: impl Into<String>) -> Self {
        Self {
            full: full.into(),
            without_person: Some(without.into()),
        }
    }

    /// The same words with more after them.
    #[must_use]
    pub(crate) fn and(mut self, more: impl fmt::Display) -> Self {
        let more = more.to_string();
        self.full.push_str(&more);
        if let Some(text) = &mut self.without_person {
            text.push_str(&more);
        }
        self
    }
}

impl From<String> for Told {
    fn from(full: String) -> Self {
        Self {
            full,
            without_person: None,
        }
    }
}

impl From<&str> for Told {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// All of it: where it stands in an error, that is for the operator too.
impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}
