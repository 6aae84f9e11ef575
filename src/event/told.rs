//! Words for the operator.

use std::fmt;

use crate::limits::MAX_QUOTED_CODES;

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

    /// Words of ours, and then another server's, which may name a person. Without them its codes are left: `AB1234`.
    pub(crate) fn quoting(ours: impl fmt::Display, said: Option<&str>) -> Self {
        let ours = ours.to_string();
        let Some(said) = said.filter(|said| !said.is_empty()) else {
            return ours.into();
        };
        let codes: Vec<&str> = said.split(|c: char| !c.is_alphanumeric()).collect();
        let codes = codes.into_iter().filter(|word| is_code(word));
        let codes: Vec<&str> = codes.take(MAX_QUOTED_CODES).collect();
        let full = format!("{ours}: {said}");
        match codes.is_empty() {
            true => Self::of_person(full, ours),
            false => Self::of_person(full, format!("{ours}: {}", codes.join(" "))),
        }
    }

    /// The same after other words: of the person, and without.
    #[must_use]
    pub(crate) fn after(self, of_person: &str, without: &str) -> Self {
        let short = self.without_person.as_ref().unwrap_or(&self.full);
        Self::of_person(
            format!("{of_person}{}", self.full),
            format!("{without}{short}"),
        )
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

/// Letters, then digits, and nothing else: what support asks for, and no name of a person.
fn is_code(word: &str) -> bool {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let letters = word.len() - digits.len();
    (2..=8).contains(&letters)
        && (3..=8).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_anothers_words_the_codes_are_left() {
        let said =
            "AADSTS50105: the user 'eve@evil.example' (EVE1, E12345, X99999999999) is blocked.";
        let told = Told::quoting("the provider said access_denied", Some(said));
        assert_eq!(
            told.to_string(),
            format!("the provider said access_denied: {said}")
        );
        assert_eq!(
            told.without_person.unwrap(),
            "the provider said access_denied: AADSTS50105"
        );
        for silence in [None, Some("")] {
            assert_eq!(Told::quoting("no", silence), Told::from("no"));
        }
    }

    #[test]
    fn words_around_stand_around_both() {
        let told = Told::of_person("has [hr]", "has no group")
            .after("ada ", "they ")
            .and("; so");
        assert_eq!(told.to_string(), "ada has [hr]; so");
        assert_eq!(
            told.without_person.as_deref(),
            Some("they has no group; so")
        );
        let same = Told::from("left").after("ada ", "they ");
        assert_eq!(same.without_person.as_deref(), Some("they left"));
    }
}
