//! What the stores cost, side by side in one run: codes redeemed, refreshes and cold bearer
//! validations per second, and bytes per live grant. `benches/README.md` says how to read it.
//!
//! ```sh
//! cargo bench --features sqlite,redis,postgres --bench stores
//! ```
//!
//! Needs `redis-server` and `redis-cli` in `PATH`, or named in `REDIS_SERVER` and `REDIS_CLI`, and PostgreSQL's
//! server, of Debian's package or named in `POSTGRES_PROGRAMS`; starts its own servers on free loopback
//! ports.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement"
)]

mod load;
mod sizes;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use testkit::{postgres, redis::Server};
use tower_oauth_proxy::{
    Consent, OAuthProxyLayer, TokenStorage,
    storage::{MemoryStorage, PostgresStorage, RedisStorage, SqliteStorage},
};

use self::load::{Rates, Verb};
use testkit::measure::{
    child, host,
    login::{Deployment, config},
    provider::provider,
    records,
};

/// Enough for a median, after one to warm up.
const ROUNDS: usize = 11;
/// A slow machine measures fewer rounds rather than longer.
const NO_ROUND_AFTER: Duration = Duration::from_secs(75);
const CALLERS: [usize; 2] = [1, 64];
const STORES: [&str; 4] = ["memory", "sqlite", "redis", "postgres"];
/// As on the smallest machine that is worth having.
const WORKERS: usize = 2;

fn main() {
    // A process of its own, so that nothing freed before hides what the store takes.
    if child::role().is_some() {
        return records::fill_memory();
    }
    host::block_on(WORKERS, run());
}

async fn run() {
    let started = Instant::now();
    let dir = Dir::new();
    let (redis, postgres) = (redis_server(), postgres_server());
    println!(
        "{} logical CPUs; 4 KiB written and flushed to {} in {:.2} ms (median); Redis {}; PostgreSQL {}\n",
        std::thread::available_parallelism().unwrap(),
        dir.0.parent().unwrap().display(),
        flush_time(&dir.0).as_secs_f64() * 1e3,
        version(&redis),
        postgres.sql("SHOW server_version"),
    );

    let (provider, _stop) = provider().await;
    let sqlite = SqliteStorage::open(dir.0.join("speed.db")).unwrap();
    let mut stores = [
        deployed("memory", &provider, MemoryStorage::new()).await,
        deployed("sqlite", &provider, sqlite).await,
        deployed("redis", &provider, connected(&redis).await).await,
        deployed("postgres", &provider, joined(&postgres).await).await,
    ];
    let mut rates = Rates::default();
    let mut rounds = 0;
    for round in 0..=ROUNDS {
        if started.elapsed() > NO_ROUND_AFTER {
            break;
        }
        // The first one has only warmed up.
        if round == 1 {
            rates.forget();
        }
        for callers in CALLERS {
            // None is always first.
            for turn in 0..stores.len() {
                let store = &mut stores[(turn + round) % STORES.len()];
                for verb in Verb::ALL {
                    let of = (verb, callers, store.name);
                    let rate = load::slot(store, verb, callers, rates.last(of)).await;
                    rates.add(of, rate);
                }
            }
        }
        rounds = round;
    }
    rates.print(rounds);
    drop(stores);

    let redis = redis_server();
    sizes::print(&provider, &dir.0, &redis, &postgres).await;
    println!("\nThe run took {:.0} s.", started.elapsed().as_secs_f64());
}

/// The whole layer on one store, with a registered client.
async fn deployed(name: &'static str, provider: &str, store: impl TokenStorage) -> Deployment {
    let config = config(provider)
        .consent(Consent::Disabled)
        .session_cache_ttl(Duration::ZERO)
        .token_storage(store)
        .build()
        .unwrap();
    Deployment::new(name, &OAuthProxyLayer::new(config)).await
}

fn redis_server() -> Server {
    Server::with(&["--appendonly", "yes", "--appendfsync", "everysec"])
}

async fn connected(server: &Server) -> RedisStorage {
    RedisStorage::connect(server.url()).await.unwrap()
}

/// As it is made by default, unlike that of the tests: each commit is flushed.
fn postgres_server() -> postgres::Server {
    postgres::Server::with(&["fsync=on", "shared_buffers=128MB"])
}

async fn joined(server: &postgres::Server) -> PostgresStorage {
    PostgresStorage::connect(server.url()).await.unwrap()
}

fn version(server: &Server) -> String {
    let info = server.cli(&["INFO", "server"]);
    let version = info
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"));
    version.unwrap_or("of unknown version").trim().to_owned()
}

/// What one durable commit waits for at least.
fn flush_time(dir: &Path) -> Duration {
    let path = dir.join("flush");
    let mut file = fs::File::create(&path).unwrap();
    let mut times: Vec<_> = (0..101)
        .map(|_| {
            let start = Instant::now();
            file.write_all(&[7; 4096]).unwrap();
            file.sync_data().unwrap();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// A directory beside the build, on a disk rather than in a memory file system; gone when dropped.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        let name = format!("bench-stores-{}", std::process::id());
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
