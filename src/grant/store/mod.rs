//! The grants of one proxy: their records in the store, and the lists that they stand in.
//!
//! A grant is looked at, or loaded to be changed; who loads it gets a [`Seen`](crate::vault::Seen), and
//! a change is written only over exactly that. A write that the store did not answer may have happened.
//! It is looked up, and where that is not answered either the grant is **in doubt**: the step is taken
//! back in the background, and until then no one can load the grant. All of that happens in here, so
//! that no caller can forget it.

mod grants;
mod index;
mod undo;
mod whose;

pub(crate) use grants::{Grants, SeenGrant};
pub(crate) use index::{Listed, Owner};
