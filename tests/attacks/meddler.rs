//! A store between the proxy and another one, in which a test meddles with what is read or taken.

use std::time::Duration;

use tower_oauth_proxy::storage::{StorageFuture, TokenStorage};

/// What was read or taken, or is about to be: the work of a verb.
pub(crate) type Answer<'a> = StorageFuture<'a, Option<Vec<u8>>>;

pub(crate) trait Meddler: Send + Sync + 'static {
    /// The store behind.
    fn store(&self) -> &dyn TokenStorage;

    /// Does the work of a `get` in its own way.
    fn get<'a>(&'a self, key: &'a str, work: Answer<'a>) -> Answer<'a>;

    /// Does the work of a `take` in its own way.
    fn take<'a>(&'a self, key: &'a str, work: Answer<'a>) -> Answer<'a>;
}

/// The store that a proxy is given.
pub(crate) struct Meddled<M>(pub(crate) M);

impl<M: Meddler> TokenStorage for Meddled<M> {
    fn get<'a>(&'a self, key: &'a str) -> Answer<'a> {
        self.0.get(key, self.0.store().get(key))
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        self.0.store().set(key, value, ttl)
    }

    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        self.0.store().insert_if_absent(key, value, ttl)
    }

    fn take<'a>(&'a self, key: &'a str) -> Answer<'a> {
        self.0.take(key, self.0.store().take(key))
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        expected: &'a [u8],
        new: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        self.0.store().compare_and_swap(key, expected, new, ttl)
    }

    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        self.0.store().remove(key)
    }
}
