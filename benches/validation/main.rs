//! What a validated request costs, beside what its parts cost: nanoseconds and heap allocations of
//! one thread. `benches/README.md` says how to read it.
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

#[path = "../../tests/common/mod.rs"]
mod common;
mod harness;
mod paths;
mod primitives;
#[path = "../support/mod.rs"]
mod support;
mod world;

use std::cell::RefCell;

use self::{
    harness::{Contender, measure},
    paths::Paths,
    primitives::Samples,
    support::{provider, records::Recorder},
    world::World,
};

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (provider, _stop) = runtime.block_on(provider::provider());
    // Timeouts need a runtime to be there; nothing waits for one.
    let _here = runtime.enter();

    let paths = RefCell::new(Paths::new(&runtime, &provider, PEOPLE));
    let token = paths.borrow().token().to_owned();
    let recorder = Recorder::default();
    let unsealed = World::new(&runtime, &provider, PEOPLE, |it| {
        it.insecure_without_storage_encryption()
            .token_storage(recorder.clone())
    });
    let records = recorder.grants();
    println!(
        "token: {} bytes; record: {} bytes",
        token.len(),
        records[0].1.len()
    );
    let paths = &paths;
    let path =
        |name, go: fn(&mut Paths) -> _| Contender::new(name, move || go(&mut paths.borrow_mut()));
    let samples = Samples::new(&unsealed.tokens, &records);
    let mut contenders = samples.contenders();
    contenders.push(Contender::new(INNER, || paths.borrow_mut().inner()));
    contenders.extend([
        path(CACHED, Paths::cached),
        path(FIRST_SIGHT, Paths::first_sight),
        path("no credentials", Paths::no_credentials),
        path("forged token", Paths::forged),
        path("garbage token", Paths::garbage),
    ]);
    let measured = measure(ROUNDS, contenders);
    println!("| | ns | allocations |\n|---|---:|---:|");
    for name in primitives::FIRST_SIGHT.into_iter().chain([
        INNER,
        CACHED,
        FIRST_SIGHT,
        "no credentials",
        "forged token",
        "garbage token",
    ]) {
        measured.print_row(name);
    }
    let over = measured.of_rounds(|of| of(CACHED) - of(INNER));
    println!("cached over inner: {over:.0} ns");
    let sum = measured.of_rounds(|of| primitives::FIRST_SIGHT.iter().map(|it| of(it)).sum());
    let times = measured.of_rounds(|of| {
        let sum: f64 = primitives::FIRST_SIGHT.iter().map(|it| of(it)).sum();
        (of(FIRST_SIGHT) - of(INNER)) / sum
    });
    println!("first sight: sum of parts {sum:.0} ns, times {times:.2}");
}

const PEOPLE: usize = 16;
const ROUNDS: usize = 100;
const INNER: &str = "inner service alone";
const CACHED: &str = "cached session";
const FIRST_SIGHT: &str = "first sight";
