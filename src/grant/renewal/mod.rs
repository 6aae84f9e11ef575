//! One renewal of the provider's token, or one look at its person, by the one task that may ask for
//! it: [`wait`] for the lease, find out what is [`due`], the [`exchange`] at the provider, [`save`]
//! the answer, [`look`] at the person; what was [`refused`] decides about the grant.

mod due;
mod exchange;
mod lease;
mod look;
mod record;
mod refused;
mod save;
#[cfg(test)]
mod tests;
mod wait;

use std::sync::Arc;

use tokio::{
    sync::{OwnedMutexGuard, oneshot},
    time::Instant,
};

use super::{
    Freshness, FreshnessError, GrantId, LiveGrant, Loaded,
    live::Late,
    renewal::{lease::Lease, wait::Turn},
};
use crate::{
    event::{Event, Reason, Step},
    limits::{SETTLE_FOR, SETTLE_PAUSE},
};

pub(crate) use due::Need;
pub(super) use due::{Due, Looks, due};

/// Who began it, and hears how it ended unless that takes too long.
pub(super) type Waiting = oneshot::Sender<Result<Loaded, FreshnessError>>;

/// Holds the process's lock for the grant until it is done, which may be long after everybody who
/// waited has been answered.
pub(super) struct Renewal {
    of: Arc<Freshness>,
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
        of: Arc<Freshness>,
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
            Ok(Turn::Done(loaded)) => return self.answer(Ok(loaded)),
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

    /// The lease is held: nobody else is at the provider with this grant.
    async fn work(&mut self, lease: &Lease) -> Result<Loaded, FreshnessError> {
        let loaded = self.of.grants.load(&self.id).await?;
        let loaded = loaded.ok_or(FreshnessError::Over)?;
        // The one before us may have done it.
        match self.of.due(&loaded.grant, &self.need) {
            Due::Nothing => Ok(loaded),
            Due::Renewal => self.renew(lease, loaded).await,
            Due::Look => self.look(lease, loaded).await,
        }
    }

    fn answer(&mut self, result: Result<Loaded, FreshnessError>) {
        if let Some(waiting) = self.waiting.take() {
            // Whoever hung up needs no answer.
            drop(waiting.send(result));
        }
    }

    /// This takes longer than callers wait: they, and those who come, are told to come back.
    fn keep_nobody_waiting(&mut self) {
        self.answer(Err(FreshnessError::Later));
        if self.late.is_none() {
            self.late = Some(self.live.late());
        }
    }

    fn tell(&self, reason: Reason, detail: impl std::fmt::Display) {
        let event = Event::refused(Step::UpstreamRefresh, reason);
        let event = event.grant(self.id.to_string()).detail(detail);
        self.of.events.emit(&event);
    }
}
