//! The encrypting wrapper around every store.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::traits::{StorageFuture, TokenStorage};
use crate::{
    error::StorageError,
    event::{Event, Events, Reason, Step},
    key::{KeyId, Rotating, SealKey, constant_time_eq},
};

/// How often a verb tries again when another caller changed the record in between. Each failure means
/// that the other succeeded, so only an odd store gets here.
const MAX_ATTEMPTS: usize = 64;

/// Seals every value with AES-256-GCM before the inner store sees it.
///
/// ```text
/// value = key's name(4) || nonce(12) || ciphertext || tag(16)
/// ```
///
/// The record's key is the associated data: a record that was moved to another key does not open. A
/// record that does not open (a damaged disk, somebody's hand, a secret that is gone) is absent for
/// every verb, with an event: the person logs in again.
///
/// One exception: a record sealed by another instance, with a secret that this one was not told of.
/// Each instance leaves the name of its secret in the store; what was sealed with a secret that
/// somebody uses is not absent but unavailable. So a secret that is rolled out in one go costs
/// retries and logs nobody out.
///
/// Sealing adds 32 bytes, so a value may be that much smaller than
/// [`MAX_VALUE_BYTES`](super::MAX_VALUE_BYTES).
pub(crate) struct SealedStorage {
    inner: Arc<dyn TokenStorage>,
    keys: Rotating<SealKey>,
    /// The secrets that this instance makes things with: not all of them are the store's.
    secrets: Vec<KeyId>,
    announced_at: Mutex<Option<Instant>>,
    has_told: AtomicBool,
    events: Arc<Events>,
}

/// A name stays in the store this long after an instance that uses the secret last wrote: long
/// enough for a roll-out, short enough that a secret which is gone for good is soon just unknown.
const ANNOUNCED_FOR: Duration = Duration::from_secs(10 * 60);
/// An instance that writes renews its names this often.
const ANNOUNCE_AGAIN: Duration = Duration::from_secs(2 * 60);

/// The record that says that some instance uses this secret.
pub(crate) fn secret_key(id: KeyId) -> String {
    format!("secret:{id}")
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
            secrets: Vec::new(),
            announced_at: Mutex::new(None),
            has_told: AtomicBool::new(false),
            events,
        }
    }

    /// Leaves these names in the store: of the secrets that this instance makes things with.
    #[must_use]
    pub(crate) fn announcing(mut self, secrets: Vec<KeyId>) -> Self {
        self.secrets = secrets;
        self
    }

    fn seal(&self, key: &str, plain: &[u8]) -> Vec<u8> {
        let current = self.keys.current();
        let sealed = current.seal(key.as_bytes(), plain);
        [&current.id().0[..], &sealed].concat()
    }

    /// `None`, with an event, when the record is dead.
    async fn open(&self, key: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        let opened = sealed.split_first_chunk::<4>().and_then(|(id, sealed)| {
            let by_name = self.keys.all().find(|known| known.id() == KeyId(*id));
            by_name.map_or(Some(Err(KeyId(*id))), |known| {
                known.open(key.as_bytes(), sealed).map(Ok)
            })
        });
        match opened {
            Some(Ok(plain)) => return Ok(Some(plain)),
            Some(Err(foreign)) if self.is_in_use(foreign).await? => {
                return Err(self.other_secret(foreign));
            }
            Some(Err(_)) | None => {}
        }
        self.events
            .emit(
                &Event::refused(Step::Storage, Reason::StoreCorrupt).detail(format_args!(
                    "the record {key} does not open with this secret: treated as absent"
                )),
            );
        Ok(None)
    }

    async fn is_in_use(&self, secret: KeyId) -> Result<bool, StorageError> {
        Ok(self.inner.get(&secret_key(secret)).await?.is_some())
    }

    /// Two instances with different secrets on one store: told once.
    fn other_secret(&self, id: KeyId) -> StorageError {
        if !self.has_told.swap(true, Ordering::Relaxed) {
            self.events
                .emit(
                    &Event::refused(Step::Storage, Reason::OtherSecret).detail(format_args!(
                        "another instance on this store uses secret {id}, which this one does not \
                     accept: add it to previous_secret_keys"
                    )),
                );
        }
        StorageError::unavailable("sealed with another instance's secret")
    }

    /// Leaves the names of this instance's secrets, before a record sealed with one.
    async fn announce(&self) -> Result<(), StorageError> {
        {
            let mut at = self
                .announced_at
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if at.is_some_and(|at| at.elapsed() < ANNOUNCE_AGAIN) {
                return Ok(());
            }
            *at = Some(Instant::now());
        }
        for id in &self.secrets {
            let key = secret_key(*id);
            let name = self.seal(&key, &id.0);
            if let Err(error) = self.inner.set(&key, name, ANNOUNCED_FOR).await {
                let mut at = self
                    .announced_at
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                *at = None;
                return Err(error);
            }
        }
        Ok(())
    }
}

