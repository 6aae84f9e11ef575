//! What this process does about single grants: whether a record is in doubt, and a lock for renewing
//! its token once.
//!
//! A handle lives as long as it is held (by a renewal at work, by a doubt); the registry has weak
//! references only and so needs no bound of its own.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::time::Instant;

use super::GrantId;
use crate::limits::{POLL, SETTLE_WAIT};

type Registry = Mutex<HashMap<GrantId, Weak<LiveGrant>>>;

/// The handles of one proxy.
#[derive(Clone, Default)]
pub(crate) struct LiveGrants(Arc<Registry>);

/// One grant at work.
pub(crate) struct LiveGrant {
    id: GrantId,
    /// How many tasks still have something to write that the store has to know.
    doubts: AtomicUsize,
    /// How many renewals have kept their callers waiting for too long and still go on.
    late: AtomicUsize,
    /// Held by the task that renews the provider's token.
    pub(super) renewal: Arc<tokio::sync::Mutex<()>>,
    registry: Weak<Registry>,
}

impl LiveGrants {
    /// The handle of a grant, the same for all who hold it.
    pub(crate) fn handle(&self, id: GrantId) -> Arc<LiveGrant> {
        let mut grants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(live) = grants.get(&id).and_then(Weak::upgrade) {
            return live;
        }
        let live = Arc::new(LiveGrant {
            id,
            doubts: AtomicUsize::new(0),
            late: AtomicUsize::new(0),
            renewal: Arc::default(),
            registry: Arc::downgrade(&self.0),
        });
        grants.insert(id, Arc::downgrade(&live));
        live
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl LiveGrant {
    /// Whether the store may hold something else than what was decided here. No token is to be judged
    /// by the record until that is settled.
    fn is_in_doubt(&self) -> bool {
        self.doubts.load(Ordering::Acquire) > 0
    }

    /// Waits a little for doubts to end; `false` when they go on.
    pub(super) async fn settles(&self) -> bool {
        let deadline = Instant::now() + SETTLE_WAIT;
        while self.is_in_doubt() {
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(POLL).await;
        }
        true
    }

    /// The record is in doubt until the returned value is dropped.
    pub(super) fn in_doubt(self: &Arc<Self>) -> Doubt {
        self.doubts.fetch_add(1, Ordering::AcqRel);
        Doubt(Arc::clone(self))
    }

    /// Whether a renewal is at work that is not worth waiting for.
    pub(super) fn is_late(&self) -> bool {
        self.late.load(Ordering::Acquire) > 0
    }

    /// Callers do not wait for the renewal until the returned value is dropped.
    pub(super) fn late(self: &Arc<Self>) -> Late {
        self.late.fetch_add(1, Ordering::AcqRel);
        Late(Arc::clone(self))
    }
}

/// See [`LiveGrant::late`].
pub(super) struct Late(Arc<LiveGrant>);

impl Drop for Late {
    fn drop(&mut self) {
        self.0.late.fetch_sub(1, Ordering::AcqRel);
    }
}

/// See [`LiveGrant::in_doubt`].
pub(super) struct Doubt(Arc<LiveGrant>);

impl Drop for Doubt {
    fn drop(&mut self) {
        self.0.doubts.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for LiveGrant {
    fn drop(&mut self) {
        let Some(registry) = self.registry.upgrade() else {
            return;
        };
        let mut grants = registry.lock().unwrap_or_else(PoisonError::into_inner);
        // A successor may stand under the same id by now.
        let is_dead = |weak: &Weak<Self>| weak.strong_count() == 0;
        if grants.get(&self.id).is_some_and(is_dead) {
            grants.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_shared_while_held_and_forgotten_after() {
        let grants = LiveGrants::default();
        let id = GrantId::random();
        let first = grants.handle(id);
        let second = grants.handle(id);
        assert!(Arc::ptr_eq(&first, &second));
        drop(first);
        assert_eq!(grants.len(), 1);
        drop(second);
        assert_eq!(grants.len(), 0);
    }

    #[test]
    fn a_doubt_keeps_the_handle_and_ends_with_its_last_holder() {
        let grants = LiveGrants::default();
        let id = GrantId::random();
        let (first, second) = (grants.handle(id).in_doubt(), grants.handle(id).in_doubt());
        drop(first);
        assert!(grants.handle(id).is_in_doubt());
        drop(second);
        assert!(!grants.handle(id).is_in_doubt());
    }
}
