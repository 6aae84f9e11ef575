//! What logins leave in a store, and what that takes in memory.

use std::{
    collections::HashMap,
    fmt::Write,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tower_oauth_proxy::storage::{ListPage, MemoryStorage, StorageFuture, TokenStorage};

use super::{child::Child, usage::Resident};

/// What expires sooner is not part of a live grant: the mark of a used callback.
const LIVES_ON: Duration = Duration::from_secs(3600);
/// The role of [`fill_memory`].
pub const FILL_MEMORY: &str = "fill-memory";

/// With the members of lists. Comes out in random order, as people do.
pub type Records = HashMap<String, (Vec<u8>, Duration)>;

/// What lives as long as a grant, and what expires after ten minutes.
pub fn live_and_passing(records: Records) -> (Records, Records) {
    let lives = |record: &(Vec<u8>, Duration)| record.1 > LIVES_ON;
    records.into_iter().partition(|(_, record)| lives(record))
}

/// Of keys and values.
pub fn bytes(records: &Records) -> usize {
    let sizes = records
        .iter()
        .map(|(key, (value, _))| key.len() + value.len());
    sizes.sum()
}

/// How much a process that does nothing else grows by these records, in bytes.
pub fn growth_of_memory(records: &Records) -> u64 {
    let mut list = String::new();
    for (key, (value, ttl)) in records {
        writeln!(list, "{key} {} {}", value.len(), ttl.as_secs()).unwrap();
    }
    let mut child = Child::start(FILL_MEMORY);
    child.feed(&list);
    child.numbers()[0]
}

/// That process.
pub fn fill_memory() {
    let list = io::read_to_string(io::stdin()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let store = MemoryStorage::new();
    let before = Resident::here().all;
    runtime.block_on(async {
        for line in list.lines() {
            let mut fields = line.split(' ');
            let key = fields.next().unwrap();
            let mut number = || fields.next().unwrap().parse::<u64>().unwrap();
            let value = vec![7; usize::try_from(number()).unwrap()];
            let ttl = Duration::from_secs(number());
            put(&store, key, value, ttl).await;
        }
    });
    let records = list.lines().filter(|line| !line.contains(BETWEEN));
    assert_eq!(store.record_count(), records.count() as u64);
    println!("{}", Resident::here().all - before);
}

/// Between a list and its member, in the name of what stands for both among the records.
const BETWEEN: char = '|';

fn member_of(list: &str, member: &str) -> String {
    format!("{list}{BETWEEN}{member}")
}

/// Writes a record, or adds a member to a list.
pub async fn put(store: &impl TokenStorage, key: &str, value: Vec<u8>, ttl: Duration) {
    let put = match key.split_once(BETWEEN) {
        Some((list, member)) => store.list_add(list, member, ttl),
        None => store.set(key, value, ttl),
    };
    put.await.unwrap();
}

/// Remembers what is in the store, and counts how often it was asked anything.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Inner>);

#[derive(Default)]
struct Inner {
    memory: MemoryStorage,
    seen: Mutex<Records>,
    verbs: AtomicU64,
}

impl Recorder {
    /// Everything that is in the store now.
    pub fn records(&self) -> Records {
        self.0.seen.lock().unwrap().clone()
    }

    /// Key and value of each grant.
    pub fn grants(&self) -> Vec<(String, Vec<u8>)> {
        let records = self.records().into_iter();
        let grants = records.filter(|(key, _)| key.starts_with("grant:"));
        grants.map(|(key, (value, _))| (key, value)).collect()
    }

    /// How many verbs have come so far.
    pub fn verbs(&self) -> u64 {
        self.0.verbs.load(Relaxed)
    }

    fn memory(&self) -> &MemoryStorage {
        self.0.verbs.fetch_add(1, Relaxed);
        &self.0.memory
    }

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
        self.memory().get(key)
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        self.note(key, value.clone(), ttl);
        self.memory().set(key, value, ttl)
    }

    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        Box::pin(async move {
            let inserted = self
                .memory()
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
        self.memory().take(key)
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
                .memory()
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
        self.memory().remove(key)
    }

    fn list_add<'a>(
        &'a self,
        list: &'a str,
        member: &'a str,
        ttl: Duration,
    ) -> StorageFuture<'a, ()> {
        self.note(&member_of(list, member), Vec::new(), ttl);
        self.memory().list_add(list, member, ttl)
    }

    fn list_remove<'a>(&'a self, list: &'a str, member: &'a str) -> StorageFuture<'a, ()> {
        self.forget(&member_of(list, member));
        self.memory().list_remove(list, member)
    }

    fn list_page<'a>(
        &'a self,
        list: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> StorageFuture<'a, ListPage> {
        self.memory().list_page(list, after, limit)
    }
}
