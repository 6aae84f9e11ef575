//! Making the tables, and what an operator is told when PostgreSQL is not as it must be.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tower_oauth_proxy::storage::{PostgresStorage, TokenStorage};

use crate::Stores;
use testkit::postgres::Server;

const MINUTE: Duration = Duration::from_secs(60);

async fn refused(url: &str) -> String {
    let start = Instant::now();
    let error = PostgresStorage::connect(url).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(3), "{error}");
    assert_eq!(error.option(), "token_storage");
    let text = error.to_string();
    assert!(!text.contains("hunter2"), "{text}");
    text
}

fn local(server: &Server, login: &str, database: &str) -> String {
    let port = server.port;
    format!("postgres://{login}@127.0.0.1:{port}/{database}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_server_is_told_with_its_address() {
    let mut server = Server::start();
    server.kill();
    let text = refused(&local(&server, "u:hunter2", "app")).await;
    assert!(
        text.contains(&format!("127.0.0.1:{}", server.port)),
        "{text}"
    );
    assert!(text.contains("refused"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_or_database_is_told() {
    let server = Server::start();
    let text = refused(&local(&server, "app:hunter2", "app")).await;
    assert!(text.contains("password authentication failed"), "{text}");
    let text = refused(&local(&server, "app", "app")).await;
    assert!(text.contains("password"), "{text}");
    let text = refused(&local(&server, "app:p%40ss%23word", "other")).await;
    assert!(text.contains("\"other\" does not exist"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_processes_that_start_at_once_make_the_tables_once() {
    let server = Server::with(&["max_connections=120"]);
    let mut starting = JoinSet::new();
    for _ in 0..20 {
        let builder = server.builder().schema("auth").max_connections(1);
        starting.spawn(builder.connect());
    }
    let mut stores = Vec::new();
    for started in starting.join_all().await {
        stores.push(started.unwrap());
    }
    let rows = "SELECT count(*), max(version) FROM auth.oauth_proxy_version";
    assert_eq!(server.app(rows), "1|1");
    stores[0].set("k", vec![1], MINUTE).await.unwrap();
    assert_eq!(stores[19].get("k").await.unwrap(), Some(vec![1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_a_newer_version_are_refused_and_stay_as_they_are() {
    let server = Server::start();
    server
        .store()
        .await
        .set("k", vec![1], MINUTE)
        .await
        .unwrap();
    server.app("UPDATE oauth_proxy_version SET version = 2");
    let text = refused(&server.url()).await;
    assert!(
        text.contains("version 2") && text.contains("upgrade"),
        "{text}"
    );
    // One that starts all the same answers nothing.
    let lazy = server.builder().lazy().unwrap();
    assert!(lazy.get("k").await.is_err() && lazy.take("k").await.is_err());
    server.app("DELETE FROM oauth_proxy_version");
    assert!(refused(&server.url()).await.contains("version 0"));
    server.app("INSERT INTO oauth_proxy_version VALUES (1)");
    assert_eq!(server.store().await.get("k").await.unwrap(), Some(vec![1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_program_s_tables_are_left_alone() {
    let server = Server::start();
    server.app("SET ROLE app; CREATE TABLE public.oauth_proxy_records (theirs text)");
    let text = refused(&server.url()).await;
    assert!(
        text.contains("oauth_proxy_records") && text.contains("already exists"),
        "{text}"
    );
    let there = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'oauth_proxy%'";
    assert_eq!(server.app(there), "1", "all or nothing was made");
    let other = server.builder().table_prefix("other_").connect();
    other.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_needs_no_right_to_make_tables_that_are_there_and_each_right_on_them() {
    let server = Server::start();
    server.sql("CREATE ROLE worker LOGIN PASSWORD 'p@ss#word'");
    let url = server.url_of("worker");
    let text = refused(&url).await;
    assert!(
        text.contains("permission denied for schema public"),
        "{text}"
    );

    server.store().await;
    let tables = "oauth_proxy_records, oauth_proxy_members";
    server.app("GRANT SELECT ON oauth_proxy_version TO worker");
    for missing in ["SELECT", "INSERT", "UPDATE", "DELETE"] {
        server.app(&format!(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO worker"
        ));
        server.app(&format!(
            "REVOKE {missing} ON oauth_proxy_records FROM worker"
        ));
        let text = refused(&url).await;
        assert!(text.contains("permission denied"), "{missing}: {text}");
    }
    server.app(&format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO worker"
    ));
    let store = PostgresStorage::connect(&url).await.unwrap();
    store.set("k", vec![1], MINUTE).await.unwrap();
    assert_eq!(store.take("k").await.unwrap(), Some(vec![1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_is_refused_and_the_one_that_writes_is_found_beside_it() {
    let primary = Server::start();
    let standby = Server::standby_of(&primary);
    let text = refused(&standby.url()).await;
    assert!(text.contains("does not allow writes"), "{text}");
    let both = format!(
        "postgres://app:p%40ss%23word@127.0.0.1:{},127.0.0.1:{}/app",
        standby.port, primary.port
    );
    let store = PostgresStorage::connect(both).await.unwrap();
    store.set("k", vec![1], MINUTE).await.unwrap();
    assert_eq!(
        primary.app("SELECT count(*) FROM oauth_proxy_records WHERE key = 'k'"),
        "1"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_server_a_lazy_store_starts_and_works_once_it_is_there() {
    let mut server = Server::start();
    server.kill();
    let store = server.builder().lazy().unwrap();
    assert!(store.get("k").await.is_err());
    server.restart();
    store.set("k", vec![1], MINUTE).await.unwrap();
    assert_eq!(store.get("k").await.unwrap(), Some(vec![1]));
}

/// Where nothing leaves the machine, nothing is asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_unix_socket_it_connects_without_password_and_without_tls() {
    let server = Server::start();
    let socket = format!(
        "postgres://postgres@/app?host={}&port={}",
        server.dir.display(),
        server.port
    );
    let store = PostgresStorage::connect(socket).await.unwrap();
    store.set("k", vec![1], MINUTE).await.unwrap();
    assert_eq!(store.get("k").await.unwrap(), Some(vec![1]));
}
