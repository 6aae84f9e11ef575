//! Work that goes on when the request that began it is gone. It is counted, so that a process that
//! stops can wait for it.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle};

use crate::metrics::Live;

/// The tasks of one proxy; clones count together.
#[derive(Clone)]
pub(crate) struct Tasks(Arc<watch::Sender<usize>>);

impl Default for Tasks {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Tasks {
    /// Starts a task that [`drained`](Self::drained) waits for.
    pub(crate) fn spawn<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let counted = Counted::new(Arc::clone(&self.0));
        tokio::spawn(async move {
            let output = work.await;
            drop(counted);
            output
        })
    }

    /// Waits until no task is left, those that begin meanwhile included, or for this long. Returns
    /// how many are left.
    pub(crate) async fn drained(&self, within: Duration) -> usize {
        let mut running = self.0.subscribe();
        let none_left = running.wait_for(|running| *running == 0);
        let _ = tokio::time::timeout(within, none_left).await;
        *self.0.borrow()
    }
}

/// One task, counted until it is dropped: at its end, when it panics, or with its runtime.
struct Counted {
    running: Arc<watch::Sender<usize>>,
    _live: Live,
}

impl Counted {
    fn new(running: Arc<watch::Sender<usize>>) -> Self {
        running.send_modify(|running| *running += 1);
        let _live = Live::task();
        Self { running, _live }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.running.send_modify(|running| *running -= 1);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn waiting_ends_with_the_last_task_even_one_that_began_meanwhile_or_panicked() {
        let tasks = Tasks::default();
        assert_eq!(tasks.drained(LONG).await, 0);
        let (end, ends) = oneshot::channel::<()>();
        let (also, later) = (tasks.clone(), tasks.clone());
        tasks.spawn(async move {
            let _ = ends.await;
            later.spawn(async { panic!("on purpose") });
        });
        assert_eq!(tasks.drained(Duration::ZERO).await, 1);
        let waiting = tokio::spawn(async move { also.drained(LONG).await });
        end.send(()).unwrap();
        assert_eq!(waiting.await.unwrap(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_at_its_deadline_and_says_what_is_left() {
        let tasks = Tasks::default();
        for _ in 0..3 {
            tasks.spawn(std::future::pending::<()>());
        }
        assert_eq!(tasks.drained(LONG).await, 3);
    }
}
