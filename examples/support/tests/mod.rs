//! What the examples share: the server loop and its limits, and the configuration by environment.

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

mod connections;
mod environment;
mod files;
mod machines;
mod provider;
mod server;
mod stopping;
mod telling;
