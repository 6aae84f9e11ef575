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
    super::{backoff::Failure, store::bounded},
    record::{LeaseRecord, suspicion},
};
use crate::{
    error::StorageError,
    limits::{LEASE_BEAT, SETTLE_FOR},
    storage::TokenStorage,
};

/// Held by one task. The store forgets it ten minutes after the last beat; others take it over much
/// earlier.
pub(super) struct Lease {
    storage: Arc<dyn TokenStorage>,
    key: String,
    owner: u64,
    /// As it stands in the store. Locked while it is being changed there.
    stands: Mutex<LeaseRecord>,
    suspect_since: Option<u64>,
    failures: u32,
    is_late: AtomicBool,
    is_lost: AtomicBool,
    failed: StdMutex<Option<Failure>>,
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
        storage: &Arc<dyn TokenStorage>,
        key: &str,
        seen: Option<&[u8]>,
        record: LeaseRecord,
    ) -> Result<Option<Self>, StorageError> {
        let bytes = record.bytes();
        let written = match seen {
            None => bounded(storage.insert_if_absent(key, bytes.clone(), SETTLE_FOR)).await,
            Some(seen) => {
                bounded(storage.compare_and_swap(key, seen, bytes.clone(), SETTLE_FOR)).await
            }
        };
        let is_ours = match written {
            Ok(is_ours) => is_ours,
            // It may have been written all the same.
            Err(StorageError::Unavailable(_)) => {
                bounded(storage.get(key)).await?.as_deref() == Some(&*bytes)
            }
            Err(error) => return Err(error),
        };
        Ok(is_ours.then(|| Self {
            storage: Arc::clone(storage),
            key: key.to_owned(),
            owner: record.owner.unwrap_or_default(),
            suspect_since: record.suspect_since,
            failures: record.failures,
            stands: Mutex::new(record),
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

    /// Says that the owner lives. `true` proves that nobody else has held the lease since it was
    /// claimed: whoever takes it over writes another owner, and it never comes back.
    pub(super) async fn beat(&self) -> bool {
        let mut stands = self.stands.lock().await;
        let next = stands.beaten(self.is_late.load(Ordering::Acquire));
        match self.swap(&stands, next.bytes(), SETTLE_FOR).await {
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

    /// Something else stands there than was thought: a beat that was not answered, or somebody
    /// else's.
    async fn find(&self, stands: &mut LeaseRecord) -> Found {
        let found = match bounded(self.storage.get(&self.key)).await {
            Ok(Some(found)) => LeaseRecord::read(&found),
            Ok(None) => return Found::Nothing,
            Err(_) => return Found::Unknown,
        };
        match found {
            Some(found) if found.owner == Some(self.owner) => {
                *stands = found;
                Found::Ours
            }
            _ => {
                self.is_lost.store(true, Ordering::Release);
                Found::Theirs
            }
        }
    }

    /// The store has lost it, as a failover can: without it the next to come would take itself for the
    /// only one at the provider, and a refusal for the provider's last word. Somebody may have held it
    /// meanwhile.
    async fn put_back(&self, stands: &LeaseRecord) {
        let again = self
            .storage
            .insert_if_absent(&self.key, stands.bytes(), SETTLE_FOR);
        // The next beat finds out what came of it.
        drop(bounded(again).await);
    }

    /// Lets go: the record goes, or says that the provider is to be left alone. Not `remove`, which,
    /// carried out late, would take somebody else's. `false` when the store could not say.
    pub(super) async fn release(&self, now: u64) -> bool {
        let failed = *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stands = self.stands.lock().await;
        for _ in 0..2 {
            if self.is_lost.load(Ordering::Acquire) {
                return true;
            }
            let (left, ttl) = match failed {
                Some(failure) => {
                    let left = stands.let_go(failure, now);
                    (left.bytes(), left.kept_for(now))
                }
                None => (Vec::new(), Duration::ZERO),
            };
            match self.swap(&stands, left, ttl).await {
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

    async fn swap(
        &self,
        stands: &LeaseRecord,
        new: Vec<u8>,
        ttl: Duration,
    ) -> Result<bool, StorageError> {
        let stands = stands.bytes();
        bounded(self.storage.compare_and_swap(&self.key, &stands, new, ttl)).await
    }

    /// Whether the owner before may hold a newer token than the record: a refusal of the provider
    /// then says nothing.
    pub(super) fn is_suspect(&self, now: u64) -> bool {
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

    /// From the next beat on, nobody waits for this lease.
    pub(super) fn mark_late(&self) {
        self.is_late.store(true, Ordering::Release);
    }
}
