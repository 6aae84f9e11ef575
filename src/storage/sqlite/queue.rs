//! The way from a future to the thread that serves it, and back.

use std::time::Duration;

use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::error::StorageError;

/// Callers beyond these wait outside, at no cost but their own.
const CAPACITY: usize = 256;

/// What a thread is asked to do.
pub(super) trait Request: Send + 'static {
    type Answer: Send + 'static;
}

pub(super) struct Job<R: Request> {
    pub(super) request: R,
    answer: oneshot::Sender<Result<R::Answer, StorageError>>,
}

impl<R: Request> Job<R> {
    /// The caller waits no more: its future was dropped, or ran out of time.
    pub(super) fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    pub(super) fn answer(self, answer: Result<R::Answer, StorageError>) {
        // The caller may have left meanwhile.
        let _ = self.answer.send(answer);
    }
}

pub(super) struct Queue<R: Request> {
    jobs: mpsc::Sender<Job<R>>,
    wait: Duration,
}

impl<R: Request> Queue<R> {
    pub(super) fn new(wait: Duration) -> (Self, mpsc::Receiver<Job<R>>) {
        let (jobs, receiver) = mpsc::channel(CAPACITY);
        (Self { jobs, wait }, receiver)
    }

    /// Asks, and waits for the answer as long as is configured.
    pub(super) async fn ask(&self, request: R) -> Result<R::Answer, StorageError> {
        let (answer, receiver) = oneshot::channel();
        let asked = async {
            let sent = self.jobs.send(Job { request, answer }).await;
            match sent {
                Ok(()) => receiver.await.unwrap_or_else(|_| Err(ended())),
                Err(_) => Err(ended()),
            }
        };
        match timeout(self.wait, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(StorageError::unavailable(
                "the SQLite file did not answer in time",
            )),
        }
    }
}

fn ended() -> StorageError {
    StorageError::unavailable("the SQLite store's thread has ended")
}
