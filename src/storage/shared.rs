//! One store for several proxies of one process.

use std::{sync::Arc, time::Duration};

use super::{list::ListPage, traits::TokenStorage, verb::StorageFuture};

/// One store for several proxies of one process.
impl<T: TokenStorage + ?Sized> TokenStorage for Arc<T> {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        (**self).get(key)
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        (**self).set(key, value, ttl)
    }

    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        (**self).insert_if_absent(key, value, ttl)
    }

    fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        (**self).take(key)
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        expected: &'a [u8],
        new: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        (**self).compare_and_swap(key, expected, new, ttl)
    }

    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        (**self).remove(key)
    }

    fn list_add<'a>(
        &'a self,
        list: &'a str,
        member: &'a str,
        ttl: Duration,
    ) -> StorageFuture<'a, ()> {
        (**self).list_add(list, member, ttl)
    }

    fn list_remove<'a>(&'a self, list: &'a str, member: &'a str) -> StorageFuture<'a, ()> {
        (**self).list_remove(list, member)
    }

    fn list_page<'a>(
        &'a self,
        list: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> StorageFuture<'a, ListPage> {
        (**self).list_page(list, after, limit)
    }
}
