//! The claim of seconds on a callback whose code is at the provider.
//!
//! Claim and mark are one record with two values: claimed by an instance, then used. A claim is the
//! one thing that a person who has not logged in yet can cause to be kept, so it lives for seconds,
//! also where the provider then refuses. Only its living owner prolongs it, and a killed one blocks
//! the callback for no longer.
//!
//! The order is claim, provider, mark, grant. A crash before the mark leaves the code at the
//! provider, which is the judge of a second try; a crash after it costs the login. Neither gives two
//! grants.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::{
    error::StorageError,
    limits::{CLAIM_AGAIN, CLAIM_POLL, CLAIM_TTL},
    random,
    vault::{Raw, Vault, hashed_key},
};

/// The first byte of the record.
const VERSION: u8 = 1;

/// This process's hand on the claims of its deployment.
pub(crate) struct Claims {
    vault: Arc<Vault>,
    /// A used callback is remembered for as long as a login cookie lives.
    used_for: Duration,
    /// This process: one request at a time asks for a callback here, so a claim in this name whose
    /// making was not heard of is ours again.
    owner: [u8; 16],
}

/// What came of asking for a claim.
pub(crate) enum Claimed {
    /// No other instance works on this callback.
    Ours(Claim),
    /// The callback did its work before.
    Used,
    /// Another instance is still at it.
    Busy,
}

/// This process's claim on one callback.
pub(crate) struct Claim {
    vault: Arc<Vault>,
    used_for: Duration,
    key: String,
    /// The record, for as long as the claim is ours: it is prolonged as it stands.
    raw: Raw,
}

/// What the record says: `1`, then `0` and the owner's name, or `1`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Record {
    ClaimedBy([u8; 16]),
    Used,
    /// Another version wrote it. It is left alone.
    Unknown,
}

impl Record {
    fn read(text: &[u8]) -> Self {
        match text {
            [VERSION, 1] => Self::Used,
            [VERSION, 0, owner @ ..] => owner.try_into().map_or(Self::Unknown, Self::ClaimedBy),
            _ => Self::Unknown,
        }
    }

    fn write(self) -> Vec<u8> {
        match self {
            Self::ClaimedBy(owner) => [&[VERSION, 0], owner.as_slice()].concat(),
            Self::Used => vec![VERSION, 1],
            Self::Unknown => Vec::new(),
        }
    }
}

impl Claims {
    pub(crate) fn new(vault: Arc<Vault>, used_for: Duration) -> Self {
        Self {
            vault,
            used_for,
            owner: random::bytes(),
        }
    }

    /// Gets the claim, or waits for the instance that has it.
    pub(crate) async fn claim(
        &self,
        state: &str,
        patience: Duration,
    ) -> Result<Claimed, StorageError> {
        let (vault, key) = (&self.vault, hashed_key("callback:", state));
        let ours = vault.seal(&key, &Record::ClaimedBy(self.owner).write());
        let deadline = Instant::now() + patience;
        let is_late = || Instant::now() >= deadline;
        let mut is_ours = vault.put(&key, None, &ours, CLAIM_TTL).await?;
        while !is_ours {
            is_ours = match vault.read(&key).await? {
                // It ran out in between.
                None => vault.put(&key, None, &ours, CLAIM_TTL).await?,
                Some(held) => match held.as_deref().map(Record::read) {
                    Some(Record::Used) => return Ok(Claimed::Used),
                    Some(Record::ClaimedBy(owner)) if owner != self.owner => false,
                    Some(Record::Unknown) => false,
                    // Ours, unheard of; or it does not open, which counts as absent.
                    Some(Record::ClaimedBy(_)) | None => {
                        vault.put(&key, Some(held.raw()), &ours, CLAIM_TTL).await?
                    }
                },
            };
            if !is_ours && is_late() {
                return Ok(Claimed::Busy);
            }
            if !is_ours {
                sleep(CLAIM_POLL).await;
            }
        }
        Ok(Claimed::Ours(Claim {
            vault: Arc::clone(vault),
            used_for: self.used_for,
            key,
            raw: ours,
        }))
    }
}

impl Claim {
    /// Prolongs the claim again and again. Whether it is still ours is asked when it matters, at the
    /// mark.
    async fn beats(&self) {
        let (key, raw) = (&self.key, &self.raw);
        loop {
            sleep(CLAIM_AGAIN).await;
            // The same bytes: a beat that was cut short leaves nothing else behind.
            let _ = self.vault.put(key, Some(raw), raw, CLAIM_TTL).await;
        }
    }

