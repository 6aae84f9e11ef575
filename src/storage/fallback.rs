//! Lists for a store that has none of its own, made of its records.
//!
//! A member is a record, in one of a few slots that its name's hash chooses, so that two members
//! rarely meet and none waits for another. Slots are divided into levels, each four times the one
//! before: when a member finds its slots of the last level taken, the next level begins. One record
//! says how many levels there are; it is written once for each level and about once in the life of a
//! member. Which member ends first is read from the system's clock; whether it has ended, from the store.

use std::{
    collections::HashMap,
    future::poll_fn,
    task::Poll,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    list::{ListPage, Place, check_names, page, page_size},
    verb::{Records, StorageFuture},
};
use crate::{error::StorageError, key::sha256, limits::MAX_RECORD_TTL};

/// Slots of the first level; few, because a person with one grant pays for all of them.
const FIRST_SLOTS: u32 = 8;
/// How many times as many the next level has.
const GROWTH: u32 = 4;
/// Together they have 174,760 slots, of which about half are used.
const LEVELS: u32 = 8;
/// Slots of a level that a member may take: a level is half full before one finds all of them taken.
const PROBES: u8 = 8;
/// Slots read at once.
const READS: usize = 64;
/// Attempts to write a record that others write too. Each failure is another caller's success, and
/// no one writes the same again.
const ATTEMPTS: usize = 64;

/// How far a list has grown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Depth {
    /// The last level that has members.
    level: u32,
    /// Until when this is kept: longer than every member.
    until: u64,
}

/// What a slot holds.
#[derive(Debug, PartialEq, Eq)]
struct Slot<'a> {
    end: u64,
    member: &'a str,
}

pub(super) async fn add<S: Records + ?Sized>(
    store: &S,
    list: &str,
    member: &str,
    ttl: Duration,
) -> Result<(), StorageError> {
    check_names(&[list, member])?;
    if ttl.is_zero() {
        return Ok(());
    }
    let ttl = ttl.min(MAX_RECORD_TTL);
    let slot = Slot {
        end: now().saturating_add(millis(ttl)),
        member,
    };
    let mut level = 0;
    while level < LEVELS {
        level = deepened(store, list, level, slot.end, ttl).await?.level;
        if place(store, list, level, &slot, ttl).await? {
            return Ok(());
        }
        level += 1;
    }
    Err(StorageError::unavailable("the list is full"))
}

/// Makes sure that readers look as deep as `level`, and for as long as the new member lives.
async fn deepened<S: Records + ?Sized>(
    store: &S,
    list: &str,
    level: u32,
    end: u64,
    ttl: Duration,
) -> Result<Depth, StorageError> {
    let key = depth_key(list);
    for _ in 0..ATTEMPTS {
        let before = store.read(&key).await?;
        let known = before.as_deref().map(Depth::read).transpose()?;
        if let Some(known) = known.filter(|known| known.level >= level && known.until >= end) {
            return Ok(known);
        }
        // Twice as long, so that the next members need not write it again.
        let now = now();
        let until = now.saturating_add(millis((2 * ttl).min(MAX_RECORD_TTL)));
        let depth = Depth {
            level: known.map_or(level, |known| known.level.max(level)),
            until: known.map_or(until, |known| known.until.max(until)),
        };
        let ttl = Duration::from_millis(depth.until.saturating_sub(now));
        let written = match &before {
            None => store.insert(&key, depth.write(), ttl),
            Some(before) => store.swap(&key, before, depth.write(), ttl),
        };
        if written.await? {
            return Ok(depth);
        }
    }
    Err(contended())
}

