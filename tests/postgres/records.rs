//! The contract, and what lies in the tables.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tower_oauth_proxy::{
    StorageError,
    storage::{TokenStorage, contract},
};

use crate::Stores;
use testkit::{
    Proxy,
    client::{CALLBACK, native_metadata},
    postgres::Server,
    provider::MARK,
};

const MINUTE: Duration = Duration::from_secs(60);

async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_postgres_store_keeps_the_contract() {
    let server = Server::start();
    contract::run(Arc::new(server.store().await), sleep).await;
}

/// What a database may have set otherwise changes nothing, and one connection is enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_one_connection_and_in_a_database_that_is_serializable_it_keeps_the_contract() {
    let server = Server::start();
    server.sql("ALTER DATABASE app SET default_transaction_isolation = 'serializable'");
    server.sql("ALTER DATABASE app SET timezone = 'Pacific/Kiritimati'");
    server.sql("ALTER DATABASE app SET bytea_output = 'escape'");
    let store = server
        .builder()
        .schema("auth")
        .table_prefix("x_")
        .max_connections(1)
        .connect();
    contract::run(Arc::new(store.await.unwrap()), sleep).await;
    assert_eq!(server.app("SELECT count(*) > 0 FROM auth.x_records"), "t");
}

#[tokio::test]
async fn services_with_tables_of_other_names_do_not_see_each_other() {
    let server = Server::start();
    let plain = server.store().await;
    let prefixed = server.builder().table_prefix("b_").connect().await.unwrap();
    let elsewhere = server.builder().schema("auth").connect().await.unwrap();
    plain.set("k", b"a's".to_vec(), MINUTE).await.unwrap();
    for other in [&prefixed, &elsewhere] {
        assert_eq!(other.get("k").await.unwrap(), None);
        let inserted = other.insert_if_absent("k", b"b's".to_vec(), MINUTE);
        assert!(inserted.await.unwrap());
        let swapped = other.compare_and_swap("k", b"a's", vec![], MINUTE);
        assert!(!swapped.await.unwrap());
        other.remove("k").await.unwrap();
    }
    assert_eq!(plain.take("k").await.unwrap().as_deref(), Some(&b"a's"[..]));
}

#[tokio::test]
async fn every_write_gives_the_record_an_end_on_the_server_s_clock() {
    let server = Server::start();
    let store = server.store().await;
    let about = |key: &str, ttl: Duration| {
        let left = format!(
            "SELECT extract(epoch FROM expires_at - now()) FROM oauth_proxy_records WHERE key = '{key}'"
        );
        let left: f64 = server.app(&left).parse().unwrap();
        let ttl = ttl.as_secs_f64();
        assert!(left <= ttl && left > ttl - 20.0, "{left} of {ttl}");
    };
    store.set("k", vec![1], MINUTE).await.unwrap();
    about("k", MINUTE);
    let swapped = store.compare_and_swap("k", &[1], vec![2], MINUTE * 3);
    assert!(swapped.await.unwrap());
    about("k", MINUTE * 3);
    let inserted = store.insert_if_absent("new", vec![1], MINUTE);
    assert!(inserted.await.unwrap());
    about("new", MINUTE);
    // A failed insert does not touch the life of what is there.
    let inserted = store.insert_if_absent("new", vec![1], MINUTE * 9);
    assert!(!inserted.await.unwrap());
    about("new", MINUTE);
    let ten_years = Duration::from_secs(10 * 365 * 86_400);
    store.set("long", vec![1], Duration::MAX).await.unwrap();
    about("long", ten_years);
}

/// What makes a removal of one's own lease, and of no one else's, possible.
#[tokio::test]
async fn a_swap_to_no_life_removes_only_the_expected_record() {
    let server = Server::start();
    let store = server.store().await;
    store.set("lease", b"mine".to_vec(), MINUTE).await.unwrap();
    let swap = |owner| store.compare_and_swap("lease", owner, vec![], Duration::ZERO);
    assert!(!swap(b"theirs").await.unwrap());
    assert!(store.get("lease").await.unwrap().is_some());
    assert!(swap(b"mine").await.unwrap());
    assert_eq!(store.get("lease").await.unwrap(), None);
    assert!(!swap(b"mine").await.unwrap());
    let inserted = store.insert_if_absent("lease", b"x".to_vec(), Duration::ZERO);
    assert!(inserted.await.unwrap());
    assert_eq!(store.get("lease").await.unwrap(), None);
}

