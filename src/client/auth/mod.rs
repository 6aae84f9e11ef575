//! How a client authenticates: which methods it may use, what it presents, and whether that is right.
//! One file for each way to prove it: `secret`, and `key_proof` for an assertion that a key of the client's
//! signed.

mod key_proof;
mod keys;
mod method;
mod own_secret;
mod presented;
mod public_keys;
mod secret;

pub(crate) use key_proof::{KeyFault, KeyProofs};
pub(crate) use keys::ClientKeys;
pub(crate) use method::AuthRule;
pub use method::ClientAuthMethod;
pub(in crate::client) use own_secret::OwnSecret;
pub(crate) use presented::Presented;
pub(in crate::client) use presented::Proof;
pub use public_keys::PublicKeys;
pub(in crate::client) use secret::DerivedSecrets;
pub(crate) use secret::is_basic;
