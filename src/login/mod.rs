//! One person in one browser: from the authorization request to the provider's callback, and who
//! they turn out to be.
//!
//! Nothing of a login in progress is stored: it lives sealed in the browser's cookies.

mod absent;
mod account;
pub(crate) mod admission;
mod approvals;
mod arrival;
pub(crate) mod choice;
mod claim;
mod completion;
mod cookies;
pub(crate) mod departure;
mod outcome;
mod packed;
mod progress;
pub(crate) mod request;
mod request_words;
mod returned;
mod stamp;
mod wishes;

pub(crate) use absent::{Absent, absent};
pub(crate) use account::{Account, AccountName};
pub(crate) use arrival::Arrivals;
pub(crate) use claim::Claims;
pub(crate) use completion::Completion;
pub(crate) use cookies::{CookieKeys, Cookies};
pub(crate) use outcome::{Granted, LoginError, NotNow, Outcome};
pub(crate) use progress::{AuthorizationRequest, Login, RequestedLogin, Start};
pub(crate) use returned::{NoCode, Returned};
pub(crate) use wishes::{WishError, Wishes};
