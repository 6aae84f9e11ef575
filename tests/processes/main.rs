//! Several operating system processes of the `custom_provider` example behind one base URL, on one
//! store: any of them serves any step, and killing them, stopping the store or rotating keys logs
//! nobody out.
//!
//! Needs `redis-server` and `redis-cli` (Debian: `apt-get install redis-server`) and PostgreSQL's server
//! (`apt-get install postgresql`), and starts its own on free loopback ports; builds the example itself:
//!
//! ```sh
//! cargo test --features sqlite,redis,postgres,storage-contract --test processes
//! ```
//!
//! `SEED` repeats a storm's choices (each prints its own), `STORM_SECONDS` makes it longer. When a
//! test fails, the logs of its processes stay where it says.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests"
)]

mod assertions;
mod at_rest;
mod crowd;
mod fleet;
mod front;
mod journey;
mod mistakes;
mod outage;
mod renewal;
mod rotation;
mod stopping;
mod storm;
mod world;
