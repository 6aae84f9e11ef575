//! The default store: this process's memory.
//!
//! The map is divided by the keys' hashes, and each part has a lock of its own, so that a verb is atomic
//! and cores rarely meet. Not moka: of a login with cold caches its map alone took a fifth to a third,
//! because it is probed record by record, each somewhere else in memory.

mod lists;
mod losses;
mod nanos;
mod records;
mod verbs;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use self::{
    lists::{ListKey, Lists},
    losses::Losses,
    nanos::Nanos,
    records::{Key, Record, Records},
};
use super::{
    list::{self, ListPage, Place},
    verb::{MAX_VALUE_BYTES, check_value},
};
use crate::{
    clock::{Clock, SystemClock},
    error::StorageError,
    limits::MAX_RECORD_TTL,
};

/// Room for all records, in bytes. A grant with its provider tokens is 2 to 6 KiB sealed, so this is
/// some fifty thousand people logged in at once.
const DEFAULT_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Below this a handful of records at the size limit would push each other out.
const MIN_MAX_BYTES: u64 = 16 * MAX_VALUE_BYTES as u64;
/// Records checked for expiry per write; more than are added, so that in a full store expired ones go
/// before live ones.
const LOOKS_OF_A_WRITE: usize = 8;
/// And per read, so that a store that is only read lets go as well.
const LOOKS_OF_A_READ: usize = 2;
/// Enough for many cores to rarely meet.
const MAX_PARTS: u64 = 32;
/// In a part that is much smaller there would be too few records to choose one to make room.
const PART_BYTES: u64 = 8 * 1024 * 1024;
/// What is kept until nothing else is left: who is denied must not come back because many log in.
const KEPT: &str = "denied:";
/// Lists get one part in this many: grants need ten times as much, so only members whose grants
/// are gone can come near.
const LIST_SHARE: u64 = 4;

/// A store in memory: for one process, gone when it ends. The default.
///
/// Bounded in bytes (256 MiB unless set), each record counted with its value and 200 bytes, each member
/// of a list likewise. When it is full, records that are over or have not been used for long make room,
/// never the new one; a record that was still live is then missed by its owner, who has to log in again,
/// and a warning says so at most once a minute. Denied clients go last, when nothing else is left.
/// Lists take a quarter at most; beyond that the members that end first go. The room of a record that has been over for a minute is reclaimed by later reads
/// and writes, which look at a few records each: what came in one burst goes with the next.
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
    parts: Box<[Part]>,
    /// The records that go last.
    kept: Part,
    lists: Box<[ListPart]>,
    /// What all records and lists take.
    bytes: Sum,
    /// What lists take of it.
    list_bytes: Sum,
    max_bytes: u64,
    losses: Losses,
    clock: Arc<dyn Clock>,
}

/// On cache lines of its own: else one core's changes slow its neighbours down.
#[repr(align(128))]
#[derive(Default)]
struct Part(Mutex<Records>);

/// Likewise.
#[repr(align(128))]
#[derive(Default)]
struct ListPart(Mutex<Lists>);

/// Likewise: every write changes it.
#[repr(align(128))]
#[derive(Default)]
struct Sum(AtomicU64);

/// What becomes of a record that was looked at.
enum Change {
    Put(Record),
    Remove,
    Nothing,
}

