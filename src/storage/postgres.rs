//! The store for many hosts in a database that is there already: PostgreSQL.

mod builder;
mod connection_url;
mod dialing;
#[cfg(feature = "rustls")]
mod encryption;
#[cfg(feature = "rustls")]
mod end_point;
mod migration;
mod pool;
mod statements;
mod sweeper;
mod tables;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio_postgres::types::ToSql;

pub use self::builder::PostgresStorageBuilder;
use self::{pool::Pool, statements::Statements, sweeper::Sweeper};
use super::{
    list::{self, ListPage, Place},
    traits::TokenStorage,
    verb::{StorageFuture, check_value},
};
use crate::{
    error::{ConfigError, StorageError},
    limits::MAX_RECORD_TTL,
};

/// Long enough to be taken out again.
const PROBED_FOR: Duration = Duration::from_secs(5);

/// A store in PostgreSQL, shared by any number of processes and hosts (feature `postgres`).
///
/// For those who run one already. A read takes about as long as in Redis, a write several times as long, because
/// each commit is flushed; SQLite does the same on one host without a server. Every verb is one statement on one row. Times to live are on the server's clock. It runs on
/// tokio, and is tested with PostgreSQL 15.
///
/// ```no_run
/// use tower_oauth_proxy::{ConfigError, storage::PostgresStorage};
///
/// # async fn example() -> Result<(), ConfigError> {
/// // TLS, with the server's certificate checked.
/// let store = PostgresStorage::connect("postgres://app:password@db.internal/app").await?;
///
/// // The same with an authority of one's own, tables in a schema of their own, and fewer connections.
/// let store = PostgresStorage::builder("postgres://app:password@db.internal/app?sslrootcert=/etc/ca.pem")
///     .schema("auth")
///     .max_connections(4)
///     .connect()
///     .await?;
///
/// // Two hosts: the one that takes writes. In plain text, because the network is ours.
/// let store = PostgresStorage::connect("postgres://app@db-1,db-2/app?sslmode=disable").await?;
/// # Ok(())
/// # }
/// ```
///
/// # The way there
///
/// The URL is that of PostgreSQL's own tools, and stricter:
///
/// | `sslmode` | then |
/// |---|---|
/// | absent | TLS as below; plain text only where nothing leaves the machine: loopback and Unix sockets |
/// | `require`, `verify-ca`, `verify-full` | TLS, and the certificate has to be good: signed by an authority that is trusted, for the host's name in the URL |
/// | `disable` | plain text |
/// | `prefer`, `allow` | refused: they go on in plain text when anyone between says so |
///
/// TLS needs the feature `rustls`. Trusted are the operating system's authorities, or those of
/// `sslrootcert` or [`ca_certificate`](PostgresStorageBuilder::ca_certificate) instead. A login by password
/// is bound to the connection where the server can (`SCRAM-SHA-256-PLUS`); `channel_binding=require` in the
/// URL refuses a server that cannot.
///
/// # The tables
///
/// Three, `oauth_proxy_records`, `oauth_proxy_members` and `oauth_proxy_version`, are made by the first
/// process that finds none; any number may start at once. The role needs the right to create in the schema
/// for that, and later only `SELECT`, `INSERT`, `UPDATE` and `DELETE` on them. Tables of a newer version of
/// this crate are refused.
///
/// Expired records are absent for every verb from the millisecond on. Their rows are removed a minute later
/// by processes that write, at most 500 with one statement; no job has to be set up. Autovacuum does the
/// rest, and has to be on.
///
/// # Outages
///
/// A verb answers within the two timeouts of the builder together (2 seconds unless set), or is
/// [`StorageError::Unavailable`]: the server stopped, frozen, unreachable, starting, full, a standby, out of
/// connections, a table that somebody keeps locked. The next verb connects again.
///
/// A verb that failed *may have happened*. No verb is therefore repeated here: a second `take` would find
/// nothing and answer `None` for a record that the first one took. For the caller that means:
///
/// | verb | after `Unavailable` |
/// |---|---|
/// | `get` | nothing; ask again |
/// | `set` | the old or the new value is there; setting it again is safe while no one else writes |
/// | `insert_if_absent` | the record may be there and be ours: read it, a value of one's own says so |
/// | `take`, `remove` | the record may be gone; what `take` would have returned is then lost |
/// | `compare_and_swap` | the old or the new value is there: read it |
/// | `list_add`, `list_remove` | the member may or may not be there: do it again |
/// | `list_page` | nothing; ask again |
///
/// # How PostgreSQL must be configured
///
/// - `fsync` and `synchronous_commit` on, as they are unless somebody turned them off: then nothing that was
///   confirmed is lost in a crash. A warning in the log says when one is off.
/// - A failover to a standby loses the commits that had not reached it, unless the standby is synchronous
///   (`synchronous_standby_names`): a code redeemed in that moment could be redeemed once more, a
///   revocation undone.
/// - A pooler in between has to keep a connection for each of ours (PgBouncer: `pool_mode = session`):
///   settings of the session and prepared statements are used.
pub struct PostgresStorage {
    pool: Arc<Pool>,
    statements: Arc<Statements>,
    sweeper: Arc<Sweeper>,
    addresses: Box<str>,
}

type Parameters<'a> = [&'a (dyn ToSql + Sync)];

