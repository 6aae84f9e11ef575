//! JSON Object Signing and Encryption: the one decoder of JWTs that others made.
//!
//! Reads the compact form and judges nothing: a token that no key vouches for counts only by where
//! it came from. Keys, key sets and signatures have their place beside it.
//!
//! The proxy's own access tokens are not read here. Their header is compared byte for byte, and
//! nothing of them is decoded before their MAC is known to be ours (`token::jwt`).

mod compact;

pub(crate) use compact::{Jwt, decode, unverified_claims};
