//! The default store: this process's memory.

mod record;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use moka::{Expiry, notification::RemovalCause, policy::EvictionPolicy, sync::Cache};

use self::record::{Key, Record, since_epoch};
use super::traits::{MAX_VALUE_BYTES, StorageFuture, TokenStorage};
use crate::{
    clock::{Clock, SystemClock, to_unix},
    error::StorageError,
    prehashed::BuildPrehashed,
};

/// Room for all records, in bytes. A grant with its provider tokens is 2 to 6 KiB sealed, so this is
/// some fifty thousand people logged in at once.
const DEFAULT_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Below this a handful of records at the size limit would push each other out.
const MIN_MAX_BYTES: u64 = 16 * MAX_VALUE_BYTES as u64;
/// Longer times to live count as this: nothing here lives longer, and no sum can overflow.
const MAX_TTL: Duration = Duration::from_secs(10 * 365 * 86_400);
/// How long after its expiry a record's room is reclaimed. Whether it is expired is decided by the
/// [`Clock`]; reclaiming runs on the monotonic clock, and must not come first when the two drift.
const RECLAIM_DELAY: Duration = Duration::from_secs(60);
/// Changes that may be made at once, if their keys fall to different locks.
const LOCKS: usize = 64;
/// At most one warning about lost records in this many seconds.
const WARN_EVERY: u64 = 60;

/// A store in memory: for one process, gone when it ends. The default.
///
/// Bounded in bytes (256 MiB unless set). When it is full the least recently used records go, never
/// the new one; a record that was still live is then missed by its owner, who has to log in again,
/// and a warning says so at most once a minute. The bound is kept by sweeps that lag behind by at
/// most a few hundred writes.
///
/// ```
/// use std::time::Duration;
/// use tower_oauth_proxy::storage::{MemoryStorage, StorageError, TokenStorage};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StorageError> {
/// let store = MemoryStorage::with_max_bytes(64 * 1024 * 1024);
/// store.set("k", b"v".to_vec(), Duration::from_secs(60)).await?;
/// assert_eq!(store.get("k").await?.as_deref(), Some(&b"v"[..]));
/// # Ok(())
/// # }
/// ```
pub struct MemoryStorage {
    records: Records,
    /// Whoever changes a record holds the one that its key falls to, from the look to the change.
    locks: [Mutex<()>; LOCKS],
    clock: Arc<dyn Clock>,
}

type Records = Cache<Key, Record, BuildPrehashed>;

/// What becomes of a record that was looked at.
enum Change {
    Put(Record),
    Remove,
    Nothing,
}

impl MemoryStorage {
    /// An empty store of 256 MiB on the system's clock.
    pub fn new() -> Self {
        Self::with_max_bytes(DEFAULT_MAX_BYTES)
    }

    /// An empty store with another bound, in bytes; below 1 MiB it counts as 1 MiB.
    pub fn with_max_bytes(max_bytes: u64) -> Self {
        Self::build(max_bytes, Arc::new(SystemClock))
    }

