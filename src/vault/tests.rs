use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::{
    key::{SEALING_BYTES, SecretKey},
    storage::{MAX_VALUE_BYTES, MemoryStorage},
};

const MINUTE: Duration = Duration::from_secs(60);

struct Setup {
    store: Arc<MemoryStorage>,
    vault: Arc<Vault>,
    corrupt: Arc<AtomicUsize>,
    /// How often a secret that is not known was reported.
    unknown: Arc<AtomicUsize>,
}

fn key(byte: u8) -> SealKey {
    SecretKey::for_test(byte).seal("storage")
}

fn over(store: Arc<MemoryStorage>, keys: Option<Rotating<SealKey>>) -> Setup {
    let (corrupt, unknown) = (Arc::default(), Arc::default());
    let counts = [Arc::clone(&corrupt), Arc::clone(&unknown)];
    let events = Events::new(Some(Box::new(move |event| {
        let [corrupt, unknown]: &[Arc<AtomicUsize>; 2] = &counts;
        match event.reason {
            Some(Reason::StoreCorrupt) => corrupt.fetch_add(1, Ordering::SeqCst),
            Some(Reason::OtherSecret) => unknown.fetch_add(1, Ordering::SeqCst),
            other => panic!("{other:?}"),
        };
    })));
    let vault = Vault::new(store.clone(), keys, Arc::new(events));
    Setup {
        store,
        vault: Arc::new(vault),
        corrupt,
        unknown,
    }
}

/// Sealed, and in the clear: what is said of the one holds for the other.
fn setups() -> [Setup; 2] {
    let keys = Rotating::new(key(1), []);
    [Some(keys), None].map(|keys| over(Arc::default(), keys))
}

fn sealed() -> Setup {
    let [sealed, _] = setups();
    sealed
}

impl Setup {
    async fn seen(&self, key: &str) -> Seen<Option<Vec<u8>>> {
        self.vault.read(key).await.unwrap().expect("a record")
    }

    async fn text(&self, key: &str) -> Option<Vec<u8>> {
        self.vault.peek(key).await.unwrap()
    }
}

#[tokio::test]
async fn the_store_never_sees_a_plain_byte_run() {
    let at = sealed();
    let secret = b"the provider's refresh token";
    at.vault.set("a", secret, MINUTE).await.unwrap();
    let new = at.vault.seal("b", secret);
    assert!(at.vault.put("b", None, &new, MINUTE).await.unwrap());
    at.vault.set("c", &[1], MINUTE).await.unwrap();
    let (seen, new) = (at.seen("c").await, at.vault.seal("c", secret));
    let put = at.vault.put("c", Some(seen.raw()), &new, MINUTE);
    assert!(put.await.unwrap());
    for name in ["a", "b", "c"] {
        assert_eq!(at.text(name).await.unwrap(), secret);
        let stored = at.store.get(name).await.unwrap().unwrap();
        let mut runs = stored.windows(8);
        assert!(!runs.any(|run| secret.windows(8).any(|s| s == run)));
    }
}

/// The format without encryption, as it stands in stores from here on.
#[tokio::test]
async fn without_encryption_a_record_is_a_version_a_nonce_and_the_text() {
    let [_, at] = setups();
    at.vault.set("a", b"text", MINUTE).await.unwrap();
    let stored = at.store.get("a").await.unwrap().unwrap();
    assert_eq!((stored[0], &stored[9..]), (0, &b"text"[..]));
    let sample = b"\0nonce678text".to_vec();
    at.store.set("a", sample, MINUTE).await.unwrap();
    assert_eq!(at.text("a").await.unwrap(), b"text");
    let empty = b"\0nonce678".to_vec();
    at.store.set("a", empty, MINUTE).await.unwrap();
    assert_eq!(at.text("a").await.unwrap(), b"");
}

