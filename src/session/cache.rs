//! Sessions that were validated a moment ago.
//!
//! A token is found by a keyed hash of its tail (the signature, which a client cannot choose) and then
//! compared whole, in constant time; a token that was refused is never put here.
//!
//! A lookup takes one shard's lock for reading and changes nothing, so that cores do not wait for each
//! other. Each shard forgets by [generations](crate::generations); a session that goes too early is
//! validated once more. A generation that has gone is freed by later writers, a little each.

use std::{
    hash::BuildHasher,
    mem,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use foldhash::quality::RandomState;

use super::AuthSession;
use crate::{
    generations::{Generations, Gone, Kept},
    grant::{RevocationMark, Revocations},
    key::constant_time_eq,
    limits::SESSION_CACHE_BYTES,
    metrics::{Live, Sessions as Counted},
    prehashed::BuildPrehashed,
    time::Unix,
};

/// More than the cores of most machines: two of them rarely write to one shard.
const SHARDS: usize = 64;
/// What one generation of a shard may hold, in bytes; a third one is about to be freed.
const GENERATION_BYTES: usize = SESSION_CACHE_BYTES / SHARDS / 3;
/// Expired sessions freed per write.
const FREED_AT_ONCE: usize = 4;
/// A base64url HMAC-SHA256 tag; of a shorter token, all of it.
const TAIL: usize = 43;

/// The bounded cache; turned off with a time to live of zero.
pub(crate) struct SessionCache {
    shards: Box<[Shard]>,
    /// With a new key in each process. Only tokens that verified are kept, so a client cannot choose which collide; a
    /// hash that is strong against that would cost more than the rest of the lookup.
    hasher: RandomState,
    ttl: Duration,
    revocations: Arc<Revocations>,
    counted: Counted,
}

/// On cache lines of its own: else one core's reading slows its neighbours down.
#[repr(align(128))]
struct Shard(RwLock<Sessions>);

struct Sessions {
    live: Generations<u64, Entry, BuildPrehashed>,
    /// Not found any more.
    dead: Gone<u64, Entry>,
}

/// To be dropped without the lock.
type Dead = ([Option<(u64, Entry)>; FREED_AT_ONCE], Gone<u64, Entry>);

struct Entry {
    token: Box<[u8]>,
    validated: Validated,
    _live: Live,
}

/// A session, and what the layer has to know of it beside what a handler gets.
#[derive(Clone)]
pub(crate) struct Validated {
    pub(crate) session: AuthSession,
    /// Whether it covers the scopes that every request needs.
    pub(crate) is_sufficient: bool,
    /// End of the validation; neither store nor provider is asked again before then.
    pub(crate) fresh_until: Unix,
    /// From before the grant was looked up; `None` where no grant stands behind the session.
    pub(crate) mark: Option<RevocationMark>,
}

impl SessionCache {
    pub(crate) fn new(ttl: Duration, revocations: Arc<Revocations>) -> Self {
        let shards = match ttl.as_secs() {
            0 => 0,
            _ => SHARDS,
        };
        Self {
            shards: (0..shards).map(|_| Shard::new(ttl)).collect(),
            hasher: RandomState::default(),
            ttl,
            revocations,
            counted: Counted::new(),
        }
    }

    /// The latest end of a validation that happens now.
    pub(crate) fn end_of_life(&self, now: Unix) -> Unix {
        now + self.ttl
    }

    /// The session of this token, if it may be served now.
    pub(crate) fn get(&self, token: &[u8], now: Unix) -> Option<Validated> {
        let (key, shard) = self.place(token)?;
        let may_be_served = |until| {
            // Longer than a whole life from now: the clock was set back, and its age is unknown.
            now < until && until <= self.end_of_life(now)
        };
        let found = shard
            .read()
            .find(key, token, may_be_served)?
            .validated
            .clone();
        let is_current = |mark| self.revocations.is_current(mark);
        found.mark.is_none_or(is_current).then_some(found)
    }

    pub(crate) fn put(&self, token: Box<[u8]>, validated: Validated, now: Unix) {
        let Some((key, shard)) = self.place(&token) else {
            return;
        };
        let entry = Entry {
            token,
            validated,
            _live: self.counted.one(),
        };
        let dead = shard.write().put(key, entry, now);
        // Only now, without the lock.
        drop(dead);
        // Another shard grows older too: one without writes would keep what it has.
        let other = usize::from(key.to_be_bytes()[4]) % SHARDS;
        let other = self.shards.get(other).and_then(Shard::try_write);
        drop(other.map(|mut shard| shard.grow_older(now)));
    }

    /// Forgets one token, in passthrough mode where no grant ties it to others.
    pub(crate) fn forget(&self, token: &[u8]) {
        if let Some((key, shard)) = self.place(token) {
            shard.write().live.remove(&key);
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
    fn new(ttl: Duration) -> Self {
        Self(RwLock::new(Sessions {
            live: Generations::new(GENERATION_BYTES, ttl),
            dead: Gone::default(),
        }))
    }

    fn read(&self) -> RwLockReadGuard<'_, Sessions> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Sessions> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_write(&self) -> Option<RwLockWriteGuard<'_, Sessions>> {
        self.0.try_write().ok()
    }
}

impl Sessions {
    fn find(
        &self,
        key: u64,
        token: &[u8],
        may_be_served: impl FnOnce(Unix) -> bool,
    ) -> Option<&Entry> {
        self.live.get(&key).filter(|entry| {
            may_be_served(entry.validated.fresh_until) && constant_time_eq(&entry.token, token)
        })
    }

    #[must_use]
    fn put(&mut self, key: u64, entry: Entry, now: Unix) -> Dead {
        let gone = self.live.put(key, entry, now);
        self.bury(gone)
    }

    #[must_use]
    fn grow_older(&mut self, now: Unix) -> Dead {
        let gone = self.live.grow_older(now);
        self.bury(gone)
    }

    /// The next few of the dead, and all that were left of the generation before them.
    fn bury(&mut self, gone: Gone<u64, Entry>) -> Dead {
        let before = match gone.len() {
            0 => Gone::default(),
            _ => mem::replace(&mut self.dead, gone),
        };
        let some = [(); FREED_AT_ONCE].map(|()| self.dead.next());
        (some, before)
    }
}

impl Kept for Entry {
    fn size(&self) -> usize {
        self.token.len() + self.validated.session.size()
    }
}

#[cfg(test)]
mod tests;
