use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::*;
use crate::storage::{MemoryStorage, TokenStorage, by_hand::ByHand, contract};

const DAY: Duration = Duration::from_secs(86_400);

/// A store as an operator writes one: it has no lists of its own. Counts its verbs.
struct Plain(MemoryStorage, AtomicUsize);

impl Plain {
    fn new(memory: MemoryStorage) -> Self {
        Self(memory, AtomicUsize::new(0))
    }

    fn memory(&self) -> &MemoryStorage {
        self.1.fetch_add(1, Ordering::Relaxed);
        &self.0
    }

    fn verbs(&self) -> usize {
        self.1.swap(0, Ordering::Relaxed)
    }
}

impl TokenStorage for Plain {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            // Others get a turn, as behind a network.
            tokio::task::yield_now().await;
            self.memory().get(key).await
        })
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        self.memory().set(key, value, ttl)
    }

    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        self.memory().insert_if_absent(key, value, ttl)
    }

    fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        self.memory().take(key)
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        expected: &'a [u8],
        new: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        self.memory().compare_and_swap(key, expected, new, ttl)
    }

    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        self.memory().remove(key)
    }
}

async fn count(store: &Plain, list: &str) -> usize {
    let (mut count, mut after) = (0, None);
    loop {
        let page = store.list_page(list, after.as_deref(), 1_000).await;
        let page = page.unwrap();
        count += page.members.len();
        match page.next {
            Some(next) => after = Some(next),
            None => return count,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lists_made_of_records_keep_the_contract() {
    let clock = ByHand::new();
    let store = Plain::new(MemoryStorage::new().with_clock(clock.clone()));
    contract::run(Arc::new(store), async |time| clock.pass(time)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thousands_at_once_are_all_listed_and_removed() {
    let store = Arc::new(Plain::new(MemoryStorage::new()));
    let add = |n: usize| {
        let store = Arc::clone(&store);
        async move { store.list_add("list", &n.to_string(), DAY).await }
    };
    let tasks: Vec<_> = (0..5_000).map(|n| tokio::spawn(add(n))).collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let adding = store.verbs();
    assert!(adding < 5_000 * 20, "{adding} verbs for 5,000");
    assert_eq!(count(&store, "list").await, 5_000);
    for n in 0..5_000 {
        add(n).await.unwrap();
    }
    assert_eq!(count(&store, "list").await, 5_000);
    for n in 0..4_999 {
        store.list_remove("list", &n.to_string()).await.unwrap();
    }
    let page = store.list_page("list", None, 10).await.unwrap();
    assert_eq!(page.members, ["4999"]);
}

#[tokio::test]
async fn the_costs_are_what_the_documentation_says() {
    let store = Plain::new(MemoryStorage::new());
    store.list_add("few", "0", DAY).await.unwrap();
    store.verbs();
    store.list_add("few", "1", DAY).await.unwrap();
    assert!((2..=4).contains(&store.verbs()));
    store.list_page("few", None, 10).await.unwrap();
    assert_eq!(store.verbs(), 9);
    store.list_remove("few", "1").await.unwrap();
    let removing = store.verbs();
    assert!((9..=12).contains(&removing), "{removing}");
    store.list_page("none", None, 10).await.unwrap();
    assert_eq!(store.verbs(), 1, "nobody pays for a list that is not there");
    for n in 0..5_000 {
        store.list_add("many", &n.to_string(), DAY).await.unwrap();
    }
    println!("to add 5,000: {}", store.verbs());
    store.list_add("many", "one-more", DAY).await.unwrap();
    assert!(store.verbs() <= 12);
    store.list_page("many", None, 10).await.unwrap();
    let paging = store.verbs();
    assert!(paging <= 9 * 5_000, "{paging}");
    store.list_remove("many", "7").await.unwrap();
    assert!(store.verbs() <= 60);
}

/// A list lives as long as its members, whatever the lives of those that came before.
#[tokio::test]
async fn readers_look_for_as_long_as_the_longest_member_lives() {
    let clock = ByHand::new();
    let store = Plain::new(MemoryStorage::new().with_clock(clock.clone()));
    store.list_add("list", "short", DAY).await.unwrap();
    for n in 0..100 {
        store
            .list_add("list", &n.to_string(), 20 * DAY)
            .await
            .unwrap();
    }
    store.list_add("list", "short-too", DAY).await.unwrap();
    clock.pass(20 * DAY - Duration::from_secs(60));
    assert_eq!(count(&store, "list").await, 100);
    clock.pass(Duration::from_secs(120));
    assert_eq!(count(&store, "list").await, 0);
}

#[tokio::test]
async fn a_record_that_is_none_of_a_list_is_corrupt() {
    let store = Plain::new(MemoryStorage::new());
    store.list_add("list", "a", DAY).await.unwrap();
    for garbage in [&b"9:1"[..], b"x", b"\xff"] {
        store
            .set("list:depth", garbage.to_vec(), DAY)
            .await
            .unwrap();
        let page = store.list_page("list", None, 10).await;
        assert!(matches!(page, Err(StorageError::Corrupt(_))), "{page:?}");
    }
}
