//! Keeping the provider's token, and what is known of a person, fresh: once per grant, however many
//! requests and instances want it.
//!
//! In one process a lock gathers the requests, between processes a lease in the store does; whoever
//! holds both asks the provider (`renewal`). The others wait, bounded, and then read what was
//! stored.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedMutexGuard, oneshot},
    time::timeout,
};

use super::{
    Grant, GrantId, Grants, LiveGrant, Loaded, Need, UpstreamGrant,
    backoff::Failures,
    ending::end_at_provider,
    lifetime,
    proof::ProofOfLife,
    renewal::{Due, Looks, Renewal, due},
};
use crate::{
    clock::{Clock, unix_now},
    error::StorageError,
    event::{Event, Events, Reason, Step},
    limits,
    oauth::ScopeSet,
    provider::ProviderClient,
    tasks::Tasks,
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

/// While the old token is still good, a request waits this long for a new one; then the renewal
/// goes on alone.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often a waiter looks whether the one before it is done.
pub(super) const POLL: Duration = Duration::from_millis(50);

/// Keeps the provider's tokens fresh.
pub(crate) struct Freshness {
    pub(super) grants: Arc<Grants>,
    upstream: Arc<ProviderClient>,
    /// The same, for answers that are worth more than a caller's time.
    pub(super) patient: ProviderClient,
    pub(super) proof: Arc<dyn ProofOfLife>,
    clock: Arc<dyn Clock>,
    pub(super) events: Arc<Events>,
    tasks: Tasks,
    pub(super) settings: FreshnessSettings,
    pub(super) failures: Failures,
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
    /// How long a look at a person is good.
    pub(crate) identity_max_age: Duration,
    /// How old a grant may get, however often it is used.
    pub(crate) grant_max_age: Option<Duration>,
}

/// What a [`Freshness`] works with.
pub(crate) struct FreshnessParts {
    pub(crate) grants: Arc<Grants>,
    pub(crate) upstream: Arc<ProviderClient>,
    pub(crate) proof: Arc<dyn ProofOfLife>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Arc<Events>,
    pub(crate) tasks: Tasks,
}

impl Freshness {
    pub(crate) fn new(parts: FreshnessParts, settings: FreshnessSettings) -> Self {
        Self {
            patient: parts.upstream.waiting_longer(limits::LATE_ANSWER),
            grants: parts.grants,
            upstream: parts.upstream,
            proof: parts.proof,
            clock: parts.clock,
            events: parts.events,
            tasks: parts.tasks,
            settings,
            failures: Failures::new(),
        }
    }

    /// The grant with what is needed, renewed if need be. A renewal that fails for now is no matter
    /// while the old token still lives, and a look that fails while what was known still stands.
    pub(crate) async fn ensure(
        self: &Arc<Self>,
        id: GrantId,
        loaded: Loaded,
        need: Need,
    ) -> Result<Loaded, FreshnessError> {
        if self.due(&loaded.grant, &need) == Due::Nothing {
            return Ok(loaded);
        }
        // Boxed: it is rare, and large in the future of every request that might need it.
        Box::pin(self.in_time(id, loaded, need)).await
    }

    async fn in_time(
        self: &Arc<Self>,
        id: GrantId,
        loaded: Loaded,
        need: Need,
    ) -> Result<Loaded, FreshnessError> {
        let is_good = self.is_still_good(&loaded.grant);
        // A client that refreshes is about to get an access token for an hour: what it is told of its
        // person should be true.
        let is_about_person =
            matches!(need, Need::Proof) && self.due(&loaded.grant, &Need::Token) == Due::Nothing;
        let patience = match is_good && !is_about_person {
            true => PATIENCE,
            false => self.patience(),
        };
        let result = timeout(patience, self.fresh(id, need.clone())).await;
        let loaded = match result.unwrap_or(Err(FreshnessError::Later)) {
            Ok(fresh) => fresh,
            Err(FreshnessError::Later | FreshnessError::Store(_)) if is_good => loaded,
            Err(error) => return Err(error),
        };
        let is_overdue = self.looks().are_overdue(&loaded.grant, self.now());
        match matches!(need, Need::Proof) && is_overdue {
            true => Err(FreshnessError::Later),
            false => Ok(loaded),
        }
    }

    /// Another access token of the provider than the one that its API refused; `None` where there is
    /// none to be had.
    pub(crate) async fn another(
        self: &Arc<Self>,
        id: GrantId,
        refused: &str,
    ) -> Result<Option<UpstreamGrant>, FreshnessError> {
        let need = Need::Another {
            than: refused.to_owned(),
        };
        let loaded = self.grants.load(&id).await?.ok_or(FreshnessError::Over)?;
        if self.is_past_last_day(&loaded.grant, self.now()) {
            self.expire(id).await?;
            return Err(FreshnessError::Over);
        }
        let loaded = match self.due(&loaded.grant, &need) {
            Due::Nothing => loaded,
            Due::Renewal | Due::Look => {
                let fresh = Box::pin(timeout(self.patience(), self.fresh(id, need)));
                fresh.await.unwrap_or(Err(FreshnessError::Later))?
            }
        };
        let upstream = loaded.grant.upstream;
        match (upstream.access_token == refused, upstream.can_renew()) {
            (false, _) => Ok(Some(upstream)),
            // It was renewed just now, and the API refuses what came.
            (true, true) => Err(FreshnessError::Later),
            (true, false) => Ok(None),
        }
    }

    /// Waits for the process's lock, without a task of its own; only who gets it starts one.
    async fn fresh(self: &Arc<Self>, id: GrantId, need: Need) -> Result<Loaded, FreshnessError> {
        let live = self.grants.handle(id);
        let turn = self.turn(id, &live).await?;
        let loaded = self.grants.load(&id).await?.ok_or(FreshnessError::Over)?;
        if self.due(&loaded.grant, &need) == Due::Nothing {
            return Ok(loaded);
        }
        let (waiting, answer) = oneshot::channel();
        let renewal = Renewal::new(Arc::clone(self), id, need, live, turn, waiting);
        // A task of its own: a client that hangs up must not drop the answer, because a provider
        // that rotates its refresh tokens has then already spent the old one.
        self.tasks.spawn(renewal.run());
        answer.await.unwrap_or(Err(FreshnessError::Later))
    }

    async fn turn(
        &self,
        id: GrantId,
        live: &LiveGrant,
    ) -> Result<OwnedMutexGuard<()>, FreshnessError> {
        let should_wait = || !live.is_late() && !self.failures.hold(id, self.now());
        loop {
            if !should_wait() || !live.settles().await {
                return Err(FreshnessError::Later);
            }
            let lock = Arc::clone(&live.renewal).lock_owned();
            if let Ok(turn) = timeout(POLL, lock).await {
                // Whoever had it before may have failed just now.
                return match should_wait() {
                    true => Ok(turn),
                    false => Err(FreshnessError::Later),
                };
            }
        }
    }

    /// Whether the grant is past its last day, however well its tokens are.
    pub(crate) fn is_past_last_day(&self, grant: &Grant, now: u64) -> bool {
        self.last_day(grant).is_some_and(|day| now >= day)
    }

    /// When the grant is over, however often it is used.
    pub(crate) fn last_day(&self, grant: &Grant) -> Option<u64> {
        let is_provable = self.looks().can_prove(grant);
        lifetime::last_day(grant.created_at, self.settings.grant_max_age, is_provable)
    }

    /// The same in passthrough mode, where nothing but the login's time is known: each refresh is a
    /// renewal at the provider, so only a configured age counts.
    pub(crate) fn last_day_of_login(&self, created_at: u64) -> Option<u64> {
        lifetime::last_day(created_at, self.settings.grant_max_age, true)
    }

    /// The life of a record that is written now.
    pub(crate) fn record_ttl(&self, grant: &Grant, now: u64) -> Duration {
        lifetime::cut_to(self.last_day(grant), self.settings.grant_ttl, now)
    }

    /// What is left of a record's life, for a write that is no use of the grant.
    pub(super) fn remaining_ttl(&self, grant: &Grant, now: u64) -> Duration {
        let left = lifetime::remaining(grant, self.settings.grant_ttl, now);
        lifetime::cut_to(self.last_day(grant), left, now)
    }

    /// Ends a grant that is past its last day. The provider is not told: at some, one revocation ends
    /// the person's other grants as well, and those have days left.
    pub(crate) async fn expire(&self, id: GrantId) -> Result<(), StorageError> {
        if self.grants.end(&id).await?.is_some() {
            let event = Event::refused(Step::UpstreamRefresh, Reason::Expired);
            let event = event.grant(id.to_string());
            self.events
                .emit(&event.detail("the grant is as old as it may get: it ends"));
        }
        Ok(())
    }

    /// Tells the provider, in a task of its own.
    pub(super) fn revoke_at_provider(
        &self,
        id: GrantId,
        given: impl IntoIterator<Item = UpstreamGrant>,
    ) {
        let given: Vec<_> = given.into_iter().collect();
        let (upstream, events) = (Arc::clone(&self.upstream), Arc::clone(&self.events));
        self.tasks.spawn(async move {
            for given in given {
                end_at_provider(&upstream, &events, id, given.revocable()).await;
            }
        });
    }

    pub(super) fn now(&self) -> u64 {
        unix_now(&*self.clock)
    }

    pub(super) fn due(&self, grant: &Grant, need: &Need) -> Due {
        due(grant, need, self.looks(), self.now())
    }

    fn looks(&self) -> Looks {
        Looks {
            max_age: self.settings.identity_max_age,
            can_ask: self.proof.can_ask(),
            can_ask_provider: self.proof.can_ask_provider(),
        }
    }

    fn patience(&self) -> Duration {
        self.settings.upstream_timeout + limits::STORE_TIMEOUT
    }

    /// A token whose end nobody said may be good.
    fn is_still_good(&self, grant: &Grant) -> bool {
        let end = grant.upstream.expires_at;
        end.is_none_or(|end| self.now() < end)
    }
}
