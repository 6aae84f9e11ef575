//! The rules about time.

use std::time::Duration;

use super::{LONG, fresh_key, ok, read, same, some};
use crate::storage::TokenStorage;

/// The unit of the tests about expiry. What should be there is looked at a whole unit before it
/// expires, so that a slow machine is not a broken rule.
pub(super) const TICK: Duration = Duration::from_secs(1);

pub(super) async fn run<P: AsyncFn(Duration)>(store: &dyn TokenStorage, pass: &P) {
    expired_is_absent_for_every_verb(store, pass).await;
    every_write_starts_a_new_time_to_live(store, pass).await;
    odd_times_to_live_are_taken(store).await;
}

async fn expired_is_absent_for_every_verb<P: AsyncFn(Duration)>(
    store: &dyn TokenStorage,
    pass: &P,
) {
    let verbs = ["get", "take", "insert", "swap", "remove"].map(fresh_key);
    let [get, take, insert, swap, remove] = &verbs;
    for key in &verbs {
        ok(store.set(key, b"old".to_vec(), TICK * 3).await);
    }
    pass(TICK).await;
    for key in &verbs {
        same(
            "a record is there before its end",
            read(store, key).await,
            some(b"old"),
        );
    }
    let inserted = ok(store.insert_if_absent(insert, b"new".to_vec(), LONG).await);
    same("a live record is not inserted over", inserted, false);
    pass(TICK * 2).await;
    same(
        "an expired record is not read",
        read(store, get).await,
        None,
    );
    same(
        "an expired record is not taken",
        ok(store.take(take).await),
        None,
    );
    let swapped = ok(store
        .compare_and_swap(swap, b"old", b"new".to_vec(), LONG)
        .await);
    same("an expired record is not swapped", swapped, false);
    same("and not revived by it", read(store, swap).await, None);
    let inserted = ok(store.insert_if_absent(insert, b"new".to_vec(), LONG).await);
    same("an expired record is inserted over", inserted, true);
    same(
        "with the new value",
        read(store, insert).await,
        some(b"new"),
    );
    ok(store.remove(remove).await);
}

async fn every_write_starts_a_new_time_to_live<P: AsyncFn(Duration)>(
    store: &dyn TokenStorage,
    pass: &P,
) {
    let [set, swapped, shortened, swapped_short, inserted] =
        ["set", "swap", "short", "swap-short", "insert"].map(fresh_key);
    for key in [&set, &swapped] {
        ok(store.set(key, b"one".to_vec(), TICK * 2).await);
    }
    for key in [&shortened, &swapped_short] {
        ok(store.set(key, b"one".to_vec(), LONG).await);
    }
    ok(store
        .insert_if_absent(&inserted, b"one".to_vec(), TICK * 2)
        .await);
    ok(store.set(&set, b"two".to_vec(), LONG).await);
    let swap = async |key: &str, ttl| {
        let swap = store.compare_and_swap(key, b"one", b"two".to_vec(), ttl);
        same("the swap succeeds", ok(swap.await), true);
    };
    swap(&swapped, LONG).await;
    swap(&swapped_short, TICK * 2).await;
    ok(store.set(&shortened, b"two".to_vec(), TICK * 2).await);
    pass(TICK * 2).await;
    same(
        "set lengthens the life",
        read(store, &set).await,
        some(b"two"),
    );
    same(
        "a swap lengthens the life",
        read(store, &swapped).await,
        some(b"two"),
    );
    same("set shortens the life", read(store, &shortened).await, None);
    same(
        "a swap shortens the life",
        read(store, &swapped_short).await,
        None,
    );
    same(
        "an inserted record expires",
        read(store, &inserted).await,
        None,
    );
}

async fn odd_times_to_live_are_taken(store: &dyn TokenStorage) {
    let [zero, over, endless] = ["zero", "over", "endless"].map(fresh_key);
    ok(store.set(&zero, b"one".to_vec(), Duration::ZERO).await);
    same(
        "a life of zero ends at once",
        read(store, &zero).await,
        None,
    );
    ok(store.set(&over, b"one".to_vec(), LONG).await);
    ok(store.set(&over, b"two".to_vec(), Duration::ZERO).await);
    same(
        "what it replaced is gone too",
        read(store, &over).await,
        None,
    );
    ok(store.set(&endless, b"one".to_vec(), Duration::MAX).await);
    same(
        "the longest life is taken",
        read(store, &endless).await,
        some(b"one"),
    );
    ok(store.remove(&endless).await);
}
