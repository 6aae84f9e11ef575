//! The suite finds what it is for: each store here breaks one rule.

use super::*;
use crate::storage::{MemoryStorage, StorageFuture, by_hand::ByHand};

/// Which rule a store breaks.
#[derive(PartialEq)]
enum Fault {
    GetThenRemove,
    GetThenSet,
    LookThenInsert,
    SwapRevives,
    SwapKeepsItsLife,
    FoldsCase,
    TakesAnySize,
    LookThenAdd,
    AnEndMovesEarlier,
    EndedAreListed,
    TheNewestFirst,
    PagesByCount,
}

struct Faulty(MemoryStorage, Fault);

impl Faulty {
    fn key(&self, key: &str) -> String {
        match self.1 {
            Fault::FoldsCase => key.to_lowercase(),
            _ => key.to_owned(),
        }
    }
}

impl TokenStorage for Faulty {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move { self.0.get(&self.key(key)).await })
    }

    fn set<'a>(&'a self, key: &'a str, mut value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            if self.1 == Fault::TakesAnySize {
                value.truncate(MAX_VALUE_BYTES);
            }
            self.0.set(&self.key(key), value, ttl).await
        })
    }

    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        Box::pin(async move {
            let name = self.key(key);
            if self.1 != Fault::LookThenInsert {
                return self.0.insert_if_absent(&name, value, ttl).await;
            }
            if self.0.get(&name).await?.is_some() {
                return Ok(false);
            }
            between_steps().await;
            self.0.set(&name, value, ttl).await.map(|()| true)
        })
    }

    fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            if self.1 != Fault::GetThenRemove {
                return self.0.take(&self.key(key)).await;
            }
            let value = self.0.get(key).await?;
            between_steps().await;
            self.0.remove(key).await?;
            Ok(value)
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
            let (name, two_steps) = (self.key(key), self.1 == Fault::GetThenSet);
            let revives = self.1 == Fault::SwapRevives && key.contains("revive");
            if !two_steps && !revives {
                let kept = self.1 == Fault::SwapKeepsItsLife;
                let ttl = if kept { LONG } else { ttl };
                return self.0.compare_and_swap(&name, expected, new, ttl).await;
            }
            let there = self.0.get(&name).await?;
            if there.as_deref() != Some(expected) {
                return Ok(false);
            }
            between_steps().await;
            self.0.set(&name, new, ttl).await.map(|()| true)
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        Box::pin(async move { self.0.remove(&self.key(key)).await })
    }

    fn list_add<'a>(
        &'a self,
        list: &'a str,
        member: &'a str,
        ttl: Duration,
    ) -> StorageFuture<'a, ()> {
        Box::pin(async move {
            let ttl = match self.1 {
                Fault::EndedAreListed if !ttl.is_zero() => LONG.max(ttl),
                _ => ttl,
            };
            if self.1 == Fault::AnEndMovesEarlier {
                self.0.list_remove(list, member).await?;
            }
            if self.1 == Fault::LookThenAdd && list.contains("race") {
                // One record that holds the whole list.
                let mut all = self.0.get(list).await?.unwrap_or_default();
                between_steps().await;
                all.extend_from_slice(format!("{member} ").as_bytes());
                self.0.set(list, all, ttl).await?;
                return Ok(());
            }
            self.0.list_add(list, member, ttl).await
        })
    }

    fn list_remove<'a>(&'a self, list: &'a str, member: &'a str) -> StorageFuture<'a, ()> {
        self.0.list_remove(list, member)
    }

    fn list_page<'a>(
        &'a self,
        list: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> StorageFuture<'a, ListPage> {
        Box::pin(async move {
            if self.1 == Fault::LookThenAdd && list.contains("race") {
                let all = self.0.get(list).await?.unwrap_or_default();
                let all = String::from_utf8(all).unwrap();
                let members = all.split_whitespace().map(str::to_owned).collect();
                return Ok(ListPage {
                    members,
                    next: None,
                });
            }
            if self.1 != Fault::PagesByCount {
                let mut page = self.0.list_page(list, after, limit).await?;
                if self.1 == Fault::TheNewestFirst {
                    page.members.reverse();
                }
                return Ok(page);
            }
            let limit = limit.clamp(1, MAX_LIST_PAGE);
            let all = self.0.list_page(list, None, usize::MAX).await?.members;
            let from = after.map_or(0, |after| after.parse().unwrap());
            let next =
                (all.len() - from.min(all.len()) > limit).then(|| (from + limit).to_string());
            let members = all.into_iter().skip(from).take(limit).collect();
            Ok(ListPage { members, next })
        })
    }
}

/// Wide enough for the others to get in.
async fn between_steps() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

async fn run_with(fault: Fault) {
    let clock = ByHand::new();
    let store = MemoryStorage::new().with_clock(clock.clone());
    run(Arc::new(Faulty(store, fault)), async |time| {
        clock.pass(time);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[should_panic(expected = "of many takers exactly one gets the record")]
async fn a_take_in_two_steps_is_found() {
    run_with(Fault::GetThenRemove).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[should_panic(expected = "of many swaps from one value exactly one succeeds")]
async fn a_swap_in_two_steps_is_found() {
    run_with(Fault::GetThenSet).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[should_panic(expected = "of many inserts exactly one succeeds")]
async fn an_insert_in_two_steps_is_found() {
    run_with(Fault::LookThenInsert).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[should_panic(expected = "a taken record is not swapped back to life")]
async fn a_swap_that_revives_is_found() {
    run_with(Fault::SwapRevives).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[should_panic(expected = "a swap shortens the life")]
async fn a_swap_that_keeps_the_old_life_is_found() {
    run_with(Fault::SwapKeepsItsLife).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[should_panic(expected = "a new key is empty")]
async fn folding_case_is_found() {
    run_with(Fault::FoldsCase).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[should_panic(expected = "a value above MAX_VALUE_BYTES is TooLarge")]
async fn taking_any_size_is_found() {
    run_with(Fault::TakesAnySize).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[should_panic(expected = "of many adds at once none is lost")]
async fn a_list_in_one_record_is_found() {
    run_with(Fault::LookThenAdd).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[should_panic(expected = "an end moves later and never earlier")]
async fn an_end_that_moves_earlier_is_found() {
    run_with(Fault::AnEndMovesEarlier).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[should_panic(expected = "after its end a member is not listed")]
async fn a_member_that_is_listed_after_its_end_is_found() {
    run_with(Fault::EndedAreListed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[should_panic(expected = "members come in the order of their ends")]
async fn another_order_is_found() {
    run_with(Fault::TheNewestFirst).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[should_panic(expected = "removed or prolonged while it is paged, a list has no gap")]
async fn pages_by_count_are_found() {
    run_with(Fault::PagesByCount).await;
}
