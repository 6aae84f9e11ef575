//! The store for many hosts: Redis 7 or Valkey.

mod builder;
mod cluster;
mod greeting;
mod link;
mod scripts;

use std::{fmt, sync::Arc, time::Duration};

use redis::{Cmd, FromRedisValue, RedisError, ServerErrorKind};

pub use self::builder::RedisStorageBuilder;
use self::{
    link::Link,
    scripts::{ADD, PAGE, SWAP, Script},
};
use super::{
    list::{self, ListPage, Place},
    traits::TokenStorage,
    verb::{StorageFuture, check_value},
};
use crate::{
    error::{ConfigError, StorageError},
    limits::MAX_RECORD_TTL,
    oauth::printable,
};

/// Long enough to be taken out again.
const PROBED_FOR: Duration = Duration::from_secs(5);
/// Redis's own words in an error, in characters.
const MAX_DETAIL: usize = 200;

/// A store in Redis 7 or Valkey, shared by any number of processes and hosts (feature `redis`).
///
/// Every verb is one command, or one script, on one key, so a Redis Cluster serves it as well as a
/// single node does. Times to live are Redis's own, in milliseconds on Redis's clock. It runs on
/// tokio.
///
/// ```no_run
/// use tower_oauth_proxy::{ConfigError, storage::RedisStorage};
///
/// # async fn example() -> Result<(), ConfigError> {
/// let store = RedisStorage::connect("redis://:password@redis.internal:6379/0").await?;
///
/// // The same, said in full; `rediss://` is TLS.
/// let store = RedisStorage::builder("rediss://user:password@redis.internal:6379/0")
///     .prefix("my-service:")
///     .connect()
///     .await?;
///
/// // A Redis Cluster, by any of its nodes.
/// let store = RedisStorage::cluster(["redis://node-1:6379", "redis://node-2:6379"])
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// # Outages
///
/// A verb answers within the two timeouts of the builder together (2 seconds unless set), or is
/// [`StorageError::Unavailable`]: Redis stopped, frozen, unreachable, loading its data, out of memory,
/// a read-only replica. The connection comes back by itself, and a node that stopped answering gets
/// a new connection instead of more time.
///
/// A verb that failed *may have happened*, and a frozen server may carry it out when it thaws, after
/// verbs that came later. No verb is therefore repeated here: a second `take` would find nothing and
/// answer `None` for a record that the first one took. For the caller that means:
///
/// | verb | after `Unavailable` |
/// |---|---|
/// | `get` | nothing; ask again |
/// | `set` | the old or the new value is there; setting it again is safe while no one else writes |
/// | `insert_if_absent` | the record may be there and be ours: read it, a value of one's own says so |
/// | `take`, `remove` | the record may be gone; what `take` would have returned is then lost |
/// | `compare_and_swap` | the old or the new value is there: read it. It cannot undo a later write |
/// | `list_add`, `list_remove` | the member may or may not be there: do it again |
/// | `list_page` | nothing; ask again |
///
/// # How Redis must be configured
///
/// - `maxmemory-policy noeviction`. Every record has a time to live, so the `volatile-` policies evict
///   live records just as the `allkeys-` ones do, and their owners have to log in again. A warning
///   in the log says so when a server that evicts is met.
/// - Persistence. With `appendonly yes` and `appendfsync everysec` a crash loses the last second, with
///   `always` nothing; with snapshots alone, everything since the last one; with none, everyone logs
///   in again after a restart.
/// - Replication is asynchronous: a failover can lose the last writes. A code redeemed in that moment
///   could be redeemed once more before it expires; a refresh token from that moment still works,
///   because one that is newer than the store is accepted. `min-replicas-to-write 1` narrows the
///   window.
/// - Commands: `GET`, `SET`, `GETDEL` (Redis 6.2), `EXISTS`, `DEL`, `EVALSHA`, `EVAL`; for lists `ZADD`,
///   `ZREM`, `ZRANGE`, `ZRANK`, `ZSCORE`, `ZCOUNT`, `ZREMRANGEBYSCORE`, `PEXPIREAT`, `TIME`; and for the checks
///   at connecting, where allowed, `HELLO` and `INFO`. A user of its own needs no more, on the keys
///   `prefix*`.
///
/// Several services may share one Redis with a prefix each, none of which begins with another.
pub struct RedisStorage {
    link: Arc<Link>,
    prefix: Box<str>,
}

