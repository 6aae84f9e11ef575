//! The contract, and what lies in Redis.

use std::{fs, sync::Arc, time::Duration};

use tower_oauth_proxy::{
    StorageError,
    storage::{TokenStorage, contract},
};

use crate::Stores;
use testkit::redis::Server;
use testkit::{
    Proxy,
    client::{CALLBACK, native_metadata},
    provider::MARK,
};

const MINUTE: Duration = Duration::from_secs(60);

async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_redis_store_keeps_the_contract() {
    let server = Server::start();
    contract::run(Arc::new(server.store().await), sleep).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn over_resp2_and_behind_a_password_in_another_database_it_keeps_the_contract() {
    let server = Server::with(&["--requirepass", "p@ss#word"]);
    let url = format!(
        "redis://:p%40ss%23word@127.0.0.1:{}/5?protocol=2",
        server.port
    );
    let store = tower_oauth_proxy::storage::RedisStorage::connect(url)
        .await
        .unwrap();
    contract::run(Arc::new(store), sleep).await;
}

#[tokio::test]
async fn services_with_other_prefixes_do_not_see_each_other() {
    let server = Server::start();
    let with = |prefix: &str| server.builder().prefix(prefix).connect();
    let (a, b) = (with("a:").await.unwrap(), with("b:").await.unwrap());
    a.set("k", b"a's".to_vec(), MINUTE).await.unwrap();
    assert_eq!(b.get("k").await.unwrap(), None);
    assert!(
        b.insert_if_absent("k", b"b's".to_vec(), MINUTE)
            .await
            .unwrap()
    );
    assert!(
        !b.compare_and_swap("k", b"a's", vec![], MINUTE)
            .await
            .unwrap()
    );
    b.remove("k").await.unwrap();
    assert_eq!(a.take("k").await.unwrap().as_deref(), Some(&b"a's"[..]));
    assert_eq!(server.cli(&["KEYS", "*"]), "");
}

#[tokio::test]
async fn every_write_gives_the_record_redis_s_own_time_to_live() {
    let server = Server::start();
    let store = server.store().await;
    let left = |key: &str| -> i64 {
        let key = format!("oauth-proxy:{key}");
        server.cli(&["PTTL", &key]).parse().unwrap()
    };
    let about = |left: i64, ttl: Duration| {
        let ttl = i64::try_from(ttl.as_millis()).unwrap();
        assert!(left <= ttl && left > ttl - 10_000, "{left} of {ttl}");
    };
    store.set("k", vec![1], MINUTE).await.unwrap();
    about(left("k"), MINUTE);
    let swapped = store.compare_and_swap("k", &[1], vec![2], MINUTE * 3);
    assert!(swapped.await.unwrap());
    about(left("k"), MINUTE * 3);
    assert!(
        store
            .insert_if_absent("new", vec![1], MINUTE)
            .await
            .unwrap()
    );
    about(left("new"), MINUTE);
    // A failed insert does not touch the life of what is there.
    let inserted = store.insert_if_absent("new", vec![1], MINUTE * 9);
    assert!(!inserted.await.unwrap());
    about(left("new"), MINUTE);
}

/// What makes a removal of one's own lease, and of nobody else's, possible.
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
    assert_eq!(server.cli(&["KEYS", "*"]), "");
}

#[tokio::test]
async fn somebody_else_s_data_under_our_key_is_an_error_and_no_answer() {
    let server = Server::start();
    let store = server.store().await;
    server.cli(&["LPUSH", "oauth-proxy:k", "a list"]);
    let get = store.get("k").await;
    assert!(matches!(get, Err(StorageError::Corrupt(_))), "{get:?}");
    let take = store.take("k").await;
    assert!(matches!(take, Err(StorageError::Corrupt(_))), "{take:?}");
    assert_eq!(server.cli(&["TYPE", "oauth-proxy:k"]), "list");
}

/// The whole proxy on Redis: what a thief of the dump finds.
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
    proxy
        .layer
        .admin()
        .deny_client("denied-client")
        .await
        .unwrap();

    let keys = server.cli(&["KEYS", "*"]);
    let mut kinds = std::collections::BTreeSet::new();
    for key in keys.lines() {
        let name = key.strip_prefix("oauth-proxy:").unwrap();
        let (kind, rest) = name.split_once(':').unwrap();
        // A hash, or a MAC and the part of a list.
        let (hash, part) = rest.split_once(':').unwrap_or((rest, "0"));
        let length = match kind {
            "grant" | "callback" | "denied" => 43,
            "subject" | "client" => 22,
            _ => panic!("an unknown kind of key: {key}"),
        };
        assert_eq!(hash.len(), length, "{key}");
        assert!(part.parse::<u8>().unwrap() < 16, "{key}");
        kinds.insert(kind);
    }
    assert_eq!(kinds.len(), 5, "{kinds:?}");
    server.cli(&["CONFIG", "SET", "rdbcompression", "no"]);
    assert_eq!(server.cli(&["SAVE"]), "OK");
    let dump = fs::read(server.dir.join("dump.rdb")).unwrap();
    let mut telltales = vec![
        MARK.to_owned(),
        "Telltale Client".to_owned(),
        "person".to_owned(),
        "denied-client".to_owned(),
        CALLBACK.to_owned(),
        client.id.clone(),
        tokens.access.clone(),
        tokens.refresh().to_owned(),
        "@".to_owned() + "example",
        "scope".to_owned(),
    ];
    telltales.push(tokens.refresh()[2..24].to_owned());
    assert!(dump.len() > 500 && contains(&dump, "oauth-proxy:grant:"));
    for telltale in telltales {
        assert!(!contains(&dump, &telltale), "the dump holds {telltale}");
    }
}

fn contains(dump: &[u8], text: &str) -> bool {
    dump.windows(text.len()).any(|run| run == text.as_bytes())
}
