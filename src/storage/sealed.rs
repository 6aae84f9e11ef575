//! The encrypting wrapper around every store.

use std::{fmt, sync::Arc, time::Duration};

use super::traits::{StorageFuture, TokenStorage};
use crate::{
    error::StorageError,
    event::{Event, Events, Reason, Step},
    key::{Rotating, SealKey, constant_time_eq},
};

/// How often a verb tries again when another caller changed the record in between. Each failure means
/// that the other succeeded, so only an odd store gets here.
const MAX_ATTEMPTS: usize = 64;

/// Seals every value with AES-256-GCM before the inner store sees it.
///
/// The record's key is the associated data: a record that was moved to another key does not open. A
/// record that does not open (another secret, a damaged disk, somebody's hand) is absent for every
/// verb, with an event: the person logs in again.
///
/// Sealing adds 28 bytes, so a value may be that much smaller than
/// [`MAX_VALUE_BYTES`](super::MAX_VALUE_BYTES).
pub(crate) struct SealedStorage {
    inner: Arc<dyn TokenStorage>,
    keys: Rotating<SealKey>,
    events: Arc<Events>,
}

impl SealedStorage {
    pub(crate) fn new(
        inner: Arc<dyn TokenStorage>,
        keys: Rotating<SealKey>,
        events: Arc<Events>,
    ) -> Self {
        Self {
            inner,
            keys,
            events,
        }
    }

    fn seal(&self, key: &str, plain: &[u8]) -> Vec<u8> {
        self.keys.seal(key.as_bytes(), plain)
    }

    /// `None`, with an event, when the record does not open.
    fn open(&self, key: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let plain = self.keys.open(key.as_bytes(), sealed);
        if plain.is_none() {
            self.events
                .emit(
                    &Event::refused(Step::Storage, Reason::StoreCorrupt).detail(format_args!(
                        "the record {key} does not open with this secret: treated as absent"
                    )),
                );
        }
        plain
    }
}

impl TokenStorage for SealedStorage {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let sealed = self.inner.get(key).await?;
            Ok(sealed.and_then(|sealed| self.open(key, &sealed)))
        })
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        Box::pin(async move { self.inner.set(key, self.seal(key, &value), ttl).await })
    }

    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        Box::pin(async move {
            let sealed = self.seal(key, &value);
            for _ in 0..MAX_ATTEMPTS {
                let inserted = self.inner.insert_if_absent(key, sealed.clone(), ttl);
                if inserted.await? {
                    return Ok(true);
                }
                let Some(there) = self.inner.get(key).await? else {
                    continue; // It went in between.
                };
                if self.open(key, &there).is_some() {
                    return Ok(false);
                }
                // Not a plain `set`: of callers who all see the same dead record, one replaces it.
                let replaced = self
                    .inner
                    .compare_and_swap(key, &there, sealed.clone(), ttl);
                if replaced.await? {
                    return Ok(true);
                }
            }
            Err(contended())
        })
    }

    fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let sealed = self.inner.take(key).await?;
            Ok(sealed.and_then(|sealed| self.open(key, &sealed)))
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        expected: &'a [u8],
        new: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        Box::pin(async move {
            let new = self.seal(key, &new);
            for _ in 0..MAX_ATTEMPTS {
                let Some(there) = self.inner.get(key).await? else {
                    return Ok(false);
                };
                match self.open(key, &there) {
                    Some(plain) if constant_time_eq(&plain, expected) => {}
                    _ => return Ok(false),
                }
                // The nonce makes two sealings of one value differ, so the inner swap succeeds only
                // on the very record that was read. When it fails the record changed, maybe to the
                // same plain value: only reading again can tell.
                let swapped = self.inner.compare_and_swap(key, &there, new.clone(), ttl);
                if swapped.await? {
                    return Ok(true);
                }
            }
            Err(contended())
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        self.inner.remove(key)
    }
}

fn contended() -> StorageError {
    StorageError::unavailable("a record changed at every attempt to write it")
}

impl fmt::Debug for SealedStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedStorage").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{
        key::SecretKey,
        storage::{MAX_VALUE_BYTES, MemoryStorage, by_hand::ByHand, contract},
    };

    const MINUTE: Duration = Duration::from_secs(60);

    struct Setup {
        plain: Arc<MemoryStorage>,
        sealed: Arc<SealedStorage>,
        corrupt: Arc<AtomicUsize>,
    }

    fn key(byte: u8) -> SealKey {
        SecretKey::from_bytes([byte; 32]).unwrap().seal("storage")
    }

    fn over(plain: Arc<MemoryStorage>, keys: Rotating<SealKey>) -> Setup {
        let corrupt = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&corrupt);
        let events = Events::new(Some(Box::new(move |event| {
            assert_eq!(event.reason, Some(Reason::StoreCorrupt));
            seen.fetch_add(1, Ordering::SeqCst);
        })));
        let sealed = SealedStorage::new(plain.clone(), keys, Arc::new(events));
        Setup {
            plain,
            sealed: Arc::new(sealed),
            corrupt,
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
                tokio::spawn(
                    async move { sealed.compare_and_swap("k", &[7], vec![7], MINUTE).await },
                )
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
    async fn the_largest_value_is_28_bytes_below_the_inner_limit() {
        let Setup { sealed, .. } = setup();
        let largest = MAX_VALUE_BYTES - 28;
        sealed.set("k", vec![0; largest], MINUTE).await.unwrap();
        let refused = sealed.set("k", vec![0; largest + 1], MINUTE).await;
        assert!(matches!(refused, Err(StorageError::TooLarge { .. })));
    }
}
