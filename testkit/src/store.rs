//! A store that several instances share, that can break, and that remembers what it was given.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use tower_oauth_proxy::{
    StorageError,
    storage::{ListPage, MemoryStorage, StorageFuture, TokenStorage},
};

use super::FakeClock;

/// Clones are the same store.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    memory: Arc<MemoryStorage>,
    health: Mutex<Health>,
    seen: Mutex<Vec<Seen>>,
}

/// How the store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    Up,
    /// Every verb fails, and does nothing.
    Down,
    /// Every verb does its work, and then fails: the answer was lost.
    AnswersLost,
    /// No verb ever answers.
    Frozen,
    /// This many verbs still work, then the store is down: a crash between two steps.
    UpFor(usize),
    /// Verbs about lists fail, and do nothing; all others work.
    WithoutLists,
    /// Every verb does its work after others had several turns.
    Slow,
}

/// A verb that was called.
#[derive(Debug, Clone)]
pub struct Seen {
    pub verb: &'static str,
    pub key: String,
    /// What was to be written, if anything.
    pub value: Vec<u8>,
}

impl Store {
    pub fn new(clock: &FakeClock) -> Self {
        Self(Arc::new(Inner {
            memory: Arc::new(MemoryStorage::new().with_clock(Arc::new(clock.clone()))),
            health: Mutex::new(Health::Up),
            seen: Mutex::default(),
        }))
    }

    /// The same records by another line, which can break by itself.
    pub fn another_line(&self) -> Self {
        Self(Arc::new(Inner {
            memory: self.0.memory.clone(),
            health: Mutex::new(Health::Up),
            seen: Mutex::default(),
        }))
    }

    /// Changes how the store is.
    pub fn be(&self, health: Health) {
        *self.0.health.lock().unwrap() = health;
    }

    /// Every verb so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.0.seen.lock().unwrap().clone()
    }

    /// Verbs that write, so far.
    pub fn writes(&self) -> usize {
        let reads = ["get", "list_page"];
        let seen = self.seen();
        seen.iter()
            .filter(|seen| !reads.contains(&seen.verb))
            .count()
    }

    /// Forgets the verbs so far.
    pub fn forget(&self) {
        self.0.seen.lock().unwrap().clear();
    }

    /// How many records are held.
    pub fn records(&self) -> u64 {
        self.0.memory.record_count()
    }

    async fn run<T>(
        &self,
        verb: &'static str,
        key: &str,
        value: &[u8],
        work: impl Future<Output = Result<T, StorageError>>,
    ) -> Result<T, StorageError> {
        self.0.seen.lock().unwrap().push(Seen {
            verb,
            key: key.to_owned(),
            value: value.to_vec(),
        });
        let health = {
            let mut health = self.0.health.lock().unwrap();
            let now = *health;
            match now {
                Health::UpFor(0) => *health = Health::Down,
                Health::UpFor(left) => *health = Health::UpFor(left - 1),
                _ => {}
            }
            now
        };
        let down = || Err(StorageError::unavailable("broken on purpose"));
        match health {
            Health::WithoutLists if verb.starts_with("list_") => down(),
            Health::Up | Health::WithoutLists => work.await,
            Health::Slow => {
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
                work.await
            }
            Health::UpFor(left) if left > 0 => work.await,
            Health::UpFor(_) | Health::Down => down(),
            Health::AnswersLost => {
                work.await?;
                down()
            }
            Health::Frozen => std::future::pending().await,
        }
    }
}

impl TokenStorage for Store {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(self.run("get", key, &[], self.0.memory.get(key)))
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            let work = self.0.memory.set(key, value.clone(), ttl);
            self.run("set", key, &value, work).await
        })
    }

    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        Box::pin(async move {
            let work = self.0.memory.insert_if_absent(key, value.clone(), ttl);
            self.run("insert_if_absent", key, &value, work).await
        })
    }

    fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(self.run("take", key, &[], self.0.memory.take(key)))
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        expected: &'a [u8],
        new: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        Box::pin(async move {
            let work = self
                .0
                .memory
                .compare_and_swap(key, expected, new.clone(), ttl);
            self.run("compare_and_swap", key, &new, work).await
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        Box::pin(self.run("remove", key, &[], self.0.memory.remove(key)))
    }

    fn list_add<'a>(
        &'a self,
        list: &'a str,
        member: &'a str,
        ttl: Duration,
    ) -> StorageFuture<'a, ()> {
        let work = self.0.memory.list_add(list, member, ttl);
        Box::pin(self.run("list_add", list, member.as_bytes(), work))
    }

    fn list_remove<'a>(&'a self, list: &'a str, member: &'a str) -> StorageFuture<'a, ()> {
        let work = self.0.memory.list_remove(list, member);
        Box::pin(self.run("list_remove", list, member.as_bytes(), work))
    }

    fn list_page<'a>(
        &'a self,
        list: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> StorageFuture<'a, ListPage> {
        let work = self.0.memory.list_page(list, after, limit);
        Box::pin(self.run("list_page", list, &[], work))
    }
}
