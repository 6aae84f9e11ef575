//! One renewal of the provider's token, by the one task that may ask for it.

use std::{sync::Arc, time::Duration};

use tokio::{sync::OwnedMutexGuard, time::Instant};

use super::{
    Freshness, FreshnessError, Grant, GrantId, LiveGrant, Loaded,
    freshness::POLL,
    grants::{OnDoubt, bounded},
    scopes,
};
use crate::{
    error::{StorageError, UpstreamError},
    event::{Event, Reason, Step},
    limits,
    upstream::TokenAnswer,
};

/// Holds the process's lock for the grant until it is done, which may be long after everybody who
/// waited has been answered.
pub(super) struct Renewal {
    pub(super) of: Arc<Freshness>,
    pub(super) id: GrantId,
    pub(super) live: Arc<LiveGrant>,
    #[allow(dead_code, reason = "held, not read")]
    pub(super) turn: OwnedMutexGuard<()>,
    /// What the lease says while it is ours.
    pub(super) owner: [u8; 16],
}

/// What the provider gave, and for which token.
struct Answered {
    /// The refresh token that was presented, and the access token that is replaced.
    presented: String,
    replaced: String,
    tokens: TokenAnswer,
    /// When, in seconds since the Unix epoch.
    at: u64,
}

impl Renewal {
    /// Gets the lease, or waits for the instance that has it.
    pub(super) async fn run(self) -> Result<Loaded, FreshnessError> {
        let key = self.id.lease_key();
        let timeout = self.of.settings.upstream_timeout;
        let lease_ttl = timeout + 2 * limits::STORE_TIMEOUT;
        let deadline = Instant::now() + timeout + limits::STORE_TIMEOUT;
        loop {
            let storage = &self.of.grants.storage;
            let taken = bounded(storage.insert_if_absent(&key, self.owner.to_vec(), lease_ttl));
            let is_ours = match taken.await {
                Ok(is_ours) => is_ours,
                // It may have been taken all the same.
                Err(StorageError::Unavailable(_)) => {
                    let held = bounded(storage.get(&key)).await?;
                    held.is_some_and(|owner| owner == self.owner)
                }
                Err(error) => return Err(error.into()),
            };
            if is_ours {
                return self.with_lease(Instant::now() + lease_ttl).await;
            }
            if Instant::now() >= deadline {
                self.tell(
                    Reason::Contention,
                    "another instance did not finish in time",
                );
                return Err(FreshnessError::Later);
            }
            tokio::time::sleep(POLL).await;
            let loaded = self.of.grants.load(&self.id).await?;
            let loaded = loaded.ok_or(FreshnessError::Over)?;
            if !self.of.wants_renewal(&loaded) {
                return Ok(loaded);
            }
        }
    }

    /// Holds the lease as well: the only one at the provider with this grant.
    async fn with_lease(self, until: Instant) -> Result<Loaded, FreshnessError> {
        let result = match self.ask().await {
            Err(refused) => Err(refused),
            Ok((loaded, None)) => Ok(loaded),
            Ok((loaded, Some(answer))) => match self.save(loaded, &answer).await {
                Err(
                    error @ (FreshnessError::Store(StorageError::Unavailable(_))
                    | FreshnessError::Later),
                ) => {
                    // The answer cannot be had again: it is kept until the store takes it.
                    tokio::spawn(self.save_later(answer, until));
                    return Err(error);
                }
                saved => saved,
            },
        };
        self.release(until).await;
        result
    }

    /// Asks the provider, unless the one before us has.
    async fn ask(&self) -> Result<(Loaded, Option<Answered>), FreshnessError> {
        let loaded = self.of.grants.load(&self.id).await?;
        let loaded = loaded.ok_or(FreshnessError::Over)?;
        let refresh_token = match &loaded.grant.upstream.refresh_token {
            Some(token) if self.of.wants_renewal(&loaded) => token.clone(),
            _ => return Ok((loaded, None)),
        };
        let upstream = &self.of.upstream;
        let scopes = scopes::for_provider(&loaded.grant.scopes, &self.of.settings.offered_scopes);
        let scope = upstream
            .provider()
            .scopes_to_upstream(scopes.iter())
            .join(" ");
        let extra = &self.of.settings.extra_params;
        let asked_at = Instant::now();
        match upstream.refresh(&refresh_token, Some(&scope), extra).await {
            Ok(tokens) => {
                let answered = Answered {
                    presented: refresh_token,
                    replaced: loaded.grant.upstream.access_token.clone(),
                    tokens,
                    at: self.of.now(),
                };
                Ok((loaded, Some(answered)))
            }
            Err(error) => {
                self.of.failed(self.id, asked_at.elapsed());
                Err(self.refused(&error, &refresh_token).await)
            }
        }
    }

