//! The layer around every kind of service that people put it on, over real sockets.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod bodies;
mod busy;
#[cfg(feature = "axum")]
mod extractor;
mod guards;
mod inside;
mod made_sessions;
mod mcp_lists;
mod mcp_memory;
mod mcp_readers;
mod mcp_rules;
mod mcp_rules_sockets;
mod on_behalf;
mod placement;
mod public_types;
mod ready;
mod servers;
mod session;
mod stacks;
mod streams;
mod upstream;
