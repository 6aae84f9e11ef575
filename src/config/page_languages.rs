//! The languages of the pages, from what is shipped and what the operator said.

use crate::{
    error::ConfigError,
    limits::{MAX_LANGUAGES, MAX_PAGE_TEXT},
    oauth::{is_blank, printable},
    page::{Language, Languages, Words, is_tag},
};

/// What the operator said of them.
#[derive(Default)]
pub(crate) struct SaidLanguages {
    /// Words of a language that is not shipped, or other words.
    pub(crate) words: Vec<(String, Words)>,
    /// The languages to have, where it is not all.
    pub(crate) only: Option<Vec<String>>,
}

impl SaidLanguages {
    /// The languages that are left, the one first that people get who read none of them.
    pub(super) fn checked(self) -> Result<Languages, ConfigError> {
        let refuse = |why: String| Err(ConfigError::new("page_words", why));
        let mut all: Vec<_> = Languages::default().into_iter().collect();
        let mut given: Vec<String> = Vec::new();
        for (tag, words) in self.words {
            check_tag("page_words", &tag)?;
            if given.iter().any(|other| other.eq_ignore_ascii_case(&tag)) {
                return refuse(format!("`{tag}` is given twice: give its words once"));
            }
            check_words(&tag, &words)?;
            given.push(tag.clone());
            match all
                .iter_mut()
                .find(|other| other.tag().eq_ignore_ascii_case(&tag))
            {
                Some(shipped) => *shipped = Language::new(tag, words),
                None => all.push(Language::new(tag, words)),
            }
        }
        if all.len() > MAX_LANGUAGES {
            return refuse(format!(
                "more than {MAX_LANGUAGES} languages with those that are shipped"
            ));
        }
        let Some(only) = self.only else {
            return Ok(Languages::new(all).unwrap_or_default());
        };
        let refuse = |why: String| Err(ConfigError::new("page_languages", why));
        let mut left: Vec<Language> = Vec::new();
        for tag in only {
            check_tag("page_languages", &tag)?;
            let is_it = |language: &Language| language.tag().eq_ignore_ascii_case(&tag);
            if left.iter().any(is_it) {
                return refuse(format!("`{tag}` is given twice"));
            }
            let Some(at) = all.iter().position(is_it) else {
                let known: Vec<_> = all.iter().map(Language::tag).collect();
                let known = known.join(", ");
                return refuse(format!(
                    "there are no words for `{tag}`: give them by `page_words`, or take of {known}"
                ));
            };
            left.push(all.swap_remove(at));
        }
        match Languages::new(left) {
            Some(languages) => Ok(languages),
            None => refuse("is empty: pages need a language".to_owned()),
        }
    }
}

fn check_tag(option: &'static str, tag: &str) -> Result<(), ConfigError> {
    if is_tag(tag) {
        return Ok(());
    }
    let shown = printable(tag, MAX_PAGE_TEXT);
    let why = format!("`{shown}` is no language tag (RFC 5646) such as `de` or `pt-BR`");
    Err(ConfigError::new(option, why))
}

