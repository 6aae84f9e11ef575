//! Every URL that is not ours: from the `Authorization` header to an `AuthSession`, or a challenge.
//!
//! Order: the header is read (`credentials`), then the local cache is asked ([`crate::session`]), then
//! the sources in their order (`source`), each of which may have to ask the store or a verifier. What
//! holds for every token, whatever its source, is asked last (`admit`). Nothing is awaited unless a
//! source has a question.
//!
//! Only the header counts: never the query, never the body (RFC 6750 sections 2.2 and 2.3 are not
//! served).

mod admit;
mod behind;
mod claimed_issuer;
mod credentials;
mod for_people;
mod introspection;
mod objection;
mod others_token;
mod source;
mod verdict;
mod vouched;
mod word;

pub(crate) use admit::{Asking, Caller, Decision, admit, stranger};
pub(crate) use credentials::{Credentials, credentials};
pub(crate) use introspection::{Active, NotActive, introspect};