    /// Does this work, and prolongs the claim as long as that takes.
    pub(crate) async fn keep_during<T>(&self, work: impl Future<Output = T>) -> T {
        let (mut work, mut beats) = (pin!(work), pin!(self.beats()));
        // Both at once: a store that hangs must not hold the work up.
        poll_fn(|cx| {
            let done = work.as_mut().poll(cx);
            if done.is_pending() {
                let _ = beats.as_mut().poll(cx);
            }
            done
        })
        .await
    }

    /// The provider let no one in: those who wait learn that the callback was used, and after seconds
    /// nothing is kept. A person who has not logged in can cause no more than that.
    pub(crate) async fn end(self) {
        let used = self.used();
        // Where it fails, the claim runs out.
        let _ = self
            .vault
            .put(&self.key, Some(&self.raw), &used, CLAIM_TTL)
            .await;
    }

    /// Marks the callback as used. `false` when another instance did, or is at it: the claim had run
    /// out.
    pub(crate) async fn mark_used(self) -> Result<bool, StorageError> {
        let (vault, key, used) = (&self.vault, &self.key, self.used());
        if vault
            .put_surely(key, &self.raw, &used, self.used_for)
            .await?
        {
            return Ok(true);
        }
        // It ran out on a slow store. Where no other came in between, it is still ours.
        vault.put(key, None, &used, self.used_for).await
    }

    fn used(&self) -> Raw {
        self.vault.seal(&self.key, &Record::Used.write())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Events, storage::MemoryStorage};

    /// Samples of the format, as they stand in stores from here on.
    #[test]
    fn a_record_is_a_version_a_kind_and_the_name_of_an_owner() {
        let owner = *b"0123456789abcdef";
        let claimed = b"\x01\x000123456789abcdef";
        assert_eq!(Record::ClaimedBy(owner).write(), claimed);
        assert_eq!(Record::read(claimed), Record::ClaimedBy(owner));
        assert_eq!(Record::Used.write(), b"\x01\x01");
        assert_eq!(Record::read(b"\x01\x01"), Record::Used);
        for other in [
            &b""[..],
            b"\x01",
            b"\x02\x01",
            b"\x01\x02",
            b"\x01\x00short",
        ] {
            assert_eq!(Record::read(other), Record::Unknown);
        }
    }

    fn claims(vault: &Arc<Vault>) -> Claims {
        Claims::new(Arc::clone(vault), Duration::from_secs(600))
    }

    fn vault() -> Arc<Vault> {
        let (store, events) = (Arc::new(MemoryStorage::new()), Arc::default());
        Arc::new(Vault::new(store, None, events))
    }

    async fn claim(claims: &Claims) -> Claimed {
        claims.claim("state", Duration::ZERO).await.unwrap()
    }

    #[tokio::test]
    async fn a_claim_holds_others_back_and_is_this_process_s_again() {
        let vault = vault();
        let (here, there) = (claims(&vault), claims(&vault));
        let Claimed::Ours(first) = claim(&here).await else {
            panic!("there was none");
        };
        assert!(matches!(claim(&there).await, Claimed::Busy));
        // The making of the first was not heard of.
        let Claimed::Ours(again) = claim(&here).await else {
            panic!("it is in our name");
        };
        assert!(again.mark_used().await.unwrap());
        assert!(!first.mark_used().await.unwrap());
        assert!(matches!(claim(&here).await, Claimed::Used));
        assert!(matches!(claim(&there).await, Claimed::Used));
    }

    #[tokio::test]
    async fn a_record_that_does_not_open_is_replaced_and_one_of_another_version_is_left_alone() {
        let vault = vault();
        let key = hashed_key("callback:", "state");
        let minute = Duration::from_secs(60);
        vault.set(&key, b"\x02new", minute).await.unwrap();
        assert!(matches!(claim(&claims(&vault)).await, Claimed::Busy));
        // The vault of another deployment cannot read it.
        let store = Arc::new(MemoryStorage::new());
        use crate::storage::TokenStorage;
        store
            .set(&key, b"\xffgarbage".to_vec(), minute)
            .await
            .unwrap();
        let vault = Arc::new(Vault::new(store, None, Arc::new(Events::new(None))));
        assert!(matches!(claim(&claims(&vault)).await, Claimed::Ours(_)));
    }
}
