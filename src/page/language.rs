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

/// All of them. There is always one: the first, for whoever reads none.
#[derive(Debug, Clone)]
pub(crate) struct Languages {
    first: Language,
    further: Vec<Language>,
}

impl Default for Languages {
    /// English, and the others that are shipped.
    fn default() -> Self {
        let shipped = SHIPPED.iter();
        Self {
            first: Language::new("en", Words::english()),
            further: shipped
                .filter(|(tag, _)| *tag != "en")
                .map(|(tag, words)| Language::new(*tag, words()))
                .collect(),
        }
    }
}

impl Languages {
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
