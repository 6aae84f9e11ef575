//! One person in one browser: from the authorization request to the provider's callback, and who
//! they turn out to be.
//!
//! Nothing of a login in progress is stored: it lives sealed in the browser's cookies.

mod approvals;
mod arrival;
mod cookies;
mod github;
mod id_token;
mod identity;
mod source;
pub(crate) mod transaction;

pub(crate) use arrival::{Arrivals, Outcome};
pub(crate) use cookies::{CookieKeys, Cookies};
pub(crate) use id_token::{Expected, IdTokenError, check as check_id_token, subject as subject_of};
pub use identity::Identity;
pub(crate) use identity::domain_of;
pub(crate) use source::IdentityError;
