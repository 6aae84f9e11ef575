//! One person in one browser: who they are.

mod github;
mod id_token;
mod identity;
mod source;

pub use identity::Identity;
pub(crate) use source::IdentityError;
