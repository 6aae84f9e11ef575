//! JSON Object Signing and Encryption: the one decoder of JWTs that others made, the keys that vouch for them,
//! and our own signatures.
//!
//! - `compact`: the compact form, taken apart. A token that no key vouches for counts only by where it came
//!   from.
//! - [`KeySet`]: an issuer's public keys; [`KeySet::verify`] is the one door of signatures. `header` says what
//!   a token asks for, `algorithm` which key fits, `public_key` what a key is.
//! - [`PackedKeys`]: a few public keys in few bytes, for where a set has to travel.
//! - [`ClaimRules`]: what the claims of a verified token must say.
//! - [`SigningKey`]: a private key out of a PEM text (`pem`, `key_pair`), which signs for us; [`PublishedKey`]:
//!   its public part (`public_part`), as others find it in our key set, and as we verify by it ourselves;
//!   `known_keys`: those that anyone has.
//!
//! The proxy's own access tokens are not read here. Their header is compared byte for byte, and
//! nothing of them is decoded before their signature is known to be ours (`token::jwt`).

mod algorithm;
mod claim_rules;
mod compact;
mod der;
mod header;
mod key_error;
mod key_pair;
mod key_set;
mod known_keys;
mod packed_keys;
mod pem;
mod public_key;
mod public_part;
mod published_key;
mod signature_error;
mod signing_key;

pub(crate) use algorithm::Algorithm;
#[cfg(test)]
pub(crate) use claim_rules::ClaimError;
pub(crate) use claim_rules::{ClaimRules, numeric_date};
pub(crate) use compact::{Jwt, decode, unverified_claims};
pub(crate) use header::has_type;
pub(crate) use key_error::KeyError;
pub(crate) use key_set::KeySet;
pub(crate) use packed_keys::PackedKeys;
pub(crate) use published_key::PublishedKey;
pub(crate) use signature_error::SignatureError;
pub(crate) use signing_key::SigningKey;
