//! What one validation costs beside one, a thousand, a hundred thousand and a million live grants.
//!
//! Thousands of real people are logged in; records of the same size and key stand for the others, who do
//! not come. People come in random order, so that no record lies beside the one before it.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use http::StatusCode;
use indexmap::IndexMap;
use rand::seq::SliceRandom;
use tokio::runtime::Runtime;
use tower_oauth_proxy::{
    OAuthProxyConfigBuilder,
    storage::{MemoryStorage, TokenStorage},
};

use crate::{
    harness::{Contender, Measured, measure},
    primitives::{Table, copy, each, parsed},
};
use testkit::measure::{
    records::Recorder,
    usage::Resident,
    world::{Inner, LONG_LIFE, SHORT_LIFE, Visitors, World, second},
};

const GRANTS: [usize; 4] = [1, 1_000, 100_000, 1_000_000];
/// Real ones; and sessions that fit into the cache, by a wide enough margin that no shard is full.
const PEOPLE: usize = 4_000;
/// Records of the real size; the others of a million are smaller, for the memory of the machine.
const WHOLE: usize = 100_000;
const SMALL: usize = 1_000;
const ROUNDS: usize = 51;
/// Hundreds of different people; those of the turn before are no longer in the processor's caches.
const BATCH: Duration = Duration::from_millis(5);
/// Nothing is pushed out.
const ROOM: u64 = 1 << 40;
const MONTH: Duration = Duration::from_secs(30 * 86_400);

const FIRST_SIGHT: &str = "first sight";
const GET: &str = "get";
const UNCACHED: &str = "first sight, cache off";
const KEPT: &str = "record parsed and kept";
const CACHED: &str = "cached";
const INNER: &str = "inner";

pub(crate) fn print(runtime: &Runtime, provider: &str) {
    let sample = Sample::new(runtime, provider);
    let before = Resident::here().all;
    let mut contenders = Vec::new();
    for grants in GRANTS {
        contenders.extend(beside(grants, &sample, runtime, provider));
    }
    let resident = (Resident::here().all - before) >> 20;
    let measured = measure(ROUNDS, BATCH, contenders);
    println!("\n## Many people\n");
    println!(
        "ns over the inner service; in brackets, what it is more than with one; up to {PEOPLE} people \
         come, in random order\n"
    );
    println!(
        "| live grants | first sight | the same, cache off | bare: map | bare: record parsed, \
         kept | sessions in the cache | cached |\n|---:|---:|---:|---:|---:|---:|---:|"
    );
    for grants in GRANTS {
        let over_inner = |kind| cell(&measured, grants, |of| of(kind) - of(INNER));
        let bare = |kind| cell(&measured, grants, |of| of(kind));
        let [first, uncached, cached] = [FIRST_SIGHT, UNCACHED, CACHED].map(over_inner);
        let [get, kept] = [GET, KEPT].map(bare);
        let sessions = grants.min(PEOPLE);
        println!("| {grants} | {first} | {uncached} | {get} | {kept} | {sessions} | {cached} |");
    }
    println!(
        "\nrecords: {} bytes, those beyond {WHOLE} {SMALL} bytes; all stores and bare maps together: \
         {resident} MiB",
        sample.sealed
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

/// What is measured beside a given number of grants. All levels live at once and take turns.
fn beside(
    grants: usize,
    sample: &Sample,
    runtime: &Runtime,
    provider: &str,
) -> [Contender<'static>; 6] {
    let store = Arc::new(MemoryStorage::with_max_bytes(ROOM));
    let people = grants.min(PEOPLE);
    let mut world = World::new(runtime, provider, people, |it| {
        it.session_cache_ttl(SHORT_LIFE)
            .token_storage(Arc::clone(&store))
    });
    world.tokens.shuffle(&mut rand::rng());
    runtime.block_on(async {
        for n in people..grants {
            store
                .set(&key(), value(n, sample.sealed), MONTH)
                .await
                .unwrap();
        }
    });
    assert!(store.record_count() >= grants as u64);

    let again = |life| {
        let service = second(provider, |it| {
            it.session_cache_ttl(life).token_storage(Arc::clone(&store))
        });
        Visitors::new(service, &world.tokens)
    };
    let mut uncached = again(Duration::ZERO);
    let mut cached = again(LONG_LIFE);
    let visit = |cached: &mut Visitors<_>| drop(cached.call(StatusCode::OK));
    (0..people).for_each(|_| visit(&mut cached));
    let one = allocation_counter::measure(|| visit(&mut cached)).count_total;
    let all = allocation_counter::measure(|| (0..people).for_each(|_| visit(&mut cached)));
    // A person who has to be looked up takes more.
    assert_eq!(all.count_total, one * people as u64, "not all sessions fit");

    let mut first = world.first_sights(&world.tokens);
    let mut inner = Visitors::new(Inner, &world.tokens);
    [
        Contender::new(name(FIRST_SIGHT, grants), move || {
            first.call(StatusCode::OK)
        }),
        Contender::new(name(UNCACHED, grants), move || {
            uncached.call(StatusCode::OK)
        }),
        Contender::new(name(CACHED, grants), move || cached.call(StatusCode::OK)),
        Contender::new(name(INNER, grants), move || inner.call(StatusCode::OK)),
        bare_get(grants, sample.sealed),
        bare_keeping(grants, people, &sample.plain),
    ]
}

/// The bare look into a map of as many records, at any of those that have the size of a real one.
fn bare_get(grants: usize, whole: usize) -> Contender<'static> {
    let mut table = IndexMap::new();
    let mut keys = Vec::with_capacity(grants.min(WHOLE));
    for n in 0..grants {
        let key = key();
        table.insert(key.clone(), value(n, whole).into());
        if n < WHOLE {
            keys.push(key);
        }
    }
    keys.shuffle(&mut rand::rng());
    let table = Table::new(table);
    each(name(GET, grants), keys, move |key| copy(&table, key))
}

/// Bare parsing of a record that is kept, as a session is, until its person comes again.
fn bare_keeping(grants: usize, people: usize, plain: &[u8]) -> Contender<'static> {
    let plain = plain.to_vec();
    let mut kept: Vec<_> = (0..people).map(|_| None).collect();
    let mut next = 0;
    Contender::new(name(KEPT, grants), move || {
        next = (next + 1) % kept.len();
        kept[next] = Some(parsed(&plain));
    })
}

/// As a grant's record has it.
fn key() -> String {
    format!("grant:{}", B64.encode(rand::random::<[u8; 32]>()))
}

fn value(n: usize, whole: usize) -> Vec<u8> {
    vec![7; if n < WHOLE { whole } else { SMALL }]
}

/// A grant as the store has it.
struct Sample {
    /// Its bytes.
    sealed: usize,
    plain: Vec<u8>,
}

impl Sample {
    fn new(runtime: &Runtime, provider: &str) -> Self {
        let record = |adjust: fn(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder| {
            let recorder = Recorder::default();
            World::new(runtime, provider, 1, |it| {
                adjust(it).token_storage(recorder.clone())
            });
            let (key, value) = recorder.grants().remove(0);
            assert_eq!(key.len(), self::key().len());
            value
        };
        Self {
            sealed: record(|it| it).len(),
            plain: record(OAuthProxyConfigBuilder::insecure_without_storage_encryption),
        }
    }
}
