//! Checking the provider's own access tokens, where clients hold those.
//!
//! - [`TokenVerifier`]: what a verifier is, what it is asked and what it answers.
//! - [`VerifierContext`]: what the layer lends to it.

mod context;
mod token_verifier;
mod verdicts;

pub use context::VerifierContext;
pub use token_verifier::{TokenVerifier, VerifiedToken, VerifyError, VerifyFuture, VerifyRequest};
