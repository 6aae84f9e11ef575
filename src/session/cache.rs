//! Sessions that were validated a moment ago.
//!
//! A token is found by a keyed hash of its tail (the signature, which nobody can choose) and then
//! compared whole, in constant time; a token that was refused is never put here.
//!
//! A look takes one shard's lock for reading and changes nothing, so that cores do not wait for each
//! other. Nothing is searched for what is over: each shard holds a young and an old generation, and the
//! old one goes whole when the young one is full or as old as a session may get. What goes too early is
//! validated once more. To free it, later writers do a little each.

use std::{
    collections::{HashMap, hash_map::IntoIter},
    hash::BuildHasher,
    mem,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use foldhash::quality::RandomState;

use super::AuthSession;
use crate::{
    grant::Revocations, key::constant_time_eq, limits::SESSION_CACHE_BYTES,
    prehashed::BuildPrehashed,
};

/// More than the cores of most machines: two of them rarely write at one shard.
const SHARDS: usize = 64;
/// What one generation of a shard may hold, in bytes; a third one is about to be freed.
const GENERATION_BYTES: usize = SESSION_CACHE_BYTES / SHARDS / 3;
/// So many sessions are freed by whoever writes one.
const FREED_AT_ONCE: usize = 4;
/// A base64url HMAC-SHA256 tag; of a shorter token, all of it.
const TAIL: usize = 43;

/// The bounded cache; turned off with a time to live of zero.
pub(crate) struct SessionCache {
    shards: Box<[Shard]>,
    /// Keyed anew in each process. Only tokens that verified are kept, so nobody chooses which meet; a
    /// hash that is strong against that would cost more than the rest of the look.
    hasher: RandomState,
    ttl: Duration,
    revocations: Arc<Revocations>,
}

/// On cache lines of its own: else one core's reading slows its neighbours down.
#[repr(align(128))]
#[derive(Default)]
struct Shard(RwLock<Generations>);

#[derive(Default)]
struct Generations {
    young: Sessions,
    old: Sessions,
    /// Not found any more.
    dead: IntoIter<u64, Entry>,
    young_bytes: usize,
    /// When the young generation becomes the old one, in seconds since the Unix epoch.
    turn_at: u64,
}

type Sessions = HashMap<u64, Entry, BuildPrehashed>;

/// To be dropped without the lock.
type Dead = ([Option<(u64, Entry)>; FREED_AT_ONCE], IntoIter<u64, Entry>);

struct Entry {
    token: Box<[u8]>,
    session: AuthSession,
    /// Beside the token, so that what is over is not even compared.
    fresh_until: u64,
}

impl SessionCache {
    pub(crate) fn new(ttl: Duration, revocations: Arc<Revocations>) -> Self {
        let shards = match ttl.as_secs() {
            0 => 0,
            _ => SHARDS,
        };
        Self {
            shards: (0..shards).map(|_| Shard::default()).collect(),
            hasher: RandomState::default(),
            ttl,
            revocations,
        }
    }

    /// Until when a session that is validated now may be served from here.
    pub(crate) fn end_of_life(&self, now: u64) -> u64 {
        now.saturating_add(self.ttl.as_secs())
    }

    /// The session of this token, if it may be served now.
    pub(crate) fn get(&self, token: &[u8], now: u64) -> Option<AuthSession> {
        let (key, shard) = self.place(token)?;
        let may_be_served = |until| {
            // Longer than a whole life from now: the clock was set back. Then nobody knows how old it is.
            now < until && until <= self.end_of_life(now)
        };
        let session = shard
            .read()
            .find(key, token, may_be_served)?
            .session
            .clone();
        session.is_current(&self.revocations).then_some(session)
    }

    pub(crate) fn put(&self, token: Box<[u8]>, session: AuthSession, now: u64) {
        let Some((key, shard)) = self.place(&token) else {
            return;
        };
        let entry = Entry {
            token,
            fresh_until: session.fresh_until(),
            session,
        };
        let dead = shard.write().put(key, entry, now, self.ttl);
        // Only now, without the lock.
        drop(dead);
        // Some other shard grows older too: one that nobody writes to would keep what it has.
        let other = usize::from(key.to_be_bytes()[4]) % SHARDS;
        let other = self.shards.get(other).and_then(Shard::try_write);
        drop(other.map(|mut shard| shard.grow_older(now, self.ttl)));
    }

    /// Forgets one token, in passthrough mode where no grant ties it to others.
    pub(crate) fn forget(&self, token: &[u8]) {
        if let Some((key, shard)) = self.place(token) {
            shard.write().forget(key);
        }
    }

    fn place(&self, token: &[u8]) -> Option<(u64, &Shard)> {
        let tail = token.len().saturating_sub(TAIL);
        let key = self.hasher.hash_one(token.get(tail..)?);
        // Neither end of the hash: the map chooses its own place by those.
        let shard = usize::from(key.to_be_bytes()[3]) % SHARDS;
        Some((key, self.shards.get(shard)?))
    }
}

impl Shard {
    fn read(&self) -> RwLockReadGuard<'_, Generations> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Generations> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_write(&self) -> Option<RwLockWriteGuard<'_, Generations>> {
        self.0.try_write().ok()
    }
}

impl Generations {
    fn find(
        &self,
        key: u64,
        token: &[u8],
        may_be_served: impl FnOnce(u64) -> bool,
    ) -> Option<&Entry> {
        let found = self.young.get(&key).or_else(|| self.old.get(&key));
        found.filter(|entry| {
            may_be_served(entry.fresh_until) && constant_time_eq(&entry.token, token)
        })
    }

    /// Returns what has to be freed.
    #[must_use]
    fn put(&mut self, key: u64, entry: Entry, now: u64, ttl: Duration) -> Dead {
        let size = entry.size();
        if size > GENERATION_BYTES {
            // Not kept, and nothing else has to go for it.
            return self.grow_older(now, ttl);
        }
        let dead = match self.young_bytes + size > GENERATION_BYTES {
            true => self.turn(now, ttl),
            false => self.grow_older(now, ttl),
        };
        self.young_bytes += size;
        let replaced = self.young.insert(key, entry);
        self.young_bytes -= replaced.map_or(0, |entry| entry.size());
        dead
    }

    /// Turns when it is time to.
    #[must_use]
    fn grow_older(&mut self, now: u64, ttl: Duration) -> Dead {
        // A clock that was set back must not keep it young.
        let is_time = now >= self.turn_at || self.turn_at > now.saturating_add(ttl.as_secs());
        match is_time {
            true => self.turn(now, ttl),
            false => self.some_dead(IntoIter::default()),
        }
    }

    /// The young generation becomes the old one, and the old one goes.
    fn turn(&mut self, now: u64, ttl: Duration) -> Dead {
        self.young_bytes = 0;
        self.turn_at = now.saturating_add(ttl.as_secs());
        let gone = mem::replace(&mut self.old, mem::take(&mut self.young));
        let before = mem::replace(&mut self.dead, gone.into_iter());
        self.some_dead(before)
    }

    /// The next few of the dead, and all that were left of the generation before them.
    fn some_dead(&mut self, before: IntoIter<u64, Entry>) -> Dead {
        let some = [(); FREED_AT_ONCE].map(|()| self.dead.next());
        (some, before)
    }

    fn forget(&mut self, key: u64) {
        self.old.remove(&key);
        let gone = self.young.remove(&key);
        self.young_bytes -= gone.map_or(0, |entry| entry.size());
    }
}

impl Entry {
    fn size(&self) -> usize {
        self.token.len() + self.session.size()
    }
}

#[cfg(test)]
mod tests;
