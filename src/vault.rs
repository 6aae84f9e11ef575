//! The only door to the store. Records are sealed on the way in, read as [`Seen`], and changed over
//! exactly what was seen: one verb for each change, no second look and no loop.
//!
//! Every verb is bounded in time: a store that hangs is a store that is down.

use std::{
    fmt,
    future::{Future, poll_fn},
    ops::Deref,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    error::StorageError,
    event::{Event, Events, Reason, Step},
    key::{KeyId, Rotating, SealKey, Shut, sha256},
    limits::{MAX_REPORTED_SECRETS, STORE_TIMEOUT},
    metrics::{Ended, Stopwatch, StoreTimes, Verb},
    random,
    storage::{ListPage, TokenStorage},
};

/// The first byte of a record that is not encrypted; a sealed one begins with another.
const CLEAR: u8 = 0;
/// What makes two records of the same content differ where nothing is encrypted.
const NONCE_BYTES: usize = 8;

/// Reads and writes the records of a deployment.
///
/// With encryption (see [`SealKey`] for the format) the record's key is the associated data: a record
/// that was moved to another key does not open. Without it a record is `0`, eight random bytes and the
/// text. Either way no two writes have the same bytes, so a write that was not answered differs from
/// every other one.
///
/// A record that does not open (a damaged disk, a secret that is not known here, a write by hand)
/// counts as absent, with an event: the person logs in again. It can be replaced like any other, by
/// exactly one of several callers who saw it. Records of an unknown secret come by the thousand, so
/// they are reported once for each secret.
pub(crate) struct Vault {
    store: Arc<dyn TokenStorage>,
    /// `None`: the operator keeps records in the clear.
    keys: Option<Rotating<SealKey>>,
    /// The unknown secrets that were reported.
    reported: Mutex<Vec<KeyId>>,
    events: Arc<Events>,
    times: StoreTimes,
}

/// The bytes of a record, as they stand in the store or are about to.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Raw(Vec<u8>);

/// What a record says, and the bytes that it said it in: it is changed only over exactly these.
pub(crate) struct Seen<T> {
    value: T,
    raw: Raw,
}

impl<T> Seen<T> {
    pub(crate) fn new(value: T, raw: Raw) -> Self {
        Self { value, raw }
    }

    pub(crate) fn raw(&self) -> &Raw {
        &self.raw
    }

    pub(crate) fn into_value(self) -> T {
        self.value
    }

    pub(crate) fn into_raw(self) -> Raw {
        self.raw
    }

    /// What the value means; `None` where it means nothing.
    pub(crate) fn and_then<U>(self, read: impl FnOnce(T) -> Option<U>) -> Option<Seen<U>> {
        let Self { value, raw } = self;
        read(value).map(|value| Seen { value, raw })
    }
}

impl<T> Deref for Seen<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl Vault {
    /// Without `keys` records are kept in the clear.
    pub(crate) fn new(
        store: Arc<dyn TokenStorage>,
        keys: Option<Rotating<SealKey>>,
        events: Arc<Events>,
    ) -> Self {
        Self {
            store,
            keys,
            reported: Mutex::default(),
            events,
            times: StoreTimes::new(),
        }
    }

    /// The text of a record, for those who will not change it. `None` when nothing stands there, or
    /// nothing that opens.
    pub(crate) async fn peek(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let found = self.bounded(Verb::Get, self.store.get(key)).await?;
        Ok(found.and_then(|raw| self.open(key, raw)))
    }

    /// A record, to be changed over what was seen. Its value is `None` where it does not open.
    pub(crate) async fn read(
        &self,
        key: &str,
    ) -> Result<Option<Seen<Option<Vec<u8>>>>, StorageError> {
        let found = self.bounded(Verb::Get, self.store.get(key)).await?;
        Ok(found.map(|raw| {
            let value = self.open(key, raw.clone());
            Seen::new(value, Raw(raw))
        }))
    }

    /// The bytes of a record that is about to be written.
    pub(crate) fn seal(&self, key: &str, text: &[u8]) -> Raw {
        Raw(match &self.keys {
            Some(keys) => keys.seal(key.as_bytes(), text),
            None => {
                let nonce = random::bytes::<NONCE_BYTES>();
                [&[CLEAR], nonce.as_slice(), text].concat()
            }
        })
    }

    /// Writes a record, whatever was there before.
    pub(crate) async fn set(
        &self,
        key: &str,
        text: &[u8],
        ttl: Duration,
    ) -> Result<(), StorageError> {
        let Raw(raw) = self.seal(key, text);
        self.bounded(Verb::Set, self.store.set(key, raw, ttl)).await
    }

    /// Writes over exactly what was seen, or where nothing stands; `false` when something else stands
    /// there by now. Of several callers who saw the same, one hears `true`.
    ///
    /// # Errors
    ///
    /// After [`StorageError::Unavailable`] it may have been written, or may be written yet.
    pub(crate) async fn put(
        &self,
        key: &str,
        over: Option<&Raw>,
        new: &Raw,
        ttl: Duration,
    ) -> Result<bool, StorageError> {
        let Raw(new) = new.clone();
        match over {
            Some(Raw(seen)) => {
                self.bounded(
                    Verb::CompareAndSwap,
                    self.store.compare_and_swap(key, seen, new, ttl),
                )
                .await
            }
            None => {
                self.bounded(
                    Verb::InsertIfAbsent,
                    self.store.insert_if_absent(key, new, ttl),
                )
                .await
            }
        }
    }

