//! One probe for all who ask, and what it found for those who ask soon after.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use tokio::{sync::watch, time::timeout};

use super::{
    outcome::{Probe, ProbeCheck, ProbedPart},
    parts,
};
use crate::{
    limits::{PROBE_INTERVAL, PROBE_PATIENCE},
    resource_server::ResourceServer,
    time::Unix,
};

/// What is under way, and what was found last.
pub(super) struct Probing {
    server: Arc<ResourceServer>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: Option<(Unix, Probe)>,
    flight: Option<Flight>,
}

type Flight = watch::Receiver<Option<Probe>>;

impl Probing {
    pub(super) fn new(server: &Arc<ResourceServer>) -> Self {
        Self {
            server: Arc::clone(server),
            state: Mutex::default(),
        }
    }

    pub(super) async fn probe(self: &Arc<Self>) -> Probe {
        let mut flight = match self.board() {
            Ok(known) => return known,
            Err(flight) => flight,
        };
        let landed = flight.wait_for(Option::is_some);
        // Each part has its own bound: this is for a task that is not run.
        match timeout(PROBE_PATIENCE * 2, landed).await {
            Ok(Ok(probe)) => probe.clone().unwrap_or_else(|| self.lost()),
            Ok(Err(_)) | Err(_) => self.lost(),
        }
    }

    /// What is known, or the probe that is under way.
    fn board(self: &Arc<Self>) -> Result<Probe, Flight> {
        let now = self.server.now();
        let mut state = self.state();
        if let Some((found_at, probe)) = &state.last
            && *found_at <= now
            && now < *found_at + PROBE_INTERVAL
        {
            return Ok(probe.clone());
        }
        // One whose task was lost, with its runtime or by a panic, is closed.
        if let Some(flight) = state.flight.as_ref().filter(|it| it.has_changed().is_ok()) {
            return Err(flight.clone());
        }
        let (landing, flight) = watch::channel(None);
        state.flight = Some(flight.clone());
        let before = state.last.as_ref().map(|(_, probe)| probe.clone());
        drop(state);
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let probe = parts::ask(&this.server, before.as_ref()).await;
            let mut state = this.state();
            state.last = Some((this.server.now(), probe.clone()));
            state.flight = None;
            drop(state);
            landing.send_replace(Some(probe));
        });
        Err(flight)
    }

    /// Nothing is known of the parts: this instance does not even get to ask.
    fn lost(&self) -> Probe {
        let fault = "the probe did not come back: this process is overloaded, or it stops";
        let now = SystemTime::from(self.server.now());
        Probe {
            checks: vec![ProbeCheck::new(
                ProbedPart::Store,
                None,
                Some(fault.to_owned()),
                PROBE_PATIENCE * 2,
                now,
            )],
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
