//! The proxy's own tokens.
//!
//! - `jwt`: access tokens, made and checked here (RFC 9068, HS256).
//! - [`ClaimsPassthrough`]: which of the provider's claims they carry; `carried`: those claims, in
//!   records and sessions; `audience`: whose access token
//!   counts; `merge`: two answers about one person.
//! - [`TokenVerifier`]: checks the provider's tokens where clients hold those instead.

mod audience;
mod carried;
mod claims;
mod jwt;
mod merge;
mod roles;
mod verifier;

pub(crate) use audience::Audiences;
pub(crate) use carried::CarriedClaims;
pub use claims::ClaimsPassthrough;
pub(crate) use claims::decode_unverified;
pub(crate) use jwt::{AccessClaims, AccessTokens, TokenError};
pub(crate) use merge::merged;
pub(crate) use roles::roles;
pub use verifier::{TokenVerifier, VerifiedToken, VerifyError, VerifyFuture};
