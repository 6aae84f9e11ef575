//! What an operator is told when Redis is not as it must be.

use std::time::{Duration, Instant};

use tower_oauth_proxy::storage::{RedisStorage, TokenStorage};

use crate::Stores;
use testkit::redis::Server;

async fn refused(url: &str) -> String {
    let start = Instant::now();
    let error = RedisStorage::connect(url).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(3), "{error}");
    assert_eq!(error.option(), "token_storage");
    let text = error.to_string();
    assert!(!text.contains("hunter2"), "{text}");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_redis_is_told_with_its_address() {
    let mut server = Server::start();
    server.kill();
    let text = refused(&format!("redis://u:hunter2@127.0.0.1:{}", server.port)).await;
    assert!(text.contains(&server.port.to_string()), "{text}");
    assert!(text.contains("refused"), "{text}");
    let cluster = RedisStorage::cluster([server.url()]).connect().await;
    assert_eq!(cluster.unwrap_err().option(), "token_storage");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_told() {
    let server = Server::with(&["--requirepass", "right"]);
    let address = format!("127.0.0.1:{}", server.port);
    refused(&format!("redis://:hunter2@{address}")).await;
    let text = refused(&format!("redis://{address}")).await;
    assert!(
        text.contains("NOAUTH") || text.contains("uthentication"),
        "{text}"
    );
    let right = RedisStorage::connect(format!("redis://:right@{address}")).await;
    right.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_may_not_run_what_is_needed_is_told_at_start() {
    let server = Server::start();
    let all = "+get +set +getdel +exists +del +evalsha +eval +zadd +zrem +zrange +zrank +zscore \
               +zcount +zremrangebyscore +pexpireat +time +hello +info";
    for missing in ["+getdel", "+evalsha", "+zadd", "+zrank", "+zrem", "+time"] {
        let rules = format!("{all} -{}", &missing[1..]);
        let user = [
            "ACL",
            "SETUSER",
            "proxy",
            "reset",
            "on",
            ">pw",
            "~oauth-proxy:*",
        ];
        let user: Vec<&str> = user.into_iter().chain(rules.split_whitespace()).collect();
        server.cli(&user);
        let text = refused(&format!("redis://proxy:pw@127.0.0.1:{}", server.port)).await;
        // Of a command inside a script Redis does not tell the name.
        let in_a_script = text.contains("executing the script can't run this command");
        assert!(text.contains(&missing[1..]) || in_a_script, "{text}");
    }
    // And what the documentation lists is enough.
    let user = [
        "ACL",
        "SETUSER",
        "proxy",
        "reset",
        "on",
        ">pw",
        "~oauth-proxy:*",
    ];
    let user: Vec<&str> = user.into_iter().chain(all.split_whitespace()).collect();
    server.cli(&user);
    let url = format!("redis://proxy:pw@127.0.0.1:{}", server.port);
    let store = RedisStorage::connect(&url).await.unwrap();
    store
        .set("k", vec![1], Duration::from_secs(60))
        .await
        .unwrap();
    let foreign = RedisStorage::builder(&url).prefix("other:").connect();
    let text = foreign.await.unwrap_err().to_string();
    assert!(text.contains("permission"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_is_refused() {
    let primary = Server::start();
    let port = primary.port.to_string();
    let replica = Server::with(&["--replicaof", "127.0.0.1", &port]);
    let text = refused(&replica.url()).await;
    assert!(text.contains("replica"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_a_lazy_store_starts_and_works_once_it_is_there() {
    let mut server = Server::start();
    server.kill();
    let store = server.builder().lazy().unwrap();
    assert!(store.get("k").await.is_err());
    server.restart();
    store
        .set("k", vec![1], Duration::from_secs(60))
        .await
        .unwrap();
    assert_eq!(store.get("k").await.unwrap(), Some(vec![1]));
}