/// `false` when others have all the slots of this level that the member may take.
async fn place<S: Records + ?Sized>(
    store: &S,
    list: &str,
    level: u32,
    slot: &Slot<'_>,
    ttl: Duration,
) -> Result<bool, StorageError> {
    let mut attempts = 0..ATTEMPTS;
    for key in slot_keys(list, level, slot.member) {
        loop {
            if attempts.next().is_none() {
                return Err(contended());
            }
            let inserted = store.insert(&key, slot.write(), ttl);
            if inserted.await? {
                return Ok(true);
            }
            let Some(bytes) = store.read(&key).await? else {
                continue; // It has ended in between.
            };
            let there = Slot::read(&bytes)?;
            if there.member != slot.member {
                break;
            }
            if there.end >= slot.end {
                return Ok(true);
            }
            let prolonged = store.swap(&key, &bytes, slot.write(), ttl);
            if prolonged.await? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// From every level: a member that was prolonged after its list has grown stands in two.
pub(super) async fn remove<S: Records + ?Sized>(
    store: &S,
    list: &str,
    member: &str,
) -> Result<(), StorageError> {
    check_names(&[list, member])?;
    let Some(depth) = depth(store, list).await? else {
        return Ok(());
    };
    let levels = 0..=depth.level;
    let keys: Vec<_> = levels
        .flat_map(|level| slot_keys(list, level, member))
        .collect();
    for (key, bytes) in read(store, keys).await? {
        let mut bytes = Some(bytes);
        let mut attempts = 0..ATTEMPTS;
        while let Some(there) = bytes.take() {
            if Slot::read(&there)?.member != member {
                break;
            }
            // Not `remove`: by now the slot can be another member's.
            let removed = store.swap(&key, &there, Vec::new(), Duration::ZERO);
            if removed.await? {
                break;
            }
            if attempts.next().is_none() {
                return Err(contended());
            }
            bytes = store.read(&key).await?;
        }
    }
    Ok(())
}

/// Reads every slot of the list, each time.
pub(super) async fn list_page<S: Records + ?Sized>(
    store: &S,
    list: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<ListPage, StorageError> {
    check_names(&[list])?;
    let (after, limit) = (after.map(Place::parse).transpose()?, page_size(limit));
    let Some(depth) = depth(store, list).await? else {
        return Ok(ListPage::default());
    };
    let mut ends: HashMap<String, u64> = HashMap::new();
    for level in 0..=depth.level {
        let keys = (0..slots(level)).map(|slot| slot_key(list, level, slot));
        for (_, bytes) in read(store, keys.collect()).await? {
            let Slot { end, member } = Slot::read(&bytes)?;
            let known = ends.entry(member.to_owned()).or_default();
            *known = end.max(*known);
        }
    }
    let mut found: Vec<_> = ends
        .into_iter()
        .map(|(member, end)| (end, member))
        .collect();
    found.retain(|(end, member)| after.is_none_or(|after| Place { end: *end, member } > after));
    found.sort();
    found.truncate(limit + 1);
    Ok(page(&found, limit))
}

async fn depth<S: Records + ?Sized>(store: &S, list: &str) -> Result<Option<Depth>, StorageError> {
    let bytes = store.read(&depth_key(list)).await?;
    bytes.as_deref().map(Depth::read).transpose()
}

/// Those of the records that are there. Some at once: one after the other they would take too long.
async fn read<S: Records + ?Sized>(
    store: &S,
    keys: Vec<String>,
) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
    let mut found = Vec::new();
    for keys in keys.chunks(READS) {
        let reads = keys.iter().map(|key| store.read(key)).collect();
        for (key, bytes) in keys.iter().zip(all(reads).await) {
            if let Some(bytes) = bytes?.filter(|bytes| !bytes.is_empty()) {
                found.push((key.clone(), bytes));
            }
        }
    }
    Ok(found)
}

/// What each came to, in order.
async fn all<T>(mut verbs: Vec<StorageFuture<'_, T>>) -> Vec<Result<T, StorageError>> {
    let mut answers: Vec<_> = verbs.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut is_done = true;
        for (verb, answer) in verbs.iter_mut().zip(&mut answers) {
            if answer.is_none() {
                match verb.as_mut().poll(context) {
                    Poll::Ready(done) => *answer = Some(done),
                    Poll::Pending => is_done = false,
                }
            }
        }
        if is_done {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
    answers.into_iter().flatten().collect()
}

impl Depth {
    fn write(self) -> Vec<u8> {
        format!("{}:{}", self.level, self.until).into_bytes()
    }

    fn read(bytes: &[u8]) -> Result<Self, StorageError> {
        let text = str::from_utf8(bytes).ok();
        let depth = text.and_then(|text| text.split_once(':')).and_then(|text| {
            let (level, until) = (text.0.parse().ok()?, text.1.parse().ok()?);
            Some(Self { level, until }).filter(|depth| depth.level < LEVELS)
        });
        depth.ok_or_else(corrupt)
    }
}

impl<'a> Slot<'a> {
    fn write(&self) -> Vec<u8> {
        format!("{}:{}", self.end, self.member).into_bytes()
    }

    fn read(bytes: &'a [u8]) -> Result<Self, StorageError> {
        let text = str::from_utf8(bytes).ok();
        let slot = text.and_then(|text| text.split_once(':'));
        let slot = slot.and_then(|(end, member)| {
            let end = end.parse().ok()?;
            Some(Self { end, member })
        });
        slot.ok_or_else(corrupt)
    }
}

fn slots(level: u32) -> u32 {
    FIRST_SLOTS * GROWTH.pow(level)
}

fn depth_key(list: &str) -> String {
    format!("{list}:depth")
}

fn slot_key(list: &str, level: u32, slot: u32) -> String {
    format!("{list}:{level}:{slot}")
}

/// The slots that a member may take in a level.
fn slot_keys(list: &str, level: u32, member: &str) -> impl Iterator<Item = String> {
    let hash = sha256(format!("{level}:{member}").as_bytes());
    (0..PROBES).map(move |probe| {
        let [a, b, c, d, ..] = sha256(&[&hash[..], &[probe]].concat());
        let slot = u32::from_be_bytes([a, b, c, d]) % slots(level);
        slot_key(list, level, slot)
    })
}

fn now() -> u64 {
    millis(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default(),
    )
}

/// Rounded up, as times to live are.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

fn corrupt() -> StorageError {
    StorageError::Corrupt("a record of a list was not written for it".to_owned())
}

fn contended() -> StorageError {
    StorageError::unavailable("a record of a list changed at every attempt to write it")
}

#[cfg(test)]
mod tests;
