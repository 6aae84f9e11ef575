//! One person in one browser: from the authorization request to the provider's callback, and who
//! they turn out to be.
//!
//! Nothing of a login in progress is stored: it lives sealed in the browser's cookies.

pub(crate) mod admission;
mod approvals;
mod arrival;
mod claim;
mod cookies;
pub(crate) mod departure;
mod progress;
pub(crate) mod request;
mod returned;
mod room;
mod wishes;

pub(crate) use arrival::{Arrivals, Outcome};
pub(crate) use claim::{Claimed, Claims};
pub(crate) use cookies::{CookieKeys, Cookies};
pub(crate) use progress::{AuthorizationRequest, Login, RequestedLogin};
pub(crate) use returned::{Returned, Said};
pub(crate) use wishes::{WishError, Wishes};
