//! What one connection is doing: which requests are open, and which answers its client does not take.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::{Duration, Instant};

/// Shared by a connection and the answers on it.
#[derive(Debug)]
pub(super) struct Activity(Mutex<State>);

#[derive(Debug)]
struct State {
    /// How many requests have begun on it.
    begun: u64,
    /// Of those open: since when an answer waits to be taken, or `None` where it is the client that waits.
    open: HashMap<u64, Option<Instant>>,
    /// The last end of a request, or the beginning of the connection.
    quiet_since: Instant,
}

/// One open request.
#[derive(Debug)]
pub(super) struct OpenRequest {
    id: u64,
    activity: Arc<Activity>,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            begun: 0,
            open: HashMap::new(),
            quiet_since: Instant::now(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one assignment: half of one cannot be seen.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request has come.
    pub(super) fn begin(self: &Arc<Self>) -> OpenRequest {
        let mut state = self.state();
        state.begun += 1;
        let id = state.begun;
        state.open.insert(id, None);
        drop(state);
        OpenRequest {
            id,
            activity: Arc::clone(self),
        }
    }

    /// Whether a request has ever come.
    pub(super) fn has_asked(&self) -> bool {
        self.state().begun > 0
    }

    /// Since when no request is open; `None` while one is.
    pub(super) fn quiet_since(&self) -> Option<Instant> {
        let state = self.state();
        state.open.is_empty().then_some(state.quiet_since)
    }

    /// Whether some answer has waited for its client for so long.
    pub(super) fn is_stalled(&self, patience: Duration) -> bool {
        let state = self.state();
        let mut waiting = state.open.values().flatten();
        waiting.any(|since| since.elapsed() >= patience)
    }
}

impl OpenRequest {
    /// The server's library has a part of the answer, and asks for the next when the client has taken it.
    pub(super) fn gave(&self) {
        self.set(Some(Instant::now()));
    }

    /// It asks.
    pub(super) fn is_asked(&self) {
        self.set(None);
    }

    fn set(&self, since: Option<Instant>) {
        if let Some(waiting) = self.activity.state().open.get_mut(&self.id) {
            *waiting = since;
        }
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        let mut state = self.activity.state();
        state.open.remove(&self.id);
        state.quiet_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_quiet_while_no_request_is_open() {
        let activity = Activity::new();
        assert!(!activity.has_asked() && activity.quiet_since().is_some());
        let (first, second) = (activity.begin(), activity.begin());
        drop(first);
        assert_eq!(activity.quiet_since(), None);
        tokio::time::advance(Duration::from_secs(9)).await;
        drop(second);
        assert!(activity.has_asked());
        assert_eq!(activity.quiet_since(), Some(Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_stalls_when_its_client_does_not_take_it() {
        let activity = Activity::new();
        let patience = Duration::from_secs(60);
        let (stream, taken) = (activity.begin(), activity.begin());
        stream.gave();
        stream.is_asked();
        taken.gave();
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(!activity.is_stalled(patience));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(activity.is_stalled(patience));
        // A stream of events that is silent is not: its client waits.
        drop(taken);
        assert!(!activity.is_stalled(patience));
    }
}
