//! Redis stopped, frozen, restarted, emptied, cut off, demoted, full.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use tower_oauth_proxy::{
    StorageError,
    storage::{RedisStorage, TokenStorage},
};

use crate::Stores;
use testkit::{
    between::Between,
    redis::Server,
    trouble::{LIMIT, Log, all_fail, recovers},
};

const MINUTE: Duration = Duration::from_secs(60);
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_is_unavailable_and_its_restart_is_noticed() {
    let mut server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = server.store().await;
    store.set("k", b"kept".to_vec(), MINUTE).await.unwrap();
    server.kill();
    let slowest = all_fail(&store).await;
    server.restart();
    // The very first verb works: the end of the old connection was noticed when it came.
    assert_eq!(store.get("k").await.unwrap().as_deref(), Some(&b"kept"[..]));
    // The script is unknown to the new server.
    assert!(
        store
            .compare_and_swap("k", b"kept", vec![2], MINUTE)
            .await
            .unwrap()
    );
    println!("killed: slowest verb {slowest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_between_two_verbs_costs_none_of_them() {
    let mut server = Server::start();
    let store = server.store().await;
    for _ in 0..5 {
        store.set("k", vec![1], MINUTE).await.unwrap();
        server.restart();
        // Without persistence the data is gone, which is an answer and no error.
        assert_eq!(store.get("k").await.unwrap(), None);
        assert!(store.insert_if_absent("k", vec![1], MINUTE).await.unwrap());
        assert!(
            store
                .compare_and_swap("k", &[1], vec![2], MINUTE)
                .await
                .unwrap()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_is_unavailable_in_time_and_thaws() {
    let server = Server::start();
    let store = server.store().await;
    store.set("k", vec![7], MINUTE).await.unwrap();
    server.freeze();
    let slowest = all_fail(&store).await;
    server.thaw();
    let recovery = recovers(&store).await;
    println!("frozen: slowest verb {slowest:?}, recovery {recovery:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_callers_of_a_frozen_server_are_all_answered_in_time() {
    let server = Server::start();
    let store = Arc::new(server.store().await);
    server.freeze();
    let mut callers = JoinSet::new();
    for n in 0..200 {
        let store = Arc::clone(&store);
        callers.spawn(async move {
            let start = Instant::now();
            let key = format!("k{n}");
            let inserted = store.insert_if_absent(&key, vec![1], MINUTE);
            assert!(inserted.await.is_err());
            start.elapsed()
        });
    }
    let slowest = callers.join_all().await.into_iter().max().unwrap();
    assert!(slowest < LIMIT, "{slowest:?}");
    server.thaw();
    let recovery = recovers(&*store).await;
    println!("frozen, 200 callers: slowest {slowest:?}, recovery {recovery:?}");
}

/// What a caller has to know: a verb that failed can happen afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verb_that_timed_out_may_be_carried_out_when_the_server_thaws() {
    let server = Server::start();
    let store = server.store().await;
    store.set("k", vec![1], MINUTE).await.unwrap();
    assert!(
        store
            .compare_and_swap("k", &[1], vec![1], MINUTE)
            .await
            .unwrap()
    );
    server.freeze();
    assert!(
        store
            .compare_and_swap("k", &[1], vec![2], MINUTE)
            .await
            .is_err()
    );
    server.thaw();
    recovers(&store).await;
    // It happened; the caller who reads again sees its own value and can tell.
    let start = Instant::now();
    while store.get("k").await.unwrap() != Some(vec![2]) {
        assert!(start.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(
        !store
            .compare_and_swap("k", &[1], vec![3], MINUTE)
            .await
            .unwrap()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_or_goes_silent_is_replaced() {
    let server = Server::start();
    let between = Between::start(server.port).await;
    let store = RedisStorage::connect(format!("redis://127.0.0.1:{}", between.port));
    let store = store.await.unwrap();
    store.set("k", vec![1], MINUTE).await.unwrap();
    for _ in 0..3 {
        between.cut().await;
        assert!(recovers(&store).await < Duration::from_millis(500));
    }
    // A host that vanished: no byte comes, no end of the connection. Only this connection is dead.
    between.lose_answers();
    let start = Instant::now();
    assert!(store.get("k").await.is_err());
    assert!(start.elapsed() < LIMIT);
    assert_eq!(
        store.get("k").await.unwrap(),
        Some(vec![1]),
        "connected anew"
    );
}

/// `None` or `false` would log somebody out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verb_whose_answer_was_lost_is_an_error_and_is_not_repeated() {
    let server = Server::start();
    let between = Between::start(server.port).await;
    let store = RedisStorage::connect(format!("redis://127.0.0.1:{}", between.port));
    let store = Arc::new(store.await.unwrap());
    for verb in ["take", "swap", "insert"] {
        recovers(&*store).await;
        server.cli(&["DEL", "oauth-proxy:k"]);
        if verb != "insert" {
            server.cli(&["SET", "oauth-proxy:k", "old"]);
        }
        server.cli(&["CONFIG", "RESETSTAT"]);
        between.lose_answers();
        let asking = tokio::spawn({
            let store = Arc::clone(&store);
            async move {
                match verb {
                    "take" => store.take("k").await.map(drop),
                    "swap" => {
                        let swap = store.compare_and_swap("k", b"old", vec![b'x'], MINUTE);
                        swap.await.map(drop)
                    }
                    _ => store
                        .insert_if_absent("k", vec![b'x'], MINUTE)
                        .await
                        .map(drop),
                }
            }
        });
        let done = if verb == "take" { "" } else { "x" };
        while server.cli(&["GET", "oauth-proxy:k"]) != done {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        between.cut().await;
        let outcome = asking.await.unwrap();
        assert!(
            matches!(outcome, Err(StorageError::Unavailable(_))),
            "{outcome:?}"
        );
        let stats = server.cli(&["INFO", "commandstats"]);
        let name = ["getdel", "evalsha", "set"]
            .into_iter()
            .find(|name| stats.contains(&format!("cmdstat_{name}:calls=1,")));
        assert!(name.is_some(), "{verb} was repeated: {stats}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flushed_script_cache_is_no_failure() {
    let server = Server::start();
    let store = server.store().await;
    store.set("k", vec![0], MINUTE).await.unwrap();
    for n in 0..5 {
        assert_eq!(server.cli(&["SCRIPT", "FLUSH"]), "OK");
        let before = [n];
        let swapped = store.compare_and_swap("k", &before, vec![n + 1], MINUTE);
        assert!(swapped.await.unwrap());
    }
    // The script is sent whole once, then by its hash.
    server.cli(&["CONFIG", "RESETSTAT"]);
    assert!(
        store
            .compare_and_swap("k", &[5], vec![6], MINUTE)
            .await
            .unwrap()
    );
    let stats = server.cli(&["INFO", "commandstats"]);
    assert!(
        stats.contains("cmdstat_evalsha") && !stats.contains("cmdstat_eval:"),
        "{stats}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demoted_server_is_unavailable_until_it_is_primary_again() {
    let primary = Server::start();
    let server = Server::start();
    let store = server.store().await;
    store.set("k", vec![1], MINUTE).await.unwrap();
    server.cli(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()]);
    let refused = store.set("k", vec![2], MINUTE).await;
    assert!(matches!(refused, Err(StorageError::Unavailable(_))));
    // From now on not even reads: what a replica knows is old.
    all_fail(&store).await;
    server.cli(&["REPLICAOF", "NO", "ONE"]);
    recovers(&store).await;
}

#[tokio::test]
async fn a_server_that_evicts_is_warned_of_once() {
    let evicting = ["--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl"];
    for (options, warnings) in [(&evicting[..], 1), (&[], 0)] {
        let server = Server::with(options);
        let log = Log::default();
        let kept = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || kept.clone());
        let guard = tracing::subscriber::set_default(subscriber.finish());
        let store = server.store().await;
        for n in 0..3 {
            store.set("k", vec![n], MINUTE).await.unwrap();
            server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        drop(guard);
        let log = log.text();
        assert_eq!(
            log.matches("maxmemory-policy to noeviction").count(),
            warnings,
            "{log}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_refuses_writes_and_still_reads_and_takes() {
    let server = Server::with(&["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"]);
    let store = server.store().await;
    store.set("k", vec![1], MINUTE).await.unwrap();
    let mut n = 0;
    let refused = loop {
        match store
            .set(&format!("fill{n}"), vec![0; 60_000], MINUTE)
            .await
        {
            Ok(()) => n += 1,
            Err(error) => break error,
        }
        assert!(n < 200);
    };
    assert!(
        matches!(refused, StorageError::Unavailable(_)),
        "{refused:?}"
    );
    // What Redis said is the error's cause.
    let cause = std::error::Error::source(&refused).map(ToString::to_string);
    assert!(cause.unwrap_or_default().contains("OOM"), "{refused:?}");
    let swapped = store.compare_and_swap("k", &[1], vec![0; 60_000], MINUTE);
    assert!(swapped.await.is_err());
    assert_eq!(store.get("k").await.unwrap(), Some(vec![1]), "unchanged");
    assert!(store.take("fill0").await.unwrap().is_some());
    assert_eq!(store.take("k").await.unwrap(), Some(vec![1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_still_loads_its_data_is_unavailable() {
    let mut server = Server::with(&["--rdbcompression", "no"]);
    let store = server.store().await;
    for n in 0..40 {
        let key = format!("fill{n}");
        store.set(&key, vec![0; 2_000], MINUTE).await.unwrap();
    }
    store.set("k", vec![1], MINUTE).await.unwrap();
    assert_eq!(server.cli(&["SAVE"]), "OK");
    server.restart_loading_slowly();
    let loading = store.get("k").await;
    let text = format!("{loading:?}");
    assert!(
        matches!(loading, Err(StorageError::Unavailable(_))),
        "{text}"
    );
    assert!(
        text.contains("LOADING") || text.contains("loading"),
        "{text}"
    );
    recovers(&store).await;
    assert_eq!(store.get("k").await.unwrap(), Some(vec![1]));
}
