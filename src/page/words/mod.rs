//! Every word that a person reads on a page, in each language that is shipped.
//!
//! [`Words`] is one language: a text for each field, and the values that a text may hold are named in
//! braces. What a stranger says (an app's name, a provider's error) is no value of any text: it stands in a
//! place of its own. So no language has to bend a name, and no name can bend a sentence.

mod arabic;
mod english;
mod fill;
mod french;
mod german;
mod japanese;
mod shipped;
mod situation;
mod spanish;
mod texts;

pub(super) use fill::{fill, fill_title};
pub(super) use shipped::SHIPPED;
pub(crate) use situation::Situation;
pub use texts::Words;

#[cfg(test)]
mod tests;
