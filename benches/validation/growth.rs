//! What one validation costs beside one, a thousand, a hundred thousand and a million live grants.
//!
//! Thousands of real people are logged in; records of the same size and key stand for the others, who do
//! not come. Everybody comes in random order, so that nobody's record is where the last one's was.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use http::StatusCode;
use rand::seq::SliceRandom;
use tokio::runtime::Runtime;
use tower_oauth_proxy::storage::{MemoryStorage, TokenStorage};

use crate::{
    harness::{Contender, Measured, measure},
    primitives::{copy, each, table},
    support::{records::Recorder, usage::Resident},
    world::{Inner, LONG_LIFE, SHORT_LIFE, Visitors, World, second},
};

const GRANTS: [usize; 4] = [1, 1_000, 100_000, 1_000_000];
/// Real ones; and sessions that fit into the cache, by a wide enough margin that no shard is full.
const PEOPLE: usize = 6_000;
/// Records of the real size; the others of a million are smaller, for the memory of the machine.
const WHOLE: usize = 100_000;
const SMALL: usize = 1_000;
const ROUNDS: usize = 15;
/// Many different people.
const BATCH: Duration = Duration::from_millis(20);
/// Nothing is pushed out.
const ROOM: u64 = 1 << 40;
const MONTH: Duration = Duration::from_secs(30 * 86_400);

const FIRST_SIGHT: &str = "first sight";
const GET: &str = "get";
const CACHED: &str = "cached";
const INNER: &str = "inner";

pub(crate) fn print(runtime: &Runtime, provider: &str) {
    let whole = record_size(runtime, provider);
    let before = Resident::here().all;
    let mut contenders = Vec::new();
    for grants in GRANTS {
        contenders.extend(beside(grants, whole, runtime, provider));
    }
    let resident = (Resident::here().all - before) >> 20;
    let measured = measure(ROUNDS, BATCH, contenders);
    println!("\n## Many people\n");
    println!(
        "up to {PEOPLE} of them come, in random order; ns, and in brackets what it is more than with one\n"
    );
    println!(
        "| live grants | first sight over inner | bare `moka get` | sessions in the cache | cached over inner |"
    );
    println!("|---:|---:|---:|---:|---:|");
    for grants in GRANTS {
        let first = cell(&measured, grants, |of| of(FIRST_SIGHT) - of(INNER));
        let get = cell(&measured, grants, |of| of(GET));
        let cached = cell(&measured, grants, |of| of(CACHED) - of(INNER));
        let sessions = grants.min(PEOPLE);
        println!("| {grants} | {first} | {get} | {sessions} | {cached} |");
    }
    println!(
        "\nrecords: {whole} bytes, those beyond {WHOLE} {SMALL} bytes; all stores and bare maps \
         together: {resident} MiB"
    );
}

fn name(kind: &str, grants: usize) -> String {
    format!("{kind} beside {grants}")
}

/// The median of a figure, and of how much more it is than the same with one grant in the same round.
fn cell(
    measured: &Measured,
    grants: usize,
    figure: impl Fn(&dyn Fn(&str) -> f64) -> f64,
) -> String {
    let with = |of: &dyn Fn(&str) -> f64, grants| figure(&|kind: &str| of(&name(kind, grants)));
    let nanos = measured.of_rounds(|of| with(of, grants));
    let more = measured.of_rounds(|of| with(of, grants) - with(of, GRANTS[0]));
    format!("{nanos:.0} ({more:+.0})")
}

/// What is measured beside so many grants. All levels live at once and take turns.
fn beside(
    grants: usize,
    whole: usize,
    runtime: &Runtime,
    provider: &str,
) -> [Contender<'static>; 4] {
    let store = Arc::new(MemoryStorage::with_max_bytes(ROOM));
    let people = grants.min(PEOPLE);
    let mut world = World::new(runtime, provider, people, |it| {
        it.session_cache_ttl(SHORT_LIFE)
            .token_storage(Arc::clone(&store))
    });
    world.tokens.shuffle(&mut rand::rng());
    runtime.block_on(async {
        for n in people..grants {
            store.set(&key(), value(n, whole), MONTH).await.unwrap();
        }
    });
    assert!(store.record_count() >= grants as u64);

    let service = second(provider, |it| {
        it.session_cache_ttl(LONG_LIFE).token_storage(store)
    });
    let mut cached = Visitors::new(service, &world.tokens);
    let visit = |cached: &mut Visitors<_>| drop(cached.call(StatusCode::OK));
    (0..people).for_each(|_| visit(&mut cached));
    let one = allocation_counter::measure(|| visit(&mut cached)).count_total;
    let all = allocation_counter::measure(|| (0..people).for_each(|_| visit(&mut cached)));
    // Somebody who has to be looked up takes more.
    assert_eq!(all.count_total, one * people as u64, "not all sessions fit");

    let mut first = world.first_sights(&world.tokens);
    let mut inner = Visitors::new(Inner, &world.tokens);
    [
        Contender::new(name(FIRST_SIGHT, grants), move || {
            first.call(StatusCode::OK)
        }),
        Contender::new(name(CACHED, grants), move || cached.call(StatusCode::OK)),
        Contender::new(name(INNER, grants), move || inner.call(StatusCode::OK)),
        bare_get(grants, whole),
    ]
}

/// The bare look into a map of as many records, at any of those that have the size of a real one.
fn bare_get(grants: usize, whole: usize) -> Contender<'static> {
    let table = table();
    let mut keys = Vec::with_capacity(grants.min(WHOLE));
    for n in 0..grants {
        let key = key();
        table.insert(key.clone(), Arc::new(value(n, whole)));
        if n < WHOLE {
            keys.push(key);
        }
    }
    keys.shuffle(&mut rand::rng());
    each(name(GET, grants), keys, move |key| copy(&table, key))
}

/// As a grant's record has it.
fn key() -> String {
    format!("grant:{}", B64.encode(rand::random::<[u8; 32]>()))
}

fn value(n: usize, whole: usize) -> Vec<u8> {
    vec![7; if n < WHOLE { whole } else { SMALL }]
}

/// Of a real grant, sealed, in bytes.
fn record_size(runtime: &Runtime, provider: &str) -> usize {
    let recorder = Recorder::default();
    World::new(runtime, provider, 1, |it| {
        it.token_storage(recorder.clone())
    });
    let (key, value) = recorder.grants().remove(0);
    assert_eq!(key.len(), self::key().len());
    value.len()
}