/// Texts that a person can read, and no value that a text does not get: a slip would stand on the page.
fn check_words(tag: &str, words: &Words) -> Result<(), ConfigError> {
    for (name, values, text) in words.texts() {
        let refuse = |why: &str| {
            let start = printable(text, 60);
            let why = format!("the text `{name}` of `{tag}` {why}: {start:?}");
            Err(ConfigError::new("page_words", why))
        };
        if is_blank(text) {
            return refuse("is empty");
        }
        if text.chars().count() > MAX_PAGE_TEXT {
            return refuse(&format!("is longer than {MAX_PAGE_TEXT} characters"));
        }
        // ZERO WIDTH NON-JOINER and JOINER: Persian, Urdu and the scripts of India are written with them.
        let without_joiners = text.replace(['\u{200c}', '\u{200d}'], "");
        if printable(&without_joiners, MAX_PAGE_TEXT) != without_joiners {
            return refuse("holds a control, direction or invisible character");
        }
        let rest = (values.iter()).fold(text.to_owned(), |rest, value| {
            rest.replace(&format!("{{{value}}}"), "")
        });
        if rest.contains(['{', '}']) {
            let known: Vec<_> = values.iter().map(|value| format!("{{{value}}}")).collect();
            return match known.is_empty() {
                true => refuse("holds a brace, and no value is put into it"),
                false => refuse(&format!(
                    "holds a brace that is not of {}",
                    known.join(", ")
                )),
            };
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(words: &[(&str, Words)], only: Option<&[&str]>) -> Result<Vec<String>, String> {
        let said = SaidLanguages {
            words: words
                .iter()
                .map(|(tag, words)| ((*tag).to_owned(), words.clone()))
                .collect(),
            only: only.map(|tags| tags.iter().map(|tag| (*tag).to_owned()).collect()),
        };
        let checked = said.checked().map_err(|error| error.to_string())?;
        Ok(checked
            .into_iter()
            .map(|language| language.tag().to_owned())
            .collect())
    }

    fn with(change: impl FnOnce(&mut Words)) -> Words {
        let mut words = Words::english();
        change(&mut words);
        words
    }

    #[test]
    fn words_are_added_to_those_that_are_shipped_or_take_their_place() {
        let shipped = ["en", "de", "fr", "es", "ja", "ar"];
        assert_eq!(checked(&[], None).unwrap(), shipped);
        let added = checked(&[("pt-BR", Words::english())], None).unwrap();
        assert_eq!(added, [&shipped[..], &["pt-BR"]].concat());
        let replaced = checked(&[("DE", Words::english())], None).unwrap();
        assert_eq!(replaced, ["en", "DE", "fr", "es", "ja", "ar"]);
    }

    #[test]
    fn the_first_of_those_that_are_wanted_is_for_people_who_read_none() {
        let tags = checked(&[("cy", Words::english())], Some(&["cy", "EN"])).unwrap();
        assert_eq!(tags, ["cy", "en"]);
    }

    #[test]
    fn a_language_without_words_a_second_and_none_are_refused() {
        for (words, only, says) in [
            (&["x"][..], None, "`x` is no language tag"),
            (&["", "de"], None, "`` is no language tag"),
            (&["pt_BR"], None, "`pt_BR` is no language tag"),
            (&["cy", "CY"], None, "`CY` is given twice"),
            (
                &[],
                Some(&["cy"][..]),
                "no words for `cy`: give them by `page_words`, or take of en, de",
            ),
            (&[], Some(&["de", "DE"]), "`DE` is given twice"),
            (&[], Some(&["d e"]), "`d e` is no language tag"),
            (&[], Some(&[]), "is empty"),
        ] {
            let words: Vec<_> = words.iter().map(|tag| (*tag, Words::english())).collect();
            let why = checked(&words, only).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
        let tags: Vec<String> = (0..60).map(|n| format!("de-{n:04}")).collect();
        let many: Vec<_> = tags
            .iter()
            .map(|tag| (tag.as_str(), Words::english()))
            .collect();
        let why = checked(&many, None).unwrap_err();
        assert!(why.contains("more than 64"), "{why}");
    }

    #[test]
    fn a_text_that_people_could_not_read_is_refused_by_its_name() {
        for (text, says) in [
            ("", "the text `deny` of `cy` is empty"),
            (" \u{a0}", "is empty"),
            ("N\u{202e}o", "control, direction or invisible"),
            ("No\n", "control, direction or invisible"),
            (
                "No, {service}",
                "`deny` of `cy` holds a brace, and no value is put into it",
            ),
        ] {
            let words = with(|words| words.deny = text.into());
            let why = checked(&[("cy", words)], None).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
        let long = with(|words| words.deny = "x".repeat(601).into());
        let why = checked(&[("cy", long)], None).unwrap_err();
        assert!(why.contains("longer than 600"), "{why}");
        for text in ["{Service}", "{service", "{{service}}", "{provider}"] {
            let words = with(|words| words.log_in_to = text.into());
            let why = checked(&[("cy", words)], None).unwrap_err();
            assert!(why.contains("not of {service}"), "{why}");
        }
        // A value may be left out, and Persian is written with an invisible sign.
        let words = with(|words| {
            words.log_in_to = "Mewngofnodi".into();
            words.deny = "نمی\u{200c}خواهم".into();
        });
        assert!(checked(&[("fa", words)], None).is_ok());
    }
}