impl MemoryStorage {
    /// An empty store of 256 MiB on the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_max_bytes(DEFAULT_MAX_BYTES)
    }

    /// An empty store with another bound, in bytes; below 1 MiB it counts as 1 MiB.
    #[must_use]
    pub fn with_max_bytes(max_bytes: u64) -> Self {
        Self::build(max_bytes, Arc::new(SystemClock))
    }

    /// An empty store with the same bound on another clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        Self::build(self.max_bytes, Arc::new(clock))
    }

    fn build(max_bytes: u64, clock: Arc<dyn Clock>) -> Self {
        let max_bytes = max_bytes.max(MIN_MAX_BYTES);
        let parts = (max_bytes / PART_BYTES).clamp(1, MAX_PARTS);
        Self::divided(parts, max_bytes, clock)
    }

    fn divided(parts: u64, max_bytes: u64, clock: Arc<dyn Clock>) -> Self {
        Self {
            parts: (0..parts).map(|_| Part::default()).collect(),
            kept: Part::default(),
            lists: (0..parts).map(|_| ListPart::default()).collect(),
            bytes: Sum::default(),
            list_bytes: Sum::default(),
            max_bytes,
            losses: Losses::new(Arc::clone(&clock)),
            clock,
        }
    }

    /// How many live records are held, for monitoring: looks at each of them. Lists do not count.
    pub fn record_count(&self) -> u64 {
        let now = self.now();
        let parts = self.parts.iter().chain([&self.kept]);
        let live = parts.map(|part| part.lock().live(now));
        live.sum::<usize>() as u64
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let (name, key, now) = (key, Key::of(key), self.now());
        let mut part = self.part(name, &key)?.lock();
        self.bytes.subtract(part.sweep(now, LOOKS_OF_A_READ));
        Ok(part.get(&key, now).map(<[u8]>::to_vec))
    }

    /// Every change goes through here. Returns what it has replaced or removed and was not over, and
    /// whether a record was put.
    fn change(
        &self,
        key: &str,
        decide: impl FnOnce(Option<&[u8]>) -> Change,
    ) -> Result<(Option<Record>, bool), StorageError> {
        let (name, key, now) = (key, Key::of(key), self.now());
        let mut part = self.part(name, &key)?.lock();
        let (before, is_put) = match decide(part.get(&key, now)) {
            Change::Put(record) => {
                // Counted before it can be found, so that the sum is never below zero.
                self.bytes.add(record.weight());
                (part.put(key, record), true)
            }
            Change::Remove => (part.remove(&key), false),
            Change::Nothing => return Ok((None, false)),
        };
        let freed = before.as_ref().map_or(0, Record::weight) + part.sweep(now, LOOKS_OF_A_WRITE);
        self.bytes.subtract(freed);
        drop(part);
        if is_put {
            self.make_room(&key, now);
        }
        Ok((before.filter(|record| record.is_live(now)), is_put))
    }

    /// In the part that has grown first, so that all keep their size, then in the others; what is kept
    /// goes when they are empty.
    fn make_room(&self, new: &Key, now: Nanos) {
        let all = self.parts.len();
        let parts = self.parts.iter().cycle().skip(new.part(all)).take(all);
        for part in parts.chain([&self.kept]) {
            while self.bytes.get() > self.max_bytes {
                let Some(gone) = part.lock().make_room(now, new) else {
                    break;
                };
                self.bytes.subtract(gone.weight());
                if gone.is_live(now) {
                    self.losses.count();
                }
            }
        }
    }

    fn record(&self, value: Vec<u8>, ttl: Duration) -> Result<Record, StorageError> {
        check_value(&value)?;
        Ok(Record::new(value, end(self.now(), ttl)))
    }

    fn part(&self, name: &str, key: &Key) -> Result<&Part, StorageError> {
        if name.starts_with(KEPT) {
            return Ok(&self.kept);
        }
        let part = self.parts.get(key.part(self.parts.len()));
        part.ok_or_else(|| StorageError::unavailable("no part of the map"))
    }

    fn list_part(&self, list: ListKey) -> Result<&ListPart, StorageError> {
        let part = self.lists.get(list.part(self.lists.len()));
        part.ok_or_else(|| StorageError::unavailable("no part of the lists"))
    }

    fn add_to_list(&self, list: &str, member: &str, ttl: Duration) -> Result<(), StorageError> {
        list::check_names(&[list, member])?;
        if ttl.is_zero() {
            return Ok(());
        }
        let (list, now) = (ListKey::of(list), self.now());
        let mut part = self.list_part(list)?.lock();
        let added = part.add(list, member, end(now, ttl));
        self.bytes.add(added);
        self.list_bytes.add(added);
        let mut freed = part.sweep(now, LOOKS_OF_A_WRITE);
        // From this part alone: each has about as much.
        while self.list_bytes.get().saturating_sub(freed) > self.max_bytes / LIST_SHARE {
            match part.make_room() {
                Some(bytes) => freed += bytes,
                None => break,
            }
        }
        self.bytes.subtract(freed);
        self.list_bytes.subtract(freed);
        drop(part);
        // Of some part of the records: always the same one would be emptied, and lose its next logins
        // as they come. The list's name would not do, for all may be in one.
        self.make_room(&Key::of(member), now);
        Ok(())
    }

    fn remove_from_list(&self, list: &str, member: &str) -> Result<(), StorageError> {
        let key = ListKey::of(list);
        let mut part = self.list_part(key)?.lock();
        let freed = part.remove(key, member) + part.sweep(self.now(), LOOKS_OF_A_READ);
        self.bytes.subtract(freed);
        self.list_bytes.subtract(freed);
        Ok(())
    }

    fn page_of_list(
        &self,
        list: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ListPage, StorageError> {
        let key = ListKey::of(list);
        let (after, limit) = (after.map(Place::parse).transpose()?, list::page_size(limit));
        let part = self.list_part(key)?.lock();
        let found = part.after(key, after, self.now(), limit + 1);
        drop(part);
        Ok(list::page(&found, limit))
    }

    fn now(&self) -> Nanos {
        self.clock.now().into()
    }
}

impl Part {
    fn lock(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ListPart {
    fn lock(&self) -> MutexGuard<'_, Lists> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sum {
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn subtract(&self, bytes: u64) {
        // Mostly nothing, and then no other core has to wait for the cache line.
        if bytes > 0 {
            self.0.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

/// When what is written now ends.
fn end(now: Nanos, ttl: Duration) -> Nanos {
    now + ttl.min(MAX_RECORD_TTL)
}

impl Default for MemoryStorage {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStorage")
            .field("bytes", &self.bytes.get())
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