impl TokenStorage for SealedStorage {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            match self.inner.get(key).await? {
                Some(sealed) => self.open(key, &sealed).await,
                None => Ok(None),
            }
        })
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            self.announce().await?;
            self.inner.set(key, self.seal(key, &value), ttl).await
        })
    }

    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        Box::pin(async move {
            self.announce().await?;
            let sealed = self.seal(key, &value);
            for _ in 0..MAX_ATTEMPTS {
                let inserted = self.inner.insert_if_absent(key, sealed.clone(), ttl);
                if inserted.await? {
                    return Ok(true);
                }
                let Some(there) = self.inner.get(key).await? else {
                    continue; // It went in between.
                };
                if self.open(key, &there).await?.is_some() {
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
            match self.inner.take(key).await? {
                Some(sealed) => self.open(key, &sealed).await,
                None => Ok(None),
            }
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
            self.announce().await?;
            let new = self.seal(key, &new);
            for _ in 0..MAX_ATTEMPTS {
                let Some(there) = self.inner.get(key).await? else {
                    return Ok(false);
                };
                match self.open(key, &there).await? {
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
    use std::sync::atomic::AtomicUsize;

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

    fn setup_on(plain: &Arc<MemoryStorage>) -> Setup {
        over(Arc::clone(plain), Rotating::new(key(1), []))
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
    async fn what_another_instances_secret_sealed_is_unavailable_and_told_once() {
        let plain = Arc::new(MemoryStorage::new());
        let told = Arc::new(AtomicUsize::new(0));
        let instance = |byte: u8| {
            let seen = Arc::clone(&told);
            let events = Events::new(Some(Box::new(move |event| {
                assert_eq!(event.reason, Some(Reason::OtherSecret));
                seen.fetch_add(1, Ordering::SeqCst);
            })));
            let names = vec![key(byte).id()];
            let keys = Rotating::new(key(byte), []);
            SealedStorage::new(plain.clone(), keys, Arc::new(events)).announcing(names)
        };
        let (new, old) = (instance(2), instance(1));
        new.set("k", vec![1], MINUTE).await.unwrap();
        for _ in 0..3 {
            let read = old.get("k").await;
            assert!(
                matches!(read, Err(StorageError::Unavailable(_))),
                "{read:?}"
            );
            let inserted = old.insert_if_absent("k", vec![2], MINUTE).await;
            assert!(inserted.is_err());
            assert!(
                old.compare_and_swap("k", &[1], vec![2], MINUTE)
                    .await
                    .is_err()
            );
        }
        assert_eq!(told.load(Ordering::SeqCst), 1);
        assert_eq!(new.get("k").await.unwrap(), Some(vec![1]));
        // Whoever is no instance has left no name: what it sealed is dead.
        let stranger = key(9).seal(b"k", &[1]);
        let sealed = [&key(9).id().0[..], &stranger].concat();
        plain.set("k", sealed, MINUTE).await.unwrap();
        assert_eq!(setup_on(&plain).sealed.get("k").await.unwrap(), None);
    }

    #[tokio::test]
    async fn the_largest_value_is_32_bytes_below_the_inner_limit() {
        let Setup { sealed, .. } = setup();
        let largest = MAX_VALUE_BYTES - 32;
        sealed.set("k", vec![0; largest], MINUTE).await.unwrap();
        let refused = sealed.set("k", vec![0; largest + 1], MINUTE).await;
        assert!(matches!(refused, Err(StorageError::TooLarge { .. })));
    }
}
