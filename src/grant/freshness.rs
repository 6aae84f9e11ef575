//! Keeping the provider's token fresh: once per grant, however many requests and instances want it.
//!
//! In one process a lock gathers the requests, between processes a lease in the store does; whoever
//! holds both asks the provider (`renewal`). The others wait, bounded, and then read what was
//! stored.

use std::{sync::Arc, time::Duration};

use moka::{policy::EvictionPolicy, sync::Cache};
use tokio::sync::OwnedMutexGuard;

use super::{GrantId, Grants, LiveGrant, Loaded, renewal::Renewal};
use crate::{
    clock::{Clock, unix_now},
    error::StorageError,
    event::Events,
    limits,
    oauth::ScopeSet,
    random,
    upstream::UpstreamClient,
};

/// Why there is no fresh token.
#[derive(Debug)]
pub(crate) enum FreshnessError {
    /// The store could not answer.
    Store(StorageError),
    /// The provider could not be asked, or somebody else is still asking; nothing is decided.
    Later,
    /// The grant is over: ended by somebody, or refused by the provider.
    Over,
}

impl From<StorageError> for FreshnessError {
    fn from(error: StorageError) -> Self {
        Self::Store(error)
    }
}

/// After a slow failure, requests of the same grant do not ask again for this long: a provider that
/// hangs must not hang every request.
const BACK_OFF: Duration = Duration::from_secs(2);
/// A failure that took at least this long is a slow one.
const SLOW: Duration = Duration::from_secs(1);
/// While the old token is still good, a request waits this long for a new one; then the renewal
/// goes on alone.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often a waiter looks whether the one before it is done.
pub(super) const POLL: Duration = Duration::from_millis(50);

/// Keeps the provider's tokens fresh.
pub(crate) struct Freshness {
    pub(super) grants: Arc<Grants>,
    pub(super) upstream: Arc<UpstreamClient>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) events: Arc<Events>,
    pub(super) settings: FreshnessSettings,
    failed: Cache<GrantId, ()>,
}

/// What the configuration says about renewals.
pub(crate) struct FreshnessSettings {
    /// Added to each refresh request.
    pub(crate) extra_params: Vec<(String, String)>,
    /// The scopes that the provider may be asked for.
    pub(crate) offered_scopes: ScopeSet,
    /// The record's life after a renewal.
    pub(crate) grant_ttl: Duration,
    /// The limit on one request to the provider.
    pub(crate) upstream_timeout: Duration,
}

impl Freshness {
    pub(crate) fn new(
        grants: Arc<Grants>,
        upstream: Arc<UpstreamClient>,
        clock: Arc<dyn Clock>,
        events: Arc<Events>,
        settings: FreshnessSettings,
    ) -> Self {
        Self {
            grants,
            upstream,
            clock,
            events,
            settings,
            failed: Cache::builder()
                .max_capacity(limits::MAX_BACK_OFFS)
                .eviction_policy(EvictionPolicy::lru())
                .time_to_live(BACK_OFF)
                .build(),
        }
    }

    /// The grant with a token that is good now, renewed if need be. A renewal that fails for now is
    /// no matter while the old token still lives.
    pub(crate) async fn ensure(
        self: &Arc<Self>,
        id: GrantId,
        loaded: Loaded,
    ) -> Result<Loaded, FreshnessError> {
        if !self.wants_renewal(&loaded) {
            return Ok(loaded);
        }
        // Boxed: it is rare, and large in the future of every request that might need it.
        Box::pin(self.renewed_in_time(id, loaded)).await
    }

    async fn renewed_in_time(
        self: &Arc<Self>,
        id: GrantId,
        loaded: Loaded,
    ) -> Result<Loaded, FreshnessError> {
        let patience = match self.is_still_good(&loaded) {
            true => PATIENCE,
            false => self.settings.upstream_timeout + limits::STORE_TIMEOUT,
        };
        let result = match tokio::time::timeout(patience, self.renewed(id)).await {
            Ok(result) => result,
            Err(_) => Err(FreshnessError::Later),
        };
        match result {
            Err(FreshnessError::Later | FreshnessError::Store(_))
                if self.is_still_good(&loaded) =>
            {
                Ok(loaded)
            }
            result => result,
        }
    }

    /// Waits for the process's lock, without a task of its own; only who gets it starts one.
    async fn renewed(self: &Arc<Self>, id: GrantId) -> Result<Loaded, FreshnessError> {
        let live = self.grants.handle(id);
        let turn = self.turn(id, &live).await?;
        let loaded = self.grants.load(&id).await?.ok_or(FreshnessError::Over)?;
        if !self.wants_renewal(&loaded) {
            return Ok(loaded);
        }
        let renewal = Renewal {
            of: Arc::clone(self),
            id,
            live,
            turn,
            owner: random::bytes(),
        };
        // A task of its own: a client that hangs up must not drop the answer, because a provider
        // that rotates its refresh tokens has then already spent the old one.
        match tokio::spawn(renewal.run()).await {
            Ok(result) => result,
            Err(_) => Err(FreshnessError::Later),
        }
    }

    async fn turn(
        &self,
        id: GrantId,
        live: &LiveGrant,
    ) -> Result<OwnedMutexGuard<()>, FreshnessError> {
        loop {
            if !live.settles().await || self.failed.contains_key(&id) {
                return Err(FreshnessError::Later);
            }
            let lock = Arc::clone(&live.renewal).lock_owned();
            if let Ok(turn) = tokio::time::timeout(POLL, lock).await {
                // Whoever had it before may have failed just now.
                if !self.failed.contains_key(&id) {
                    return Ok(turn);
                }
            }
        }
    }

    /// Remembers a failure that took this long.
    pub(super) fn failed(&self, id: GrantId, took: Duration) {
        if took >= SLOW {
            self.failed.insert(id, ());
        }
    }

    pub(super) fn now(&self) -> u64 {
        unix_now(&*self.clock)
    }

    pub(super) fn wants_renewal(&self, loaded: &Loaded) -> bool {
        loaded.grant.upstream.wants_renewal(self.now())
    }

    fn is_still_good(&self, loaded: &Loaded) -> bool {
        let end = loaded.grant.upstream.expires_at;
        end.is_some_and(|end| self.now() < end)
    }
}
