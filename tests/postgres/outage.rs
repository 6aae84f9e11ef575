//! PostgreSQL stopped, frozen, restarted, emptied, cut off, demoted, locked, full of connections.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use tower_oauth_proxy::{
    StorageError,
    storage::{PostgresStorage, TokenStorage},
};

use crate::Stores;
use testkit::{
    between::Between,
    postgres::Server,
    trouble::{LIMIT, Log, all_fail, recovers},
};

const MINUTE: Duration = Duration::from_secs(60);
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_is_unavailable_and_what_it_confirmed_is_there_afterwards() {
    let mut server = Server::start();
    let store = server.store().await;
    store.set("k", b"kept".to_vec(), MINUTE).await.unwrap();
    server.kill();
    let slowest = all_fail(&store).await;
    server.restart();
    // The very first verb works: that the old connections had ended was noticed when they did.
    assert_eq!(store.get("k").await.unwrap().as_deref(), Some(&b"kept"[..]));
    let swapped = store.compare_and_swap("k", b"kept", vec![2], MINUTE);
    assert!(swapped.await.unwrap());
    println!("killed: slowest verb {slowest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_between_two_verbs_costs_none_of_them() {
    let mut server = Server::start();
    let store = server.store().await;
    for n in 0..3 {
        store.set("k", vec![n], MINUTE).await.unwrap();
        server.restart();
        assert_eq!(store.get("k").await.unwrap(), Some(vec![n]));
        let before = [n];
        let swapped = store.compare_and_swap("k", &before, vec![n + 1], MINUTE);
        assert!(swapped.await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_callers_of_a_frozen_server_are_all_answered_in_time_and_it_thaws() {
    let server = Server::start();
    let store = Arc::new(server.store().await);
    store.set("k", vec![7], MINUTE).await.unwrap();
    server.freeze();
    let slowest = all_fail(&*store).await;
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
    let slowest_of_many = callers.join_all().await.into_iter().max().unwrap();
    assert!(slowest_of_many < LIMIT, "{slowest_of_many:?}");
    server.thaw();
    let recovery = recovers(&*store).await;
    assert_eq!(store.get("k").await.unwrap(), Some(vec![7]));
    // Nothing that was given up is still at work there.
    let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tower-oauth-proxy'";
    let start = Instant::now();
    while server.sql(left).parse::<u32>().unwrap() > 8 {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{}",
            server.sql(left)
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("frozen: slowest verb {slowest:?}, of 200 {slowest_of_many:?}, recovery {recovery:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_or_goes_silent_is_replaced() {
    let server = Server::start();
    let between = Between::start(server.port).await;
    let url = format!(
        "postgres://app:p%40ss%23word@127.0.0.1:{}/app",
        between.port
    );
    let store = Arc::new(PostgresStorage::connect(url).await.unwrap());
    store.set("k", vec![1], MINUTE).await.unwrap();
    for _ in 0..3 {
        between.cut().await;
        assert!(recovers(&*store).await < Duration::from_millis(500));
    }
    // Several connections lie there; a host that vanished takes all of them along, without a word.
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let store = Arc::clone(&store);
        callers.spawn(async move { store.get("k").await.unwrap() });
    }
    callers.join_all().await;
    between.lose_answers();
    let start = Instant::now();
    assert!(store.get("k").await.is_err());
    assert!(start.elapsed() < LIMIT);
    let answered = store.get("k").await.unwrap();
    assert_eq!(answered, Some(vec![1]), "connected anew");
}

/// `None` or `false` would log somebody out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verb_whose_answer_was_lost_is_an_error_and_is_not_repeated() {
    let server = Server::start();
    let between = Between::start(server.port).await;
    let url = format!(
        "postgres://app:p%40ss%23word@127.0.0.1:{}/app",
        between.port
    );
    let store = PostgresStorage::builder(url).max_connections(1);
    let store = Arc::new(store.connect().await.unwrap());
    server.app(
        "CREATE TABLE log (what text);
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
         $$ BEGIN INSERT INTO log VALUES (TG_OP); RETURN coalesce(NEW, OLD); END $$;
         CREATE TRIGGER note BEFORE INSERT OR UPDATE OR DELETE ON oauth_proxy_records
         FOR EACH ROW EXECUTE FUNCTION note()",
    );
    for verb in ["take", "swap", "insert"] {
        recovers(&*store).await;
        // Each statement is known to the connection that will go silent.
        store.take("k").await.unwrap();
        let swapped = store.compare_and_swap("k", b"", vec![], MINUTE);
        assert!(!swapped.await.unwrap());
        let inserted = store.insert_if_absent("k", vec![], MINUTE);
        assert!(inserted.await.unwrap());
        store.remove("k").await.unwrap();
        if verb != "insert" {
            store.set("k", b"old".to_vec(), MINUTE).await.unwrap();
        }
        server.app("TRUNCATE log");
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
                    _ => {
                        let insert = store.insert_if_absent("k", vec![b'x'], MINUTE);
                        insert.await.map(drop)
                    }
                }
            }
        });
        let outcome = asking.await.unwrap();
        let unavailable = matches!(outcome, Err(StorageError::Unavailable(_)));
        assert!(unavailable, "{verb}: {outcome:?}");
        let logged = server.app("SELECT string_agg(what, ',') FROM log");
        let once = ["DELETE", "UPDATE", "INSERT"].contains(&&*logged);
        assert!(once, "{verb}: {logged}");
    }
}

