//! Every URL that is not ours: from the `Authorization` header to an `AuthSession`, or a challenge.
//!
//! Order: the header is read (`credentials`), the local cache is asked ([`crate::session`]; nothing is awaited
//! so far), then the token is verified and its grant looked up (`check`). Only the header counts:
//! never the query, never the body (RFC 6750 sections 2.2 and 2.3 are not served).

mod check;
pub(crate) mod cors;
mod credentials;

pub(crate) use check::{cached, check, tell};
pub(crate) use credentials::{Credentials, credentials};
