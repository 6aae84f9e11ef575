//! Keeping the provider's token, and what is known of a person, fresh: once per grant, however many
//! requests and instances want it.
//!
//! In one process a lock gathers the requests, between processes a lease in the store does; the task
//! that holds both asks the provider ([`renewal`](super::renewal)). The others wait, bounded, and then
//! read what was stored.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedMutexGuard, oneshot},
    time::timeout,
};
use tracing::Instrument;

use super::{
    Grant, GrantId, LiveGrant, SeenGrant, UpstreamGrant, lifetime,
    renewal::{Due, FreshnessError, FreshnessParts, FreshnessSettings, Need, Renewal, Renewer},
};
use crate::{
    error::StorageError,
    event::{mark_span, span_of_its_own},
    limits::{POLL, RENEWAL_PATIENCE, STORE_TIMEOUT},
    time::Unix,
};

/// Keeps the provider's tokens fresh.
pub(crate) struct Freshness(Arc<Renewer>);

/// The process's lock for renewing one grant.
struct Turn {
    lock: OwnedMutexGuard<()>,
    /// Whether another held it before.
    has_waited: bool,
}

impl Freshness {
    pub(crate) fn new(parts: FreshnessParts, settings: FreshnessSettings) -> Self {
        Self(Arc::new(Renewer::new(parts, settings)))
    }

    /// The grant with what is needed, renewed if need be; `None` when the one at hand will do. A renewal
    /// that fails for now is no matter while the old token still lives, and a look that fails while what
    /// was known still stands.
    pub(crate) async fn ensure(
        &self,
        id: GrantId,
        grant: &Grant,
        need: Need,
    ) -> Result<Option<SeenGrant>, FreshnessError> {
        if self.0.due(grant, &need) == Due::Nothing {
            return Ok(None);
        }
        // Boxed: it is rare, and large in the future of every request that might need it.
        Box::pin(self.in_time(id, grant, need)).await
    }

    async fn in_time(
        &self,
        id: GrantId,
        grant: &Grant,
        need: Need,
    ) -> Result<Option<SeenGrant>, FreshnessError> {
        let is_good = self.is_still_good(grant);
        // A client that refreshes is about to get an access token for an hour: what it hears of its
        // person should be true.
        let is_about_person =
            matches!(need, Need::Proof) && self.0.due(grant, &Need::Token) == Due::Nothing;
        let patience = match is_good && !is_about_person {
            true => RENEWAL_PATIENCE,
            false => self.patience(),
        };
        let result = timeout(patience, self.fresh(id, grant, need.clone())).await;
        let fresh = match result.unwrap_or(Err(FreshnessError::Later)) {
            Ok(fresh) => Some(fresh),
            Err(FreshnessError::Later | FreshnessError::Store(_)) if is_good => None,
            Err(error) => return Err(error),
        };
        let stands = fresh.as_deref().map_or(grant, |fresh| &**fresh);
        let is_overdue = self.0.looks(stands).are_overdue(stands, self.0.now());
        match matches!(need, Need::Proof) && is_overdue {
            true => Err(FreshnessError::Later),
            false => Ok(fresh),
        }
    }

    /// Another access token of the provider than the one that its API refused; `None` where there is
    /// none to be had.
    pub(crate) async fn another(
        &self,
        id: GrantId,
        refused: &str,
    ) -> Result<Option<UpstreamGrant>, FreshnessError> {
        let need = Need::Another {
            than: refused.to_owned(),
        };
        let grant = self.0.grants.look(&id).await?;
        let grant = grant.ok_or(FreshnessError::Ended)?;
        if self.is_past_last_day(&grant, self.0.now()) {
            self.expire(id).await?;
            return Err(FreshnessError::Ended);
        }
        let grant = match self.0.due(&grant, &need) {
            Due::Nothing => grant,
            Due::Renewal | Due::Look => {
                let fresh = Box::pin(timeout(self.patience(), self.fresh(id, &grant, need)));
                let fresh = fresh.await.unwrap_or(Err(FreshnessError::Later))?;
                fresh.into_value()
            }
        };
        let upstream = grant.upstream;
        match (upstream.access_token == refused, upstream.can_renew()) {
            (false, _) => Ok(Some(upstream)),
            // It was renewed just now, and the API refuses what came.
            (true, true) => Err(FreshnessError::Later),
            (true, false) => Ok(None),
        }
    }

