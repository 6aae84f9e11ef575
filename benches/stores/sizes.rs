//! What a live grant takes. Real logins are recorded, redeemed and refreshed once; what they left
//! behind is then written to an empty store of each kind.

use std::{
    collections::HashMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::task::JoinSet;
use tower_oauth_proxy::storage::{MemoryStorage, SqliteStorage, StorageFuture, TokenStorage};

use crate::{
    common::Tokens,
    connected,
    login::{ACCESS_TOKEN_BYTES, Deployment, REFRESH_TOKEN_BYTES},
    server::Server,
};

const GRANTS: usize = 4000;
/// What is over sooner is no part of a live grant: the mark of a used callback.
const LIVES_ON: Duration = Duration::from_secs(3600);
/// Set for the process of its own; names the file of [`write_list`].
const MEMORY_OF: &str = "BENCH_MEMORY_OF";

/// Comes out in random order, as people do.
type Records = HashMap<String, (Vec<u8>, Duration)>;

/// Measures and prints the table.
pub(crate) async fn print(provider: &str, dir: &Path, redis: &Server) {
    let records = recorded(provider).await;
    let lives = |record: &(Vec<u8>, Duration)| record.1 > LIVES_ON;
    let (live, passing): (Records, Records) =
        records.into_iter().partition(|(_, record)| lives(record));
    let bytes = |records: &Records| -> usize {
        let sizes = records
            .iter()
            .map(|(key, (value, _))| key.len() + value.len());
        sizes.sum()
    };
    let (value, passing) = (per_grant(bytes(&live)), per_grant(bytes(&passing)));
    let records = live.len();

    let memory = memory(dir, &live);
    let live = Arc::new(live);
    let sqlite = sqlite(dir, &live).await;
    let redis = in_redis(redis, &live).await;

    println!("\nBytes per live grant, over {GRANTS} grants in {records} records:\n");
    println!("| | bytes | × key and value |");
    println!("|---|---:|---:|");
    println!("| key and sealed value | {value:.0} | 1.00 |");
    let rows = [
        ("memory: resident size", memory),
        ("sqlite: size of the file", sqlite),
        ("redis: `used_memory`", redis),
    ];
    for (what, size) in rows {
        println!("| {what} | {size:.0} | {:.2} |", size / value);
    }
    println!(
        "\nOf a grant the provider's access token is {ACCESS_TOKEN_BYTES} bytes and its refresh token \
         {REFRESH_TOKEN_BYTES}; with them comes an ID token. Not counted: {passing:.0} bytes for each \
         login, which are gone after ten minutes."
    );
}

/// Everything that the logins left in a store.
async fn recorded(provider: &str) -> Records {
    let recorder = Recorder::default();
    let mut on = Deployment::new("recorder", provider, recorder.clone()).await;
    for code in on.log_in(GRANTS).await {
        let tokens = Tokens::read(&on.client.redeem_code(&code, &on.pkce).await);
        on.client.refresh(tokens.refresh()).await.expect(200);
    }
    let seen = recorder.0.seen.lock().unwrap();
    seen.clone()
}

/// Growth of a process that does nothing else.
fn memory(dir: &Path, records: &Records) -> f64 {
    let file = dir.join("records");
    write_list(&file, records);
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.env(MEMORY_OF, &file).output().unwrap();
    let grown = String::from_utf8(output.stdout).unwrap();
    per_grant(grown.trim().parse().expect("the growth in bytes"))
}

fn write_list(file: &Path, records: &Records) {
    let mut list = String::new();
    for (key, (value, ttl)) in records {
        writeln!(list, "{key} {} {}", value.len(), ttl.as_secs()).unwrap();
    }
    fs::write(file, list).unwrap();
}

/// Whether this process is the one that measures memory.
pub(crate) fn asked_for_memory() -> Option<PathBuf> {
    std::env::var_os(MEMORY_OF).map(PathBuf::from)
}

pub(crate) fn print_memory(file: &Path) {
    let list = fs::read_to_string(file).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let store = MemoryStorage::new();
    let before = resident();
    runtime.block_on(async {
        for line in list.lines() {
            let mut fields = line.split(' ');
            let key = fields.next().unwrap();
            let mut number = || fields.next().unwrap().parse::<u64>().unwrap();
            let value = vec![7; usize::try_from(number()).unwrap()];
            let ttl = Duration::from_secs(number());
            store.set(key, value, ttl).await.unwrap();
        }
    });
    assert_eq!(store.record_count(), list.lines().count() as u64);
    println!("{}", resident() - before);
}

/// What of this process lies in memory, in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.unwrap().trim().trim_end_matches(" kB");
    kib.parse::<usize>().unwrap() * 1024
}

