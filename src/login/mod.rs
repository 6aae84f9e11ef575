//! One person in one browser: from the authorization request to the provider's callback.
//!
//! Nothing of it is stored: a login in progress lives sealed in the browser's cookies.

mod approvals;
mod cookies;
pub(crate) mod transaction;

pub(crate) use cookies::{CookieKeys, Cookies};
