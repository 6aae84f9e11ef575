//! Tokens for other APIs in a person's name: asked for once, shared by all who want them, kept for
//! their life, and never past the grant's.
//!
//! Nothing of them is stored: another process, or this one after a restart, asks again.

mod delegation;
mod flights;
mod kept;
mod token;

pub(crate) use delegation::{Delegation, DelegationParts, Holder};
pub use token::{ExchangedToken, TokenForError};
