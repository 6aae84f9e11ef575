//! Every URL that is not ours: from the `Authorization` header to an `AuthSession`, or a challenge.
//!
//! Order: the header is read (`credentials`), the local cache is asked ([`crate::session`]), the token
//! is verified (`check`; nothing is awaited so far), then its grant is looked up (`own`) or the
//! operator's verifier asked (`passthrough`). Only the header counts: never the query, never the body
//! (RFC 6750 sections 2.2 and 2.3 are not served).

mod check;
pub(crate) mod cors;
mod credentials;
mod own;
mod passthrough;
mod refusal;

pub(crate) use check::{Check, check, malformed, no_credentials};
pub(crate) use credentials::{Credentials, credentials};