impl RedisStorage {
    /// Connects to one Redis, as `redis://[user][:password@]host[:port][/database]`, `rediss://…` for
    /// TLS, or `unix:///path`; with the prefix `oauth-proxy:`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming `token_storage` when the URL is not valid, or Redis cannot be reached
    /// or does not let this user work.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self, ConfigError> {
        Self::builder(url).connect().await
    }

    /// One Redis, with more to say about it.
    pub fn builder(url: impl AsRef<str>) -> RedisStorageBuilder {
        RedisStorageBuilder::single(url.as_ref())
    }

    /// A Redis Cluster, by the URLs of some of its nodes; the others are found. User, password and
    /// TLS must be the same for all.
    pub fn cluster<U: AsRef<str>>(urls: impl IntoIterator<Item = U>) -> RedisStorageBuilder {
        let urls = urls.into_iter().map(|url| url.as_ref().to_owned());
        RedisStorageBuilder::cluster(urls.collect())
    }

    /// Does what the proxy will do, on a record and a list that are not there: whatever Redis refuses
    /// shows now.
    async fn probe(&self) -> Result<(), StorageError> {
        let key = format!("probe:{}", crate::random::token::<16>());
        self.compare_and_swap(&key, b"", Vec::new(), Duration::ZERO)
            .await?;
        self.take(&key).await?;
        self.list_add(&key, "probe", PROBED_FOR).await?;
        self.list_page(&key, Some("0:nothing"), 1).await?;
        self.list_remove(&key, "probe").await
    }

    fn command(&self, name: &str, key: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(self.key(key));
        command
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StorageError> {
        let answer = self.link.within_time(self.link.send(command));
        answer.await.map_err(|error| failure(&error))
    }

    async fn call<T: FromRedisValue>(
        &self,
        script: &Script,
        key: &str,
        arguments: &[&[u8]],
    ) -> Result<T, StorageError> {
        let [by_hash, in_full] = script.calls(&self.key(key), arguments);
        let called = async {
            match self.link.send(&by_hash).await {
                // Redis forgot the script (a restart, a failover); nothing was done.
                Err(error) if is_forgotten(&error) => self.link.send(&in_full).await,
                answer => answer,
            }
        };
        let answer = self.link.within_time(called);
        answer.await.map_err(|error| failure(&error))
    }
}

fn is_forgotten(error: &RedisError) -> bool {
    error.kind() == ServerErrorKind::NoScript.into()
}

impl TokenStorage for RedisStorage {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move { self.run(&self.command("GET", key)).await })
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            check_value(&value)?;
            let Some(ttl) = milliseconds(ttl) else {
                return self.remove(key).await;
            };
            let mut command = self.command("SET", key);
            command.arg(value).arg("PX").arg(ttl);
            self.run(&command).await
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
            let Some(ttl) = milliseconds(ttl) else {
                let exists: bool = self.run(&self.command("EXISTS", key)).await?;
                return Ok(!exists);
            };
            let mut command = self.command("SET", key);
            command.arg(value).arg("NX").arg("PX").arg(ttl);
            self.run(&command).await
        })
    }

    fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move { self.run(&self.command("GETDEL", key)).await })
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
            let ttl = milliseconds(ttl).unwrap_or(0).to_string();
            let arguments = [expected, &new, ttl.as_bytes()];
            self.call(&SWAP, key, &arguments).await
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        Box::pin(async move { self.run(&self.command("DEL", key)).await })
    }

    fn list_add<'a>(
        &'a self,
        list: &'a str,
        member: &'a str,
        ttl: Duration,
    ) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            list::check_names(&[list, member])?;
            let Some(ttl) = milliseconds(ttl) else {
                return Ok(());
            };
            let ttl = ttl.to_string();
            let arguments = [member.as_bytes(), ttl.as_bytes()];
            self.call(&ADD, list, &arguments).await
        })
    }

    fn list_remove<'a>(&'a self, list: &'a str, member: &'a str) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            let mut command = self.command("ZREM", list);
            command.arg(member);
            self.run(&command).await
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
            let (end, wanted) = (after.end.to_string(), (limit + 1).to_string());
            let arguments = [end.as_bytes(), after.member.as_bytes(), wanted.as_bytes()];
            let found: Vec<(String, u64)> = self.call(&PAGE, list, &arguments).await?;
            let found = found.into_iter().map(|(member, end)| (end, member));
            Ok(list::page(&found.collect::<Vec<_>>(), limit))
        })
    }
}

/// Rounded up; `None` for zero, which Redis refuses.
fn milliseconds(ttl: Duration) -> Option<u64> {
    let ttl = ttl.min(MAX_RECORD_TTL).as_nanos().div_ceil(1_000_000);
    u64::try_from(ttl).ok().filter(|ttl| *ttl > 0)
}

fn failure(error: &RedisError) -> StorageError {
    let text = printable(&error.to_string(), MAX_DETAIL);
    match error.code() {
        Some("WRONGTYPE") => StorageError::Corrupt(format!(
            "another program writes under the prefix of this store: {text}"
        )),
        _ => StorageError::unavailable(text),
    }
}

impl fmt::Debug for RedisStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStorage")
            .field("addresses", &self.link.addresses())
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
