//! The HTML that a person sees. Every value is escaped by the template; there are no scripts.

mod consent;
mod frame;

pub(crate) use consent::{ConsentPage, Trust, consent};
pub(crate) use frame::message;