#[tokio::test]
async fn a_record_is_changed_only_over_exactly_what_was_seen_and_by_one_of_many() {
    for at in setups() {
        at.vault.set("k", &[7], MINUTE).await.unwrap();
        let seen = Arc::new(at.seen("k").await);
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (vault, seen) = (Arc::clone(&at.vault), Arc::clone(&seen));
                let new = vault.seal("k", &[7]);
                tokio::spawn(async move { vault.put("k", Some(seen.raw()), &new, MINUTE).await })
            })
            .collect();
        let mut winners = 0;
        for task in tasks {
            winners += usize::from(task.await.unwrap().unwrap());
        }
        // It says the same as before, and is another record all the same.
        assert_eq!((winners, at.text("k").await), (1, Some(vec![7])));
        assert!(!at.vault.end("k", seen.raw()).await.unwrap());
        let now = at.seen("k").await;
        assert!(at.vault.end("k", now.raw()).await.unwrap());
        assert_eq!(at.text("k").await, None);
        assert_eq!(at.corrupt.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn a_record_moved_to_another_key_is_absent_and_reported() {
    let at = sealed();
    at.vault.set("grant:mine", &[1], MINUTE).await.unwrap();
    let moved = at.store.get("grant:mine").await.unwrap().unwrap();
    at.store.set("grant:theirs", moved, MINUTE).await.unwrap();
    assert_eq!(at.text("grant:theirs").await, None);
    assert_eq!(at.seen("grant:theirs").await.into_value(), None);
    assert_eq!(at.vault.take("grant:theirs").await.unwrap(), None);
    assert_eq!(at.corrupt.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_200_callers_one_replaces_a_record_that_does_not_open() {
    for at in setups() {
        let garbage = b"not sealed by anybody".to_vec();
        at.store.set("k", garbage, MINUTE).await.unwrap();
        let new = at.vault.seal("k", &[0]);
        let put = at.vault.put("k", None, &new, MINUTE);
        assert!(!put.await.unwrap(), "something stands there");
        let tasks: Vec<_> = (0..200_u8)
            .map(|n| {
                let vault = Arc::clone(&at.vault);
                tokio::spawn(async move {
                    let dead = vault.read("k").await.unwrap().unwrap();
                    let is_dead = dead.is_none();
                    let new = vault.seal("k", &[n]);
                    let put = vault.put("k", Some(dead.raw()), &new, MINUTE);
                    is_dead && put.await.unwrap()
                })
            })
            .collect();
        let mut winner = None;
        for (n, task) in (0..).zip(tasks) {
            if task.await.unwrap() {
                assert_eq!(winner.replace(n), None, "two heard that they wrote");
            }
        }
        // Those who came late saw the winner's, and wrote over that.
        assert!(winner.is_some() && at.text("k").await.is_some());
        assert!(at.corrupt.load(Ordering::SeqCst) >= 1);
    }
}

#[tokio::test]
async fn a_previous_secret_still_opens_and_is_written_over() {
    let old = sealed();
    old.vault.set("k", &[1], MINUTE).await.unwrap();
    let keys = Rotating::new(key(2), [key(1)]);
    let new = over(old.store.clone(), Some(keys));
    let seen = new.seen("k").await;
    assert_eq!(*seen, Some(vec![1]));
    let text = new.vault.seal("k", &[2]);
    let put = new.vault.put("k", Some(seen.raw()), &text, MINUTE);
    assert!(put.await.unwrap());
    // What the new secret wrote, the old one cannot read.
    assert_eq!(new.text("k").await, Some(vec![2]));
    assert_eq!(old.text("k").await, None);
}

#[tokio::test]
async fn what_an_unknown_secret_sealed_is_absent_and_reported_once() {
    let new = over(Arc::default(), Some(Rotating::new(key(2), [])));
    let old = over(new.store.clone(), Some(Rotating::new(key(1), [])));
    for name in ["a", "b"] {
        new.vault.set(name, &[1], MINUTE).await.unwrap();
    }
    for name in ["a", "b", "a"] {
        assert_eq!(old.text(name).await, None);
    }
    assert_eq!(new.text("a").await, Some(vec![1]));
    assert_eq!(old.vault.take("a").await.unwrap(), None);
    let (dead, text) = (old.seen("b").await, old.vault.seal("b", &[3]));
    let put = old.vault.put("b", Some(dead.raw()), &text, MINUTE);
    assert!(put.await.unwrap());
    assert_eq!(old.text("b").await, Some(vec![3]));
    assert_eq!(old.unknown.load(Ordering::SeqCst), 1);
    assert_eq!(old.corrupt.load(Ordering::SeqCst), 0);
    // A third secret is reported, too; a store full of garbage fills no memory, and stays reported.
    for other in 3..3 + MAX_REPORTED_SECRETS as u8 {
        let other = over(new.store.clone(), Some(Rotating::new(key(other), [])));
        other.vault.set("c", &[1], MINUTE).await.unwrap();
        assert_eq!(old.text("c").await, None);
    }
    assert_eq!(old.unknown.load(Ordering::SeqCst), MAX_REPORTED_SECRETS);
    assert_eq!(old.corrupt.load(Ordering::SeqCst), 1);
}

/// An operator who turns encryption on or off: what was there is absent, and never read wrongly.
#[tokio::test]
async fn what_was_sealed_does_not_open_in_the_clear_nor_the_other_way_round() {
    let [sealed, clear] = setups();
    sealed.vault.set("a", &[1; 40], MINUTE).await.unwrap();
    clear.vault.set("b", &[1; 80], MINUTE).await.unwrap();
    let there = over(sealed.store.clone(), None);
    assert_eq!(there.text("a").await, None);
    let there = over(clear.store.clone(), Some(Rotating::new(key(1), [])));
    assert_eq!(there.text("b").await, None);
    assert_eq!(there.corrupt.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_largest_text_is_smaller_by_what_sealing_adds() {
    let at = sealed();
    let largest = MAX_VALUE_BYTES - SEALING_BYTES;
    at.vault.set("k", &vec![0; largest], MINUTE).await.unwrap();
    let refused = at.vault.set("k", &vec![0; largest + 1], MINUTE).await;
    assert!(matches!(refused, Err(StorageError::TooLarge { .. })));
}
