//! Access tokens behind which no grant stands: those of machines. Nothing is written when one is issued;
//! one that is revoked leaves a mark until its end.
//!
//! The sessions that this process keeps of a client are found by one slot of the [`Revocations`], as those
//! of a grant are.

use std::sync::Arc;

use super::{GrantId, RevocationMark, Revocations, lifetime::ttl_until};
use crate::{
    error::StorageError,
    key::sha256,
    limits::MAX_CLOCK_AHEAD,
    time::Unix,
    vault::{Vault, hashed_key},
};

/// The record: its version, and nothing else to say.
const RECORD: [u8; 1] = [1];

/// What is known of them.
pub(crate) struct GrantlessTokens {
    vault: Arc<Vault>,
    revocations: Arc<Revocations>,
}

impl GrantlessTokens {
    pub(crate) fn new(vault: Arc<Vault>, revocations: Arc<Revocations>) -> Self {
        Self { vault, revocations }
    }

    /// For the session of a token of this client: take it before the store is asked.
    pub(crate) fn mark(&self, client_id: &str) -> RevocationMark {
        self.revocations.mark(slot_of(client_id))
    }

    /// Whether the token of this `jti` was revoked.
    pub(crate) async fn is_revoked(&self, jti: &str) -> Result<bool, StorageError> {
        // Whatever the mark says: one of a later version revokes as well.
        Ok(self.vault.peek(&key(jti)).await?.is_some())
    }

    /// Revokes a token of this client that ends at `end`: here at once, elsewhere within the session cache's
    /// life. By the clock of another instance it may end a little later.
    pub(crate) async fn revoke(
        &self,
        jti: &str,
        client_id: &str,
        end: Unix,
        now: Unix,
    ) -> Result<(), StorageError> {
        let ttl = ttl_until(end + MAX_CLOCK_AHEAD, now);
        let written = self.vault.set(&key(jti), &RECORD, ttl).await;
        // Also where it was not answered: it may have been written.
        self.forget(client_id);
        written
    }

    /// The sessions that this process keeps of a client's tokens are looked up once more.
    pub(crate) fn forget(&self, client_id: &str) {
        self.revocations.revoke(slot_of(client_id));
    }
}

fn key(jti: &str) -> String {
    hashed_key("revoked:", jti)
}

/// A name that no grant has but by chance; that costs a look at the store.
fn slot_of(client_id: &str) -> GrantId {
    let [bytes @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = sha256(client_id.as_bytes());
    GrantId::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        event::Events,
        storage::{MemoryStorage, TokenStorage},
    };

    const NOW: Unix = Unix::at(1_000);

    fn tokens(store: &Arc<MemoryStorage>) -> GrantlessTokens {
        let vault = Vault::new(store.clone(), None, Arc::new(Events::new(None)));
        GrantlessTokens::new(Arc::new(vault), Arc::new(Revocations::new()))
    }

    /// A sample of the format, as it stands in stores from here on: `0` and a nonce are the vault's.
    #[tokio::test]
    async fn a_revoked_token_is_a_version_under_a_hash_of_its_id() {
        let store = Arc::new(MemoryStorage::new());
        let tokens = tokens(&store);
        let key = "revoked:WxKIvbhszzPMAVjaGh9AXECV2cAP6drdnFivgv8quuU";
        let end = NOW + Duration::from_secs(60);
        tokens.revoke("jti", "ci", end, NOW).await.unwrap();
        assert!(tokens.is_revoked("jti").await.unwrap());
        assert!(!tokens.is_revoked("another").await.unwrap());
        let written = store.get(key).await.unwrap().unwrap();
        assert_eq!(written[9..], [1]);
        let later = [&b"\0nonce678"[..], &[2]].concat();
        let minute = Duration::from_secs(60);
        store
            .set(&super::key("later"), later, minute)
            .await
            .unwrap();
        assert!(tokens.is_revoked("later").await.unwrap());
    }

    #[tokio::test]
    async fn a_revocation_makes_the_marks_of_its_client_old_and_no_others() {
        let tokens = tokens(&Arc::new(MemoryStorage::new()));
        let (own, other) = (tokens.mark("ci"), tokens.mark("nightly"));
        tokens.revoke("jti", "ci", NOW, NOW).await.unwrap();
        assert!(!tokens.revocations.is_current(own));
        assert!(tokens.revocations.is_current(other));
        tokens.forget("nightly");
        assert!(!tokens.revocations.is_current(other));
    }
}
