//! The races again, between processes: this test binary runs itself.

use std::time::Duration;

use tower_oauth_proxy::storage::PostgresStorage;

use testkit::{postgres::Server, workers};

const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn two_hundred_callers_in_eight_processes_race_and_one_wins() {
    let server = Server::with(&["max_connections=120"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime
        .block_on(PostgresStorage::connect(server.url()))
        .unwrap();
    workers::race_all(&server.url(), &store, &runtime);
}

/// Not a test by itself: what the processes of the test above run.
#[test]
fn worker() {
    workers::work(async |url| {
        let store = PostgresStorage::builder(url)
            // Sixty-four logins at once, on whatever machine.
            .connect_timeout(PATIENCE)
            .response_timeout(PATIENCE);
        store.connect().await.unwrap()
    });
}
