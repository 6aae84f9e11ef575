//! Sessions that were validated a moment ago.
//!
//! A token is found by a keyed hash of its tail (the signature, which nobody can choose) and then
//! compared whole, in constant time; a token that was refused is never put here.
//!
//! A look takes one shard's lock for reading and changes nothing, so that cores do not wait for each
//! other. Nothing is swept entry by entry: each shard holds a young and an old generation, and drops
//! the old one whole when the young one is full or as old as a session may get. What is dropped too
//! early is validated once more.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, Hasher},
    mem,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use foldhash::quality::RandomState;

use super::AuthSession;
use crate::{grant::Revocations, key::constant_time_eq, limits::SESSION_CACHE_BYTES};

/// More than the cores of most machines: two of them rarely write at one shard.
const SHARDS: usize = 64;
/// What one generation of a shard may hold, in bytes.
const GENERATION_BYTES: usize = SESSION_CACHE_BYTES / SHARDS / 2;
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
    young_bytes: usize,
    /// When the young generation becomes the old one, in seconds since the Unix epoch.
    turn_at: u64,
}

type Sessions = HashMap<u64, Entry, BuildHasherDefault<AlreadyHashed>>;

struct Entry {
    token: Box<[u8]>,
    session: AuthSession,
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
        let session = shard.read().find(key, token)?.session.clone();
        session.is_fresh(now, &self.revocations).then_some(session)
    }

    pub(crate) fn put(&self, token: Box<[u8]>, session: AuthSession, now: u64) {
        let Some((key, shard)) = self.place(&token) else {
            return;
        };
        let entry = Entry { token, session };
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
    fn find(&self, key: u64, token: &[u8]) -> Option<&Entry> {
        let found = self.young.get(&key).or_else(|| self.old.get(&key));
        found.filter(|entry| constant_time_eq(&entry.token, token))
    }

    /// Returns the generation that had to go.
    #[must_use]
    fn put(&mut self, key: u64, entry: Entry, now: u64, ttl: Duration) -> Sessions {
        let size = entry.size();
        let dead = match self.young_bytes + size > GENERATION_BYTES {
            true => self.turn(now, ttl),
            false => self.grow_older(now, ttl),
        };
        if size <= GENERATION_BYTES {
            self.young_bytes += size;
            let replaced = self.young.insert(key, entry);
            self.young_bytes -= replaced.map_or(0, |entry| entry.size());
        }
        dead
    }

    /// Turns when it is time to.
    #[must_use]
    fn grow_older(&mut self, now: u64, ttl: Duration) -> Sessions {
        match now >= self.turn_at {
            true => self.turn(now, ttl),
            false => Sessions::default(),
        }
    }

    /// The young generation becomes the old one, and the old one goes.
    fn turn(&mut self, now: u64, ttl: Duration) -> Sessions {
        self.young_bytes = 0;
        self.turn_at = now.saturating_add(ttl.as_secs());
        mem::replace(&mut self.old, mem::take(&mut self.young))
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

/// The keys are hashes.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::{session, session_of_size};

    const TTL: Duration = Duration::from_secs(10);

    fn cache(ttl: Duration) -> SessionCache {
        SessionCache::new(ttl, Arc::new(Revocations::new()))
    }

    fn held(cache: &SessionCache) -> usize {
        let shards = cache.shards.iter().map(Shard::read);
        shards
            .map(|shard| shard.young.len() + shard.old.len())
            .sum()
    }

    fn bytes(cache: &SessionCache) -> usize {
        let of = |sessions: &Sessions| sessions.values().map(Entry::size).sum::<usize>();
        let shards = cache.shards.iter().map(Shard::read);
        shards.map(|shard| of(&shard.young) + of(&shard.old)).sum()
    }

    #[test]
    fn only_the_whole_token_finds_its_session() {
        let cache = cache(TTL);
        let token = [b"header.payload.".as_slice(), &[b's'; TAIL]].concat();
        cache.put(token.clone().into(), session("read", &[]), 0);
        assert!(cache.get(&token, 0).is_some());
        // The same tail, and so the same place, each time.
        let mut other = token.clone();
        other[0] = b'H';
        for wrong in [&other[..], &token[1..], &[b"x", &token[..]].concat(), b""] {
            assert!(cache.get(wrong, 0).is_none());
        }
        // A short one is its own tail.
        cache.put(Box::new(*b"short"), session("read", &[]), 0);
        assert!(cache.get(b"short", 0).is_some() && cache.get(b"shor", 0).is_none());
    }

    #[test]
    fn a_forgotten_token_is_gone_from_both_generations() {
        let cache = cache(TTL);
        cache.put(Box::new(*b"token"), session("read", &[]), 0);
        cache.put(Box::new(*b"token"), session("read", &[]), 10);
        assert_eq!(held(&cache), 2);
        cache.forget(b"token");
        assert_eq!((held(&cache), bytes(&cache)), (0, 0));
    }

    #[test]
    fn a_time_to_live_of_zero_keeps_nothing() {
        let cache = cache(Duration::ZERO);
        cache.put(Box::new(*b"token"), session("read", &[]), 0);
        assert!(cache.get(b"token", 0).is_none());
        cache.forget(b"token");
    }

    #[test]
    fn what_is_older_than_two_lives_is_dropped_from_memory() {
        let cache = cache(TTL);
        for n in 0..2_000_u32 {
            cache.put(Box::new(n.to_be_bytes()), session("read", &[]), 0);
        }
        assert_eq!(held(&cache), 2_000);
        for now in [10, 20] {
            for n in 0..2_000_u32 {
                cache.put(
                    Box::new((n + 10_000).to_be_bytes()),
                    session("read", &[]),
                    now,
                );
            }
        }
        assert!((0..2_000_u32).all(|n| cache.get(&n.to_be_bytes(), 0).is_none()));
    }

    #[test]
    fn what_stands_where_nobody_writes_is_dropped_too() {
        let cache = cache(TTL);
        for n in 0..200_u32 {
            cache.put(Box::new(n.to_be_bytes()), session("read", &[]), 0);
        }
        // One token alone, and so one shard alone, is written from now on; each new key picks another
        // neighbour.
        let (_, busy) = cache.place(b"busy").unwrap();
        let of_busy = |n: &u32| std::ptr::eq(cache.place(&n.to_be_bytes()).unwrap().1, busy);
        for (step, n) in (1_000..).filter(of_busy).take(2_000).enumerate() {
            let now = if step < 1_000 { 10 } else { 20 };
            cache.put(Box::new(n.to_be_bytes()), session("read", &[]), now);
        }
        let elsewhere = cache
            .shards
            .iter()
            .filter(|shard| !std::ptr::eq(*shard, busy));
        let left: usize = elsewhere
            .map(|shard| shard.read().young.len() + shard.read().old.len())
            .sum();
        assert_eq!(left, 0);
    }

    #[test]
    fn the_cache_never_holds_more_than_its_bytes_and_keeps_the_newest() {
        let cache = cache(TTL);
        for n in 0..40_000_u32 {
            cache.put(Box::new(n.to_be_bytes()), session_of_size(4_000), 0);
            assert!(cache.get(&n.to_be_bytes(), 0).is_some(), "{n}");
        }
        assert!(bytes(&cache) <= SESSION_CACHE_BYTES);
        assert!(bytes(&cache) > SESSION_CACHE_BYTES / 3, "{}", bytes(&cache));
        // Larger than a generation: not kept, and nothing else is lost for it.
        cache.put(Box::new(*b"huge"), session_of_size(GENERATION_BYTES), 0);
        assert!(cache.get(b"huge", 0).is_none());
        for shard in &cache.shards {
            let shard = shard.read();
            let counted: usize = shard.young.values().map(Entry::size).sum();
            assert_eq!(counted, shard.young_bytes);
        }
    }

    #[test]
    fn readers_and_writers_on_many_threads_see_whole_entries() {
        let cache = cache(TTL);
        std::thread::scope(|threads| {
            for thread in 0..4_u8 {
                let cache = &cache;
                threads.spawn(move || {
                    for n in 0..3_000_u32 {
                        let token = [&[thread % 2], &n.to_be_bytes()[..]].concat();
                        let scopes = format!("t{}n{n}", thread % 2);
                        cache.put(
                            token.clone().into(),
                            session(&scopes, &[]),
                            u64::from(n / 500),
                        );
                        if let Some(found) = cache.get(&token, 0) {
                            assert!(found.scopes().contains(&scopes));
                        }
                    }
                });
            }
        });
    }
}
