//! The records of grants in the store, and the lists that they stand in.

pub(super) mod grants;
mod index;
mod undo;

pub(crate) use grants::{Grants, Loaded, OnDoubt, bounded, hashed_key};
pub(crate) use index::{Listed, Owner};
