//! One renewal of the provider's token, or one look at its person, by the one task that may ask for
//! it ([`run`]): [`wait`] for the lease, find out what is [`due`], the [`exchange`] at the provider,
//! [`save`] the answer, [`look`] at the person; what was [`refused`] decides about the grant.

mod due;
mod exchange;
mod lease;
mod lease_record;
mod look;
mod refused;
mod renewer;
mod run;
mod save;
mod task;
#[cfg(test)]
mod tests;
mod wait;

pub(super) use due::Due;
pub(crate) use due::Need;
pub(super) use renewer::Renewer;
pub(crate) use renewer::{FreshnessError, FreshnessParts, FreshnessSettings};
pub(super) use task::Renewal;