/// No job of the operator's: whoever writes sweeps, and what expired less than a minute ago stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expired_rows_go_with_the_writes_that_follow_and_live_ones_stay() {
    let server = Server::start();
    let store = server.store().await;
    store.set("live", vec![1], MINUTE).await.unwrap();
    store.list_add("list", "live", MINUTE).await.unwrap();
    server.app(
        "INSERT INTO oauth_proxy_records
         SELECT 'old' || n, '', now() - interval '61 seconds' FROM generate_series(1, 12000) n;
         INSERT INTO oauth_proxy_members
         SELECT 'list', 'old' || n, now() - interval '61 seconds' FROM generate_series(1, 1200) n;
         INSERT INTO oauth_proxy_records VALUES ('recent', '', now() - interval '1 second')",
    );
    let listed = store.list_page("list", None, 10).await.unwrap();
    assert_eq!(listed.members, ["live"]);
    let start = Instant::now();
    let rows = "SELECT (SELECT count(*) FROM oauth_proxy_records), (SELECT count(*) FROM oauth_proxy_members)";
    while server.app(rows) != "3|1" {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{}",
            server.app(rows)
        );
        store.set("other", vec![1], MINUTE).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(store.get("live").await.unwrap(), Some(vec![1]));
    assert_eq!(store.get("recent").await.unwrap(), None);
    let inserted = store.insert_if_absent("recent", vec![2], MINUTE);
    assert!(
        inserted.await.unwrap(),
        "what is not swept yet is absent all the same"
    );
}

/// Another's transaction holds some of the expired rows: a sweep that waited for them would hold all others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_waits_for_no_row_that_somebody_holds() {
    let server = Server::start();
    let store = server.store().await;
    // No sweep before the row is held.
    server.app("REVOKE DELETE ON oauth_proxy_records FROM app");
    server.app(
        "INSERT INTO oauth_proxy_records
         SELECT 'old' || n, '', now() - interval '61 seconds' FROM generate_series(1, 10) n",
    );
    let holds = "BEGIN; SELECT key FROM oauth_proxy_records WHERE key = 'old1' FOR UPDATE; SELECT pg_sleep(60)";
    let mut holder = server.console("app").args(["-c", holds]).spawn().unwrap();
    let held = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)' AND wait_event = 'PgSleep'";
    while server.sql(held) != "1" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.app("GRANT DELETE ON oauth_proxy_records TO app");
    let start = Instant::now();
    while server.app("SELECT string_agg(key, ',') FROM oauth_proxy_records WHERE key LIKE 'old%'")
        != "old1"
    {
        assert!(start.elapsed() < Duration::from_secs(30));
        store.set("other", vec![1], MINUTE).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    holder.kill().unwrap();
    holder.wait().unwrap();
}

#[tokio::test]
async fn another_program_s_table_under_our_name_is_an_error_and_no_answer() {
    let server = Server::start();
    let store = server.store().await;
    server.app("ALTER TABLE oauth_proxy_records RENAME COLUMN value TO worth");
    // Prepared anew, as by a process that starts now.
    let late = server.builder().lazy().unwrap();
    let get = late.get("k").await;
    assert!(matches!(get, Err(StorageError::Corrupt(_))), "{get:?}");
    let take = late.take("k").await;
    assert!(matches!(take, Err(StorageError::Corrupt(_))), "{take:?}");
    drop(store);
}

/// The chapter on operations, with its very commands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_restored_as_the_guide_says() {
    let guide = include_str!("../../src/docs/operations.md");
    assert!(guide.contains("`pg_dump -Fc -t 'oauth_proxy_*'"));
    let server = Server::start();
    let run = |name: &str, arguments: &[&str]| {
        let output = server
            .program(name)
            .args(["-d", "app"])
            .args(arguments)
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    let store = server.store().await;
    store.set("k", vec![0, 255], MINUTE).await.unwrap();
    store.list_add("list", "member", MINUTE).await.unwrap();
    run("pg_dump", &["-Fc", "-t", "oauth_proxy_*", "-f", "copy"]);
    store.remove("k").await.unwrap();
    drop(store);
    server.app("DROP TABLE oauth_proxy_records, oauth_proxy_members, oauth_proxy_version");
    run("pg_restore", &["copy"]);
    let store = server.store().await;
    assert_eq!(store.get("k").await.unwrap(), Some(vec![0, 255]));
    let page = store.list_page("list", None, 10).await.unwrap();
    assert_eq!(page.members, ["member"]);
}

/// The whole proxy on PostgreSQL: what a thief of a dump finds.
#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_dump_holds_no_token_no_secret_no_person_and_no_client() {
    let server = Server::start();
    let store = server.store().await;
    let proxy = Proxy::with(|builder| builder.token_storage(store)).await;
    let mut metadata = native_metadata(CALLBACK);
    metadata["client_name"] = "Telltale Client".into();
    let client = proxy.register(&metadata).await;
    let tokens = proxy.journey(&client).await;
    proxy.session(&client, &tokens.access).await;
    client.refresh(tokens.refresh()).await.expect(200);
    let admin = proxy.layer.admin();
    admin.deny_client("denied-client").await.unwrap();

    let dump = server.app(
        "SELECT key, encode(value, 'escape') FROM oauth_proxy_records;
         SELECT list, member FROM oauth_proxy_members",
    );
    let mut telltales = vec![
        MARK,
        "Telltale Client",
        "person",
        "denied-client",
        CALLBACK,
        &client.id,
        &tokens.access,
        tokens.refresh(),
        "@example",
        "scope",
    ];
    telltales.push(&tokens.refresh()[2..24]);
    assert!(dump.len() > 500 && dump.contains("grant:"));
    for telltale in telltales {
        assert!(!dump.contains(telltale), "the dump holds {telltale}");
    }
}