/// Growth of the file from the empty store's; the last connection to close checkpoints.
async fn sqlite(dir: &Path, records: &Arc<Records>) -> f64 {
    let path = dir.join("size.db");
    drop(SqliteStorage::open(&path).unwrap());
    let empty = fs::metadata(&path).unwrap().len();
    let store = Arc::new(SqliteStorage::open(&path).unwrap());
    fill(store.clone(), records).await;
    drop(Arc::into_inner(store).expect("nobody else has it"));
    assert!(!dir.join("size.db-wal").exists(), "not checkpointed");
    let full = fs::metadata(&path).unwrap().len();
    per_grant(usize::try_from(full - empty).unwrap())
}

async fn in_redis(server: &Server, records: &Arc<Records>) -> f64 {
    let store = Arc::new(connected(server).await);
    let used = || {
        let info = server.cli(&["INFO", "memory"]);
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("used_memory:"));
        line.unwrap().trim().parse::<usize>().unwrap()
    };
    let empty = used();
    fill(store, records).await;
    per_grant(used() - empty)
}

async fn fill(store: Arc<impl TokenStorage>, records: &Arc<Records>) {
    let mut tasks = JoinSet::new();
    for caller in 0..16 {
        let (store, records) = (store.clone(), records.clone());
        tasks.spawn(async move {
            for (key, (value, ttl)) in records.iter().skip(caller).step_by(16) {
                store.set(key, value.clone(), *ttl).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
}

#[allow(clippy::cast_precision_loss, reason = "megabytes")]
fn per_grant(bytes: usize) -> f64 {
    bytes as f64 / GRANTS as f64
}

/// Remembers what is in the store.
#[derive(Clone, Default)]
struct Recorder(Arc<Inner>);

#[derive(Default)]
struct Inner {
    memory: MemoryStorage,
    seen: Mutex<Records>,
}

impl Recorder {
    fn note(&self, key: &str, value: Vec<u8>, ttl: Duration) {
        let mut seen = self.0.seen.lock().unwrap();
        seen.insert(key.to_owned(), (value, ttl));
    }

    fn forget(&self, key: &str) {
        self.0.seen.lock().unwrap().remove(key);
    }
}

impl TokenStorage for Recorder {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        self.0.memory.get(key)
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        self.note(key, value.clone(), ttl);
        self.0.memory.set(key, value, ttl)
    }

    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        Box::pin(async move {
            let inserted = self
                .0
                .memory
                .insert_if_absent(key, value.clone(), ttl)
                .await?;
            if inserted {
                self.note(key, value, ttl);
            }
            Ok(inserted)
        })
    }

    fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        self.forget(key);
        self.0.memory.take(key)
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        expected: &'a [u8],
        new: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        Box::pin(async move {
            let swap = self
                .0
                .memory
                .compare_and_swap(key, expected, new.clone(), ttl);
            let swapped = swap.await?;
            if swapped {
                self.note(key, new, ttl);
            }
            Ok(swapped)
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        self.forget(key);
        self.0.memory.remove(key)
    }
}
