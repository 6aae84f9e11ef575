//! Renewing the provider's token: once per grant, however many requests and instances want it.
//!
//! In one process a lock gathers the requests; between processes a lease in the store does. The
//! holder works in a task of its own, because a client that hangs up must not drop the answer: a
//! provider that rotates its refresh tokens has then already spent the old one.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{Grant, GrantId, Grants, LiveGrant, Loaded, grants::bounded, scopes};
use crate::{
    clock::{Clock, unix_now},
    error::{StorageError, UpstreamError},
    event::{Event, Events, Reason, Step},
    limits, random,
    upstream::{TokenAnswer, UpstreamClient},
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

/// How often a waiter looks whether the lease holder is done.
const POLL: Duration = Duration::from_millis(50);
/// After a failure, requests of the same grant do not ask again for this many seconds: a provider
/// that hangs must not hang every request.
const BACK_OFF_SECS: u64 = 2;

/// Keeps the provider's tokens fresh.
pub(crate) struct Freshness {
    pub(crate) grants: Arc<Grants>,
    pub(crate) upstream: Arc<UpstreamClient>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Arc<Events>,
    /// Added to each refresh request.
    pub(crate) extra_params: Vec<(String, String)>,
    /// The record's life after a renewal.
    pub(crate) grant_ttl: Duration,
    /// The limit on one request to the provider.
    pub(crate) upstream_timeout: Duration,
}

impl Freshness {
    /// The grant with a token that is good now, renewed if need be. A renewal that fails for now is
    /// no matter while the old token still lives.
    pub(crate) async fn ensure(
        self: &Arc<Self>,
        id: GrantId,
        live: &Arc<LiveGrant>,
        loaded: Loaded,
    ) -> Result<Loaded, FreshnessError> {
        let now = unix_now(&*self.clock);
        if !loaded.grant.upstream.wants_renewal(now) {
            return Ok(loaded);
        }
        let (this, live) = (Arc::clone(self), Arc::clone(live));
        let renewal = tokio::spawn(async move {
            let _turn = live.renewal.lock().await;
            this.renew(id, &live).await
        });
        let wait = self.upstream_timeout + limits::STORE_TIMEOUT;
        let result = match tokio::time::timeout(wait, renewal).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(FreshnessError::Later),
        };
        let still_good = loaded
            .grant
            .upstream
            .expires_at
            .is_some_and(|end| now < end);
        match result {
            Err(FreshnessError::Later) if still_good => Ok(loaded),
            result => result,
        }
    }

    /// Holds the process's lock; gets the lease, or waits for whoever has it.
    async fn renew(&self, id: GrantId, live: &LiveGrant) -> Result<Loaded, FreshnessError> {
        let owner = random::bytes::<16>().to_vec();
        let lease_ttl = self.upstream_timeout + 2 * limits::STORE_TIMEOUT;
        let deadline = Instant::now() + self.upstream_timeout + limits::STORE_TIMEOUT;
        loop {
            let loaded = self.grants.load(&id).await?.ok_or(FreshnessError::Over)?;
            let now = unix_now(&*self.clock);
            if !loaded.grant.upstream.wants_renewal(now) {
                return Ok(loaded);
            }
            if live.failed_within(BACK_OFF_SECS, now) {
                return Err(FreshnessError::Later);
            }
            let (key, storage) = (id.lease_key(), &self.grants.storage);
            if bounded(storage.insert_if_absent(&key, owner.clone(), lease_ttl)).await? {
                let taken_at = Instant::now();
                let result = self.renew_as_holder(id, live).await;
                // A lease that may have run out can be somebody else's by now.
                if taken_at.elapsed() + limits::STORE_TIMEOUT < lease_ttl {
                    let _ = bounded(storage.remove(&key)).await;
                }
                return result;
            }
            if Instant::now() >= deadline {
                self.tell(
                    id,
                    Reason::Contention,
                    "another instance did not finish in time",
                );
                return Err(FreshnessError::Later);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Holds the lease: the only one at the provider with this grant.
    async fn renew_as_holder(
        &self,
        id: GrantId,
        live: &LiveGrant,
    ) -> Result<Loaded, FreshnessError> {
        // The one before us may have finished between our look and our lease.
        let loaded = self.grants.load(&id).await?.ok_or(FreshnessError::Over)?;
        let upstream = &loaded.grant.upstream;
        let Some(refresh_token) = upstream.refresh_token.clone() else {
            return Ok(loaded);
        };
        if !upstream.wants_renewal(unix_now(&*self.clock)) {
            return Ok(loaded);
        }
        let scopes = loaded.grant.scopes.iter();
        let scope = self
            .upstream
            .provider()
            .scopes_to_upstream(scopes)
            .join(" ");
        let answer = self
            .upstream
            .refresh(&refresh_token, Some(&scope), &self.extra_params)
            .await;
        match answer {
            Ok(answer) => {
                let stored = self.store(id, loaded, &answer).await?;
                self.events
                    .emit(&Event::done(Step::UpstreamRefresh).grant(id.to_string()));
                Ok(stored)
            }
            Err(error) => {
                live.failed(unix_now(&*self.clock));
                Err(self.refused(id, &error, &refresh_token).await)
            }
        }
    }

    /// Writes the answer over whatever else happens to the record meanwhile (a rotation). It cannot
    /// be had again, so a store that fails for a moment is asked again.
    async fn store(
        &self,
        id: GrantId,
        mut loaded: Loaded,
        answer: &TokenAnswer,
    ) -> Result<Loaded, FreshnessError> {
        let now = unix_now(&*self.clock);
        let mut last = FreshnessError::Later;
        for _ in 0..limits::SWAP_ATTEMPTS {
            let grant = self.renewed(&loaded.grant, answer, now);
            match self
                .grants
                .replace(&id, &loaded, &grant, self.grant_ttl)
                .await
            {
                Ok(true) => {
                    // Read back, so that what is returned can be replaced in its turn.
                    return self.grants.load(&id).await?.ok_or(FreshnessError::Over);
                }
                Ok(false) => {}
                Err(error) => {
                    last = error.into();
                    tokio::time::sleep(POLL).await;
                }
            }
            match self.grants.load(&id).await {
                Ok(Some(again)) => loaded = again,
                Ok(None) => return Err(FreshnessError::Over),
                Err(error) => last = error.into(),
            }
        }
        self.tell(
            id,
            Reason::Contention,
            "the provider's new token could not be stored",
        );
        Err(last)
    }

    fn renewed(&self, grant: &Grant, answer: &TokenAnswer, now: u64) -> Grant {
        let mut renewed = grant.clone();
        renewed.upstream = grant.upstream.renewed(answer, now);
        // Fewer scopes at the provider are fewer scopes here, at once.
        renewed.scopes = scopes::granted(&grant.scopes, answer.scope.as_ref());
        renewed
    }

    /// The provider did not renew. Only its own word on this very token ends the grant.
    async fn refused(&self, id: GrantId, error: &UpstreamError, presented: &str) -> FreshnessError {
        let reason = match error {
            UpstreamError::Rejected { .. } => Reason::ProviderRejected,
            UpstreamError::Malformed(_) => Reason::ProviderMalformed,
            _ => Reason::ProviderUnavailable,
        };
        self.tell(id, reason, error);
        if !error.is_dead_grant() {
            return FreshnessError::Later;
        }
        match self.end_if_current(id, presented).await {
            Ok(()) => FreshnessError::Over,
            Err(error) => error.into(),
        }
    }

    /// An instance whose lease ran out may have renewed meanwhile: then another token stands in the
    /// record, and the refusal of ours says nothing about it.
    async fn end_if_current(&self, id: GrantId, presented: &str) -> Result<(), StorageError> {
        let current = self.grants.load(&id).await?;
        let is_current = current.is_some_and(|loaded| {
            loaded.grant.upstream.refresh_token.as_deref() == Some(presented)
        });
        if is_current {
            self.grants.end(&id).await?;
        }
        Ok(())
    }

    fn tell(&self, id: GrantId, reason: Reason, detail: impl std::fmt::Display) {
        let event = Event::refused(Step::UpstreamRefresh, reason);
        self.events
            .emit(&event.grant(id.to_string()).detail(detail));
    }
}
