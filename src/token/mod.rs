//! The proxy's own tokens.
//!
//! - `jwt`: access tokens, made and checked here (RFC 9068, HS256).
//! - [`ClaimsPassthrough`]: which of the provider's claims they carry.

mod claims;
mod jwt;

pub use claims::ClaimsPassthrough;
pub(crate) use claims::decode_unverified;
pub(crate) use jwt::{AccessClaims, AccessTokens, TokenError, VerifiedClaims};
