//! What the gateway costs: streams that last, and requests beside nginx.
//!
//! ```text
//! cargo build --release -p tower-oauth-gateway
//! GATEWAY=target/release/tower-oauth-gateway cargo bench --profile dev -p tower-oauth-gateway --bench load
//! ```
//!
//! `STREAMS=1000 SECONDS=60` is how many streams of events for how long, with an event each second; in the middle the
//! server behind is killed and comes back. `REQUESTS=20000` is how many requests over 8 connections. What is told is
//! the CPU time and memory of the proxy's process alone, from `/proc`, so that clients and servers, which share the
//! machine, do not count. Without `nginx` its rows are left out.

#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench"
)]

#[path = "../../tests/gateway/behind.rs"]
mod behind;
#[path = "../../tests/gateway/kit.rs"]
mod kit;
mod nginx;
mod process;
mod requests;
mod streams;

fn number(name: &str, usual: usize) -> usize {
    let said = std::env::var(name).ok();
    said.map_or(usual, |said| said.parse().expect(name))
}

#[tokio::main]
async fn main() {
    requests::run(number("REQUESTS", 20_000)).await;
    streams::run(number("STREAMS", 1000), number("SECONDS", 60)).await;
}
