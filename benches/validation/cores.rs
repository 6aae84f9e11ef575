//! How throughput grows from one thread to two.
//!
//! What two threads gain on this machine, with its neighbours, is measured beside: where each has a
//! proxy of its own, they share nothing but the allocator. The quotient of the two growths is what
//! sharing costs.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use http::StatusCode;
use tokio::runtime::{Handle, Runtime};

use crate::{
    support::figures::{cell, median, ratio},
    world::{Inner, LONG_LIFE, Layered, SHORT_LIFE, Visitors, World},
};

/// As many tokens take turns on each thread.
const PEOPLE: usize = 64;
const ROUNDS: usize = 21;
const SLOT: Duration = Duration::from_millis(50);
/// Between two looks at the time.
const CALLS: u32 = 32;

/// What 64 cores would share, by the code: the answer to what would stop them.
const AT_64_CORES: &str = "\
By the code, a cached request writes to two places that other cores may write to: the reader count of \
one of 64 shards' locks, and the session's reference count, each up and down; the proxy itself is \
borrowed. On 64 cores it is one token on all of them at once that would wait for these two cache \
lines; different tokens meet only where they share a shard. A first sight, once in a cache life for \
each token, writes to lines that all cores share: the reference counts of the proxy, of its challenges \
and of the runtime (which the store's time limit holds), and the queue in which moka notes reads; that \
queue would be the first to fill.";

/// Makes one request.
type Worker = Box<dyn FnMut() + Send>;

/// What one or two threads do.
struct Work {
    name: &'static str,
    workers: [Worker; 2],
    /// Requests per second of one thread and of two, a column a round.
    rates: [Vec<f64>; 2],
}

pub(crate) fn print(runtime: &Runtime, provider: &str) {
    let mut all = all_work(runtime, provider);
    for round in 0..ROUNDS {
        for work in &mut all {
            // Each comes first in every other round.
            for turn in 0..2 {
                let threads = (turn + round) % 2;
                let rate = slot(&mut work.workers[..=threads], runtime.handle());
                work.rates[threads].push(rate);
            }
        }
    }
    println!("\n## Two threads\n\nthousand requests/s: median (lowest–highest)\n");
    println!("| | one thread | two threads | growth | ÷ growth of a proxy each |");
    println!("|---|---:|---:|---:|---:|");
    for work in &all {
        // What a thread gains that shares nothing, of the same kind of work.
        let kind = work.name.split(',').next();
        let floor = all.iter().find(|it| it.name.split(',').next() == kind);
        let growths = growths(work);
        let shared = ratio(&growths, &floor.map(self::growths).unwrap());
        let [one, two] = work.rates.each_ref().map(|rates| cell(rates, 0));
        let (name, growth) = (work.name, median(&growths));
        println!("| {name} | {one} | {two} | {growth:.2} | {shared:.2} |");
    }
    println!("\n{AT_64_CORES}");
}

/// The first of a kind shares nothing.
fn all_work(runtime: &Runtime, provider: &str) -> Vec<Work> {
    let world = |life| World::new(runtime, provider, PEOPLE, |it| it.session_cache_ttl(life));
    let (cached, other_cached) = (world(LONG_LIFE), world(LONG_LIFE));
    let cached_of = |world: &World, tokens: &[String]| {
        let mut visitors = Visitors::new(world.service(), tokens);
        tokens
            .iter()
            .for_each(|_| drop(visitors.call(StatusCode::OK)));
        ok(visitors)
    };
    let (firsts, other_firsts) = (world(SHORT_LIFE), world(SHORT_LIFE));
    let uncached = world(Duration::ZERO);
    let uncached_of = |tokens: &[String]| ok(Visitors::new(uncached.service(), tokens));
    let inner = || {
        let mut visitors = Visitors::new(Inner, &cached.tokens);
        Box::new(move || drop(visitors.call(StatusCode::OK))) as Worker
    };
    // Two threads with different tokens have half of them each.
    let halves = |world: &'_ World| {
        let (one, two) = world.tokens.split_at(PEOPLE / 2);
        [one.to_vec(), two.to_vec()]
    };
    let same = |world: &World| [world.tokens[..1].to_vec(), world.tokens[..1].to_vec()];
    let works: [(_, [Worker; 2]); 8] = [
        ("inner service alone", [inner(), inner()]),
        (
            "cached, a proxy each",
            [&cached, &other_cached].map(|world| cached_of(world, &halves(world)[0])),
        ),
        (
            "cached, different tokens",
            halves(&cached).map(|tokens| cached_of(&cached, &tokens)),
        ),
        (
            "cached, the same token",
            same(&cached).map(|tokens| cached_of(&cached, &tokens)),
        ),
        (
            "first sight, a proxy each",
            [&firsts, &other_firsts].map(|world| ok(world.first_sights(&halves(world)[0]))),
        ),
        (
            "first sight, different tokens",
            halves(&firsts).map(|tokens| ok(firsts.first_sights(&tokens))),
        ),
        (
            "first sight, cache off, different tokens",
            halves(&uncached).map(|tokens| uncached_of(&tokens)),
        ),
        (
            "first sight, cache off, the same token",
            same(&uncached).map(|tokens| uncached_of(&tokens)),
        ),
    ];
    let work = |(name, workers)| Work {
        name,
        workers,
        rates: Default::default(),
    };
    works.into_iter().map(work).collect()
}

fn ok(mut visitors: Visitors<Layered>) -> Worker {
    Box::new(move || drop(visitors.call(StatusCode::OK)))
}

/// Of two threads to one, in each round.
fn growths(work: &Work) -> Vec<f64> {
    let [one, two] = &work.rates;
    two.iter().zip(one).map(|(two, one)| two / one).collect()
}

/// Thousands of requests per second of all workers together, each on a thread of its own.
fn slot(workers: &mut [Worker], runtime: &Handle) -> f64 {
    let start = Barrier::new(workers.len());
    let start = &start;
    thread::scope(|threads| {
        let running: Vec<_> = workers
            .iter_mut()
            .map(|worker| {
                threads.spawn(move || {
                    let _here = runtime.enter();
                    start.wait();
                    rate(worker)
                })
            })
            .collect();
        running.into_iter().map(|it| it.join().unwrap()).sum()
    })
}

fn rate(worker: &mut Worker) -> f64 {
    let (start, mut calls) = (Instant::now(), 0);
    loop {
        (0..CALLS).for_each(|_| worker());
        calls += CALLS;
        let took = start.elapsed();
        if took >= SLOT {
            return f64::from(calls) / took.as_secs_f64() / 1000.0;
        }
    }
}
