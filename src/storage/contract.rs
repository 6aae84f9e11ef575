//! The suite that every [`TokenStorage`] has to pass, as an ordinary async function (feature
//! `storage-contract`).
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use tower_oauth_proxy::storage::{MemoryStorage, contract};
//!
//! # fn main() {
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! // Put your own store in place of this one. A real store sleeps (the suite takes ten seconds
//! // then); one whose clock can be set passes the time by hand.
//! let store = Arc::new(MemoryStorage::new());
//! contract::run(store, |time: Duration| tokio::time::sleep(time)).await;
//! # });
//! # }
//! ```
#![allow(
    clippy::panic,
    reason = "this is a test suite: a broken rule is a panic that names it"
)]

mod expiry;
mod list_races;
mod lists;
mod races;
#[cfg(test)]
mod tests;

use std::{fmt::Debug, sync::Arc, time::Duration};

use super::{ListPage, MAX_LIST_PAGE, MAX_VALUE_BYTES, StorageError, TokenStorage};
use crate::{oauth::printable, random};

/// Every store takes a value of this size.
const LARGE: usize = MAX_VALUE_BYTES - 256;
/// Long enough to outlive the suite.
const LONG: Duration = Duration::from_secs(600);

/// Runs the whole suite against `store`, which may hold other records: every key is fresh.
///
/// `pass` lets time pass for the store by the given duration, by sleeping or by setting its clock.
/// Run it on a multi-threaded tokio runtime, or nothing races. To prove a store that is shared
/// by processes or hosts, also run it with a `store` that spreads calls over several connections.
///
/// # Panics
///
/// With the rule that the store breaks.
pub async fn run<P>(store: Arc<dyn TokenStorage>, pass: P)
where
    P: AsyncFn(Duration),
{
    what_was_written_is_read(&*store).await;
    an_absent_record_is_no_error(&*store).await;
    insert_if_absent_writes_only_where_nothing_is(&*store).await;
    take_removes_what_it_returns(&*store).await;
    compare_and_swap_compares_whole_values(&*store).await;
    values_are_any_bytes(&*store).await;
    a_value_above_the_limit_is_refused_and_changes_nothing(&*store).await;
    keys_are_apart(&*store).await;
    expiry::run(&*store, &pass).await;
    races::run(&store).await;
    lists::run(&*store, &pass).await;
    list_races::run(&store).await;
}

async fn what_was_written_is_read(store: &dyn TokenStorage) {
    let key = fresh_key("read");
    ok(store.set(&key, b"one".to_vec(), LONG).await);
    same(
        "get returns what set wrote",
        read(store, &key).await,
        some(b"one"),
    );
    ok(store.set(&key, b"two".to_vec(), LONG).await);
    same("set replaces", read(store, &key).await, some(b"two"));
    same("get removes nothing", read(store, &key).await, some(b"two"));
    ok(store.remove(&key).await);
    same("remove removes", read(store, &key).await, None);
}

async fn an_absent_record_is_no_error(store: &dyn TokenStorage) {
    let key = fresh_key("absent");
    same(
        "get of an absent record is None",
        read(store, &key).await,
        None,
    );
    same(
        "take of an absent record is None",
        ok(store.take(&key).await),
        None,
    );
    ok(store.remove(&key).await);
    let swapped = ok(store
        .compare_and_swap(&key, b"", b"new".to_vec(), LONG)
        .await);
    same("an absent record is not an empty one", swapped, false);
    same(
        "a failed swap writes nothing",
        read(store, &key).await,
        None,
    );
}

async fn insert_if_absent_writes_only_where_nothing_is(store: &dyn TokenStorage) {
    let key = fresh_key("insert");
    let insert = async |value: &[u8]| ok(store.insert_if_absent(&key, value.to_vec(), LONG).await);
    same(
        "an insert where nothing is succeeds",
        insert(b"one").await,
        true,
    );
    same("a second insert fails", insert(b"two").await, false);
    same("so does one of the same value", insert(b"one").await, false);
    same(
        "a failed insert writes nothing",
        read(store, &key).await,
        some(b"one"),
    );
    ok(store.remove(&key).await);
    same(
        "after remove an insert succeeds",
        insert(b"three").await,
        true,
    );
    same(
        "take returns it",
        ok(store.take(&key).await),
        some(b"three"),
    );
    same("after take an insert succeeds", insert(b"four").await, true);
}

async fn take_removes_what_it_returns(store: &dyn TokenStorage) {
    let key = fresh_key("take");
    ok(store.set(&key, b"one".to_vec(), LONG).await);
    same(
        "take returns the value",
        ok(store.take(&key).await),
        some(b"one"),
    );
    same("a taken record is gone", read(store, &key).await, None);
    same("it cannot be taken twice", ok(store.take(&key).await), None);
}

