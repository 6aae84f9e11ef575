//! What every page needs besides its own content.

#[cfg(test)]
use super::look::Brand;
use super::{language::Language, look::Look, words::Words};
#[cfg(test)]
use crate::oauth::BaseUrl;
use crate::time::Unix;

/// In whose name a page speaks, in which language, and how its visit is found again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stage<'a> {
    pub(crate) look: &'a Look,
    pub(crate) language: &'a Language,
    /// Names the page in the events too.
    pub(crate) id: &'a str,
    /// When it was made.
    pub(crate) at: Unix,
}

impl<'a> Stage<'a> {
    pub(crate) fn words(&self) -> &'a Words {
        self.language.words()
    }

    /// The name of the service as a value of texts.
    pub(crate) fn service(&self) -> [(&'static str, &'a str); 1] {
        [("service", &self.look.service)]
    }
}

/// For the tests of pages: English, `K7`, a Wednesday in 2027.
#[cfg(test)]
pub(super) fn staged<T>(service: &str, show: impl FnOnce(&Stage<'_>) -> T) -> T {
    staged_with(service, Brand::default(), show)
}

/// The same with what an operator says of the pages.
#[cfg(test)]
pub(super) fn staged_with<T>(service: &str, brand: Brand, show: impl FnOnce(&Stage<'_>) -> T) -> T {
    let base = BaseUrl::parse("https://notes.example").unwrap();
    let look = Look::new(Some(service), &base, brand);
    let language = Language::new("en", Words::english());
    show(&Stage {
        look: &look,
        language: &language,
        id: "K7",
        at: Unix::at(1_814_358_896),
    })
}
