//! The lease while it is ours: it lives as long as its owner, which says so about each second.

use std::{
    future::{Future, pending, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex as StdMutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::Mutex;

use super::{
    super::backoff::Failure,
    lease_record::{LeaseRecord, suspicion},
};
use crate::{
    error::StorageError,
    limits::{LEASE_BEAT, SETTLE_FOR},
    time::Unix,
    vault::{Raw, Vault},
};

/// Held by one task. The store forgets it ten minutes after the last beat; others take it over much
/// earlier.
pub(super) struct Lease {
    vault: Arc<Vault>,
    key: String,
    owner: u64,
    /// As it stands in the store. Locked while it is being changed there.
    stands: Mutex<Stands>,
    suspect_since: Option<Unix>,
    failures: u32,
    is_late: AtomicBool,
    is_lost: AtomicBool,
    failed: StdMutex<Option<Failure>>,
}

/// A record, and its bytes.
struct Stands {
    record: LeaseRecord,
    raw: Raw,
}

/// What stands in the store where another record was thought to.
enum Found {
    Ours,
    Theirs,
    Nothing,
    /// The store did not answer.
    Unknown,
}

impl Lease {
    /// Writes the record where nothing stands, or over exactly what was seen; `None` when something
    /// else stands there.
    pub(super) async fn claim(
        vault: &Arc<Vault>,
        key: &str,
        seen: Option<&Raw>,
        record: LeaseRecord,
    ) -> Result<Option<Self>, StorageError> {
        let raw = vault.seal(key, &record.bytes());
        let is_ours = match vault.put(key, seen, &raw, SETTLE_FOR).await {
            // It may have been written all the same.
            Err(StorageError::Unavailable(_)) => {
                let found = vault.read(key).await?;
                found.is_some_and(|found| *found.raw() == raw)
            }
            answer => answer?,
        };
        Ok(is_ours.then(|| Self {
            vault: Arc::clone(vault),
            key: key.to_owned(),
            owner: record.owner.unwrap_or_default(),
            suspect_since: record.suspect_since,
            failures: record.failures,
            stands: Mutex::new(Stands { record, raw }),
            is_late: AtomicBool::new(false),
            is_lost: AtomicBool::new(false),
            failed: StdMutex::default(),
        }))
    }

    /// Does the work, and says meanwhile that its owner lives.
    pub(super) async fn while_held<T>(&self, work: impl Future<Output = T>) -> T {
        let mut beats = pin!(async {
            while !self.is_lost.load(Ordering::Acquire) {
                tokio::time::sleep(LEASE_BEAT).await;
                self.beat().await;
            }
            pending::<()>().await;
        });
        let mut work = pin!(work);
        poll_fn(|context| {
            let _ = beats.as_mut().poll(context);
            work.as_mut().poll(context)
        })
        .await
    }

    /// Says that the owner lives. `true` proves that no other has held the lease since it was claimed:
    /// one that takes it over writes another owner, and this one never comes back.
    pub(super) async fn beat(&self) -> bool {
        let mut stands = self.stands.lock().await;
        let is_late = self.is_late.load(Ordering::Acquire);
        let next = self.sealed(stands.record.beaten(is_late));
        match self.put(&stands, &next.raw, SETTLE_FOR).await {
            Ok(true) => {
                *stands = next;
                true
            }
            Ok(false) => match self.find(&mut stands).await {
                Found::Ours => true,
                Found::Nothing => {
                    self.put_back(&stands).await;
                    false
                }
                Found::Unknown | Found::Theirs => false,
            },
            Err(_) => false,
        }
    }

    /// Something else stands there than was thought: a beat that was not answered, or another
    /// owner's record.
    async fn find(&self, stands: &mut Stands) -> Found {
        let seen = match self.vault.read(&self.key).await {
            Ok(Some(seen)) => seen,
            Ok(None) => return Found::Nothing,
            Err(_) => return Found::Unknown,
        };
        let found = seen.as_deref().and_then(LeaseRecord::read);
        match found {
            Some(record) if record.owner == Some(self.owner) => {
                let raw = seen.into_raw();
                *stands = Stands { record, raw };
                Found::Ours
            }
            _ => {
                self.is_lost.store(true, Ordering::Release);
                Found::Theirs
            }
        }
    }

    /// The store has lost it, as a failover can: without it the next to come would take itself for the
    /// only one at the provider, and a refusal for the provider's last word. Another may have held it
    /// meanwhile.
    async fn put_back(&self, stands: &Stands) {
        let again = self.vault.put(&self.key, None, &stands.raw, SETTLE_FOR);
        // The next beat finds out what came of it.
        drop(again.await);
    }

    /// Lets go: the record goes, or says that the provider is to be left alone. Only over what stands
    /// there, or else, carried out late, it would take another's. `false` when the store could not say.
    pub(super) async fn release(&self, now: Unix) -> bool {
        let failed = *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stands = self.stands.lock().await;
        for _ in 0..2 {
            if self.is_lost.load(Ordering::Acquire) {
                return true;
            }
            let released = match failed {
                Some(failure) => {
                    let left = stands.record.let_go(failure, now);
                    let ttl = left.kept_for(now);
                    self.put(&stands, &self.sealed(left).raw, ttl).await
                }
                None => self.vault.end(&self.key, &stands.raw).await,
            };
            match released {
                // The last beat was cut short, and has been written; or there is nothing to let go.
                Ok(false) => match self.find(&mut stands).await {
                    Found::Nothing => return true,
                    Found::Ours | Found::Theirs | Found::Unknown => {}
                },
                Ok(true) => return true,
                Err(_) => return false,
            }
        }
        self.is_lost.load(Ordering::Acquire)
    }

    async fn put(&self, stands: &Stands, new: &Raw, ttl: Duration) -> Result<bool, StorageError> {
        self.vault.put(&self.key, Some(&stands.raw), new, ttl).await
    }

    fn sealed(&self, record: LeaseRecord) -> Stands {
        let raw = self.vault.seal(&self.key, &record.bytes());
        Stands { record, raw }
    }

    /// Whether the owner before may hold a newer token than the record: a refusal of the provider
    /// then says nothing.
    pub(super) fn is_suspect(&self, now: Unix) -> bool {
        suspicion(self.suspect_since, now).is_some()
    }

    /// Failures in a row until now.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// What the record is to say once this lease is let go.
    pub(super) fn failed(&self, failure: Failure) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }

    /// From the next beat on, no one waits for this lease.
    pub(super) fn mark_late(&self) {
        self.is_late.store(true, Ordering::Release);
    }
}
