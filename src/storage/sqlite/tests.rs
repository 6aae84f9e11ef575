mod churn;
mod faults;
mod opening;
mod processes;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use super::*;
use crate::{
    event::Events,
    key::{Rotating, SecretKey},
    random,
    storage::{MAX_VALUE_BYTES, by_hand::ByHand, contract},
    vault::Vault,
};

const MINUTE: Duration = Duration::from_secs(60);

/// A directory of its own, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let name = format!("tower-oauth-proxy-{}", random::token::<12>());
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("grants.db")
    }

    fn store(&self) -> SqliteStorage {
        SqliteStorage::open(self.file()).unwrap()
    }

    /// Another file in its place, without what may be left of the one before.
    fn put(&self, bytes: &[u8]) {
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(self.0.join(format!("grants.db{suffix}")));
        }
        fs::write(self.file(), bytes).unwrap();
    }

    fn store_at(&self, clock: &Arc<ByHand>) -> SqliteStorage {
        self.store().with_clock(clock.clone())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The file `path` or one beside it, read by another process: closing it here would drop the locks.
fn raw_bytes(path: &Path, suffix: &str) -> Vec<u8> {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    Command::new("cat").arg(path).output().unwrap().stdout
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A vault over this store, and how many events it emitted.
fn sealed(store: SqliteStorage) -> (Vault, Arc<AtomicUsize>) {
    let told = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&told);
    let events = Events::new(Some(Box::new(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    })));
    let keys = Rotating::new(SecretKey::for_test(7).seal("storage"), []);
    let vault = Vault::new(Arc::new(store), Some(keys), Arc::new(events));
    (vault, told)
}

/// Several stores on one file; each call goes to the next.
struct Spread(Vec<SqliteStorage>, AtomicUsize);

impl Spread {
    fn next(&self) -> &SqliteStorage {
        &self.0[self.1.fetch_add(1, Ordering::Relaxed) % self.0.len()]
    }
}

