//! The proxy's own tokens.
//!
//! - `jwt`: access tokens, made and checked here (RFC 9068); `payload`: their claims as JSON; `signer`: what signs
//!   them and verifies the signature; [`TokenKey`], `token_keys`: the keys that others verify them by.
//! - [`ClaimsPassthrough`]: which of the provider's claims they carry; `carried`: those claims, in
//!   records and sessions; `audience`: whose access token counts.
//! - [`TokenVerifier`]: checks the provider's access tokens where clients hold those instead, with what
//!   [`VerifierContext`] lends to it;
//!   `passed_through`: the provider's refresh token, sealed for its client.

mod audience;
mod carried;
mod claims;
mod jwt;
mod passed_through;
mod payload;
mod roles;
mod signer;
mod token_key;
mod token_keys;
mod verifier;

pub(crate) use audience::Audiences;
pub(crate) use carried::CarriedClaims;
pub use claims::ClaimsPassthrough;
pub(crate) use claims::is_protected;
pub(crate) use jwt::{AccessClaims, AccessTokens, TokenError};
pub(crate) use passed_through::PassedThrough;
pub(crate) use roles::roles;
pub use token_key::TokenKey;
pub(crate) use token_keys::TokenKeys;
pub use verifier::{
    IntrospectionVerifier, JwksVerifier, TokenVerifier, UserInfoVerifier, VerifiedToken,
    VerifierContext, VerifyError, VerifyFuture, VerifyRequest,
};