    /// The same, and a write that was not answered is looked up.
    ///
    /// # Errors
    ///
    /// After [`StorageError::Unavailable`] the look-up was not answered either, or found the old
    /// record. That proves nothing: the new one may still come.
    pub(crate) async fn put_surely(
        &self,
        key: &str,
        over: &Raw,
        new: &Raw,
        ttl: Duration,
    ) -> Result<bool, StorageError> {
        let error = match self.put(key, Some(over), new, ttl).await {
            Err(error @ StorageError::Unavailable(_)) => error,
            answer => return answer,
        };
        match self.bounded(Verb::Get, self.store.get(key)).await {
            Ok(Some(found)) if found == new.0 => Ok(true),
            Ok(Some(found)) if found == over.0 => Err(error),
            Ok(_) => Ok(false),
            Err(_) => Err(error),
        }
    }

    /// Ends a record exactly as it was seen; `false` when something else stands there by now.
    pub(crate) async fn end(&self, key: &str, seen: &Raw) -> Result<bool, StorageError> {
        self.put(key, Some(seen), &Raw(Vec::new()), Duration::ZERO)
            .await
    }

    /// Removes a record, whatever it says, and returns its text. Of several callers one gets it.
    pub(crate) async fn take(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let taken = self.bounded(Verb::Take, self.store.take(key)).await?;
        Ok(taken.and_then(|raw| self.open(key, raw)))
    }

    // Lists go through as they are: members are names of grants, which open nothing, and the names
    // of the lists are MACs.

    pub(crate) async fn list_add(
        &self,
        list: &str,
        member: &str,
        ttl: Duration,
    ) -> Result<(), StorageError> {
        self.bounded(Verb::ListAdd, self.store.list_add(list, member, ttl))
            .await
    }

    pub(crate) async fn list_remove(&self, list: &str, member: &str) -> Result<(), StorageError> {
        self.bounded(Verb::ListRemove, self.store.list_remove(list, member))
            .await
    }

    pub(crate) async fn list_page(
        &self,
        list: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ListPage, StorageError> {
        self.bounded(Verb::ListPage, self.store.list_page(list, after, limit))
            .await
    }

    /// A store that hangs is a store that is down.
    async fn bounded<T>(
        &self,
        name: Verb,
        verb: impl Future<Output = Result<T, StorageError>>,
    ) -> Result<T, StorageError> {
        let watch = Stopwatch::start();
        let mut verb = pin!(verb);
        // A store in memory answers at once. A timer would cost as much as its look.
        if let Poll::Ready(answer) = poll_fn(|cx| Poll::Ready(verb.as_mut().poll(cx))).await {
            self.times.record(name, ended(&answer), watch);
            return answer;
        }
        let Ok(answer) = tokio::time::timeout(STORE_TIMEOUT, verb).await else {
            self.times.record(name, Ended::Timeout, watch);
            return Err(StorageError::unavailable(
                "the store did not answer in time",
            ));
        };
        self.times.record(name, ended(&answer), watch);
        answer
    }

    /// `None`, with an event, when the record is dead.
    fn open(&self, key: &str, mut raw: Vec<u8>) -> Option<Vec<u8>> {
        match &self.keys {
            Some(keys) => match keys.open(key.as_bytes(), raw) {
                Ok(text) => return Some(text),
                Err(Shut::OtherKey(secret)) => self.report_unknown(secret, key),
                Err(Shut::Damaged) => self.report_damaged(key),
            },
            None if raw.first() == Some(&CLEAR) && raw.len() > NONCE_BYTES => {
                raw.drain(..1 + NONCE_BYTES);
                return Some(raw);
            }
            None => self.report_damaged(key),
        }
        None
    }

    fn report_unknown(&self, secret: KeyId, key: &str) {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.contains(&secret) {
            return;
        }
        if reported.len() >= MAX_REPORTED_SECRETS {
            drop(reported);
            return self.report_damaged(key);
        }
        reported.push(secret);
        drop(reported);
        let event = Event::refused(Step::Storage, Reason::OtherSecret);
        self.events.emit(&event.detail(format_args!(
            "the store holds records of the secret {secret}, which is not known here; they are \
             treated as absent: if it is one of yours, add it to previous_secret_keys (a replaced \
             encryption_key to previous_encryption_keys)"
        )));
    }

    fn report_damaged(&self, key: &str) {
        let event = Event::refused(Step::Storage, Reason::StoreCorrupt);
        self.events.emit(&event.detail(format_args!(
            "the record {key} does not open with this secret: treated as absent"
        )));
    }
}

/// A record's key that says nothing of what it is made of.
pub(crate) fn hashed_key(kind: &str, of: &str) -> String {
    format!("{kind}{}", URL_SAFE_NO_PAD.encode(sha256(of.as_bytes())))
}

fn ended<T>(answer: &Result<T, StorageError>) -> Ended {
    match answer {
        Ok(_) => Ended::Ok,
        Err(StorageError::Unavailable(_)) => Ended::Unreachable,
        Err(_) => Ended::Failed,
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
