//! A store between the proxy and another one, in which a test meddles with what the verbs do.

use std::{sync::Arc, time::Duration};

use tower_oauth_proxy::storage::{StorageFuture, TokenStorage};

/// What was read or taken, or is about to be: the work of a verb.
pub type Answer<'a> = StorageFuture<'a, Option<Vec<u8>>>;

/// Does the work of some verbs in its own way. The work begins when it is awaited.
pub trait Meddler: Send + Sync + 'static {
    /// The store behind.
    fn store(&self) -> &dyn TokenStorage;

    /// Any verb that has no way of its own below.
    fn any<'a, T: Send + 'a>(&'a self, work: StorageFuture<'a, T>) -> StorageFuture<'a, T> {
        work
    }

    fn get<'a>(&'a self, _key: &'a str, work: Answer<'a>) -> Answer<'a> {
        self.any(work)
    }

    fn take<'a>(&'a self, _key: &'a str, work: Answer<'a>) -> Answer<'a> {
        self.any(work)
    }

    fn swap<'a>(&'a self, _key: &'a str, work: StorageFuture<'a, bool>) -> StorageFuture<'a, bool> {
        self.any(work)
    }
}

impl<M: Meddler> Meddler for Arc<M> {
    fn store(&self) -> &dyn TokenStorage {
        (**self).store()
    }

    fn any<'a, T: Send + 'a>(&'a self, work: StorageFuture<'a, T>) -> StorageFuture<'a, T> {
        (**self).any(work)
    }

    fn get<'a>(&'a self, key: &'a str, work: Answer<'a>) -> Answer<'a> {
        (**self).get(key, work)
    }

    fn take<'a>(&'a self, key: &'a str, work: Answer<'a>) -> Answer<'a> {
        (**self).take(key, work)
    }

    fn swap<'a>(&'a self, key: &'a str, work: StorageFuture<'a, bool>) -> StorageFuture<'a, bool> {
        (**self).swap(key, work)
    }
}

/// The store that a proxy is given. Its lists are made of its records, so that they are meddled with
/// too.
#[derive(Clone)]
pub struct Meddled<M>(pub M);

impl<M: Meddler> TokenStorage for Meddled<M> {
    fn get<'a>(&'a self, key: &'a str) -> Answer<'a> {
        let work = Box::pin(async move { self.0.store().get(key).await });
        self.0.get(key, work)
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        let work = async move { self.0.store().set(key, value, ttl).await };
        self.0.any(Box::pin(work))
    }

    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        let work = async move { self.0.store().insert_if_absent(key, value, ttl).await };
        self.0.any(Box::pin(work))
    }

    fn take<'a>(&'a self, key: &'a str) -> Answer<'a> {
        let work = Box::pin(async move { self.0.store().take(key).await });
        self.0.take(key, work)
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        expected: &'a [u8],
        new: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        let store = self.0.store();
        let work = async move { store.compare_and_swap(key, expected, new, ttl).await };
        self.0.swap(key, Box::pin(work))
    }

    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        let work = async move { self.0.store().remove(key).await };
        self.0.any(Box::pin(work))
    }
}
