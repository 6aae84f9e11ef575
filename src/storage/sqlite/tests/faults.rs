//! A store in trouble says so, soon, and answers nothing that is not so.

use std::time::Instant;

use rusqlite::Connection;

use super::*;
use crate::error::with_causes;

fn is_unavailable<T>(result: &Result<T, StorageError>) -> bool {
    matches!(result, Err(StorageError::Unavailable(_)))
}

#[tokio::test]
async fn a_lock_that_is_held_too_long_is_unavailable_in_time_and_passes() {
    let scratch = Scratch::new();
    let builder = SqliteStorage::builder(scratch.file());
    let store = builder
        .busy_timeout(Duration::from_millis(300))
        .open()
        .unwrap();
    store.set("k", vec![1], MINUTE).await.unwrap();
    let holder = Connection::open(scratch.file()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    assert!(is_unavailable(&store.take("k").await));
    assert!(is_unavailable(&store.set("k", vec![2], MINUTE).await));
    assert!(start.elapsed() > Duration::from_millis(500), "it waits");
    assert!(start.elapsed() < Duration::from_secs(3), "not for long");
    assert_eq!(store.get("k").await.unwrap(), Some(vec![1]), "reads go on");
    holder.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.take("k").await.unwrap(), Some(vec![1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_let_go_in_time_is_no_error() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let holder = Connection::open(scratch.file()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let release = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_millis(500));
        holder.execute_batch("ROLLBACK").unwrap();
    });
    store.set("k", vec![1], MINUTE).await.unwrap();
    release.await.unwrap();
}

/// The caller has answered its client that it did not work: what comes next, such as the same again, must not find
/// that it did.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_caller_has_given_up_is_not_written_once_the_lock_is_let_go() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let holder = Connection::open(scratch.file()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let given_up = store.set("k", vec![1], MINUTE);
    let given_up = tokio::time::timeout(Duration::from_millis(100), given_up);
    assert!(given_up.await.is_err(), "the lock is held");
    holder.execute_batch("ROLLBACK").unwrap();
    // Behind it in the queue.
    store.set("other", vec![2], MINUTE).await.unwrap();
    assert_eq!(store.get("k").await.unwrap(), None);
}

