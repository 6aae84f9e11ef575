//! What the benches share: processes, a provider that answers at once, people who log in, and
//! figures.

#![allow(dead_code, unreachable_pub, reason = "not every bench uses every part")]

pub(crate) mod child;
pub(crate) mod figures;
pub(crate) mod host;
pub(crate) mod login;
pub(crate) mod person;
pub(crate) mod provider;
pub(crate) mod records;
pub(crate) mod socket;
pub(crate) mod usage;
