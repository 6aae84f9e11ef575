//! The HTML that a person sees, all its words in each language, and the headers that guard it. Every value is escaped
//! by the template; there are no scripts.

mod account;
mod consent;
mod custom;
mod decision;
mod document;
mod for_apps;
mod frame;
#[cfg(test)]
#[path = "tests/gallery.rs"]
mod gallery;
mod icon;
mod language;
mod language_tag;
mod look;
mod parts;
mod provider;
mod scope_words;
mod signs;
mod stage;
mod theme;
mod words;

pub(crate) use account::YourAccount;
pub(crate) use consent::{ConsentPage, Target, Trust};
pub(crate) use custom::CustomPages;
pub use custom::{PageAccount, PageClient, PageContext, PageKind, PageScope};
pub(crate) use document::{Failure, Page};
pub(crate) use for_apps::ForApps;
pub(crate) use icon::Icon;
pub(crate) use language::{Language, Languages};
pub(crate) use language_tag::is_tag;
pub(crate) use look::{Brand, Look, PageLink};
pub(crate) use provider::{ProviderOption, ProviderPage};
pub(crate) use scope_words::{ScopeText, ScopeTexts};
pub(crate) use stage::Stage;
pub(crate) use theme::{Color, Theme};
pub(crate) use words::Situation;
pub use words::Words;
