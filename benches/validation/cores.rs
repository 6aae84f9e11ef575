//! How throughput grows from one thread to two.
//!
//! What two threads gain on this machine, with its neighbours, is measured beside: where each has a
//! proxy of its own, they share nothing but the allocator.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use http::StatusCode;
use tokio::runtime::{Handle, Runtime};

use testkit::measure::world::{Inner, LONG_LIFE, Layered, SHORT_LIFE, Visitors, World};
use testkit::measure::{
    figures::{cell, median, ratio},
    usage::cpu_here_now,
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
and of the runtime (which the store's time limit holds), and one of the 32 locks of the memory store, \
which is held for a look, a copy and a glance at two other records.";

/// Makes one request.
type Worker = Box<dyn FnMut() + Send>;

/// What one or two threads do.
struct Work {
    name: &'static str,
    workers: [Worker; 2],
    /// Of one thread and of two.
    slots: [Slots; 2],
}

/// A column a round.
#[derive(Default)]
struct Slots {
    /// Thousands of requests per second.
    rates: Vec<f64>,
    /// CPU time of a request, in nanoseconds: what waits for a neighbour's cache line takes more of it,
    /// what waits for a neighbour on the machine does not.
    cpu: Vec<f64>,
}

pub(crate) fn print(runtime: &Runtime, provider: &str) {
    let mut all = all_work(runtime, provider);
    for round in 0..ROUNDS {
        for work in &mut all {
            // Each comes first in every other round.
            for turn in 0..2 {
                let threads = (turn + round) % 2;
                let (rate, cpu) = slot(&mut work.workers[..=threads], runtime.handle());
                work.slots[threads].rates.push(rate);
                work.slots[threads].cpu.push(cpu);
            }
        }
    }
    println!("\n## Two threads\n\nthousand requests/s: median (lowest–highest)\n");
    println!("| | one thread | two threads | growth | CPU ns | with two | growth by CPU time |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for work in &all {
        let (name, [one, two]) = (work.name, &work.slots);
        let growth = ratio(&two.rates, &one.rates);
        let by_cpu = 2.0 * ratio(&one.cpu, &two.cpu);
        let [rate, rates] = [one, two].map(|it| cell(&it.rates, 0));
        let [cpu, cpus] = [one, two].map(|it| median(&it.cpu));
        println!(
            "| {name} | {rate} | {rates} | {growth:.2} | {cpu:.0} | {cpus:.0} | {by_cpu:.2} |"
        );
    }
    println!("\n{AT_64_CORES}");
}

/// Of each kind, the one that shares nothing comes first.
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
    let halves = |world: &World| {
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
        slots: Default::default(),
    };
    works.into_iter().map(work).collect()
}

fn ok(mut visitors: Visitors<Layered>) -> Worker {
    Box::new(move || drop(visitors.call(StatusCode::OK)))
}

/// Thousands of requests per second of all workers together, each on a thread of its own, and the CPU
/// time of one request in nanoseconds.
fn slot(workers: &mut [Worker], runtime: &Handle) -> (f64, f64) {
    let start = Barrier::new(workers.len());
    let start = &start;
    let done: Vec<Done> = thread::scope(|threads| {
        let run = |worker| {
            threads.spawn(move || {
                let _here = runtime.enter();
                start.wait();
                Done::by(worker)
            })
        };
        let running: Vec<_> = workers.iter_mut().map(run).collect();
        running.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let rates = done.iter().map(|it| it.calls / it.took.as_secs_f64() / 1e3);
    let cpu: Duration = done.iter().map(|it| it.cpu).sum();
    let calls: f64 = done.iter().map(|it| it.calls).sum();
    (rates.sum(), cpu.as_secs_f64() * 1e9 / calls)
}

/// What one thread did in a slot.
struct Done {
    calls: f64,
    took: Duration,
    cpu: Duration,
}

impl Done {
    fn by(worker: &mut Worker) -> Self {
        let cpu = cpu_here_now();
        let (start, mut calls) = (Instant::now(), 0);
        loop {
            (0..CALLS).for_each(|_| worker());
            calls += CALLS;
            let took = start.elapsed();
            if took >= SLOT {
                let (calls, cpu) = (f64::from(calls), cpu_here_now() - cpu);
                return Self { calls, took, cpu };
            }
        }
    }
}
