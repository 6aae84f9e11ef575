//! How much this process takes on in a minute, where the operator says so: fuses for a server that the whole
//! internet reaches.
//!
//! `bucket` is the rule, a plain function of numbers. `quotas` keeps the buckets of one proxy: one for each limit,
//! and for token requests one for each holder. Nothing is written to the store: each process counts for itself, and
//! a restart begins anew.

mod bucket;
mod limit;
mod quotas;

pub(crate) use bucket::MOST_PER_MINUTE;
pub(crate) use limit::{Allowed, Limit, Over};
pub(crate) use quotas::{Holder, Quotas};
