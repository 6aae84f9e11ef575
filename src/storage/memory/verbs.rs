//! The verbs of the trait: each is one look or change under one lock, and waits for nothing.

use std::time::Duration;

use super::{Change, MemoryStorage};
use crate::storage::{ListPage, StorageFuture, TokenStorage};

impl TokenStorage for MemoryStorage {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move { self.read(key) })
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            let record = self.record(value, ttl)?;
            self.change(key, |_| Change::Put(record))?;
            Ok(())
        })
    }

    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        Box::pin(async move {
            let record = self.record(value, ttl)?;
            let (_, is_put) = self.change(key, |current| match current {
                None => Change::Put(record),
                Some(_) => Change::Nothing,
            })?;
            Ok(is_put)
        })
    }

    fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let (taken, _) = self.change(key, |_| Change::Remove)?;
            Ok(taken.map(|record| record.value.into_vec()))
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        expected: &'a [u8],
        new: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        Box::pin(async move {
            let record = self.record(new, ttl)?;
            let (_, is_put) = self.change(key, |current| match current {
                Some(current) if current == expected => Change::Put(record),
                _ => Change::Nothing,
            })?;
            Ok(is_put)
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            self.change(key, |_| Change::Remove)?;
            Ok(())
        })
    }

    fn list_add<'a>(
        &'a self,
        list: &'a str,
        member: &'a str,
        ttl: Duration,
    ) -> StorageFuture<'a, ()> {
        Box::pin(async move { self.add_to_list(list, member, ttl) })
    }

    fn list_remove<'a>(&'a self, list: &'a str, member: &'a str) -> StorageFuture<'a, ()> {
        Box::pin(async move { self.remove_from_list(list, member) })
    }

    fn list_page<'a>(
        &'a self,
        list: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> StorageFuture<'a, ListPage> {
        Box::pin(async move { self.page_of_list(list, after, limit) })
    }
}
