//! The clients that the operator denied: one record each, by a hash of the `client_id`.

use std::sync::Arc;

use crate::{
    error::StorageError,
    grant::{bounded, hashed_key},
    limits,
    storage::TokenStorage,
};

/// The deny list of a deployment.
pub(crate) struct Denied(Arc<dyn TokenStorage>);

impl Denied {
    pub(crate) fn new(storage: Arc<dyn TokenStorage>) -> Self {
        Self(storage)
    }

    pub(crate) async fn has(&self, client_id: &str) -> Result<bool, StorageError> {
        let denied = bounded(self.0.get(&key(client_id))).await?;
        Ok(denied.is_some())
    }

    pub(crate) async fn add(&self, client_id: &str) -> Result<(), StorageError> {
        let key = key(client_id);
        bounded(self.0.set(&key, vec![1], limits::DENIED_CLIENT_TTL)).await
    }
}

fn key(client_id: &str) -> String {
    hashed_key("denied:", client_id)
}