impl PostgresStorage {
    /// Connects, as `postgres://[user][:password@]host[:port][/database][?options]`, and makes the tables
    /// where they are missing; named `oauth_proxy_…`, in the first schema of the `search_path`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming `token_storage` when the URL is not valid, or PostgreSQL cannot be reached or
    /// does not let this role work.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self, ConfigError> {
        Self::builder(url).connect().await
    }

    /// The same with choices.
    pub fn builder(url: impl AsRef<str>) -> PostgresStorageBuilder {
        PostgresStorageBuilder::new(url.as_ref())
    }

    /// Does what the proxy will do, on a record and a list that are not there: whatever PostgreSQL refuses
    /// shows now.
    async fn probe(&self) -> Result<(), StorageError> {
        let key = format!("probe:{}", crate::random::token::<16>());
        self.set(&key, Vec::new(), PROBED_FOR).await?;
        self.compare_and_swap(&key, b"", Vec::new(), PROBED_FOR)
            .await?;
        self.take(&key).await?;
        self.list_add(&key, "probe", PROBED_FOR).await?;
        self.list_page(&key, None, 1).await?;
        self.list_remove(&key, "probe").await
    }

    /// How many rows it changed. Sweeps behind it.
    async fn write(
        &self,
        statement: &str,
        parameters: &Parameters<'_>,
    ) -> Result<u64, StorageError> {
        let written = self.pool.run(async |client| {
            let statement = client.prepare_cached(statement).await?;
            client.execute(&statement, parameters).await
        });
        let changed = written.await?;
        self.sweeper.wrote(&self.pool, &self.statements);
        Ok(changed)
    }
}

impl TokenStorage for PostgresStorage {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let read = self.pool.run(async |client| {
                let get = client.prepare_cached(&self.statements.get).await?;
                let row = client.query_opt(&get, &[&key]).await?;
                row.map(|row| row.try_get(0)).transpose()
            });
            read.await
        })
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            check_value(&value)?;
            let row: &Parameters<'_> = &[&key, &value, &milliseconds(ttl)];
            self.write(&self.statements.set, row).await.map(drop)
        })
    }

    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        Box::pin(async move {
            check_value(&value)?;
            let row: &Parameters<'_> = &[&key, &value, &milliseconds(ttl)];
            let inserted = self.write(&self.statements.insert, row).await?;
            Ok(inserted > 0)
        })
    }

    fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let taken = self.pool.run(async |client| {
                let take = client.prepare_cached(&self.statements.take).await?;
                let Some(row) = client.query_opt(&take, &[&key]).await? else {
                    return Ok(None);
                };
                let is_live: bool = row.try_get(1)?;
                if is_live {
                    row.try_get(0).map(Some)
                } else {
                    Ok(None)
                }
            });
            taken.await
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        expected: &'a [u8],
        new: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        Box::pin(async move {
            check_value(&new)?;
            let row: &Parameters<'_> = &[&key, &expected, &new, &milliseconds(ttl)];
            let swapped = self.write(&self.statements.swap, row).await?;
            Ok(swapped > 0)
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            let row: &Parameters<'_> = &[&key];
            self.write(&self.statements.remove, row).await.map(drop)
        })
    }

    fn list_add<'a>(
        &'a self,
        list: &'a str,
        member: &'a str,
        ttl: Duration,
    ) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            list::check_names(&[list, member])?;
            if ttl.is_zero() {
                return Ok(());
            }
            let row: &Parameters<'_> = &[&list, &member, &milliseconds(ttl)];
            self.write(&self.statements.add, row).await.map(drop)
        })
    }

    fn list_remove<'a>(&'a self, list: &'a str, member: &'a str) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            let row: &Parameters<'_> = &[&list, &member];
            self.write(&self.statements.unlist, row).await.map(drop)
        })
    }

    fn list_page<'a>(
        &'a self,
        list: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> StorageFuture<'a, ListPage> {
        Box::pin(async move {
            let start = Place { end: 0, member: "" };
            let after = after.map(Place::parse).transpose()?.unwrap_or(start);
            let limit = list::page_size(limit);
            let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            let (end, member) = (time(after.end)?, after.member);
            let found = self.pool.run(async |client| {
                let page = client.prepare_cached(&self.statements.page).await?;
                let rows = client
                    .query(&page, &[&list, &end, &member, &wanted])
                    .await?;
                let members = rows.iter().map(|row| {
                    let end: SystemTime = row.try_get(0)?;
                    Ok((microseconds(end), row.try_get(1)?))
                });
                members.collect::<Result<Vec<(u64, String)>, _>>()
            });
            Ok(list::page(&found.await?, limit))
        })
    }
}

/// Rounded up.
fn milliseconds(ttl: Duration) -> i64 {
    let ttl = ttl.min(MAX_RECORD_TTL).as_nanos().div_ceil(1_000_000);
    i64::try_from(ttl).unwrap_or(i64::MAX)
}

/// What PostgreSQL's times are exact to, since the Unix epoch.
fn microseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// What [`microseconds`] said in a page; no list has a member that ends beyond PostgreSQL's last day.
fn time(microseconds: u64) -> Result<SystemTime, StorageError> {
    const YEAR_9999: Duration = Duration::from_secs(253_402_300_799);
    let since = Duration::from_micros(microseconds).min(YEAR_9999);
    let time = UNIX_EPOCH.checked_add(since);
    time.ok_or_else(|| StorageError::Corrupt("no page of a list begins there".to_owned()))
}

impl fmt::Debug for PostgresStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables = self.pool.tables();
        f.debug_struct("PostgresStorage")
            .field("addresses", &self.addresses)
            .field("schema", &tables.schema)
            .field("table_prefix", &tables.prefix)
            .finish_non_exhaustive()
    }
}
