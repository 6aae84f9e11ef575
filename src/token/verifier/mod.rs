//! Checking the provider's own access tokens, where clients hold those.
//!
//! - [`TokenVerifier`]: what a verifier is, what it is asked and what it answers.

mod token_verifier;

pub use token_verifier::{TokenVerifier, VerifiedToken, VerifyError, VerifyFuture, VerifyRequest};
