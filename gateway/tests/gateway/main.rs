//! The gateway as a process, between clients and servers behind it, over real sockets.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests"
)]

mod behind;
mod crowd;
mod desync;
mod forwarding;
mod frames;
mod identity;
mod kit;
mod raw;
mod real_servers;
mod recorder;
mod rules;
mod smuggling;
mod stopping;
mod strangers;
mod streams;
mod tunnels;
