//! The assertions that were used: one record each, by a hash of who signed it and its `jti`.

use std::sync::Arc;

use super::checks::OneUse;
use crate::{
    error::StorageError,
    limits::MAX_CLOCK_AHEAD,
    time::Unix,
    vault::{Raw, Vault, hashed_key},
};

/// The record: its version, and nothing else to say.
const RECORD: [u8; 1] = [1];

/// The used assertions of a deployment: those of clients, or those of other issuers.
///
/// RFC 7523 section 3: "The authorization server MAY ensure that JWTs are not replayed by maintaining the set
/// of used "jti" values for the length of time for which the JWT would be considered valid". OpenID Connect
/// Core section 9: "These tokens MUST only be used once".
pub(crate) struct UsedAssertions {
    vault: Arc<Vault>,
    kind: &'static str,
}

/// That an assertion was used, by this request.
pub(crate) struct UseMark {
    key: String,
    raw: Raw,
}

impl UsedAssertions {
    /// Those of one kind of signer; the word keeps them apart from those of another.
    pub(crate) fn new(vault: Arc<Vault>, kind: &'static str) -> Self {
        Self { vault, kind }
    }

    /// Uses an assertion up. `None` when it was used before: of several at once, one hears of the first use.
    ///
    /// It writes, so it is asked last: after the signature, and after all that a stranger could make up.
    ///
    /// # Errors
    ///
    /// After [`StorageError::Unavailable`] it may be used up.
    pub(crate) async fn first_use(
        &self,
        issuer: &str,
        once: &OneUse,
        now: Unix,
    ) -> Result<Option<UseMark>, StorageError> {
        let key = self.key(issuer, &once.jti);
        let raw = self.vault.seal(&key, &RECORD);
        // Another instance whose clock is behind would take it for longer.
        let ttl = once.until.since(now) + MAX_CLOCK_AHEAD;
        let is_first = match self.vault.put(&key, None, &raw, ttl).await {
            Err(error @ StorageError::Unavailable(_)) => match self.vault.read(&key).await {
                Ok(Some(seen)) => *seen.raw() == raw,
                Ok(None) | Err(_) => return Err(error),
            },
            answer => answer?,
        };
        Ok(is_first.then_some(UseMark { key, raw }))
    }

    /// Takes a use back, of a request that came to nothing by our own trouble. Where the store cannot be told,
    /// the assertion stays used.
    pub(crate) async fn give_back(&self, mark: &UseMark) {
        drop(self.vault.end(&mark.key, &mark.raw).await);
    }

    /// No two pairs have one key.
    fn key(&self, issuer: &str, jti: &str) -> String {
        let of = format!("{}:{}:{issuer}{jti}", self.kind, issuer.len());
        hashed_key("assertion:", &of)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{MemoryStorage, TokenStorage};

    const NOW: Unix = Unix::at(1_795_000_000);

    fn used() -> (UsedAssertions, UsedAssertions, Arc<MemoryStorage>) {
        let store = Arc::new(MemoryStorage::new());
        let kept: Arc<dyn TokenStorage> = store.clone();
        let vault = Arc::new(Vault::new(kept, None, Default::default()));
        let of = |kind| UsedAssertions::new(Arc::clone(&vault), kind);
        (of("client"), of("issuer"), store)
    }

    fn once(jti: &str) -> OneUse {
        OneUse {
            jti: jti.to_owned(),
            until: NOW + Duration::from_secs(60),
        }
    }

    #[tokio::test]
    async fn a_use_is_the_first_once_for_each_signer_and_kind() {
        let (clients, issuers, _) = used();
        let first = async |used: &UsedAssertions, issuer: &str, jti: &str| {
            let mark = used.first_use(issuer, &once(jti), NOW).await;
            mark.unwrap().is_some()
        };
        assert!(first(&clients, "a", "bc").await);
        assert!(!first(&clients, "a", "bc").await);
        // No two pairs run into each other, nor two kinds.
        assert!(first(&clients, "ab", "c").await);
        assert!(first(&clients, "", "abc").await);
        assert!(first(&clients, "1:a", "bc").await);
        assert!(first(&issuers, "a", "bc").await);
        assert!(!first(&clients, "a", "bc").await);
    }

    #[tokio::test]
    async fn a_use_that_is_given_back_can_be_made_again_and_only_that() {
        let (clients, _, _) = used();
        let (one, other) = (once("1"), once("2"));
        let mark = clients.first_use("a", &one, NOW).await.unwrap().unwrap();
        clients.first_use("a", &other, NOW).await.unwrap().unwrap();
        clients.give_back(&mark).await;
        let again = clients.first_use("a", &one, NOW).await.unwrap();
        assert!(again.is_some());
        // Somebody else's use by now.
        clients.give_back(&mark).await;
        assert!(clients.first_use("a", &one, NOW).await.unwrap().is_none());
        assert!(clients.first_use("a", &other, NOW).await.unwrap().is_none());
    }

    /// What a store holds says nothing of who signed what.
    #[tokio::test]
    async fn the_key_in_the_store_is_a_hash() {
        let (clients, _, store) = used();
        clients
            .first_use("client-7", &once("jti-7"), NOW)
            .await
            .unwrap();
        let key = clients.key("client-7", "jti-7");
        assert_eq!(key, "assertion:n7-i7mnAae7h0HpWklPI8PZhl1ST1valCQP2h04hvuc");
        let record = store.get(&key).await.unwrap().unwrap();
        assert_eq!(record.last(), Some(&1), "its version");
    }
}