async fn compare_and_swap_compares_whole_values(store: &dyn TokenStorage) {
    let key = fresh_key("swap");
    let swap = async |expected: &[u8], new: &[u8]| {
        ok(store
            .compare_and_swap(&key, expected, new.to_vec(), LONG)
            .await)
    };
    ok(store.set(&key, b"one".to_vec(), LONG).await);
    for other in [&b"two"[..], b"on", b"one ", b"ONE", b"one\0", b""] {
        same(
            "a swap that expects another value fails",
            swap(other, b"x").await,
            false,
        );
        same("and writes nothing", read(store, &key).await, some(b"one"));
    }
    same(
        "a swap that expects the value succeeds",
        swap(b"one", b"two").await,
        true,
    );
    same("and writes", read(store, &key).await, some(b"two"));
    same(
        "the old value is no longer expected",
        swap(b"one", b"x").await,
        false,
    );
    same(
        "a swap to the same value succeeds",
        swap(b"two", b"two").await,
        true,
    );
    same(
        "a swap to nothing writes an empty value",
        swap(b"two", b"").await,
        true,
    );
    same("which is there", read(store, &key).await, some(b""));
    same("and can be expected", swap(b"", b"three").await, true);
}

async fn values_are_any_bytes(store: &dyn TokenStorage) {
    let key = fresh_key("bytes");
    let every_byte: Vec<u8> = (0..=255).collect();
    let values = [
        Vec::new(),
        vec![0],
        vec![0; 300],
        every_byte,
        b"\xff\xfe not UTF-8 \xc3\x28".to_vec(),
        b"'; DROP TABLE records; -- \r\n".to_vec(),
        vec![0xa5; LARGE],
    ];
    let mut before: Option<Vec<u8>> = None;
    for value in values {
        match &before {
            None => ok(store.set(&key, value.clone(), LONG).await),
            Some(before) => {
                let swap = store.compare_and_swap(&key, before, value.clone(), LONG);
                same(
                    "any bytes can be expected and written",
                    ok(swap.await),
                    true,
                );
            }
        }
        same(
            "any bytes come back",
            read(store, &key).await,
            Some(value.clone()),
        );
        before = Some(value);
    }
    same("any bytes can be taken", ok(store.take(&key).await), before);
}

async fn a_value_above_the_limit_is_refused_and_changes_nothing(store: &dyn TokenStorage) {
    let key = fresh_key("large");
    let large = || vec![0; MAX_VALUE_BYTES + 1];
    let refused = |result: Result<(), StorageError>| {
        let refused = matches!(result, Err(StorageError::TooLarge { .. }));
        assert!(
            refused,
            "a value above MAX_VALUE_BYTES is TooLarge: {result:?}"
        );
    };
    refused(store.set(&key, large(), LONG).await);
    refused(store.insert_if_absent(&key, large(), LONG).await.map(drop));
    same(
        "a refused value is not written",
        read(store, &key).await,
        None,
    );
    ok(store.set(&key, b"one".to_vec(), LONG).await);
    refused(store.set(&key, large(), LONG).await);
    refused(
        store
            .compare_and_swap(&key, b"one", large(), LONG)
            .await
            .map(drop),
    );
    same(
        "a refused value replaces nothing",
        read(store, &key).await,
        some(b"one"),
    );
}

async fn keys_are_apart(store: &dyn TokenStorage) {
    let base = fresh_key("apart");
    // Case, prefixes, and what patterns and separators of query languages look like.
    let mut keys: Vec<String> = [
        "", "a", "A", "a:", "a:b", "*", "?", "%", "_", "[a]", "'", "\\", "{x}",
    ]
    .iter()
    .map(|suffix| format!("{base}{suffix}"))
    .collect();
    keys.push(format!("{base}{}", "k".repeat(200 - base.len())));
    for key in &keys {
        same("a new key is empty", read(store, key).await, None);
        ok(store.set(key, key.clone().into_bytes(), LONG).await);
    }
    for key in &keys {
        same(
            "each key has its own record",
            read(store, key).await,
            some(key.as_bytes()),
        );
    }
    for (n, key) in keys.iter().enumerate() {
        ok(store.remove(key).await);
        same(
            "remove removes its own record",
            read(store, key).await,
            None,
        );
        for other in keys.iter().skip(n + 1) {
            same(
                "and no other",
                read(store, other).await,
                some(other.as_bytes()),
            );
        }
    }
}

async fn read(store: &dyn TokenStorage, key: &str) -> Option<Vec<u8>> {
    ok(store.get(key).await)
}

fn ok<T>(result: Result<T, StorageError>) -> T {
    result.unwrap_or_else(|error| panic!("a healthy store answers every verb: {error:?}"))
}

fn same<T: PartialEq + Debug>(rule: &str, got: T, want: T) {
    if got != want {
        let [got, want] = [got, want].map(|value| printable(&format!("{value:?}"), 200));
        panic!("broken rule of TokenStorage: {rule}; got {got}, want {want}");
    }
}

fn some(value: &[u8]) -> Option<Vec<u8>> {
    Some(value.to_vec())
}

/// Keys as the proxy makes them: a kind, a colon, a random id.
fn fresh_key(kind: &str) -> String {
    format!("contract:{kind}:{}", random::token::<16>())
}
