//! One renewal of the provider's token, or one look at its person, by the one task that may ask for
//! it: [`wait`] for the lease, find out what is [`due`], the [`exchange`] at the provider, [`save`]
//! the answer, [`look`] at the person; what was [`refused`] decides about the grant.

mod due;
mod exchange;
mod lease;
mod look;
mod record;
mod refused;
mod renewer;
mod save;
#[cfg(test)]
mod tests;
mod wait;

use std::sync::Arc;

use tokio::{
    sync::{OwnedMutexGuard, oneshot},
    time::Instant,
};

use self::{lease::Lease, wait::Turn};
use super::{GrantId, LiveGrant, SeenGrant, live::Late};
use crate::{
    event::{Event, Reason, Step},
    limits::{SETTLE_FOR, SETTLE_PAUSE},
};

pub(super) use due::Due;
pub(crate) use due::Need;
pub(super) use renewer::Renewer;
pub(crate) use renewer::{FreshnessError, FreshnessParts, FreshnessSettings};

/// The caller that began it, and hears how it ended unless that takes too long.
pub(super) type Waiting = oneshot::Sender<Result<SeenGrant, FreshnessError>>;

/// Holds the process's lock for the grant until it is done, which may be long after all who waited
/// have been answered.
pub(super) struct Renewal {
    of: Arc<Renewer>,
    id: GrantId,
    need: Need,
    live: Arc<LiveGrant>,
    #[allow(dead_code, reason = "held, not read")]
    turn: OwnedMutexGuard<()>,
    waiting: Option<Waiting>,
    late: Option<Late>,
}

impl Renewal {
    pub(super) fn new(
        of: Arc<Renewer>,
        id: GrantId,
        need: Need,
        live: Arc<LiveGrant>,
        turn: OwnedMutexGuard<()>,
        waiting: Waiting,
    ) -> Self {
        Self {
            of,
            id,
            need,
            live,
            turn,
            waiting: Some(waiting),
            late: None,
        }
    }

    pub(super) async fn run(mut self) {
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
        let seen = seen.ok_or(FreshnessError::Over)?;
        // The one before us may have done it: what was read before the lease was ours proves nothing.
        match self.of.due(&seen, &self.need) {
            Due::Nothing => Ok(seen),
            Due::Renewal => self.renew(lease, seen).await,
            Due::Look => self.look(lease, seen).await,
        }
    }

    fn answer(&mut self, result: Result<SeenGrant, FreshnessError>) {
        if let Some(waiting) = self.waiting.take() {
            // A caller that hung up needs no answer.
            drop(waiting.send(result));
        }
    }

    /// This takes longer than callers wait: they, and those who come, are told to come back.
    fn stop_waiting(&mut self) {
        self.answer(Err(FreshnessError::Later));
        if self.late.is_none() {
            self.late = Some(self.live.late());
        }
    }

    fn emit(&self, reason: Reason, detail: impl std::fmt::Display) {
        let event = Event::refused(Step::UpstreamRefresh, reason);
        let event = event.grant(self.id.to_string()).detail(detail);
        self.of.events.emit(&event);
    }
}
