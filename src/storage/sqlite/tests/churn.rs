//! What has expired leaves, and its room is used again.

use rusqlite::Connection;

use super::*;

/// Writes `count` new records, many at a time, and lets `step` pass after each batch of 50.
async fn write(store: &SqliteStorage, clock: &ByHand, count: usize, ttl: Duration, step: Duration) {
    for _ in 0..count / 50 {
        let keys: Vec<_> = (0..50).map(|_| random::token::<16>()).collect();
        let writes = keys.iter().map(|key| store.set(key, vec![7; 3000], ttl));
        for done in together(writes.collect()).await {
            done.unwrap();
        }
        clock.pass(step);
    }
}

/// Polls all until each is done.
async fn together<T>(mut futures: Vec<StorageFuture<'_, T>>) -> Vec<Result<T, StorageError>> {
    let mut answers = Vec::new();
    std::future::poll_fn(|cx| {
        futures.retain_mut(|future| match future.as_mut().poll(cx) {
            std::task::Poll::Ready(answer) => {
                answers.push(answer);
                false
            }
            std::task::Poll::Pending => true,
        });
        match futures.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    answers
}

fn count(scratch: &Scratch) -> i64 {
    let file = Connection::open(scratch.file()).unwrap();
    file.query_row("SELECT count(*) FROM records", [], |row| row.get(0))
        .unwrap()
}

fn size(scratch: &Scratch) -> u64 {
    let file = Connection::open(scratch.file()).unwrap();
    let pages = records::pragma(&file, "page_count").unwrap();
    u64::try_from(pages).unwrap() * 4096
}

fn wal_size(scratch: &Scratch) -> u64 {
    let log = scratch.0.join("grants.db-wal");
    fs::metadata(log).unwrap().len()
}

#[tokio::test]
async fn the_file_does_not_grow_under_steady_churn() {
    let (scratch, clock) = (Scratch::new(), ByHand::new());
    let store = scratch.store_at(&clock);
    // 500 a minute, each living one minute and swept one minute later: 1000 are there at a time.
    let step = MINUTE / 10;
    write(&store, &clock, 2_000, MINUTE, step).await;
    let (early, held) = (size(&scratch), count(&scratch));
    assert!((900..1_300).contains(&held), "{held}");
    write(&store, &clock, 10_000, MINUTE, step).await;
    let (late, held) = (size(&scratch), count(&scratch));
    assert!((900..1_300).contains(&held), "{held}");
    assert!(late <= early + early / 10, "from {early} to {late} bytes");
    assert!(wal_size(&scratch) < 16 << 20, "{}", wal_size(&scratch));
}

/// A log that is read all the time cannot be started anew at every checkpoint.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_small_while_readers_never_pause() {
    let (scratch, clock) = (Scratch::new(), ByHand::new());
    let store = Arc::new(scratch.store_at(&clock));
    store.set("k", vec![7; 3000], MINUTE * 60).await.unwrap();
    let readers: Vec<_> = (0..16)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                loop {
                    assert!(store.get("k").await.unwrap().is_some());
                }
            })
        })
        .collect();
    // 60 MB and more, through a log of 4.
    write(&store, &clock, 10_000, MINUTE, MINUTE / 10).await;
    for reader in &readers {
        assert!(!reader.is_finished());
        reader.abort();
    }
    assert!(wal_size(&scratch) < 16 << 20, "{}", wal_size(&scratch));
}

#[tokio::test]
async fn after_a_peak_the_file_shrinks_with_the_writes_that_follow() {
    let (scratch, clock) = (Scratch::new(), ByHand::new());
    let store = scratch.store_at(&clock);
    write(&store, &clock, 5_000, MINUTE, Duration::ZERO).await;
    let peak = size(&scratch);
    assert!(peak > 15_000_000, "{peak}");
    clock.pass(MINUTE * 3);
    write(&store, &clock, 5_000, MINUTE, MINUTE).await;
    let after = size(&scratch);
    assert!(after < peak / 2, "from {peak} to {after} bytes");
    let check = Connection::open(scratch.file()).unwrap();
    let sound: String = check
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok");
}

#[tokio::test]
async fn a_clock_that_jumps_and_comes_back_loses_no_record() {
    let (scratch, clock) = (Scratch::new(), ByHand::new());
    let store = scratch.store_at(&clock);
    store.set("k", vec![1], MINUTE).await.unwrap();
    let ahead = ByHand::new();
    ahead.pass(MINUTE + Duration::from_secs(30));
    let jumped = scratch.store_at(&ahead);
    assert_eq!(jumped.get("k").await.unwrap(), None);
    jumped.set("other", vec![1], MINUTE).await.unwrap();
    assert_eq!(store.get("k").await.unwrap(), Some(vec![1]));
}
