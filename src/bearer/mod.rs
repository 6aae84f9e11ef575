//! Every URL that is not ours: from the `Authorization` header to an `AuthSession`, or a challenge.
//!
//! Order: the header is read (`credentials`), the local cache is asked ([`crate::session`]), the token
//! is verified (`admit`; nothing is awaited so far), then its grant is looked up (`source::own`) or the
//! operator's verifier asked (`source::upstream`). Only the header counts: never the query, never the body
//! (RFC 6750 sections 2.2 and 2.3 are not served).

mod admit;
mod credentials;
mod objection;
mod source;

pub(crate) use admit::{Check, check, malformed, no_credentials};
pub(crate) use credentials::{Credentials, credentials};
