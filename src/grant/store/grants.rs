//! The grants of one proxy: the record in the store, and this process's handles to it.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use super::{
    super::{
        Grant, GrantId, LiveGrant, RefreshTokens, RevocationMark, Revocations, live::LiveGrants,
    },
    undo::Undo,
};
use crate::{
    error::StorageError,
    event::{Event, Events, Reason, Step},
    key::{MacKey, Rotating, sha256},
    limits, random,
    storage::TokenStorage,
    tasks::Tasks,
};

/// Reads and writes grants; every verb is bounded in time.
pub(crate) struct Grants {
    pub(in crate::grant) storage: Arc<dyn TokenStorage>,
    pub(super) index_keys: Rotating<MacKey>,
    live: LiveGrants,
    revocations: Arc<Revocations>,
    pub(super) events: Arc<Events>,
    pub(super) tasks: Tasks,
    pub(crate) refresh_tokens: RefreshTokens,
}

/// A grant as it stood in the store, and the bytes to compare when it is replaced.
pub(crate) struct Loaded {
    /// Boxed: it is handed on through many futures, and would be copied into each.
    pub(crate) grant: Box<Grant>,
    bytes: Vec<u8>,
}

impl Grants {
    pub(crate) fn new(
        storage: Arc<dyn TokenStorage>,
        refresh_tokens: RefreshTokens,
        index_keys: Rotating<MacKey>,
        events: Arc<Events>,
        tasks: Tasks,
    ) -> Self {
        Self {
            storage,
            tasks,
            index_keys,
            live: LiveGrants::default(),
            revocations: Arc::new(Revocations::new()),
            events,
            refresh_tokens,
        }
    }

    /// What sessions are compared with.
    pub(crate) fn revocations(&self) -> &Arc<Revocations> {
        &self.revocations
    }

    /// For the session of this grant; see [`Revocations::mark`] for the order that matters.
    pub(crate) fn revocation_mark(&self, id: GrantId) -> RevocationMark {
        self.revocations.mark(id)
    }

    /// This process's handle.
    pub(crate) fn handle(&self, id: GrantId) -> Arc<LiveGrant> {
        self.live.handle(id)
    }

