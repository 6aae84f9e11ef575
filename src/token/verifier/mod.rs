//! Checking the provider's own access tokens, where clients hold those.
//!
//! - [`TokenVerifier`]: what a verifier is, what it is asked and what it answers.
//! - [`VerifierContext`]: what the layer lends to it.
//! - [`JwksVerifier`]: tokens that are JWTs, by their issuer's keys. `payload`: which JWT is an access token, and
//!   what its claims say.
//! - [`IntrospectionVerifier`]: any token, by asking its issuer. `introspection_proof`: who asks, and what;
//!   `introspection_answer`: what the answer means.
//! - [`UserInfoVerifier`]: any token, by using it at its provider.
//! - `verdicts`: the answers that are kept; `for_us`: whom a token is for.

mod connection;
mod context;
mod for_us;
mod introspection;
mod introspection_answer;
mod introspection_proof;
mod jwks;
mod payload;
mod token_verifier;
mod userinfo;
mod verdicts;

pub use context::VerifierContext;
pub use introspection::IntrospectionVerifier;
pub use jwks::JwksVerifier;
pub use token_verifier::{TokenVerifier, VerifiedToken, VerifyError, VerifyFuture, VerifyRequest};
pub use userinfo::UserInfoVerifier;
