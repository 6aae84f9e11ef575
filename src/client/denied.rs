//! The clients that the operator denied: one record each, by a hash of the `client_id`.

use std::sync::Arc;

use crate::{
    error::StorageError,
    limits::DENIED_CLIENT_TTL,
    vault::{Vault, hashed_key},
};

/// The record: its version, and nothing else to say.
const RECORD: [u8; 1] = [1];

/// The deny list of a deployment.
pub(crate) struct DeniedClients(Arc<Vault>);

impl DeniedClients {
    pub(crate) fn new(vault: Arc<Vault>) -> Self {
        Self(vault)
    }

    pub(crate) async fn has(&self, client_id: &str) -> Result<bool, StorageError> {
        // Whatever it says: a record of a later version denies as well.
        Ok(self.0.peek(&key(client_id)).await?.is_some())
    }

    pub(crate) async fn add(&self, client_id: &str) -> Result<(), StorageError> {
        let key = key(client_id);
        self.0.set(&key, &RECORD, DENIED_CLIENT_TTL).await
    }
}

fn key(client_id: &str) -> String {
    hashed_key("denied:", client_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Events,
        storage::{MemoryStorage, TokenStorage},
    };

    /// A sample of the format, as it stands in stores from here on: `0` and a nonce are the vault's.
    #[tokio::test]
    async fn a_denial_is_a_version_under_a_hash_of_the_clients_id() {
        let store = Arc::new(MemoryStorage::new());
        let vault = Vault::new(store.clone(), None, Arc::new(Events::new(None)));
        let denied = DeniedClients::new(Arc::new(vault));
        let key = "denied:lI_mA_YdwDa1xZbcCf484_PTDckPAkyF88gtssyrZ50";
        denied.add("client").await.unwrap();
        let written = store.get(key).await.unwrap().unwrap();
        assert_eq!(written[9..], [1]);
        assert!(denied.has("client").await.unwrap());
        assert!(!denied.has("another").await.unwrap());
        store.remove(key).await.unwrap();
        assert!(!denied.has("client").await.unwrap());
        let sample = [&b"\0nonce678"[..], &[1]].concat();
        let minute = std::time::Duration::from_secs(60);
        store.set(key, sample, minute).await.unwrap();
        assert!(denied.has("client").await.unwrap());
    }
}