    /// Writes the answer over whatever else happens to the record meanwhile (a rotation).
    async fn save(&self, mut loaded: Loaded, answer: &Answered) -> Result<Loaded, FreshnessError> {
        for _ in 0..limits::SWAP_ATTEMPTS {
            let stored = &loaded.grant.upstream;
            if stored.refresh_token.as_deref() != Some(&*answer.presented)
                || stored.access_token != answer.replaced
            {
                // Another instance has renewed since: what it has is newer.
                return Ok(loaded);
            }
            let mut grant = renewed(&loaded.grant, &answer.tokens, answer.at);
            let (grants, ttl) = (&self.of.grants, self.of.settings.grant_ttl);
            grants
                .stay_listed(&self.id, &mut grant, ttl, self.of.now())
                .await;
            if let Some(saved) = self
                .of
                .grants
                .replace(&self.id, &loaded, grant, ttl, OnDoubt::Keep)
                .await?
            {
                let event = Event::done(Step::UpstreamRefresh).grant(self.id.to_string());
                self.of.events.emit(&event);
                return Ok(saved);
            }
            match self.of.grants.load(&self.id).await? {
                Some(again) => loaded = again,
                None => return Err(FreshnessError::Over),
            }
        }
        Err(FreshnessError::Later)
    }

    /// Goes on until the store takes the answer. Meanwhile requests of this grant are told to come
    /// back, and nobody presents the spent token.
    async fn save_later(self, answer: Answered, lease_until: Instant) {
        let _doubt = self.live.in_doubt();
        let deadline = Instant::now() + limits::SETTLE_FOR;
        let mut pause = POLL;
        while Instant::now() < deadline {
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(limits::SETTLE_PAUSE);
            let saved = match self.of.grants.load(&self.id).await {
                Ok(Some(loaded)) => self.save(loaded, &answer).await.map(drop),
                Ok(None) => Ok(()),
                Err(error) => Err(error.into()),
            };
            match saved {
                Err(FreshnessError::Store(_) | FreshnessError::Later) => {}
                Ok(()) | Err(FreshnessError::Over) => {
                    self.release(lease_until).await;
                    return;
                }
            }
        }
        self.tell(Reason::StoreUnavailable, "the provider's new token is lost");
    }

    /// A lease that may have run out can be somebody else's by now.
    async fn release(&self, lease_until: Instant) {
        if Instant::now() + limits::STORE_TIMEOUT < lease_until {
            // Not `remove`: carried out late, it would take somebody else's.
            let (key, owner) = (self.id.lease_key(), &self.owner);
            let storage = &self.of.grants.storage;
            let release = storage.compare_and_swap(&key, owner, Vec::new(), Duration::ZERO);
            let _ = bounded(release).await;
        }
    }

    /// The provider did not renew. Only its own word on this very token ends the grant.
    async fn refused(&self, error: &UpstreamError, presented: &str) -> FreshnessError {
        let reason = match error {
            UpstreamError::Rejected { .. } => Reason::ProviderRejected,
            UpstreamError::Malformed(_) => Reason::ProviderMalformed,
            _ => Reason::ProviderUnavailable,
        };
        self.tell(reason, error);
        if !error.is_dead_grant() {
            return FreshnessError::Later;
        }
        // An instance that has the newer token may not have been able to store it yet.
        tokio::time::sleep(limits::SECOND_LOOK).await;
        match self.end_if_current(presented).await {
            Ok(()) => FreshnessError::Over,
            Err(error) => error.into(),
        }
    }

    /// An instance whose lease ran out may have renewed meanwhile: then another token stands in the
    /// record, and the refusal of ours says nothing about it.
    async fn end_if_current(&self, presented: &str) -> Result<(), StorageError> {
        let current = self.of.grants.load(&self.id).await?;
        let is_current = current.is_some_and(|loaded| {
            loaded.grant.upstream.refresh_token.as_deref() == Some(presented)
        });
        if is_current {
            self.of.grants.end(&self.id).await?;
        }
        Ok(())
    }

    fn tell(&self, reason: Reason, detail: impl std::fmt::Display) {
        let event = Event::refused(Step::UpstreamRefresh, reason);
        let event = event.grant(self.id.to_string()).detail(detail);
        self.of.events.emit(&event);
    }
}

fn renewed(grant: &Grant, answer: &TokenAnswer, now: u64) -> Grant {
    let mut renewed = grant.clone();
    renewed.upstream = grant.upstream.renewed(answer, now);
    // Fewer scopes at the provider are fewer scopes here, at once.
    renewed.scopes = scopes::granted(&grant.scopes, answer.scope.as_ref());
    renewed
}
