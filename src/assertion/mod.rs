//! Assertions: JWTs that a client or an issuer signs for one request here (RFC 7521, RFC 7523). Who signed
//! it, and with which keys, is for the room that asked.
//!
//! - [`OneUse`]: what an assertion says of its own use, checked: for us, now, once
//! - [`JwtGrant`]: what one says that is brought as an authorization grant
//! - [`UsedAssertions`]: the ones that were used, remembered in the store until they end

mod checks;
mod jwt_grant;
mod used;

pub(crate) use checks::{AssertionFault, OneUse};
pub(crate) use jwt_grant::{GrantKind, JwtGrant};
pub(crate) use used::{UseMark, UsedAssertions};
