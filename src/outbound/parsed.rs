//! One document, parsed, and how long it is good.

use std::{fmt, ops::Deref, time::Duration};

use http::{
    HeaderMap, HeaderName,
    header::{AGE, CACHE_CONTROL, DATE, EXPIRES},
};

use super::{
    send::Reply,
    shelf_life::{Said, shelf_life},
};
use crate::{
    limits::{DOCUMENT_OVERHEAD, DOCUMENT_STALE, REFETCH_COOLDOWN},
    time::Unix,
};

/// A document, parsed.
pub(crate) struct Document<T> {
    pub(crate) value: T,
    fetched: Unix,
    fresh_until: Unix,
    /// Fetched before the life of the last one had ended.
    is_again: bool,
    /// Its URL and its body, in bytes.
    size: usize,
}

impl<T> Document<T> {
    /// A document that was asked for at this time.
    pub(super) fn new(value: T, url: &str, reply: &Reply, asked: Unix) -> Self {
        Self {
            value,
            fetched: asked,
            fresh_until: asked + life(&reply.headers),
            is_again: false,
            size: url.len() + reply.body.len(),
        }
    }

    /// The same, because the last one lacked something.
    pub(super) fn again(self) -> Self {
        Self {
            is_again: true,
            ..self
        }
    }

    /// What it weighs in the cache. A parsed document is about as large as its text.
    pub(super) fn weight(&self) -> u32 {
        u32::try_from(self.size + DOCUMENT_OVERHEAD).unwrap_or(u32::MAX)
    }

    /// A clock that was set back since makes no document live longer.
    pub(super) fn is_fresh(&self, now: Unix) -> bool {
        self.fetched <= now && now < self.fresh_until
    }

    /// Whether it may stand in while its source is down.
    pub(super) fn is_usable(&self, now: Unix) -> bool {
        self.fetched <= now && now < self.fresh_until + DOCUMENT_STALE
    }

    /// Whether it is too soon to ask for another again. One that came at the end of the last one's life may
    /// be asked for again at once: a key that signs from now on must not be unknown for seconds.
    pub(super) fn is_cooling(&self, now: Unix) -> bool {
        self.is_again && self.fetched <= now && now < self.fetched + REFETCH_COOLDOWN
    }
}

impl<T> Deref for Document<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

fn life(headers: &HeaderMap) -> Duration {
    let lines = |name: HeaderName| {
        let lines = headers.get_all(name).iter();
        let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
        (!lines.is_empty()).then(|| lines.join(","))
    };
    let one = |name| headers.get(name).and_then(|value| value.to_str().ok());
    shelf_life(&Said {
        cache_control: lines(CACHE_CONTROL).as_deref(),
        expires: one(EXPIRES),
        date: one(DATE),
        age: one(AGE),
    })
}

impl<T> fmt::Debug for Document<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").finish_non_exhaustive()
    }
}
