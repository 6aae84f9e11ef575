//! The encrypting wrapper around every store.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    error::StorageError,
    event::{Event, Events, Reason, Step},
    key::{KeyId, Rotating, SealKey, Shut, constant_time_eq},
    storage::{ListPage, StorageFuture, TokenStorage},
};

/// How often a verb tries again when another caller changed the record in between. Each failure means
/// that the other succeeded, so only an odd store gets here.
const MAX_ATTEMPTS: usize = 64;

/// How many names of unknown secrets are told, each once. A store of garbage holds any number.
const MAX_TOLD: usize = 16;

/// Seals every value before the inner store sees it: see [`SealKey`] for the format.
///
/// The record's key is the associated data: a record that was moved to another key does not open. A
/// record that does not open (a damaged disk, somebody's hand, a secret that is not known here) is
/// absent for every verb, with an event: the person logs in again. Records of a secret that is not
/// known come by the thousand, so they are told once for each secret.
///
/// Sealing adds 45 bytes, so a value may be that much smaller than
/// [`MAX_VALUE_BYTES`](crate::storage::MAX_VALUE_BYTES).
pub(crate) struct SealedStorage {
    inner: Arc<dyn TokenStorage>,
    keys: Rotating<SealKey>,
    /// The unknown secrets that were told.
    told: Mutex<Vec<KeyId>>,
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
            told: Mutex::default(),
            events,
        }
    }

    fn seal(&self, key: &str, plain: &[u8]) -> Vec<u8> {
        self.keys.seal(key.as_bytes(), plain)
    }

    /// `None`, with an event, when the record is dead.
    fn open(&self, key: &str, sealed: Vec<u8>) -> Option<Vec<u8>> {
        match self.keys.open(key.as_bytes(), sealed) {
            Ok(plain) => return Some(plain),
            Err(Shut::OtherKey(secret)) => self.tell_unknown(secret, key),
            Err(Shut::Damaged) => self.tell_corrupt(key),
        }
        None
    }

    fn tell_unknown(&self, secret: KeyId, key: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.contains(&secret) {
            return;
        }
        if told.len() >= MAX_TOLD {
            drop(told);
            return self.tell_corrupt(key);
        }
        told.push(secret);
        drop(told);
        self.events
            .emit(
                &Event::refused(Step::Storage, Reason::OtherSecret).detail(format_args!(
                    "the store holds records of the secret {secret}, which is not known here; they \
                     are treated as absent: if it is one of yours, add it to previous_secret_keys (a \
                     replaced encryption_key to previous_encryption_keys)"
                )),
            );
    }

    fn tell_corrupt(&self, key: &str) {
        self.events
            .emit(
                &Event::refused(Step::Storage, Reason::StoreCorrupt).detail(format_args!(
                    "the record {key} does not open with this secret: treated as absent"
                )),
            );
    }
}

impl TokenStorage for SealedStorage {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let sealed = self.inner.get(key).await?;
            Ok(sealed.and_then(|sealed| self.open(key, sealed)))
        })
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        let sealed = self.seal(key, &value);
        self.inner.set(key, sealed, ttl)
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
                if self.open(key, there.clone()).is_some() {
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
            Ok(sealed.and_then(|sealed| self.open(key, sealed)))
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
                match self.open(key, there.clone()) {
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
