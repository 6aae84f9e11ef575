//! The races again, between processes: this test binary runs itself.

use tower_oauth_proxy::storage::RedisStorage;

use testkit::{redis::Server, workers};

#[test]
fn two_hundred_callers_in_eight_processes_race_and_one_wins() {
    let server = Server::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime
        .block_on(RedisStorage::connect(server.url()))
        .unwrap();
    workers::race_all(&server.url(), &store, &runtime);
}

/// Not a test by itself: what the processes of the test above run.
#[test]
fn worker() {
    workers::work(async |url| RedisStorage::connect(url).await.unwrap());
}
