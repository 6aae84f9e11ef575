//! The HTML that a person sees, all its words in each language, and the headers that guard it. Every value is escaped
//! by the template; there are no scripts.

mod account;
mod consent;
mod document;
mod for_apps;
mod frame;
mod language;
mod language_tag;
mod look;
mod provider;
mod stage;
mod words;

pub(crate) use account::YourAccount;
pub(crate) use consent::{ConsentPage, Target, Trust};
pub(crate) use document::{Failure, Page};
pub(crate) use for_apps::ForApps;
pub(crate) use frame::headers;
pub(crate) use language::{Language, Languages};
pub(crate) use language_tag::is_tag;
pub(crate) use look::Look;
pub(crate) use provider::{ProviderOption, ProviderPage};
pub(crate) use stage::Stage;
pub(crate) use words::Situation;
pub use words::Words;
