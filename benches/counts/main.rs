//! What a request costs in instructions and heap allocations: counts that are the same on a busy
//! machine, and so can be kept by the checks. `benches/README.md` says how to read it.
//!
//! ```sh
//! cargo bench --bench counts              # compares with benches/counts/baseline.json
//! cargo bench --bench counts -- --bless   # writes it
//! cargo bench --features metrics --bench counts   # the same with metrics recorded: baseline-metrics.json
//! ```
//!
//! Needs valgrind.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement"
)]

mod baseline;

use std::{collections::BTreeMap, env, hint::black_box, process::Command};

use testkit::measure::{paths::Paths, provider};

use self::baseline::{Cost, check};

/// Enough that what happens now and then, such as a map that grows, is spread over many.
const CALLS: u64 = 4000;
/// As many grants take turns where each token should be seen for the first time: more than three for each
/// shard of the session cache.
const PEOPLE: usize = 200;
/// Set for a process of its own: names the path to go, under valgrind or not.
const PATH: &str = "BENCH_COUNTS_OF";

type Path = fn(&mut Paths);

const PATHS: [(&str, Path); 6] = [
    ("cached session", |paths| drop(black_box(paths.cached()))),
    ("cached session, 20 providers", |paths| {
        drop(black_box(paths.cached_among_many()));
    }),
    ("first sight", |paths| drop(black_box(paths.first_sight()))),
    ("no credentials", |paths| {
        drop(black_box(paths.no_credentials()));
    }),
    ("forged token", |paths| drop(black_box(paths.forged()))),
    ("garbage token", |paths| drop(black_box(paths.garbage()))),
];
/// What every path above has in it: the request is made, and the inner service asked.
const NOTHING: (&str, Path) = ("inner service alone", |paths| {
    drop(black_box(paths.inner()));
});

fn main() {
    if let Ok(name) = env::var(PATH) {
        let mut all = PATHS.into_iter().chain([NOTHING]);
        return go(all.find(|(known, _)| *known == name).unwrap().1);
    }
    let all = PATHS.into_iter().chain([NOTHING]);
    let counted: BTreeMap<String, Cost> = all
        .map(|(name, _)| (name.to_owned(), counted(name)))
        .collect();
    check(&counted, env::args().any(|argument| argument == "--bless"));
}

/// Goes a path many times; prints how many heap allocations one call makes.
fn go(path: Path) {
    #[cfg(feature = "metrics")]
    record();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (provider, _stop) = runtime.block_on(provider::provider());
    // Timeouts need a runtime to be there; nothing waits for one.
    let _here = runtime.enter();
    let mut paths = Paths::new(&runtime, &provider, PEOPLE);
    counted_calls(&mut paths, path, CALLS);
    let mut allocations = || allocation_counter::measure(|| path(&mut paths)).count_total;
    // The median of a whole round: now and then a map puts its house in order, and whoever is first to
    // be put into a shard of the cache after its turn makes a new one. Of three times as many as there
    // are shards, most are not first.
    let mut counts: Vec<_> = (0..PEOPLE).map(|_| allocations()).collect();
    counts.sort_unstable();
    println!("allocations: {}", counts[PEOPLE / 2]);
    // A clean end of the runtime would only take time.
    std::process::exit(0);
}

/// Into what a service has. Nobody reads it meanwhile, so its histograms grow, as between two scrapes.
#[cfg(feature = "metrics")]
fn record() {
    use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
    let ours = Matcher::Prefix("oauth_proxy_".to_owned());
    let buckets = tower_oauth_proxy::metrics::SECONDS_BUCKETS;
    let builder = PrometheusBuilder::new().set_buckets_for_metric(ours, &buckets);
    builder.unwrap().install_recorder().unwrap();
}

/// Valgrind counts from the moment it is entered until it is left.
#[inline(never)]
fn counted_calls(paths: &mut Paths, path: Path, calls: u64) {
    (0..calls).for_each(|_| path(black_box(paths)));
}

fn counted(name: &str) -> Cost {
    let this = env::current_exe().unwrap();
    let plain = Command::new(&this).env(PATH, name).output().unwrap();
    let allocations = number_after(&plain.stdout, "allocations: ");
    let valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(["--collect-atstart=no", "--toggle-collect=*counted_calls*"])
        .arg(&this)
        .env(PATH, name)
        .output()
        .expect("valgrind (Debian: apt-get install valgrind)");
    assert!(valgrind.status.success(), "{valgrind:?}");
    let instructions = number_after(&valgrind.stderr, "Collected : ") / CALLS;
    Cost {
        instructions,
        allocations,
    }
}

fn number_after(output: &[u8], label: &str) -> u64 {
    let output = String::from_utf8_lossy(output);
    let at = output.find(label).unwrap_or_else(|| panic!("{output}"));
    let digits = output[at + label.len()..].split_whitespace().next();
    digits.unwrap().parse().unwrap()
}
