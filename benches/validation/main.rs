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
#[allow(dead_code)]
#[path = "../stores/login.rs"]
mod login;
mod paths;
mod world;

use std::cell::RefCell;

use self::{
    harness::{Contender, measure},
    paths::Paths,
};

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (provider, _stop) = runtime.block_on(login::provider());
    // Timeouts need a runtime to be there; nothing waits for one.
    let _here = runtime.enter();

    let paths = RefCell::new(Paths::new(&runtime, &provider, 2000));
    println!("token: {} bytes", paths.borrow().token().len());
    let path = |name, go: fn(&mut Paths) -> _| Contender::new(name, || go(&mut paths.borrow_mut()));
    let measured = measure(
        200,
        vec![
            Contender::new("inner service alone", || paths.borrow_mut().inner()),
            path("cached session", Paths::cached),
            path("no credentials", Paths::no_credentials),
            path("forged token", Paths::forged),
            path("garbage token", Paths::garbage),
            path("first sight", Paths::first_sight),
        ],
    );
    println!("| | ns | allocations |\n|---|---:|---:|");
    for name in [
        "inner service alone",
        "cached session",
        "first sight",
        "no credentials",
        "forged token",
        "garbage token",
    ] {
        measured.print_row(name);
    }
    let over = measured.of_rounds(|of| of("cached session") - of("inner service alone"));
    println!("cached over inner: {over:.0} ns");
}
