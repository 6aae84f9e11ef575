//! The Redis store against real servers: its contract in one process and in several, what lies in
//! Redis, outages of every kind, a cluster, TLS.
//!
//! Needs `redis-server` and `redis-cli` (Debian: `apt-get install redis-server`), and starts its own
//! on free loopback ports:
//!
//! ```sh
//! cargo test --features redis,storage-contract --test redis
//! ```

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod cluster;
mod outage;
mod records;
mod start;
#[cfg(feature = "rustls")]
mod tls;
mod two_instances;
mod workers;

use testkit::redis::Server;
use tower_oauth_proxy::storage::{RedisStorage, RedisStorageBuilder};

/// Stores on a server of the kit, which knows of no feature.
trait Stores {
    fn builder(&self) -> RedisStorageBuilder;

    async fn store(&self) -> RedisStorage {
        self.builder().connect().await.unwrap()
    }
}

impl Stores for Server {
    fn builder(&self) -> RedisStorageBuilder {
        RedisStorage::builder(self.url())
    }
}
