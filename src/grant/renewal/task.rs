//! The task that renews one grant, and the caller that waits for it.

use std::sync::Arc;

use tokio::sync::{OwnedMutexGuard, oneshot};

use super::{
    super::{GrantId, LiveGrant, SeenGrant, live::Late},
    due::Need,
    renewer::{FreshnessError, Renewer},
};
use crate::event::{Event, Reason, Step, Told, Who};

/// The caller that began it, and hears how it ended unless that takes too long.
pub(in crate::grant) type Waiting = oneshot::Sender<Result<SeenGrant, FreshnessError>>;

/// Holds the process's lock for the grant until it is done, which may be long after all who waited
/// have been answered.
pub(in crate::grant) struct Renewal {
    pub(super) of: Arc<Renewer>,
    pub(super) id: GrantId,
    /// Whose grant it is, for events.
    pub(super) who: Box<Who>,
    pub(super) need: Need,
    pub(super) live: Arc<LiveGrant>,
    #[allow(dead_code, reason = "held, not read")]
    turn: OwnedMutexGuard<()>,
    waiting: Option<Waiting>,
    late: Option<Late>,
}

impl Renewal {
    pub(in crate::grant) fn new(
        of: Arc<Renewer>,
        (id, who): (GrantId, Who),
        need: Need,
        live: Arc<LiveGrant>,
        turn: OwnedMutexGuard<()>,
        waiting: Waiting,
    ) -> Self {
        Self {
            of,
            id,
            who: Box::new(who),
            need,
            live,
            turn,
            waiting: Some(waiting),
            late: None,
        }
    }

    pub(super) fn answer(&mut self, result: Result<SeenGrant, FreshnessError>) {
        if let Some(waiting) = self.waiting.take() {
            // A caller that hung up needs no answer.
            drop(waiting.send(result));
        }
    }

    /// This takes longer than callers wait: they, and those who come meanwhile, get 503.
    pub(super) fn stop_waiting(&mut self) {
        self.answer(Err(FreshnessError::Later));
        if self.late.is_none() {
            self.late = Some(self.live.late());
        }
    }

    pub(super) fn emit(&self, reason: Reason, words: impl Into<Told>) {
        let event = Event::refused(Step::UpstreamRefresh, reason);
        let event = event.about((*self.who).clone()).told(&words.into());
        self.of.events.emit(&event);
    }
}
