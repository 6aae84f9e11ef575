//! From the wait for the lease to its release.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    super::SeenGrant, due::Due, lease::Lease, renewer::FreshnessError, task::Renewal, wait::Turn,
};
use crate::{
    limits::{SETTLE_FOR, SETTLE_PAUSE},
    metrics::{Renewed, Stopwatch},
};

impl Renewal {
    pub(in crate::grant) async fn run(mut self) {
        let lease = match self.wait().await {
            Ok(Turn::Ours(lease)) => lease,
            Ok(Turn::Done(seen)) => return self.answer(Ok(seen)),
            Err(error) => return self.answer(Err(error)),
        };
        let result = lease.while_held(self.work(&lease)).await;
        let mut is_released = lease.release(self.of.now()).await;
        self.answer(result);
        let of = Arc::clone(&self.of);
        // The process's lock goes now.
        drop(self);
        // A lease that is not let go looks like one whose owner died.
        let deadline = Instant::now() + SETTLE_FOR;
        while !is_released && Instant::now() < deadline {
            tokio::time::sleep(SETTLE_PAUSE).await;
            is_released = lease.release(of.now()).await;
        }
    }

    /// The lease is held: no other instance is at the provider with this grant.
    async fn work(&mut self, lease: &Lease) -> Result<SeenGrant, FreshnessError> {
        let seen = self.of.grants.load_in_doubt(&self.id).await?;
        let seen = seen.ok_or(FreshnessError::Ended)?;
        // The one before us may have done it: what was read before the lease was ours proves nothing.
        match self.of.due(&seen, &self.need) {
            Due::Nothing => Ok(seen),
            due => {
                let (watch, provider) = (Stopwatch::start(), seen.provider.clone());
                let is_look = matches!(due, Due::Look);
                let result = match is_look {
                    true => self.look(lease, seen).await,
                    false => self.renew(lease, seen).await,
                };
                watch.renewal(&provider, is_look, renewed(&result));
                result
            }
        }
    }
}

fn renewed(result: &Result<SeenGrant, FreshnessError>) -> Renewed {
    match result {
        Ok(_) => Renewed::Done,
        Err(FreshnessError::Ended) => Renewed::Ended,
        Err(FreshnessError::Later) => Renewed::Later,
        Err(FreshnessError::Store(_)) => Renewed::Store,
    }
}
