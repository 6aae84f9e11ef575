//! The kinds of clients, one file each: where a client of this kind comes from, and what its id means.

mod configured;
mod signed;

pub(super) use configured::MAX_SECRET_BYTES;
pub use configured::StaticClient;
pub(super) use signed::MAX_CLIENT_ID;
pub(crate) use signed::{TooLarge, derive_secret, open, seal, verify_secret};
