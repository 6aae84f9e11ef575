//! Sessions that were validated a moment ago.
//!
//! The key is the whole token. It is hashed by its tail only (the signature, which nobody can
//! choose) and compared in constant time; a token that was refused is never put here.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use moka::{Equivalent, policy::EvictionPolicy, sync::Cache};

use super::AuthSession;
use crate::{grant::LiveGrant, key::constant_time_eq, limits::SESSION_CACHE_BYTES};

/// The bounded cache; turned off with a time to live of zero.
pub(crate) struct SessionCache {
    sessions: Option<Cache<Token, Arc<CachedSession>>>,
    pub(crate) ttl: Duration,
}

/// A session, and until when it may be served without asking anybody.
pub(crate) struct CachedSession {
    pub(crate) session: AuthSession,
    pub(crate) fresh_until: u64,
    /// Whether it covers the scopes that every request needs.
    pub(crate) is_sufficient: bool,
    pub(crate) live: Option<Arc<LiveGrant>>,
}

impl SessionCache {
    pub(crate) fn new(ttl: Duration) -> Self {
        let sessions = (ttl.as_secs() > 0).then(|| {
            Cache::builder()
                .max_capacity(SESSION_CACHE_BYTES)
                .weigher(|token: &Token, cached: &Arc<CachedSession>| {
                    let bytes = token.0.len() + cached.session.size();
                    u32::try_from(bytes).unwrap_or(u32::MAX)
                })
                .eviction_policy(EvictionPolicy::lru())
                .time_to_live(ttl)
                .build()
        });
        Self { sessions, ttl }
    }

    /// The session of this token, if it may be served now.
    pub(crate) fn get(&self, token: &str, now: u64) -> Option<Arc<CachedSession>> {
        let cached = self.sessions.as_ref()?.get(&Presented(token.as_bytes()))?;
        let is_live =
            now < cached.fresh_until && !cached.live.as_ref().is_some_and(|live| live.is_revoked());
        is_live.then_some(cached)
    }

    pub(crate) fn put(&self, token: &str, session: Arc<CachedSession>) {
        if let Some(sessions) = &self.sessions {
            sessions.insert(Token(token.as_bytes().into()), session);
        }
    }

    /// Forgets one token, in passthrough mode where no grant ties it to others.
    pub(crate) fn forget(&self, token: &str) {
        if let Some(sessions) = &self.sessions {
            sessions.invalidate(&Presented(token.as_bytes()));
        }
    }
}

struct Token(Box<[u8]>);

struct Presented<'a>(&'a [u8]);

/// A base64url HMAC-SHA256 tag; of a shorter token, all of it.
const TAIL: usize = 43;

fn hash_tail<H: Hasher>(token: &[u8], state: &mut H) {
    let tail = token.len().saturating_sub(TAIL);
    state.write(token.get(tail..).unwrap_or(token));
}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_tail(&self.0, state);
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&self.0, &other.0)
    }
}

impl Eq for Token {}

impl Hash for Presented<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_tail(self.0, state);
    }
}

impl Equivalent<Token> for Presented<'_> {
    fn equivalent(&self, token: &Token) -> bool {
        constant_time_eq(self.0, &token.0)
    }
}