    pub(crate) async fn load(&self, id: &GrantId) -> Result<Option<Loaded>, StorageError> {
        let bytes = match bounded(self.storage.get(&id.record_key())).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            Err(StorageError::Corrupt(why)) => return Ok(self.corrupt(id, why)),
            Err(error) => return Err(error),
        };
        match Grant::decode(&bytes).map(Box::new) {
            Ok(grant) => Ok(Some(Loaded { grant, bytes })),
            Err(why) => Ok(self.corrupt(id, why.to_string())),
        }
    }

    /// A record written by another version, or not by us, is treated as absent, like one that does
    /// not open.
    fn corrupt<T>(&self, id: &GrantId, why: String) -> Option<T> {
        let event = Event::refused(Step::Storage, Reason::StoreCorrupt);
        self.events.emit(&event.grant(id.to_string()).detail(why));
        None
    }

    pub(crate) async fn create(
        &self,
        id: &GrantId,
        grant: &Grant,
        ttl: Duration,
    ) -> Result<(), StorageError> {
        bounded(self.storage.set(&id.record_key(), grant.encode(), ttl)).await
    }

    /// `None` when the record is no longer the one that was loaded.
    ///
    /// A swap that was not answered may have happened: it is looked up. Where that is not answered
    /// either, [`OnDoubt`] decides.
    pub(crate) async fn replace(
        &self,
        id: &GrantId,
        loaded: &Loaded,
        mut grant: Grant,
        ttl: Duration,
        on_doubt: OnDoubt,
    ) -> Result<Option<Loaded>, StorageError> {
        grant.stamp = u64::from_le_bytes(random::bytes());
        if matches!(on_doubt, OnDoubt::TakeBack { .. }) {
            grant.step = grant.stamp;
        }
        let (key, new) = (id.record_key(), grant.encode());
        let swap = self
            .storage
            .compare_and_swap(&key, &loaded.bytes, new.clone(), ttl);
        let error = match bounded(swap).await {
            Ok(swapped) => {
                let grant = Box::new(grant);
                return Ok(swapped.then_some(Loaded { grant, bytes: new }));
            }
            Err(error @ StorageError::Unavailable(_)) => error,
            Err(error) => return Err(error),
        };
        match bounded(self.storage.get(&key)).await {
            Ok(Some(bytes)) if bytes == new => {
                let grant = Box::new(grant);
                return Ok(Some(Loaded { grant, bytes }));
            }
            Ok(None) => return Ok(None),
            Ok(Some(bytes)) if bytes != loaded.bytes => return Ok(None),
            // Not there yet: that proves nothing, it may still come.
            Ok(Some(_)) | Err(_) => {}
        }
        if let OnDoubt::TakeBack { ttl } = on_doubt {
            let undo = Undo {
                storage: Arc::clone(&self.storage),
                key,
                step: grant.step,
                before: Grant::clone(&loaded.grant),
                ttl,
            };
            self.tasks.spawn(undo.run(self.handle(*id).in_doubt()));
        }
        Err(error)
    }

    /// Ends a grant: no token of it is good any more, here at once, elsewhere within the session
    /// cache's life. Returns what was there, so that exactly one caller tells the provider.
    pub(crate) async fn end(&self, id: &GrantId) -> Result<Option<Grant>, StorageError> {
        let taken = bounded(self.storage.take(&id.record_key())).await?;
        self.revocations.revoke(*id);
        let grant: Option<Grant> = taken.and_then(|bytes| Grant::decode(&bytes).ok());
        if let Some(grant) = &grant {
            self.unlist(*id, grant);
        }
        Ok(grant)
    }

    /// Ends a grant only as it was loaded; `false` when something was written since, and it lives.
    pub(in crate::grant) async fn end_as_loaded(
        &self,
        id: &GrantId,
        loaded: &Loaded,
    ) -> Result<bool, StorageError> {
        let key = id.record_key();
        let gone = self
            .storage
            .compare_and_swap(&key, &loaded.bytes, Vec::new(), Duration::ZERO);
        let has_ended = bounded(gone).await?;
        if has_ended {
            self.revocations.revoke(*id);
            self.unlist(*id, &loaded.grant);
        }
        Ok(has_ended)
    }

    /// What this process knows of a grant whose record is gone goes too.
    pub(crate) fn forget(&self, id: GrantId) {
        self.revocations.revoke(id);
    }
}

/// What to do with a change that may have been written although nobody was told so.
#[derive(Clone, Copy)]
pub(crate) enum OnDoubt {
    /// Take it back once the store is well again, so that "nothing has changed, try again" is true;
    /// until then the grant is in doubt.
    TakeBack {
        /// The record's life when that is done.
        ttl: Duration,
    },
    /// Leave it: the caller goes on until it is written.
    Keep,
}

/// A store that hangs is a store that is down.
pub(crate) async fn bounded<T>(
    verb: impl Future<Output = Result<T, StorageError>>,
) -> Result<T, StorageError> {
    let mut verb = pin!(verb);
    // A store in memory answers at once. A timer would cost as much as its look.
    if let Poll::Ready(answer) = poll_fn(|cx| Poll::Ready(verb.as_mut().poll(cx))).await {
        return answer;
    }
    match tokio::time::timeout(limits::STORE_TIMEOUT, verb).await {
        Ok(answer) => answer,
        Err(_) => Err(StorageError::unavailable(
            "the store did not answer in time",
        )),
    }
}

/// A key that tells nothing of what it is made of.
pub(crate) fn hashed_key(kind: &str, of: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    format!("{kind}{}", URL_SAFE_NO_PAD.encode(sha256(of.as_bytes())))
}

#[cfg(test)]
mod tests;