#[tokio::test]
async fn a_full_file_drops_nothing_that_lives_and_takes_records_again_when_some_expired() {
    let (scratch, clock) = (Scratch::new(), ByHand::new());
    let builder = SqliteStorage::builder(scratch.file());
    let store = builder.max_bytes(1 << 20).open().unwrap();
    let store = store.with_clock(clock.clone());
    let mut written = Vec::new();
    let full = loop {
        let key = format!("k{}", written.len());
        // Every other one lives on.
        let ttl = MINUTE * if written.len() % 2 == 0 { 1 } else { 60 };
        match store.set(&key, vec![7; 8000], ttl).await {
            Ok(()) => written.push(key),
            Err(error) => break error,
        }
        assert!(written.len() < 1000, "it never fills");
    };
    assert!(matches!(full, StorageError::Unavailable(_)), "{full}");
    let said = with_causes(&full);
    assert!(said.contains("full"), "{said}");
    assert!(written.len() > 50, "{}", written.len());
    for key in &written {
        assert!(store.get(key).await.unwrap().is_some(), "{key}");
    }
    // Taking needs no room, and makes some.
    assert!(store.take(&written[1]).await.unwrap().is_some());
    let mut more = 0;
    while store
        .set(&format!("more{more}"), vec![7; 8000], MINUTE * 60)
        .await
        .is_ok()
    {
        more += 1;
    }
    assert!((1..5).contains(&more), "{more}");
    assert!(fs::metadata(scratch.file()).unwrap().len() <= 1 << 20);
    clock.pass(MINUTE * 3);
    for n in 0..20 {
        let key = format!("new{n}");
        store.set(&key, vec![7; 8000], MINUTE).await.unwrap();
    }
    for key in written.iter().skip(3).step_by(2) {
        assert!(store.get(key).await.unwrap().is_some(), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_verb_that_finds_no_room_takes_no_other_with_it() {
    let scratch = Scratch::new();
    let builder = SqliteStorage::builder(scratch.file());
    let store = Arc::new(builder.max_bytes(256 << 10).open().unwrap());
    for n in 0..20 {
        store
            .set(&format!("old{n}"), vec![1], MINUTE)
            .await
            .unwrap();
    }
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                if n % 10 == 0 {
                    let taken = store.take(&format!("old{}", n / 10)).await;
                    assert_eq!(taken.unwrap(), Some(vec![1]));
                    return true;
                }
                let key = format!("new{n}");
                let written = store.set(&key, vec![2; 8000], MINUTE).await;
                assert_eq!(written.is_ok(), store.get(&key).await.unwrap().is_some());
                written.is_ok()
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += usize::from(task.await.unwrap());
    }
    assert!((30..150).contains(&done), "{done}");
}

#[tokio::test]
async fn a_file_that_was_taken_away_is_unavailable_until_it_is_back() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.set("k", vec![1], MINUTE).await.unwrap();
    let aside = scratch.0.join("aside.db");
    fs::rename(scratch.file(), &aside).unwrap();
    assert!(is_unavailable(&store.get("k").await));
    assert!(is_unavailable(&store.set("k", vec![2], MINUTE).await));
    // Another one in its place is not it.
    fs::write(scratch.file(), "").unwrap();
    let answer = store.insert_if_absent("k", vec![2], MINUTE).await;
    assert!(with_causes(&answer.unwrap_err()).contains("replaced"));
    fs::rename(&aside, scratch.file()).unwrap();
    assert_eq!(store.get("k").await.unwrap(), Some(vec![1]));
    store.set("k", vec![3], MINUTE).await.unwrap();
}

/// Each page of the file damaged in turn: an answer is right or an error, and never "absent".
#[tokio::test]
async fn a_damaged_page_is_an_error_never_an_absent_record() {
    const RECORDS: usize = 60;
    const PAGE: usize = 4096;
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 0..RECORDS {
        store
            .set(&format!("k{n}"), vec![7; 2500], MINUTE)
            .await
            .unwrap();
    }
    drop(store);
    let sound = fs::read(scratch.file()).unwrap();
    let (mut errors, mut refused) = (0, 0);
    for page in 0..sound.len() / PAGE {
        for filling in [0x00, 0xff] {
            let mut bytes = sound.clone();
            bytes[page * PAGE..(page + 1) * PAGE].fill(filling);
            scratch.put(&bytes);
            let Ok(store) = SqliteStorage::open(scratch.file()) else {
                refused += 1;
                continue;
            };
            for n in 0..RECORDS {
                match store.get(&format!("k{n}")).await {
                    Ok(value) => {
                        let is_right = value == Some(vec![7; 2500]);
                        assert!(is_right, "page {page}, k{n}: {:?}", value.map(|v| v.len()));
                    }
                    Err(error) => {
                        assert!(matches!(error, StorageError::Corrupt(_)), "{error}");
                        errors += 1;
                    }
                }
            }
            // Nor is a record that cannot be read inserted over.
            let inserted = store.insert_if_absent("k1", vec![1], MINUTE).await;
            assert!(!matches!(inserted, Ok(true)), "page {page}");
            let _ = store.take("k2").await;
        }
    }
    assert!(errors > RECORDS && refused >= 2, "{errors} {refused}");
}

#[tokio::test]
async fn a_truncated_file_is_an_error_never_an_absent_record() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 0..60 {
        store
            .set(&format!("k{n}"), vec![7; 2500], MINUTE)
            .await
            .unwrap();
    }
    drop(store);
    let sound = fs::read(scratch.file()).unwrap();
    for part in [sound.len() / 2, sound.len() - 4096, 5000, 4096, 100] {
        scratch.put(&sound[..part]);
        let Ok(store) = SqliteStorage::open(scratch.file()) else {
            continue;
        };
        for n in 0..60 {
            let answer = store.get(&format!("k{n}")).await;
            assert!(!matches!(answer, Ok(None)), "{part} bytes, k{n}");
        }
    }
}

/// SQLite has no checksums: a flipped bit in a value comes back. The vault notices.
#[tokio::test]
async fn a_flipped_bit_is_noticed_by_the_vault() {
    let scratch = Scratch::new();
    let (store, _) = sealed(scratch.store());
    store.set("k", &[7; 2500], MINUTE).await.unwrap();
    let plain = scratch.store();
    let value = plain.get("k").await.unwrap().unwrap();
    drop((store, plain));
    let mut bytes = fs::read(scratch.file()).unwrap();
    let at = bytes
        .windows(value.len())
        .position(|window| window == value);
    bytes[at.unwrap() + 1000] ^= 1;
    fs::write(scratch.file(), bytes).unwrap();
    let (store, told) = sealed(scratch.store());
    assert_eq!(store.peek("k").await.unwrap(), None);
    assert_eq!(told.load(Ordering::SeqCst), 1);
}
