//! What one validation costs, and each of its parts.

use std::{cell::RefCell, time::Duration};

use http::StatusCode;
use tokio::runtime::Runtime;

use crate::{
    harness::{Contender, Measured, measure},
    primitives::{EXTENSIONS, EXTENSIONS_HELD, PARTS, Samples},
};
use testkit::measure::{figures::verdict, paths::Paths, records::Recorder, world::World};

/// As many take turns where each token should be seen for the first time.
const PEOPLE: usize = 16;
const ROUNDS: usize = 100;
const BATCH: Duration = Duration::from_millis(4);
/// Forged tokens, and as many of garbage, of which nothing may remain.
const STRANGERS: usize = 1000;

const INNER: &str = "inner service alone";
const INNER_HELD: &str = "inner service alone, extensions not empty";
const CACHED: &str = "cached session";
const CACHED_HELD: &str = "cached session, extensions not empty";
const FIRST_SIGHT: &str = "first sight";
const FORGED: &str = "forged token";
const GARBAGE: &str = "garbage token";
const NO_CREDENTIALS: &str = "no credentials";
const PATHS: [&str; 8] = [
    INNER,
    CACHED,
    INNER_HELD,
    CACHED_HELD,
    FIRST_SIGHT,
    FORGED,
    GARBAGE,
    NO_CREDENTIALS,
];

pub(crate) fn print(runtime: &Runtime, provider: &str) {
    let paths = RefCell::new(Paths::new(runtime, provider, PEOPLE));
    let recorder = Recorder::default();
    let unsealed = World::new(runtime, provider, PEOPLE, |it| {
        it.insecure_without_storage_encryption()
            .token_storage(recorder.clone())
    });
    let records = recorder.grants();
    let samples = Samples::new(&unsealed.tokens, &records);
    let (token, record) = (unsealed.tokens[0].len(), records[0].1.len());
    println!("## One validation\n\ntoken: {token} bytes; record: {record} bytes\n");

    let mut contenders = samples.contenders();
    contenders.push(Contender::new(INNER, || paths.borrow_mut().inner()));
    contenders.push(Contender::new(INNER_HELD, || {
        paths.borrow_mut().inner_with_extensions()
    }));
    let paths = &paths;
    let path =
        |name, go: fn(&mut Paths) -> _| Contender::new(name, move || go(&mut paths.borrow_mut()));
    contenders.extend([
        path(CACHED, Paths::cached),
        path(CACHED_HELD, Paths::cached_with_extensions),
        path(FIRST_SIGHT, Paths::first_sight),
        path(FORGED, Paths::forged),
        path(GARBAGE, Paths::garbage),
        path(NO_CREDENTIALS, Paths::no_credentials),
    ]);
    let verbs = paths.borrow().verbs();
    let measured = measure(ROUNDS, BATCH, contenders);
    println!("| | ns | allocations |\n|---|---:|---:|");
    for name in PARTS.iter().chain([&EXTENSIONS_HELD]).chain(&PATHS) {
        measured.print_row(name);
    }
    println!("\n| goal | measured | at most | |\n|---|---:|---:|---|");
    print_cached(&measured);
    print_first_sight(&measured);
    let strangers = nothing_remains_of_strangers(&paths.borrow());
    goal("verbs that the store saw of them all", strangers, 0.0);
    // The cached calls of the rounds count here too.
    assert_eq!(paths.borrow().verbs(), verbs, "the store was asked");
}

/// The goals of a request whose session is in the cache.
fn print_cached(measured: &Measured) {
    for (cached, inner, insert) in [
        (CACHED, INNER, EXTENSIONS),
        (CACHED_HELD, INNER_HELD, EXTENSIONS_HELD),
    ] {
        let more = measured.of_rounds(|of| of(cached) - of(inner));
        goal(&format!("{cached}: ns more than inner"), more, 350.0);
        let allocations = |name| count(measured.allocations(name));
        let more = allocations(cached) - allocations(inner);
        goal(&format!("{cached}: allocations more"), more, 2.0);
        // A boxed future would be one.
        let others = more - allocations(insert);
        goal("… of them not made by `Extensions::insert`", others, 0.0);
    }
}

/// The goals of a token that is not in the cache.
fn print_first_sight(measured: &Measured) {
    let times = measured.of_rounds(|of| {
        let sum: f64 = PARTS.iter().map(|part| of(part)).sum();
        (of(FIRST_SIGHT) - of(INNER)) / sum
    });
    goal("first sight: ÷ the sum of its parts", times, 1.5);
    for name in [FORGED, GARBAGE] {
        let part = measured.of_rounds(|of| (of(name) - of(INNER)) / (of(FIRST_SIGHT) - of(INNER)));
        goal(&format!("{name}: ÷ first sight"), part, 1.0);
    }
}

/// Whatever strangers send: no verb of the store, and no byte in any cache. Returns the verbs.
fn nothing_remains_of_strangers(paths: &Paths) -> f64 {
    let mut strangers = paths.strangers(STRANGERS);
    drop(strangers.call(StatusCode::UNAUTHORIZED));
    let before = paths.verbs();
    let kept = allocation_counter::measure(|| {
        (0..2 * STRANGERS).for_each(|_| drop(strangers.call(StatusCode::UNAUTHORIZED)));
    });
    let all = 2 * STRANGERS;
    goal(
        &format!("bytes kept of {all} different forged and garbage tokens"),
        bytes(kept.bytes_current),
        0.0,
    );
    assert_eq!((kept.count_current, kept.bytes_current), (0, 0));
    count(paths.verbs() - before)
}

fn goal(what: &str, measured: f64, limit: f64) {
    let digits = if limit > 0.0 && limit < 2.0 { 2 } else { 0 };
    let verdict = verdict(measured <= limit);
    println!("| {what} | {measured:.digits$} | {limit} | {verdict} |");
}

#[allow(clippy::cast_precision_loss, reason = "small")]
fn count(of: u64) -> f64 {
    of as f64
}

#[allow(clippy::cast_precision_loss, reason = "small")]
fn bytes(of: i64) -> f64 {
    of as f64
}
