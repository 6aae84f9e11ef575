//! The kinds of bearer token: one file each.

pub(super) mod own;
pub(super) mod upstream;
