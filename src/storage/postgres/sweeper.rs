//! Expired rows are removed in the background, by the processes that write: no job of the operator's is
//! needed, and an idle process does nothing.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    pool::Pool,
    statements::{SWEEP_ROWS, Statements},
};

/// One process begins this often at most. Several do not disturb each other.
const INTERVAL: Duration = Duration::from_secs(1);
/// Statements in one go, for each table: a backlog goes at 10,000 rows a second, and the verbs of others get
/// their turns between.
const ROUNDS: u32 = 20;

/// When this process has swept, and whether it does now.
#[derive(Default)]
pub(super) struct Sweeper {
    last: Mutex<Option<Instant>>,
    is_at_work: AtomicBool,
}

impl Sweeper {
    /// After a write: sweeps, where it is time, behind whoever wrote.
    pub(super) fn wrote(self: &Arc<Self>, pool: &Arc<Pool>, statements: &Arc<Statements>) {
        let Some(work) = self.begin(Instant::now()) else {
            return;
        };
        let (pool, statements) = (Arc::clone(pool), Arc::clone(statements));
        tokio::spawn(async move {
            let _work = work;
            for sweep in &statements.sweeps {
                if !empty(&pool, sweep).await {
                    return;
                }
            }
        });
    }

    fn begin(self: &Arc<Self>, now: Instant) -> Option<Work> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now < last + INTERVAL) {
            return None;
        }
        *last = Some(now);
        let is_free = !self.is_at_work.swap(true, Ordering::AcqRel);
        is_free.then(|| Work(Arc::clone(self)))
    }
}

/// Runs it until nothing is left, within bounds; `false` when the store did not answer.
async fn empty(pool: &Pool, sweep: &str) -> bool {
    for _ in 0..ROUNDS {
        let removed = pool.run(async |client| {
            let sweep = client.prepare_cached(sweep).await?;
            client.execute(&sweep, &[]).await
        });
        match removed.await {
            Ok(removed) if removed < SWEEP_ROWS => return true,
            Ok(_) => {}
            Err(error) => {
                // Whoever wants an answer of the store hears of it too.
                let error = crate::error::with_causes(&error);
                tracing::debug!(target: "tower_oauth_proxy", %error, "expired records were not swept");
                return false;
            }
        }
    }
    true
}

/// A sweep at work. Ends with its task, cut off or not.
struct Work(Arc<Sweeper>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.is_at_work.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_sweeps_once_in_an_interval_and_never_twice_at_once() {
        let (sweeper, start) = (Arc::new(Sweeper::default()), Instant::now());
        let work = sweeper.begin(start);
        assert!(work.is_some());
        assert!(sweeper.begin(start).is_none(), "too soon");
        assert!(sweeper.begin(start + INTERVAL).is_none(), "at work");
        drop(work);
        let soon = start + INTERVAL + INTERVAL / 2;
        assert!(sweeper.begin(soon).is_none(), "too soon after the last");
        assert!(sweeper.begin(start + INTERVAL * 2).is_some());
    }
}
