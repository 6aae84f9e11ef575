//! Checking the provider's own access tokens, where clients hold those.
//!
//! - [`TokenVerifier`]: what a verifier is, what it is asked and what it answers.
//! - [`VerifierContext`]: what the layer lends to it.
//! - [`JwksVerifier`]: tokens that are JWTs, by their issuer's keys. `payload`: which JWT is an access token, and
//!   what its claims say.

mod context;
mod jwks;
mod payload;
mod token_verifier;
mod verdicts;

pub use context::VerifierContext;
pub use jwks::JwksVerifier;
pub use token_verifier::{TokenVerifier, VerifiedToken, VerifyError, VerifyFuture, VerifyRequest};
