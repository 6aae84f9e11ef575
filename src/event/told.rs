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

    /// The same with another server's error code, as it is `shown` after our words. What is no code is more of its
    /// words: some servers have only a sentence to give.
    pub(crate) fn quoting_error(
        ours: impl fmt::Display,
        (error, shown): (&str, impl fmt::Display),
        said: Option<&str>,
    ) -> Self {
        if is_word(error) {
            return Self::quoting(format_args!("{ours}{shown}"), said);
        }
        let said = said.filter(|said| !said.is_empty());
        let said = said.map_or_else(|| error.to_owned(), |said| format!("{error}: {said}"));
        Self::quoting(ours, Some(&said))
    }

    /// Words of ours, and then another server's, which may name a person. Without them the codes are left that its
    /// support asks for: `AADSTS50105`.
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

/// What begins the codes of servers that write them into their sentences: Microsoft Entra's, and those of its
/// guests. Not any letters with digits: accounts of people are named so too (`AB12345`).
const CODES: &[&str] = &["AADSTS", "AADB2C"];

fn is_code(word: &str) -> bool {
    let digits = CODES.iter().find_map(|begin| word.strip_prefix(begin));
    digits.is_some_and(|digits| {
        (2..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// RFC 6749 section 4.1.2.1 has an `error` be "A single ASCII \[USASCII\] error code": here without what addresses
/// and names are written with.
fn is_word(error: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
    !error.is_empty() && error.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_anothers_words_the_codes_are_left() {
        let said = "AADSTS50105: the user 'eve@evil.example' (EVE1, E12345, EV12345, X99999999999) is blocked.";
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
    fn an_error_that_is_no_code_is_the_other_servers_words_too() {
        let told = |error: &str, said| {
            let shown = format!(" with `{error}`");
            Told::quoting_error("it refused", (error, shown), said)
        };
        let code = told("invalid_grant", Some("Eve Evil left"));
        let (full, short) = (code.to_string(), code.without_person);
        assert_eq!(full, "it refused with `invalid_grant`: Eve Evil left");
        assert_eq!(short.as_deref(), Some("it refused with `invalid_grant`"));
        for (sentence, said) in [
            ("Eve Evil is blocked", None),
            ("Eve Evil is blocked", Some("since May")),
            ("eve@evil", Some("")),
            ("", Some("Eve")),
        ] {
            let told = told(sentence, said);
            assert!(told.to_string().contains(sentence), "{told}");
            assert_eq!(told.without_person.as_deref(), Some("it refused"));
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
