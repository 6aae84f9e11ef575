//! What a store over the network does in trouble.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tower_oauth_proxy::{StorageError, TokenStorage};

const MINUTE: Duration = Duration::from_secs(60);
/// The documented limit of a verb, and what a busy machine adds.
pub const LIMIT: Duration = Duration::from_millis(2_000 + 500);

/// Every verb is `Unavailable` within the limit.
pub async fn all_fail(store: &dyn TokenStorage) -> Duration {
    let mut slowest = Duration::ZERO;
    for verb in 0..9 {
        let start = Instant::now();
        let outcome = match verb {
            0 => store.get("k").await.map(drop),
            1 => store.set("other", vec![1], MINUTE).await,
            2 => store.insert_if_absent("k", vec![1], MINUTE).await.map(drop),
            3 => store.take("other").await.map(drop),
            4 => {
                let swap = store.compare_and_swap("k", b"x", vec![1], MINUTE);
                swap.await.map(drop)
            }
            5 => store.remove("other").await,
            6 => store.list_add("list", "member", MINUTE).await,
            7 => store.list_remove("list", "member").await,
            _ => store.list_page("list", None, 1).await.map(drop),
        };
        let unavailable = matches!(outcome, Err(StorageError::Unavailable(_)));
        assert!(unavailable, "verb {verb}: {outcome:?}");
        slowest = slowest.max(start.elapsed());
    }
    assert!(slowest < LIMIT, "{slowest:?}");
    slowest
}

/// How long until a verb succeeds.
pub async fn recovers(store: &dyn TokenStorage) -> Duration {
    let start = Instant::now();
    while store.get("k").await.is_err() {
        assert!(start.elapsed() < Duration::from_secs(20), "no recovery");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    start.elapsed()
}

/// What is logged meanwhile.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
