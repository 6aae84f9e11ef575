//! One person in one browser: who they are.

mod id_token;
mod identity;

pub use identity::Identity;
pub(crate) use identity::IdentityError;
