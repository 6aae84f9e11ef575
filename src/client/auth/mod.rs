//! How a client authenticates: which methods it may use, what it presents, and whether that is right.
//! One file for each way to prove it; `secret` is the only one so far.

mod method;
mod presented;
mod secret;

pub(crate) use method::AuthRule;
pub use method::ClientAuthMethod;
pub(crate) use presented::Presented;
pub(in crate::client) use presented::Proof;
pub(crate) use secret::is_basic;
pub(in crate::client) use secret::{DerivedSecrets, is_same};
