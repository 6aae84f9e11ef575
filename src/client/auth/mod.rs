//! How a client proves that it is the one: what it presents, and whether that is right.

mod presented;

pub(super) use presented::Proof;
pub(crate) use presented::{Presented, is_basic};
