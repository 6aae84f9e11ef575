//! The provider did not renew. Its own word on this very token ends the grant, trouble never does,
//! and what lies between does after a day.

use std::time::Duration;

use super::{
    super::{Grant, SeenGrant, backoff::Failure},
    due::Due,
    lease::Lease,
    renewer::FreshnessError,
    task::Renewal,
};
use crate::{
    error::StorageError,
    limits::{REFUSED_FOR, SECOND_LOOK, SWAP_ATTEMPTS},
    provider::{Finality, UpstreamError},
};

/// What a refusal came to.
enum Outcome {
    /// The grant has ended.
    Ended,
    /// It lives; what follows, in words.
    Lives(String),
    /// Another token than the one that was refused stands in the record.
    Overtaken(SeenGrant),
}

impl Renewal {
    pub(super) async fn refused(
        &self,
        lease: &Lease,
        error: &UpstreamError,
        presented: &str,
    ) -> Result<SeenGrant, FreshnessError> {
        let reason = error.reason();
        let said = error.told();
        let outcome = match error.finality() {
            Finality::Ends => self.ends(lease, presented).await,
            Finality::Bounded => self.lasts(lease, presented).await,
            Finality::Trouble => Ok(Outcome::Lives("this says nothing about the grant".into())),
        };
        match outcome {
            Ok(Outcome::Ended) => {
                self.emit(reason, said.and(": the grant ends"));
                Err(FreshnessError::Ended)
            }
            Ok(Outcome::Lives(why)) => {
                let seconds = self.fail(lease).as_secs();
                let follows = format_args!(": {why}; asked again in {seconds} s").to_string();
                self.emit(reason, said.and(follows));
                Err(FreshnessError::Later)
            }
            Ok(Outcome::Overtaken(seen)) => {
                self.emit(
                    reason,
                    said.and(": a newer token is there, the grant lives"),
                );
                match self.of.due(&seen, &self.need) {
                    Due::Nothing => Ok(seen),
                    _ => Err(FreshnessError::Later),
                }
            }
            Err(error) => {
                self.fail(lease);
                self.emit(reason, said);
                Err(error.into())
            }
        }
    }

    /// Remembers a failure, here and for other instances; the time until it is asked again.
    pub(super) fn fail(&self, lease: &Lease) -> Duration {
        let before = lease.failures().max(self.of.failures.count(self.id));
        let now = self.of.now();
        let failure = Failure::after(before, now);
        self.of.failures.remember(self.id, failure);
        lease.failed(failure);
        failure.until.since(now)
    }

    /// The token is dead, or the person has to come again. That counts only where no other can have
    /// been answered: under a lease that was let go by the one before, and is ours to this moment.
    async fn ends(&self, lease: &Lease, presented: &str) -> Result<Outcome, StorageError> {
        if lease.is_suspect(self.of.now()) {
            let why = "an instance that died with the lease may have the newer token";
            return Ok(Outcome::Lives(why.to_owned()));
        }
        // A newer token may be on its way into the store.
        tokio::time::sleep(SECOND_LOOK).await;
        if !lease.beat().await {
            let why = "another instance may have taken the lease";
            return Ok(Outcome::Lives(why.to_owned()));
        }
        for _ in 0..SWAP_ATTEMPTS {
            let Some(seen) = self.of.grants.load_in_doubt(&self.id).await? else {
                return Ok(Outcome::Ended);
            };
            if seen.upstream.refresh_token.as_deref() != Some(presented) {
                return Ok(Outcome::Overtaken(seen));
            }
            if self.of.grants.end_as_seen(&self.id, &seen).await? {
                return Ok(Outcome::Ended);
            }
        }
        Ok(Outcome::Lives("the record changes all the time".to_owned()))
    }

    /// A refusal that will not pass by itself, and may be the operator's to mend: since when it lasts
    /// stands in the record.
    async fn lasts(&self, lease: &Lease, presented: &str) -> Result<Outcome, StorageError> {
        let now = self.of.now();
        for _ in 0..SWAP_ATTEMPTS {
            let Some(seen) = self.of.grants.load_in_doubt(&self.id).await? else {
                return Ok(Outcome::Ended);
            };
            let upstream = &seen.upstream;
            if upstream.refresh_token.as_deref() != Some(presented) {
                return Ok(Outcome::Overtaken(seen));
            }
            let Some(since) = upstream.refused_since else {
                let mut grant = Grant::clone(&seen);
                grant.upstream.refused_since = Some(now);
                let ttl = self.of.remaining_ttl(&grant, now);
                let grants = &self.of.grants;
                let kept = grants.keep(&self.id, &seen, grant, ttl, now);
                match kept.await? {
                    Some(_) => return Ok(Outcome::Lives(lasting(REFUSED_FOR))),
                    None => continue,
                }
            };
            let left = (since + REFUSED_FOR).since(now);
            if !left.is_zero() || lease.is_suspect(now) {
                return Ok(Outcome::Lives(lasting(left)));
            }
            if self.of.grants.end_as_seen(&self.id, &seen).await? {
                return Ok(Outcome::Ended);
            }
        }
        Ok(Outcome::Lives("the record changes all the time".to_owned()))
    }
}

fn lasting(left: Duration) -> String {
    let left = left.as_secs();
    format!("the grant ends if this lasts {left} s more")
}
