//! The rules about callers who come at the same time.

use std::sync::Arc;

use tokio::sync::Barrier;

use super::{LONG, fresh_key, ok, read, same};
use crate::storage::TokenStorage;

/// How many callers race for one record.
const CALLERS: usize = 200;
/// How many of them count in [`no_swap_is_lost`]; each may need as many attempts as there are.
const COUNTING: usize = 20;
/// Each race is run this often: an interleaving that breaks a store need not come at once.
const ROUNDS: usize = 5;

pub(super) async fn run(store: &Arc<dyn TokenStorage>) {
    for _ in 0..ROUNDS {
        one_of_many_takes(store).await;
        one_of_many_inserts(store).await;
        one_of_many_swaps(store).await;
        no_swap_is_lost(store).await;
        a_taken_record_is_not_swapped_back(store).await;
    }
}

async fn one_of_many_takes(store: &Arc<dyn TokenStorage>) {
    let key = fresh_key("race-take");
    ok(store.set(&key, b"one".to_vec(), LONG).await);
    let taken = race(store, &key, |store, key, _| async move {
        ok(store.take(&key).await)
    })
    .await;
    let taken: Vec<_> = taken.into_iter().flatten().collect();
    same(
        "of many takers exactly one gets the record",
        taken,
        vec![b"one".to_vec()],
    );
}

async fn one_of_many_inserts(store: &Arc<dyn TokenStorage>) {
    let key = fresh_key("race-insert");
    let inserted = race(store, &key, |store, key, n| async move {
        ok(store.insert_if_absent(&key, number(n), LONG).await)
    })
    .await;
    let winner = only_winner("of many inserts exactly one succeeds", &inserted);
    same(
        "its value is the one that is there",
        read(&**store, &key).await,
        Some(number(winner)),
    );
}

async fn one_of_many_swaps(store: &Arc<dyn TokenStorage>) {
    let key = fresh_key("race-swap");
    ok(store.set(&key, b"old".to_vec(), LONG).await);
    let swapped = race(store, &key, |store, key, n| async move {
        ok(store.compare_and_swap(&key, b"old", number(n), LONG).await)
    })
    .await;
    let winner = only_winner(
        "of many swaps from one value exactly one succeeds",
        &swapped,
    );
    same(
        "its value is the one that is there",
        read(&**store, &key).await,
        Some(number(winner)),
    );
}

/// Some callers count up, each swapping until it succeeds once; the sum shows lost writes.
async fn no_swap_is_lost(store: &Arc<dyn TokenStorage>) {
    let key = fresh_key("race-count");
    ok(store.set(&key, number(0), LONG).await);
    race(store, &key, |store, key, n| async move {
        if n >= COUNTING {
            return;
        }
        loop {
            let Some(before) = ok(store.get(&key).await) else {
                panic!("broken rule of TokenStorage: a swapped record never goes missing");
            };
            let next = number(parse(&before) + 1);
            if ok(store.compare_and_swap(&key, &before, next, LONG).await) {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    let count = read(&**store, &key).await.as_deref().map(parse);
    same("no successful swap is lost", count, Some(COUNTING));
}

/// A record that was taken while others swap stays gone: a revoked grant does not come back.
async fn a_taken_record_is_not_swapped_back(store: &Arc<dyn TokenStorage>) {
    let key = fresh_key("race-revive");
    ok(store.set(&key, number(0), LONG).await);
    race(store, &key, |store, key, n| async move {
        if n % 2 == 0 {
            ok(store.take(&key).await);
        } else {
            for value in 0..4 {
                ok(store
                    .compare_and_swap(&key, &number(value), number(value + 1), LONG)
                    .await);
            }
        }
    })
    .await;
    same(
        "a taken record is not swapped back to life",
        read(&**store, &key).await,
        None,
    );
}

/// Lets [`CALLERS`] tasks start together on one key; what each returned, in the order of `n`.
pub(super) async fn race<T, F>(
    store: &Arc<dyn TokenStorage>,
    key: &str,
    call: impl Fn(Arc<dyn TokenStorage>, String, usize) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(CALLERS));
    let tasks: Vec<_> = (0..CALLERS)
        .map(|n| {
            let (start, call) = (
                Arc::clone(&start),
                call(Arc::clone(store), key.to_owned(), n),
            );
            tokio::spawn(async move {
                start.wait().await;
                call.await
            })
        })
        .collect();
    let mut results = Vec::with_capacity(CALLERS);
    for task in tasks {
        match task.await {
            Ok(result) => results.push(result),
            Err(error) => panic!("a caller in a race failed: {error}"),
        }
    }
    results
}

fn only_winner(rule: &str, won: &[bool]) -> usize {
    let winners: Vec<usize> = (0..)
        .zip(won)
        .filter(|(_, won)| **won)
        .map(|(n, _)| n)
        .collect();
    match winners[..] {
        [winner] => winner,
        _ => panic!("broken rule of TokenStorage: {rule}; {} did", winners.len()),
    }
}

fn number(n: usize) -> Vec<u8> {
    n.to_string().into_bytes()
}

fn parse(number: &[u8]) -> usize {
    let number = str::from_utf8(number).ok().and_then(|n| n.parse().ok());
    number.unwrap_or_else(|| panic!("broken rule of TokenStorage: values come back whole"))
}