    /// An empty store with the same bound on another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        let max_bytes = self.records.policy().max_capacity();
        Self::build(max_bytes.unwrap_or(DEFAULT_MAX_BYTES), clock)
    }

    fn build(max_bytes: u64, clock: Arc<dyn Clock>) -> Self {
        let losses = Losses::new(Arc::clone(&clock));
        let records = Cache::builder()
            .name("tower-oauth-proxy-storage")
            .max_capacity(max_bytes.max(MIN_MAX_BYTES))
            .weigher(|_: &Key, record: &Record| record.weight())
            // The default, TinyLFU, refuses a new record while the old ones are used more: a fresh
            // authorization code would vanish.
            .eviction_policy(EvictionPolicy::lru())
            .expire_after(Reclaim)
            .eviction_listener(move |_, record, cause| {
                if cause == RemovalCause::Size {
                    losses.count(&record);
                }
            })
            .build_with_hasher(BuildPrehashed::default());
        Self {
            records,
            locks: [const { Mutex::new(()) }; LOCKS],
            clock,
        }
    }

    /// How many records are held, for monitoring; expired ones count until they are swept.
    pub fn record_count(&self) -> u64 {
        self.records.run_pending_tasks();
        self.records.entry_count()
    }

    /// Every change goes through here, removals too, so that nothing slips in between the look and the
    /// change. (moka's own `and_compute_with` promises the same for twice the time.) Returns whether a
    /// record was put.
    fn change(&self, key: &str, decide: impl FnOnce(Option<&Record>) -> Change) -> bool {
        let key = Key::of(key);
        let lock = self.locks.get(key.lock(LOCKS)).map(Mutex::lock);
        let _alone = lock.map(|lock| lock.unwrap_or_else(PoisonError::into_inner));
        let record = self.records.get(&key);
        match decide(record.as_ref().filter(|record| self.is_live(record))) {
            Change::Put(record) => {
                self.records.insert(key, record);
                return true;
            }
            Change::Remove => self.records.invalidate(&key),
            Change::Nothing => {}
        }
        false
    }

    fn record(&self, value: &[u8], ttl: Duration) -> Result<Record, StorageError> {
        let (size, limit) = (value.len(), MAX_VALUE_BYTES);
        if size > limit {
            return Err(StorageError::TooLarge { size, limit });
        }
        Ok(Record::new(value, self.clock.now(), ttl.min(MAX_TTL)))
    }

    fn is_live(&self, record: &Record) -> bool {
        record.expires_at() > since_epoch(self.clock.now())
    }
}

impl TokenStorage for MemoryStorage {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let record = self.records.get(&Key::of(key));
            let live = record.filter(|record| self.is_live(record));
            Ok(live.map(|record| record.value().to_vec()))
        })
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            let record = self.record(&value, ttl)?;
            self.change(key, |_| Change::Put(record));
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
            let record = self.record(&value, ttl)?;
            Ok(self.change(key, |current| match current {
                None => Change::Put(record),
                Some(_) => Change::Nothing,
            }))
        })
    }

    fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let mut taken = None;
            self.change(key, |current| {
                taken = current.map(|record| record.value().to_vec());
                Change::Remove
            });
            Ok(taken)
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
            let record = self.record(&new, ttl)?;
            Ok(self.change(key, |current| match current {
                Some(current) if current.value() == expected => Change::Put(record),
                _ => Change::Nothing,
            }))
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            self.change(key, |_| Change::Remove);
            Ok(())
        })
    }
}

/// Tells moka when it may sweep a record; every write starts anew.
struct Reclaim;

impl Expiry<Key, Record> for Reclaim {
    fn expire_after_create(&self, _: &Key, record: &Record, _: Instant) -> Option<Duration> {
        Some(record.ttl() + RECLAIM_DELAY)
    }

    fn expire_after_update(
        &self,
        _: &Key,
        record: &Record,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(record.ttl() + RECLAIM_DELAY)
    }
}

/// Counts live records lost to the size bound, and says so once in a while.
struct Losses {
    clock: Arc<dyn Clock>,
    lost: AtomicU64,
    quiet_until: AtomicU64,
}

impl Losses {
    fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            lost: AtomicU64::new(0),
            quiet_until: AtomicU64::new(0),
        }
    }

    /// Whether a warning was given.
    fn count(&self, record: &Record) -> bool {
        let time = self.clock.now();
        if record.expires_at() <= since_epoch(time) {
            return false;
        }
        self.lost.fetch_add(1, Ordering::Relaxed);
        let now = to_unix(time);
        let quiet_until = self.quiet_until.load(Ordering::Relaxed);
        if now < quiet_until {
            return false;
        }
        // Of threads that are here at once, one warns.
        let next = now.saturating_add(WARN_EVERY);
        let swap = self.quiet_until.compare_exchange(
            quiet_until,
            next,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        if swap.is_err() {
            return false;
        }
        tracing::warn!(
            target: "tower_oauth_proxy",
            lost = self.lost.swap(0, Ordering::Relaxed),
            "the memory store is full: live records were dropped, and their owners have to log in \
             again; give it more bytes, or use a store on disk"
        );
        true
    }
}

impl Default for MemoryStorage {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStorage")
            .field("records", &self.records.entry_count())
            .field("max_bytes", &self.records.policy().max_capacity())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
