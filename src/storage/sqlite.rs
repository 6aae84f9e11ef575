//! The durable store for one host: one SQLite file, shared by its processes.

mod file;
mod millis;
mod queue;
mod records;
#[cfg(test)]
mod tests;
mod threads;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use self::{
    millis::{end_millis, floor_millis},
    queue::Queue,
    records::{Found, Outcome, Read, Verb, What, Write},
    threads::Threads,
};
use super::{
    list::{self, ListPage, Place},
    traits::TokenStorage,
    verb::{StorageFuture, check_value},
};
use crate::{
    clock::{Clock, SystemClock},
    error::{ConfigError, StorageError},
};

/// Room for the file, in bytes. A sealed grant with its provider tokens takes 4 to 8 KiB of it, so
/// this is a million people logged in at once; more is taken for a runaway that must not fill the
/// disk.
const DEFAULT_MAX_BYTES: u64 = 8 * 1024 * 1024 * 1024;
/// Another process holds the write lock for milliseconds. Below the time that the proxy waits for a
/// store, so that this store's own words reach the operator.
const DEFAULT_BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// What a verb may take beyond the wait for the lock: its turn in the queue, and the disk.
const ANSWER_MARGIN: Duration = Duration::from_millis(500);
/// The trait's bound on keys, so that no caller can fill the index.
const MAX_KEY_BYTES: usize = 200;

/// A store in one file: durable, for any number of processes on one host. Feature `sqlite`.
///
/// ```
/// use std::time::Duration;
/// use tower_oauth_proxy::storage::{SqliteStorage, TokenStorage};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = std::env::temp_dir().join(format!("sqlite-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// let path = directory.join("grants.db"); // "/var/lib/my-server/grants.db"
/// let store = SqliteStorage::open(&path)?;
/// store.set("k", b"v".to_vec(), Duration::from_secs(60)).await?;
/// drop(store);
///
/// let store = SqliteStorage::open(&path)?;
/// assert_eq!(store.get("k").await?.as_deref(), Some(&b"v"[..]));
/// # drop(store);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok(())
/// # }
/// ```
///
/// # What it promises
///
/// - **A verb that has returned survives power loss.** Each commit is flushed to the disk (WAL with
///   `synchronous=FULL`), or a revoked grant or a redeemed code could come back. Verbs that wait
///   together share one commit, so the flush costs little under load.
/// - **Each verb is atomic among processes.** It is one statement inside an immediate transaction.
/// - **No call blocks the async threads**, and none waits without end: for the lock of another
///   process two seconds unless set, in all half a second more. A file that is locked longer, a full
///   disk and an I/O error are [`StorageError::Unavailable`]; a damaged page is
///   [`StorageError::Corrupt`], for the records on it alone. Neither is ever answered as absent:
///   that would redeem a code twice.
/// - **Expired records are swept** in small batches with the writes, a minute late. Their room is
///   used again; after a peak the file shrinks with the writes that follow (`auto_vacuum` is
///   incremental: full would move pages at each commit, none would keep the peak for ever).
/// - Its threads, one that writes and a few that read, end when it is dropped. Its futures need a
///   tokio runtime with time enabled.
///
/// # The file
///
/// It is created, with its neighbours `-wal` and `-shm`, readable by its owner alone (mode 0600); the
/// directory has to exist. A file that is there already keeps its mode; a warning says when others
/// may read it. The proxy seals every record and makes keys from hashes, so that the file yields no
/// token without the secret.
///
/// - **A local file system only.** NFS, SMB and most FUSE and container-shared file systems lack the
///   locks or the shared memory that WAL is made of, and lose records silently. For several hosts
///   take Redis.
/// - **Never open, copy or replace the file from within this process** by other means: closing any
///   descriptor of it drops SQLite's locks (POSIX). Back it up from outside with
///   `sqlite3 grants.db ".backup copy.db"`. A restored old copy brings back what was revoked since.
/// - **Stop every process before replacing or deleting it,** and take the `-wal` and `-shm` of the old
///   one away with it. A store whose file has gone answers [`StorageError::Unavailable`] until the
///   file is back or the process is restarted, rather than writing to a file that will never be found.
/// - Time is the host's clock, the same for all its processes.
pub struct SqliteStorage {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    // The order matters: threads end when their queues are dropped, and are then waited for.
    reads: Queue<Read>,
    writes: Queue<Write>,
    _threads: Threads,
}

/// What can be chosen of a [`SqliteStorage`]; see [`SqliteStorage::builder`].
#[derive(Debug, Clone)]
pub struct SqliteStorageBuilder {
    path: PathBuf,
    max_bytes: u64,
    busy_timeout: Duration,
}

