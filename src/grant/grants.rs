//! The grants of one proxy: the record in the store, and this process's handles to it.

use std::{future::Future, sync::Arc, time::Duration};

use super::{Grant, GrantId, LiveGrant, RefreshTokens, live::LiveGrants};
use crate::{error::StorageError, key::sha256, limits, storage::TokenStorage};

/// Reads and writes grants; every verb is bounded in time.
pub(crate) struct Grants {
    pub(super) storage: Arc<dyn TokenStorage>,
    pub(super) live: LiveGrants,
    pub(crate) refresh_tokens: RefreshTokens,
}

/// A grant as it stood in the store, and the bytes to compare when it is replaced.
pub(crate) struct Loaded {
    pub(crate) grant: Grant,
    bytes: Vec<u8>,
}

impl Grants {
    pub(crate) fn new(storage: Arc<dyn TokenStorage>, refresh_tokens: RefreshTokens) -> Self {
        Self {
            storage,
            live: LiveGrants::default(),
            refresh_tokens,
        }
    }

    /// This process's handle; see [`LiveGrants::handle`] for the order that matters.
    pub(crate) fn handle(&self, id: GrantId) -> Arc<LiveGrant> {
        self.live.handle(id)
    }

    pub(crate) async fn load(&self, id: &GrantId) -> Result<Option<Loaded>, StorageError> {
        let Some(bytes) = bounded(self.storage.get(&id.record_key())).await? else {
            return Ok(None);
        };
        let grant = serde_json::from_slice(&bytes)
            .map_err(|error| StorageError::Corrupt(format!("grant: {error}")))?;
        Ok(Some(Loaded { grant, bytes }))
    }

    pub(crate) async fn create(
        &self,
        id: &GrantId,
        grant: &Grant,
        ttl: Duration,
    ) -> Result<(), StorageError> {
        bounded(self.storage.set(&id.record_key(), encode(grant)?, ttl)).await
    }

    /// `false` when the record is no longer the one that was loaded.
    pub(crate) async fn replace(
        &self,
        id: &GrantId,
        loaded: &Loaded,
        grant: &Grant,
        ttl: Duration,
    ) -> Result<bool, StorageError> {
        let (key, new) = (id.record_key(), encode(grant)?);
        bounded(self.storage.compare_and_swap(&key, &loaded.bytes, new, ttl)).await
    }

    /// Ends a grant: no token of it is good any more, here at once, elsewhere within the session
    /// cache's life. Returns what was there, so that exactly one caller tells the provider.
    pub(crate) async fn end(&self, id: &GrantId) -> Result<Option<Grant>, StorageError> {
        let taken = bounded(self.storage.take(&id.record_key())).await?;
        self.live.revoke(*id);
        Ok(taken.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Whether the operator denied this client.
    pub(crate) async fn is_denied(&self, client_id: &str) -> Result<bool, StorageError> {
        let denied = bounded(self.storage.get(&denied_key(client_id))).await?;
        Ok(denied.is_some())
    }

    pub(crate) async fn deny(&self, client_id: &str) -> Result<(), StorageError> {
        let key = denied_key(client_id);
        bounded(self.storage.set(&key, vec![1], limits::DENIED_CLIENT_TTL)).await
    }

    /// Whether a callback with this `state` already led to a grant.
    pub(crate) async fn callback_was_used(&self, state: &str) -> Result<bool, StorageError> {
        let used = bounded(self.storage.get(&callback_key(state))).await?;
        Ok(used.is_some())
    }

    /// `false` when it was already marked.
    pub(crate) async fn mark_callback(
        &self,
        state: &str,
        ttl: Duration,
    ) -> Result<bool, StorageError> {
        let key = callback_key(state);
        bounded(self.storage.insert_if_absent(&key, vec![1], ttl)).await
    }
}

/// A store that hangs is a store that is down.
pub(super) async fn bounded<T>(
    verb: impl Future<Output = Result<T, StorageError>>,
) -> Result<T, StorageError> {
    match tokio::time::timeout(limits::STORE_TIMEOUT, verb).await {
        Ok(answer) => answer,
        Err(_) => Err(StorageError::unavailable(
            "the store did not answer in time",
        )),
    }
}

fn encode(grant: &Grant) -> Result<Vec<u8>, StorageError> {
    serde_json::to_vec(grant).map_err(|error| StorageError::Corrupt(error.to_string()))
}

fn denied_key(client_id: &str) -> String {
    hashed_key("denied:", client_id)
}

fn callback_key(state: &str) -> String {
    hashed_key("callback:", state)
}

fn hashed_key(kind: &str, of: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    format!("{kind}{}", URL_SAFE_NO_PAD.encode(sha256(of.as_bytes())))
}
