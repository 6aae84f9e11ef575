//! What the gateway costs: streams that last, and requests beside nginx.
//!
//! ```text
//! cargo build --release -p tower-oauth-gateway
//! GATEWAY=$PWD/target/release/tower-oauth-gateway cargo bench --profile dev -p tower-oauth-gateway --bench load
//! ```
//!
//! `STREAMS=1000 SECONDS=60` is how many streams of events for how long, with an event each second; in the middle the
//! server behind is killed and comes back. `REQUESTS=4000` is how many requests each proxy gets in a round, over
//! `CONNECTIONS=16`. What is told is the CPU time and memory of the proxy's process alone, from `/proc`, so that clients
//! and servers, which share the machine, do not count. Without `nginx` its rows are left out. `benches/README.md` has
//! the figures of a run.

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
    let requests = number("REQUESTS", 4000);
    if requests > 0 {
        requests::run(requests, number("CONNECTIONS", 16)).await;
    }
    let streams = number("STREAMS", 1000);
    if streams > 0 {
        streams::run(streams, number("SECONDS", 60)).await;
    }
}
