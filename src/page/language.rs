//! The languages that pages are there in, and which one a person reads.

use std::borrow::Cow;

use super::{
    language_tag::{is_right_to_left, lookup, preferred},
    words::{SHIPPED, Words},
};
use crate::limits::MAX_LOCALES;

/// One language of the pages.
#[derive(Debug, Clone)]
pub(crate) struct Language {
    tag: Cow<'static, str>,
    words: Words,
}

impl Language {
    pub(crate) fn new(tag: impl Into<Cow<'static, str>>, words: Words) -> Self {
        let tag = tag.into();
        Self { tag, words }
    }

    /// RFC 5646, such as `pt-BR`.
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    pub(crate) fn words(&self) -> &Words {
        &self.words
    }

    /// The value of HTML's `dir`.
    pub(crate) fn direction(&self) -> &'static str {
        match is_right_to_left(&self.tag) {
            true => "rtl",
            false => "ltr",
        }
    }
}

/// All of them. There is always one: the first, for people who read none of them.
#[derive(Debug, Clone)]
pub(crate) struct Languages {
    first: Language,
    further: Vec<Language>,
}

impl Default for Languages {
    /// Those that are shipped, English first.
    fn default() -> Self {
        let mut further = SHIPPED
            .iter()
            .map(|(tag, words)| Language::new(*tag, words()));
        Self {
            first: (further.next()).unwrap_or_else(|| Language::new("en", Words::english())),
            further: further.collect(),
        }
    }
}

impl IntoIterator for Languages {
    type Item = Language;
    type IntoIter = std::iter::Chain<std::iter::Once<Language>, std::vec::IntoIter<Language>>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::once(self.first).chain(self.further)
    }
}

impl Languages {
    /// `None` of no languages.
    pub(crate) fn new(languages: Vec<Language>) -> Option<Self> {
        let mut further = languages.into_iter();
        Some(Self {
            first: further.next()?,
            further: further.collect(),
        })
    }

    /// The language for a person whose app says `wished` (`ui_locales`) and whose browser says `accepted`
    /// (`Accept-Language`, one or more lines).
    ///
    /// The app is asked first: OpenID Connect Core section 3.1.2.1 has it name the person's "preferred languages
    /// and scripts for the user interface", and it may know better than a browser that somebody else set up.
    pub(crate) fn choose<'a>(
        &self,
        wished: Option<&str>,
        accepted: impl Iterator<Item = &'a str>,
    ) -> &Language {
        let tags: Vec<&str> = self.iter().map(Language::tag).collect();
        let wished = wished.filter(|tags| tags.len() <= MAX_LOCALES);
        let wished = wished.into_iter().flat_map(|tags| tags.split(' '));
        let found = wished
            .chain(preferred(accepted))
            .find_map(|range| lookup(&tags, range));
        found
            .and_then(|found| self.iter().find(|language| language.tag() == found))
            .unwrap_or(&self.first)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Language> {
        std::iter::once(&self.first).chain(&self.further)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(wished: Option<&str>, accepted: &[&str]) -> String {
        let languages = Languages::default();
        let language = languages.choose(wished, accepted.iter().copied());
        language.tag().to_owned()
    }

    #[test]
    fn the_app_is_asked_before_the_browser() {
        assert_eq!(chosen(Some("fr-CA fr en"), &["de"]), "fr");
        assert_eq!(chosen(Some("pl ja"), &["de"]), "ja");
        // It names none that is there.
        assert_eq!(chosen(Some("pl"), &["de"]), "de");
        assert_eq!(chosen(Some(""), &["de"]), "de");
        assert_eq!(chosen(None, &["pl, ar;q=0.5", "es;q=0.8"]), "es");
    }

    #[test]
    fn whoever_reads_none_of_them_gets_the_first() {
        for accepted in [&[][..], &["*"], &["pl"], &["de;q=0"], &[""], &["\u{0}"]] {
            assert_eq!(chosen(None, accepted), "en", "{accepted:?}");
        }
        let others = vec![
            Language::new("cy", Words::english()),
            Language::new("de", Words::german()),
        ];
        let others = Languages::new(others).unwrap();
        assert_eq!(others.choose(Some("pl"), ["it"].into_iter()).tag(), "cy");
        assert_eq!(
            others.choose(None, ["en, de;q=0.1"].into_iter()).tag(),
            "de"
        );
    }

    #[test]
    fn too_long_a_wish_is_none() {
        let wish = format!("{} fr", "pl ".repeat(34));
        assert_eq!(chosen(Some(&wish), &["de"]), "de");
    }

    #[test]
    fn arabic_runs_from_right_to_left() {
        let languages = Languages::default();
        let direction = |tag| languages.choose(Some(tag), std::iter::empty()).direction();
        assert_eq!((direction("ar-EG"), direction("de")), ("rtl", "ltr"));
    }
}