impl TokenStorage for Spread {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        self.next().get(key)
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        self.next().set(key, value, ttl)
    }

    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        self.next().insert_if_absent(key, value, ttl)
    }

    fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        self.next().take(key)
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        expected: &'a [u8],
        new: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        self.next().compare_and_swap(key, expected, new, ttl)
    }

    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        self.next().remove(key)
    }

    fn list_add<'a>(
        &'a self,
        list: &'a str,
        member: &'a str,
        ttl: Duration,
    ) -> StorageFuture<'a, ()> {
        self.next().list_add(list, member, ttl)
    }

    fn list_remove<'a>(&'a self, list: &'a str, member: &'a str) -> StorageFuture<'a, ()> {
        self.next().list_remove(list, member)
    }

    fn list_page<'a>(
        &'a self,
        list: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> StorageFuture<'a, ListPage> {
        self.next().list_page(list, after, limit)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_sqlite_store_keeps_the_contract() {
    let (scratch, clock) = (Scratch::new(), ByHand::new());
    let store = Arc::new(scratch.store_at(&clock));
    contract::run(store, async |time| clock.pass(time)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_stores_on_one_file_keep_the_contract_on_the_systems_clock() {
    let scratch = Scratch::new();
    let stores = (0..3).map(|_| scratch.store()).collect();
    let store = Arc::new(Spread(stores, AtomicUsize::new(0)));
    contract::run(store, |time| tokio::time::sleep(time)).await;
}

#[tokio::test]
async fn a_record_is_gone_at_the_very_millisecond() {
    let (scratch, clock) = (Scratch::new(), ByHand::new());
    let store = scratch.store_at(&clock);
    clock.pass(Duration::from_micros(300));
    store.set("k", vec![1], MINUTE).await.unwrap();
    clock.pass(MINUTE - Duration::from_nanos(1));
    assert!(store.get("k").await.unwrap().is_some(), "too early");
    clock.pass(Duration::from_millis(1));
    assert!(store.get("k").await.unwrap().is_none(), "too late");
}

#[tokio::test]
async fn a_reopened_file_has_every_record() {
    let scratch = Scratch::new();
    let value: Vec<u8> = (0..=255).cycle().take(MAX_VALUE_BYTES).collect();
    let store = scratch.store();
    store.set("large", value.clone(), MINUTE).await.unwrap();
    store.set("empty", Vec::new(), MINUTE).await.unwrap();
    store.set("gone", vec![1], MINUTE).await.unwrap();
    store.take("gone").await.unwrap();
    drop(store);
    let store = scratch.store();
    assert_eq!(store.get("large").await.unwrap(), Some(value));
    assert_eq!(store.get("empty").await.unwrap(), Some(Vec::new()));
    assert_eq!(store.get("gone").await.unwrap(), None);
}

#[tokio::test]
async fn the_raw_file_and_its_wal_hold_nothing_plain_when_sealed() {
    let scratch = Scratch::new();
    let (plain, (vault, _)) = (scratch.store(), sealed(scratch.store()));
    let secret = b"ya29.the-provider's-refresh-token ada@example.com Claude".repeat(50);
    vault.set("grant:1", &secret, MINUTE).await.unwrap();
    let (old, new) = (vault.seal("grant:2", &[1]), vault.seal("grant:2", &secret));
    assert!(vault.put("grant:2", None, &old, MINUTE).await.unwrap());
    let swapped = vault.put("grant:2", Some(&old), &new, MINUTE);
    assert!(swapped.await.unwrap());
    let holds = |suffix, part: &[u8]| contains(&raw_bytes(&scratch.file(), suffix), part);
    for suffix in ["", "-wal"] {
        for part in [&b"ya29"[..], b"refresh-token", b"ada@", b"Claude"] {
            assert!(!holds(suffix, part), "{suffix}");
        }
    }
    // The look is at the right bytes: the key is there, and so would a plain value be.
    assert!(holds("-wal", b"grant:1"));
    plain.set("plain", secret, MINUTE).await.unwrap();
    assert!(holds("-wal", b"ya29"));
    drop((vault, plain));
    assert!(holds("", b"grant:1"), "closing moves all to the file");
}

#[tokio::test]
async fn a_key_has_1_to_200_bytes() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for key in [String::new(), "k".repeat(201)] {
        let refused = store.set(&key, vec![1], MINUTE).await;
        assert!(matches!(refused, Err(StorageError::Unavailable(_))));
        assert!(store.get(&key).await.is_err());
    }
    store.set(&"k".repeat(200), vec![1], MINUTE).await.unwrap();
}

#[tokio::test]
async fn a_future_that_is_dropped_leaves_no_transaction_open() {
    let scratch = Scratch::new();
    let (store, other) = (scratch.store(), scratch.store());
    drop(store.set("never polled", vec![1], MINUTE));
    for n in 0..200 {
        let key = format!("k{n}");
        let mut write = store.set(&key, vec![0; 4096], MINUTE);
        // Polled once: the job is on its way, or being served.
        let polled =
            std::future::poll_fn(|cx| std::task::Poll::Ready(write.as_mut().poll(cx).is_ready()));
        polled.await;
        drop(write);
        if n % 20 == 0 {
            other.set("other", vec![1], MINUTE).await.unwrap();
        }
    }
    other.set("other", vec![2], MINUTE).await.unwrap();
    assert_eq!(store.get("never polled").await.unwrap(), None);
    assert_eq!(store.get("other").await.unwrap(), Some(vec![2]));
}

#[tokio::test]
async fn a_dropped_store_has_closed_its_file_and_ended_its_threads() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.set("k", vec![1], MINUTE).await.unwrap();
    assert!(!raw_bytes(&scratch.file(), "-wal").is_empty());
    drop(store);
    let names: Vec<_> = fs::read_dir(&scratch.0)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["grants.db"]);
}

#[test]
fn debug_shows_the_path_only() {
    let scratch = Scratch::new();
    let shown = format!("{:?}", scratch.store());
    assert!(shown.starts_with("SqliteStorage { path:"), "{shown}");
}