    /// Waits for the process's lock, without a task of its own; only the one that gets it starts one.
    async fn fresh(
        &self,
        id: GrantId,
        grant: &Grant,
        need: Need,
    ) -> Result<SeenGrant, FreshnessError> {
        let live = self.0.grants.handle(id);
        let turn = self.turn(id, &live).await?;
        // The one before may have done it. Where there was none, the renewal looks, under its lease.
        if turn.has_waited {
            let seen = self.0.grants.load_in_doubt(&id).await?;
            let seen = seen.ok_or(FreshnessError::Ended)?;
            if self.0.due(&seen, &need) == Due::Nothing {
                return Ok(seen);
            }
        }
        let (waiting, answer) = oneshot::channel();
        let who = self.0.grants.who(&id, grant);
        let span = span_of_its_own("renewal");
        span.in_scope(|| mark_span(|| who.clone()));
        let whose = (id, who);
        let renewal = Renewal::new(Arc::clone(&self.0), whose, need, live, turn.lock, waiting);
        // A task of its own: a client that hangs up must not drop the answer, because a provider
        // that rotates its refresh tokens has then already spent the old one.
        self.0.tasks.spawn(renewal.run().instrument(span));
        answer.await.unwrap_or(Err(FreshnessError::Later))
    }

    async fn turn(&self, id: GrantId, live: &LiveGrant) -> Result<Turn, FreshnessError> {
        let should_wait = || !live.is_late() && !self.0.failures.hold(id, self.0.now());
        let mut has_waited = false;
        loop {
            if !should_wait() || !live.settles().await {
                return Err(FreshnessError::Later);
            }
            let lock = match Arc::clone(&live.renewal).try_lock_owned() {
                Ok(lock) => Ok(lock),
                Err(_) => {
                    has_waited = true;
                    timeout(POLL, Arc::clone(&live.renewal).lock_owned()).await
                }
            };
            if let Ok(lock) = lock {
                // The one before may have failed just now.
                return match should_wait() {
                    true => Ok(Turn { lock, has_waited }),
                    false => Err(FreshnessError::Later),
                };
            }
        }
    }

    /// Whether the grant is past its last day, however well its tokens are.
    pub(crate) fn is_past_last_day(&self, grant: &Grant, now: Unix) -> bool {
        self.last_day(grant).is_some_and(|day| now >= day)
    }

    /// When the grant ends, however often it is used.
    pub(crate) fn last_day(&self, grant: &Grant) -> Option<Unix> {
        self.0.last_day(grant)
    }

    /// The same in passthrough mode, where nothing but the login's time is known: each refresh is a
    /// renewal at the provider, so only a configured age counts.
    pub(crate) fn last_day_of_login(&self, created_at: Unix) -> Option<Unix> {
        lifetime::last_day(created_at, self.0.settings.grant_max_age, true)
    }

    /// The life of a record that is written now.
    pub(crate) fn record_ttl(&self, grant: &Grant, now: Unix) -> Duration {
        self.0.record_ttl(grant, now)
    }

    /// Ends a grant that is past its last day.
    pub(crate) async fn expire(&self, id: GrantId) -> Result<(), StorageError> {
        self.0.ending.expire(id).await
    }

    fn patience(&self) -> Duration {
        self.0.settings.upstream_request_timeout + STORE_TIMEOUT
    }

    /// A token whose end is not known may be good.
    fn is_still_good(&self, grant: &Grant) -> bool {
        let end = grant.upstream.expires_at;
        end.is_none_or(|end| self.0.now() < end)
    }
}