/// Somebody's migration holds the table: the server gives our statement up, and not another one waits there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_locked_is_unavailable_in_time_and_no_statement_stays_behind() {
    let server = Server::start();
    let store = server.store().await;
    store.set("k", vec![1], MINUTE).await.unwrap();
    let locks = "BEGIN; LOCK TABLE oauth_proxy_records, oauth_proxy_members; SELECT pg_sleep(60)";
    let mut locker = server.console("app").args(["-c", locks]).spawn().unwrap();
    let locked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    while server.sql(locked) != "1" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let slowest = all_fail(&store).await;
    let told = store.get("k").await.unwrap_err();
    let told = std::error::Error::source(&told).unwrap().to_string();
    assert!(told.contains("57014"), "{told}");
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let start = Instant::now();
    while server.sql(waiting) != "0" {
        assert!(start.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server
        .sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    locker.wait().unwrap();
    assert_eq!(store.get("k").await.unwrap(), Some(vec![1]));
    println!("locked: slowest verb {slowest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_writes_any_more_is_unavailable_until_it_does_again() {
    let server = Server::start();
    let store = server.store().await;
    store.set("k", vec![1], MINUTE).await.unwrap();
    server.sql("ALTER SYSTEM SET default_transaction_read_only = on");
    server.sql("SELECT pg_reload_conf()");
    let start = Instant::now();
    while store.set("k", vec![2], MINUTE).await.is_ok() {
        assert!(start.elapsed() < Duration::from_secs(10));
    }
    // From now on not even reads: the one that takes writes may be another.
    all_fail(&store).await;
    server.sql("ALTER SYSTEM RESET default_transaction_read_only");
    server.sql("SELECT pg_reload_conf()");
    recovers(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_to_a_standby_that_was_promoted_is_followed() {
    let mut primary = Server::start();
    let store = primary.store().await;
    store.set("k", vec![1], MINUTE).await.unwrap();
    let standby = Server::standby_of(&primary);
    let both = format!(
        "postgres://app:p%40ss%23word@127.0.0.1:{},127.0.0.1:{}/app",
        primary.port, standby.port
    );
    let store = PostgresStorage::connect(both).await.unwrap();
    store.set("k", vec![2], MINUTE).await.unwrap();
    let start = Instant::now();
    while standby.app("SELECT count(*) FROM oauth_proxy_records WHERE value = '\\x02'") != "1" {
        assert!(start.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    primary.kill();
    // The standby alone is no place to read from: it may be behind.
    assert!(store.get("k").await.is_err());
    standby.sql("SELECT pg_promote()");
    recovers(&store).await;
    assert_eq!(store.get("k").await.unwrap(), Some(vec![2]));
    let swapped = store.compare_and_swap("k", &[2], vec![3], MINUTE);
    assert!(swapped.await.unwrap());
}

/// The old primary's kernel still takes connections: nothing says that it is dead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_froze_leaves_time_to_ask_the_next_host() {
    let primary = Server::start();
    primary
        .store()
        .await
        .set("k", vec![1], MINUTE)
        .await
        .unwrap();
    let standby = Server::standby_of(&primary);
    let both = format!(
        "postgres://app:p%40ss%23word@127.0.0.1:{},127.0.0.1:{}/app",
        primary.port, standby.port
    );
    let store = PostgresStorage::connect(both).await.unwrap();
    primary.freeze();
    all_fail(&store).await;
    standby.sql("SELECT pg_promote()");
    recovers(&store).await;
    assert_eq!(store.get("k").await.unwrap(), Some(vec![1]));
    // Once found, it is asked first.
    let start = Instant::now();
    standby.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tower-oauth-proxy'",
    );
    recovers(&store).await;
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
}

/// An empty database in the place of ours is an answer, as with any store that lost its data.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_that_were_dropped_are_made_anew() {
    let server = Server::start();
    let store = server.store().await;
    store.set("k", vec![1], MINUTE).await.unwrap();
    let mut was_told = false;
    // The sweep after the write above may be the first to see it, once, and make them before we ask.
    for _ in 0..3 {
        server.app(
            "DROP TABLE IF EXISTS oauth_proxy_records, oauth_proxy_members, oauth_proxy_version",
        );
        was_told = store.get("k").await.is_err();
        if was_told {
            break;
        }
    }
    assert!(was_told);
    recovers(&store).await;
    assert_eq!(store.get("k").await.unwrap(), None);
    store.set("k", vec![2], MINUTE).await.unwrap();
    store.list_add("list", "member", MINUTE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_room_for_our_connections_is_unavailable_at_once() {
    let server = Server::with(&["max_connections=5", "superuser_reserved_connections=3"]);
    let first = server.builder().max_connections(2).connect().await.unwrap();
    let (a, b) = tokio::join!(first.get("a"), first.get("b"));
    assert!(a.is_ok() && b.is_ok());
    let second = server.builder().lazy().unwrap();
    let start = Instant::now();
    let mut refused = second.get("k").await;
    if refused.is_ok() {
        // The two were one after the other on one connection; then there was one left.
        let third = server.builder().lazy().unwrap();
        refused = third.get("k").await;
    }
    let refused = refused.unwrap_err();
    let told = std::error::Error::source(&refused).unwrap().to_string();
    assert!(told.contains("connection"), "{told}");
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_who_find_no_connection_free_wait_for_one_and_then_are_told() {
    let server = Server::start();
    let store = server.builder().max_connections(2);
    let store = Arc::new(store.connect().await.unwrap());
    let ask = |times: usize| {
        let mut callers = JoinSet::new();
        for n in 0..times {
            let store = Arc::clone(&store);
            callers.spawn(async move { store.set(&format!("k{n}"), vec![1], MINUTE).await });
        }
        callers.join_all()
    };
    assert!(ask(500).await.iter().all(Result::is_ok));

    let locks = "BEGIN; LOCK TABLE oauth_proxy_records; SELECT pg_sleep(60)";
    let mut locker = server.console("app").args(["-c", locks]).spawn().unwrap();
    let locked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    while server.sql(locked) != "1" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let start = Instant::now();
    let told: Vec<String> = ask(50)
        .await
        .into_iter()
        .map(|refused| {
            std::error::Error::source(&refused.unwrap_err())
                .unwrap()
                .to_string()
        })
        .collect();
    assert!(start.elapsed() < LIMIT);
    let waited = told
        .iter()
        .filter(|told| told.contains("all 2 connections"));
    assert!(waited.count() > 10, "{told:?}");
    locker.kill().unwrap();
    locker.wait().unwrap();
}

/// What the proxy does when a client goes away: the connection is used again, with nothing left in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verbs_that_are_dropped_half_way_leave_the_connections_sound() {
    let server = Server::start();
    let store = server.builder().max_connections(2);
    let store = Arc::new(store.connect().await.unwrap());
    store.set("k", vec![1], MINUTE).await.unwrap();
    let backends = "SELECT string_agg(pid::text, ',' ORDER BY pid) FROM pg_stat_activity \
                    WHERE application_name = 'tower-oauth-proxy'";
    let (a, b) = tokio::join!(store.get("a"), store.get("b"));
    assert!(a.is_ok() && b.is_ok());
    let before = server.sql(backends);
    for n in 0..300_u64 {
        let verb = store.set("other", vec![0; 30_000], MINUTE);
        let _ = tokio::time::timeout(Duration::from_micros(n * 10), verb).await;
    }
    assert_eq!(store.get("k").await.unwrap(), Some(vec![1]));
    let after = server.sql(backends);
    assert!(
        before.contains(&after) || after.contains(&before),
        "{before}; {after}"
    );
}

#[tokio::test]
async fn a_server_that_may_lose_what_it_confirmed_is_warned_of_once() {
    for (settings, warnings) in [
        (&["fsync=on", "synchronous_commit=off"][..], 1),
        (&["fsync=on"], 0),
    ] {
        let server = Server::with(settings);
        let log = Log::default();
        let kept = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || kept.clone());
        let guard = tracing::subscriber::set_default(subscriber.finish());
        let store = server.store().await;
        for n in 0..3 {
            store.set("k", vec![n], MINUTE).await.unwrap();
        }
        drop(guard);
        let log = log.text();
        let warned = log.matches("set synchronous_commit to on").count();
        assert_eq!(warned, warnings, "{log}");
    }
}
