//! The kinds of clients, one file each: where a client of this kind comes from, and what its id means.

mod configured;
mod signed;

pub use configured::StaticClient;
pub(crate) use signed::{TooLarge, derive_secret, open, seal, verify_secret};
