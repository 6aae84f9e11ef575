//! The kinds of clients, one file each: where such a client comes from, and what its id means.

mod configured;
mod machine;
mod signed;

pub(super) use configured::ConfiguredClients;
pub use configured::StaticClient;
pub(crate) use machine::Machine;
pub(super) use signed::{SignedClients, TooLarge};
