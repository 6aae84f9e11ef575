//! What a validated request costs: beside what its parts cost, with a provider's signed token, with many people
//! logged in, and on two threads. `benches/README.md` says how to read it.
//!
//! ```sh
//! cargo bench --bench validation
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
mod primitives;
mod signed;

use testkit::measure::provider;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (provider, _stop) = runtime.block_on(provider::provider());
    // Timeouts need a runtime to be there; nothing waits for one.
    let _here = runtime.enter();
    costs::print(&runtime, &provider);
    signed::print(&runtime, &provider);
    cores::print(&runtime, &provider);
    // Last: it leaves the allocator with a million records' holes.
    growth::print(&runtime, &provider);
}
