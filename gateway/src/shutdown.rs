//! How the gateway ends: it stops accepting, lets requests and streams end, ends them, and lets the proxy finish.

use std::{io, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    time::sleep,
};

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// No new connections; what is at work goes on.
    Stopping,
    /// Streams end here.
    Ending,
    /// What still runs is dropped.
    Over,
}

/// What those see who have to end. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Phases(watch::Receiver<Phase>);

/// What makes them end.
#[derive(Debug)]
pub(crate) struct Shutdown(watch::Sender<Phase>);

/// For streams that were told to end to reach their clients.
const LAST_WORDS: Duration = Duration::from_secs(2);

impl Shutdown {
    pub(crate) fn new() -> (Self, Phases) {
        let (sender, receiver) = watch::channel(Phase::Running);
        (Self(sender), Phases(receiver))
    }

    /// Goes from phase to phase: at the first signal, `finish` later, and a moment after that. A second signal goes
    /// through all at once.
    pub(crate) async fn by_signals(self, mut signals: Signals, finish: Duration) {
        signals.next().await;
        // Said after it is done: whatever becomes of the log, the gateway ends.
        self.0.send_replace(Phase::Stopping);
        tracing::info!("stopping: no new connections, what is at work has {finish:?}");
        let second = tokio::select! {
            () = sleep(finish) => false,
            () = signals.next() => true,
            () = self.0.closed() => return,
        };
        self.0.send_replace(Phase::Ending);
        if !second {
            tokio::select! {
                () = sleep(LAST_WORDS) => {}
                () = signals.next() => {}
                () = self.0.closed() => return,
            }
        }
        self.0.send_replace(Phase::Over);
        if second {
            tracing::info!("a second signal: stopping at once");
        }
        self.0.closed().await;
    }
}

impl Phases {
    /// Until nothing new begins.
    pub(crate) async fn stopping(&mut self) {
        self.reach(Phase::Stopping).await;
    }

    /// Until streams have to end.
    pub(crate) async fn ending(&mut self) {
        self.reach(Phase::Ending).await;
    }

    /// Until nothing is waited for any more.
    pub(crate) async fn over(&mut self) {
        self.reach(Phase::Over).await;
    }

    /// Whether nothing new should be begun.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.0.borrow() >= Phase::Stopping || self.0.has_changed().is_err()
    }

    /// Without a sender no signal would ever be heard: that counts as the end.
    async fn reach(&mut self, phase: Phase) {
        drop(self.0.wait_for(|now| *now >= phase).await);
    }
}

/// SIGTERM and SIGINT (Ctrl-C), from the moment on that this exists. The first process of a container ignores SIGTERM
/// without it.
#[derive(Debug)]
pub(crate) struct Signals([Signal; 2]);

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self([
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        ]))
    }

    async fn next(&mut self) {
        let [terminate, interrupt] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_a_sender_it_is_over() {
        let (shutdown, mut phases) = Shutdown::new();
        assert!(!phases.is_stopping());
        drop(shutdown);
        assert!(phases.is_stopping());
        phases.stopping().await;
        phases.ending().await;
        phases.over().await;
    }
}
