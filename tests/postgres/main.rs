//! The PostgreSQL store against real servers: its contract in one process and in several, what lies in the
//! tables, outages of every kind, migrations, TLS.
//!
//! Needs PostgreSQL's server (Debian: `apt-get install postgresql`; `POSTGRES_PROGRAMS` names another folder
//! of its programs), and starts its own on free loopback ports:
//!
//! ```sh
//! cargo test --features postgres,storage-contract --test postgres
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

mod outage;
mod records;
mod start;
#[cfg(feature = "rustls")]
mod tls;
mod workers;

use testkit::postgres::Server;
use tower_oauth_proxy::storage::{PostgresStorage, PostgresStorageBuilder};

/// Stores on a server of the kit, which knows of no feature.
trait Stores {
    fn builder(&self) -> PostgresStorageBuilder;

    async fn store(&self) -> PostgresStorage {
        self.builder().connect().await.unwrap()
    }
}

impl Stores for Server {
    fn builder(&self) -> PostgresStorageBuilder {
        PostgresStorage::builder(self.url())
    }
}