impl SqliteStorage {
    /// Opens the file, or creates it where nothing is; its directory has to exist. Blocks meanwhile:
    /// milliseconds, or as long as another process keeps it locked, at most two seconds at a time.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] about `token_storage`, which says what is wrong with the path: no such
    /// directory, not writable, not an SQLite file or another application's, written by a newer
    /// version of this crate, damaged, or locked by another process.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        Self::builder(path).open()
    }

    /// The same with choices.
    pub fn builder(path: impl AsRef<Path>) -> SqliteStorageBuilder {
        SqliteStorageBuilder {
            path: path.as_ref().to_owned(),
            max_bytes: DEFAULT_MAX_BYTES,
            busy_timeout: DEFAULT_BUSY_TIMEOUT,
        }
    }

    /// The same store on another clock, which all processes of the file have to share.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(clock);
        Self { clock, ..self }
    }

    /// The file, as an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    async fn write(&self, key: &str, verb: Verb) -> Result<Outcome, StorageError> {
        let write = Write {
            key: checked_key(key)?,
            verb,
            now: floor_millis(self.clock.now()),
        };
        self.writes.ask(write).await
    }

    async fn read(&self, key: String, what: What) -> Result<Found, StorageError> {
        let now = floor_millis(self.clock.now());
        self.reads.ask(Read { key, now, what }).await
    }

    fn end(&self, ttl: Duration) -> i64 {
        end_millis(self.clock.now(), ttl)
    }
}

impl SqliteStorageBuilder {
    /// The largest the file may grow, in bytes (8 GiB unless set). When it is full and nothing has
    /// expired, writes are [`StorageError::Unavailable`]; no live record is ever dropped. A file that
    /// is larger already stays as it is. The `-wal` beside it is 4 MiB as a rule.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// How long a verb waits for other processes that hold the file's lock (2 s unless set). The
    /// proxy waits three seconds for any store.
    #[must_use]
    pub fn busy_timeout(mut self, busy_timeout: Duration) -> Self {
        self.busy_timeout = busy_timeout;
        self
    }

    /// Opens or creates the file.
    ///
    /// # Errors
    ///
    /// As [`SqliteStorage::open`].
    pub fn open(self) -> Result<SqliteStorage, ConfigError> {
        let opened = file::open(&self.path, self.max_bytes, self.busy_timeout)?;
        let path = opened.path.clone();
        let wait = self.busy_timeout.saturating_add(ANSWER_MARGIN);
        let (reads, writes, threads) = threads::start(opened, self.busy_timeout, wait)?;
        Ok(SqliteStorage {
            path,
            clock: Arc::new(SystemClock),
            reads,
            writes,
            _threads: threads,
        })
    }
}

impl TokenStorage for SqliteStorage {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            match self.read(checked_key(key)?, What::Record).await? {
                Found::Record(value) => Ok(value),
                Found::Members(_) => Err(mixed_up()),
            }
        })
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            check_value(&value)?;
            let expires_at = self.end(ttl);
            self.write(key, Verb::Set { value, expires_at }).await?;
            Ok(())
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
            let expires_at = self.end(ttl);
            let outcome = self.write(key, Verb::Insert { value, expires_at }).await?;
            Ok(outcome.changed)
        })
    }

    fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move { Ok(self.write(key, Verb::Take).await?.taken) })
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
            let swap = Verb::Swap {
                new,
                expected: expected.to_owned(),
                expires_at: self.end(ttl),
            };
            Ok(self.write(key, swap).await?.changed)
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        Box::pin(async move { self.write(key, Verb::Remove).await.map(drop) })
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
            let add = Verb::Add {
                member: member.to_owned(),
                ends_at: self.end(ttl),
            };
            self.write(list, add).await.map(drop)
        })
    }

    fn list_remove<'a>(&'a self, list: &'a str, member: &'a str) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            let member = member.to_owned();
            self.write(list, Verb::Unlist { member }).await.map(drop)
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
            let (after, limit) = (after.map(Place::parse).transpose()?, list::page_size(limit));
            let after = after.unwrap_or(start);
            let what = What::Members {
                end: i64::try_from(after.end).unwrap_or(i64::MAX),
                member: after.member.to_owned(),
                limit: limit + 1,
            };
            match self.read(checked_key(list)?, what).await? {
                Found::Members(members) => Ok(list::page(&members, limit)),
                Found::Record(_) => Err(mixed_up()),
            }
        })
    }
}

fn mixed_up() -> StorageError {
    StorageError::unavailable("the SQLite store's thread has answered another question")
}

fn checked_key(key: &str) -> Result<String, StorageError> {
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        return Err(StorageError::unavailable(format!(
            "a key has 1 to {MAX_KEY_BYTES} bytes, this one {}",
            key.len()
        )));
    }
    Ok(key.to_owned())
}

impl fmt::Debug for SqliteStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStorage")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
