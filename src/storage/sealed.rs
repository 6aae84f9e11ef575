//! The encrypting wrapper around every store.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    list::ListPage,
    traits::{StorageFuture, TokenStorage},
};
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
        self.secrets.dedup();
        self
    }

    fn seal(&self, key: &str, plain: &[u8]) -> Vec<u8> {
        let current = self.keys.current();
        current.seal_behind(&current.id().0, key.as_bytes(), plain)
    }

    /// `None`, with an event, when the record is dead.
    async fn open(&self, key: &str, sealed: Vec<u8>) -> Result<Option<Vec<u8>>, StorageError> {
        if let Some(name) = sealed.first_chunk() {
            let name = KeyId(*name);
            match self.keys.all().find(|known| known.id() == name) {
                Some(known) => {
                    let plain = known.open_in_place(name.0.len(), key.as_bytes(), sealed);
                    if plain.is_some() {
                        return Ok(plain);
                    }
                }
                None if self.is_in_use(name).await? => return Err(self.other_secret(name)),
                None => {}
            }
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
        let now = Instant::now();
        let last = *self.announced();
        if last.is_some_and(|at| now.duration_since(at) < ANNOUNCE_AGAIN) {
            return Ok(());
        }
        for id in &self.secrets {
            let key = secret_key(*id);
            let name = self.seal(&key, &id.0);
            self.inner.set(&key, name, ANNOUNCED_FOR).await?;
        }
        // Only now: whoever hangs up in the middle leaves it to the next one.
        *self.announced() = Some(now);
        Ok(())
    }

    fn announced(&self) -> MutexGuard<'_, Option<Instant>> {
        self.announced_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenStorage for SealedStorage {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            match self.inner.get(key).await? {
                Some(sealed) => self.open(key, sealed).await,
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
                if self.open(key, there.clone()).await?.is_some() {
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
            // First a look: what is another instance's is not for this one to take.
            let Some(seen) = self.inner.get(key).await? else {
                return Ok(None);
            };
            let opened = self.open(key, seen.clone()).await?;
            match self.inner.take(key).await? {
                Some(taken) if taken == seen => Ok(opened),
                Some(taken) => self.open(key, taken).await,
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
                match self.open(key, there.clone()).await? {
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

    // Lists go through as they are: members are names of grants, which open nothing, and the names
    // of the lists are MACs.
    fn list_add<'a>(
        &'a self,
        list: &'a str,
        member: &'a str,
        ttl: Duration,
    ) -> StorageFuture<'a, ()> {
        self.inner.list_add(list, member, ttl)
    }

    fn list_remove<'a>(&'a self, list: &'a str, member: &'a str) -> StorageFuture<'a, ()> {
        self.inner.list_remove(list, member)
    }

    fn list_page<'a>(
        &'a self,
        list: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> StorageFuture<'a, ListPage> {
        self.inner.list_page(list, after, limit)
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
mod tests;
