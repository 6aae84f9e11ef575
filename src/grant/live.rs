//! What this process knows of the grants in use: whether one was revoked here, and a lock for
//! renewing its token once.
//!
//! A handle lives as long as somebody holds it (a cached session, a renewal at work); the registry
//! holds weak references only and so needs no bound of its own.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::GrantId;

type Registry = Mutex<HashMap<GrantId, Weak<LiveGrant>>>;

/// The handles of one proxy.
#[derive(Clone, Default)]
pub(crate) struct LiveGrants(Arc<Registry>);

/// One grant in use.
pub(crate) struct LiveGrant {
    id: GrantId,
    revoked: AtomicBool,
    /// When renewing last failed, in seconds since the epoch; 0 for never.
    failed_at: AtomicU64,
    /// Held by the task that renews the provider's token.
    pub(super) renewal: tokio::sync::Mutex<()>,
    /// Told when that task has the provider's answer and the store does not take it: whoever waits
    /// is not to wait for the store to come back.
    pub(super) stuck: tokio::sync::Notify,
    registry: Weak<Registry>,
}

impl LiveGrants {
    /// The handle of a grant. Take it *before* reading the store: a revocation after that either
    /// removes the record first, or finds this handle.
    pub(crate) fn handle(&self, id: GrantId) -> Arc<LiveGrant> {
        let mut grants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(live) = grants.get(&id).and_then(Weak::upgrade) {
            return live;
        }
        let live = Arc::new(LiveGrant {
            id,
            revoked: AtomicBool::new(false),
            failed_at: AtomicU64::new(0),
            renewal: tokio::sync::Mutex::new(()),
            stuck: tokio::sync::Notify::new(),
            registry: Arc::downgrade(&self.0),
        });
        grants.insert(id, Arc::downgrade(&live));
        live
    }

    /// Ends every cached session of the grant in this process. Call *after* removing the record.
    pub(crate) fn revoke(&self, id: GrantId) {
        let live = {
            let grants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            grants.get(&id).and_then(Weak::upgrade)
        };
        if let Some(live) = live {
            live.revoked.store(true, Ordering::Release);
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl LiveGrant {
    pub(crate) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }

    pub(super) fn failed(&self, now: u64) {
        self.failed_at.store(now, Ordering::Release);
    }

    pub(super) fn failed_within(&self, seconds: u64, now: u64) -> bool {
        let at = self.failed_at.load(Ordering::Acquire);
        at != 0 && now < at.saturating_add(seconds)
    }
}

impl Drop for LiveGrant {
    fn drop(&mut self) {
        let Some(registry) = self.registry.upgrade() else {
            return;
        };
        let mut grants = registry.lock().unwrap_or_else(PoisonError::into_inner);
        // A successor may stand under the same id by now.
        if grants
            .get(&self.id)
            .is_some_and(|weak| weak.strong_count() == 0)
        {
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
        grants.revoke(id);
        assert!(first.is_revoked());
        drop((first, second));
        assert_eq!(grants.len(), 0);
        assert!(!grants.handle(id).is_revoked());
    }
}
