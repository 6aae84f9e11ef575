//! Attacks and accidents: races, outages, leaks, growth, garbage. What a hostile or unlucky world
//! does to the proxy, and what must hold all the same.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod claims;
mod growth;
mod inputs;
mod leaks;
mod outages;
mod races;
mod renewals;
mod revocations;
mod support;
