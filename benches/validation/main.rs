//! What a validated request costs: beside what its parts cost, with a provider's signed token, with many people
//! logged in, and on two threads. `benches/README.md` says how to read it.
//!
//! ```sh
//! cargo bench --bench validation            # all
//! cargo bench --bench validation -- signed  # one part: costs, signed, keys, tools, cores, growth
//! ```

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement"
)]

mod cores;
mod costs;
mod growth;
mod harness;
mod keys;
mod primitives;
mod signed;
mod tools;

use testkit::measure::provider;
use tokio::runtime::Runtime;

/// What prints one part, with the provider's URL.
type Part = fn(&Runtime, &str);

fn main() {
    let runtime = Runtime::new().unwrap();
    let (provider, _stop) = runtime.block_on(provider::provider());
    // Timeouts need a runtime to be there; nothing waits for one.
    let _here = runtime.enter();
    // Growth is the last: it leaves the allocator with a million records' holes.
    let parts: [(&str, Part); 6] = [
        ("costs", costs::print),
        ("signed", signed::print),
        ("keys", keys::print),
        ("tools", tools::print),
        ("cores", cores::print),
        ("growth", growth::print),
    ];
    // Cargo adds an argument of its own.
    let named: Vec<String> = std::env::args()
        .skip(1)
        .filter(|it| !it.starts_with('-'))
        .collect();
    for (name, print) in parts {
        if named.is_empty() || named.iter().any(|it| it == name) {
            print(&runtime, &provider);
        }
    }
}
