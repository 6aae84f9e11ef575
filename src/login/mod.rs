//! One person in one browser: from the authorization request to the provider's callback, and who
//! they turn out to be.
//!
//! Nothing of a login in progress is stored: it lives sealed in the browser's cookies.

mod approvals;
mod arrival;
mod claim;
mod cookies;
mod github;
mod id_token;
mod identity;
mod returned;
mod room;
mod source;
pub(crate) mod transaction;
mod wishes;

pub(crate) use arrival::{Arrivals, Outcome};
pub(crate) use claim::{Claimed, Claims};
pub(crate) use cookies::{CookieKeys, Cookies};
pub(crate) use id_token::{Expected, IdTokenError, check as check_id_token, subject as subject_of};
pub use identity::Identity;
pub(crate) use identity::domain_of;
pub(crate) use returned::{Returned, Said};
pub(crate) use source::IdentityError;
pub use wishes::PassOn;
pub(crate) use wishes::{WishError, Wishes};
