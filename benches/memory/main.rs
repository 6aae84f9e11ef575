//! What the layer takes of memory, and how fast a process with it starts. `benches/README.md` says how
//! to read it.
//!
//! ```sh
//! cargo bench --bench memory
//! BENCH_STRANGERS=100000 cargo bench --bench memory # fewer than a million
//! ```
//!
//! Each figure is of a process of its own.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement"
)]

mod grants;
mod start;
mod strangers;

use std::time::{Duration, Instant};

use testkit::measure::{
    child, provider,
    records::{self, FILL_MEMORY},
};

/// A run takes about a minute and a half.
const LIMIT: Duration = Duration::from_secs(240);

fn main() {
    let role = child::role();
    let words: Option<Vec<_>> = role
        .as_ref()
        .map(|words| words.iter().map(String::as_str).collect());
    match words.as_deref() {
        None => {}
        Some([provider::ROLE]) => return provider::run(),
        Some([FILL_MEMORY]) => return records::fill_memory(),
        Some([start::SERVER, layer]) => return start::be_server(layer),
        Some([start::HTTP_CLIENT]) => return start::time_http_client(),
        Some([strangers::ROLE, count]) => return strangers::run(count.parse().unwrap()),
        Some([grants::ROLE, provider]) => return grants::run(provider),
        Some(role) => panic!("no such role: {role:?}"),
    }
    child::end_after(LIMIT);
    let started = Instant::now();
    let (_provider, origin) = provider::start();

    start::print_resident();
    // While this process is still small: a large one takes longer to start another.
    start::print_times();
    strangers::print();
    grants::print(&origin);
    println!("\nThe run took {:.0} s.", started.elapsed().as_secs_f64());
}
