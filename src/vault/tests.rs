use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::{
    key::{SEALING_BYTES, SecretKey},
    storage::{MAX_VALUE_BYTES, MemoryStorage, by_hand::ByHand, contract},
};

const MINUTE: Duration = Duration::from_secs(60);

struct Setup {
    plain: Arc<MemoryStorage>,
    sealed: Arc<SealedStorage>,
    corrupt: Arc<AtomicUsize>,
    /// How often a secret that is not known was told.
    unknown: Arc<AtomicUsize>,
}

fn key(byte: u8) -> SealKey {
    SecretKey::for_test(byte).seal("storage")
}

fn over(plain: Arc<MemoryStorage>, keys: Rotating<SealKey>) -> Setup {
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
    let sealed = SealedStorage::new(plain.clone(), keys, Arc::new(events));
    Setup {
        plain,
        sealed: Arc::new(sealed),
        corrupt,
        unknown,
    }
}

fn setup() -> Setup {
    over(Arc::new(MemoryStorage::new()), Rotating::new(key(1), []))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_sealed_store_keeps_the_contract() {
    let clock = ByHand::new();
    let plain = Arc::new(MemoryStorage::new().with_clock(clock.clone()));
    let setup = over(plain, Rotating::new(key(1), []));
    contract::run(setup.sealed, async |time| clock.pass(time)).await;
    assert_eq!(setup.corrupt.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_inner_store_never_sees_a_plain_byte_run() {
    let Setup { plain, sealed, .. } = setup();
    let secret = b"the provider's refresh token".to_vec();
    sealed.set("a", secret.clone(), MINUTE).await.unwrap();
    sealed
        .insert_if_absent("b", secret.clone(), MINUTE)
        .await
        .unwrap();
    sealed.set("c", vec![1], MINUTE).await.unwrap();
    sealed
        .compare_and_swap("c", &[1], secret.clone(), MINUTE)
        .await
        .unwrap();
    for name in ["a", "b", "c"] {
        assert_eq!(sealed.get(name).await.unwrap().unwrap(), secret);
        let stored = plain.get(name).await.unwrap().unwrap();
        assert!(
            !stored
                .windows(8)
                .any(|run| secret.windows(8).any(|s| s == run))
        );
    }
}

#[tokio::test]
async fn a_record_moved_to_another_key_is_absent_and_told() {
    let Setup {
        plain,
        sealed,
        corrupt,
        ..
    } = setup();
    sealed.set("grant:mine", vec![1], MINUTE).await.unwrap();
    let moved = plain.get("grant:mine").await.unwrap().unwrap();
    plain.set("grant:theirs", moved, MINUTE).await.unwrap();
    assert_eq!(sealed.get("grant:theirs").await.unwrap(), None);
    assert_eq!(corrupt.load(Ordering::SeqCst), 1);
    let swapped = sealed.compare_and_swap("grant:theirs", &[1], vec![2], MINUTE);
    assert!(!swapped.await.unwrap());
    assert_eq!(sealed.take("grant:theirs").await.unwrap(), None);
    assert_eq!(corrupt.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_200_callers_one_replaces_a_record_that_does_not_open() {
    let Setup {
        plain,
        sealed,
        corrupt,
        ..
    } = setup();
    plain
        .set("k", b"not sealed by anybody".to_vec(), MINUTE)
        .await
        .unwrap();
    let tasks: Vec<_> = (0..200_u8)
        .map(|n| {
            let sealed = Arc::clone(&sealed);
            tokio::spawn(async move { sealed.insert_if_absent("k", vec![n], MINUTE).await })
        })
        .collect();
    let mut winner = None;
    for (n, task) in (0..).zip(tasks) {
        if task.await.unwrap().unwrap() {
            assert_eq!(winner.replace(n), None, "two were told that they wrote");
        }
    }
    assert_eq!(sealed.get("k").await.unwrap(), Some(vec![winner.unwrap()]));
    assert!(corrupt.load(Ordering::SeqCst) >= 1);
}

/// Each sealing differs, so a swap must not fail only because another wrote the same value.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_swap_succeeds_while_others_write_the_value_that_it_expects() {
    let Setup { sealed, .. } = setup();
    sealed.set("k", vec![7], MINUTE).await.unwrap();
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let sealed = Arc::clone(&sealed);
            tokio::spawn(async move { sealed.compare_and_swap("k", &[7], vec![7], MINUTE).await })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap().unwrap());
    }
}

#[tokio::test]
async fn a_previous_secret_still_opens_and_swaps() {
    let old = setup();
    old.sealed.set("k", vec![1], MINUTE).await.unwrap();
    let new = over(old.plain.clone(), Rotating::new(key(2), [key(1)]));
    assert_eq!(new.sealed.get("k").await.unwrap(), Some(vec![1]));
    let swapped = new.sealed.compare_and_swap("k", &[1], vec![2], MINUTE);
    assert!(swapped.await.unwrap());
    // What the new secret wrote, the old one cannot read.
    assert_eq!(new.sealed.get("k").await.unwrap(), Some(vec![2]));
    assert_eq!(old.sealed.get("k").await.unwrap(), None);
}

#[tokio::test]
async fn what_a_secret_that_is_not_known_sealed_is_absent_and_told_once() {
    let new = over(Arc::default(), Rotating::new(key(2), []));
    let old = over(new.plain.clone(), Rotating::new(key(1), []));
    for name in ["a", "b"] {
        new.sealed.set(name, vec![1], MINUTE).await.unwrap();
    }
    for name in ["a", "b", "a"] {
        assert_eq!(old.sealed.get(name).await.unwrap(), None);
        let swapped = old.sealed.compare_and_swap(name, &[1], vec![2], MINUTE);
        assert!(!swapped.await.unwrap());
    }
    assert_eq!(new.sealed.get("a").await.unwrap(), Some(vec![1]));
    assert_eq!(old.sealed.take("a").await.unwrap(), None);
    let inserted = old.sealed.insert_if_absent("b", vec![3], MINUTE);
    assert!(inserted.await.unwrap());
    assert_eq!(old.sealed.get("b").await.unwrap(), Some(vec![3]));
    assert_eq!(old.unknown.load(Ordering::SeqCst), 1);
    assert_eq!(old.corrupt.load(Ordering::SeqCst), 0);
    // A third secret is told, too; a store full of garbage fills no memory, and stays told.
    for other in 3..3 + MAX_TOLD as u8 {
        let other = over(new.plain.clone(), Rotating::new(key(other), []));
        other.sealed.set("c", vec![1], MINUTE).await.unwrap();
        assert_eq!(old.sealed.get("c").await.unwrap(), None);
    }
    assert_eq!(old.unknown.load(Ordering::SeqCst), MAX_TOLD);
    assert_eq!(old.corrupt.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_largest_value_is_smaller_by_what_sealing_adds() {
    let Setup { sealed, .. } = setup();
    let largest = MAX_VALUE_BYTES - SEALING_BYTES;
    sealed.set("k", vec![0; largest], MINUTE).await.unwrap();
    let refused = sealed.set("k", vec![0; largest + 1], MINUTE).await;
    assert!(matches!(refused, Err(StorageError::TooLarge { .. })));
}
