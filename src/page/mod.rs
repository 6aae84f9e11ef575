//! The HTML that a person sees, all its words, and the headers that guard it. Every value is escaped
//! by the template; there are no scripts.

mod account;
mod consent;
mod document;
mod frame;
mod provider;
mod words;

pub(crate) use account::YourAccount;
pub(crate) use consent::{ConsentPage, Trust};
pub(crate) use document::{Failure, Page};
pub(crate) use frame::headers;
pub(crate) use provider::{ProviderOption, ProviderPage};
pub(crate) use words::Situation;
