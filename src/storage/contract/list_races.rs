//! The rules about lists that many callers change at once.

use std::{collections::HashSet, sync::Arc, time::Duration};

use super::{
    LONG, fresh_key,
    lists::{MANY, all, names},
    ok,
    races::race,
    same,
};
use crate::storage::TokenStorage;

/// Races are run this often: an interleaving that breaks a store need not come at once.
const ROUNDS: usize = 3;

pub(super) async fn run(store: &Arc<dyn TokenStorage>) {
    for _ in 0..ROUNDS {
        no_add_is_lost(store).await;
        adding_one_member_at_once_adds_it_once(store).await;
        removals_and_adds_of_others_do_not_meet(store).await;
        who_stays_is_found_while_others_come_and_go(store).await;
    }
}

async fn no_add_is_lost(store: &Arc<dyn TokenStorage>) {
    let list = fresh_key("list-race");
    let added = race(store, &list, |store, list, n| async move {
        let member = n.to_string();
        ok(store.list_add(&list, &member, LONG).await);
        member
    })
    .await;
    let found: HashSet<_> = all(&**store, &list).await.into_iter().collect();
    same(
        "of many adds at once none is lost",
        found,
        added.into_iter().collect(),
    );
}

async fn adding_one_member_at_once_adds_it_once(store: &Arc<dyn TokenStorage>) {
    let list = fresh_key("list-same");
    race(store, &list, |store, list, n| async move {
        let ttl = LONG + Duration::from_millis(n as u64);
        ok(store.list_add(&list, "one", ttl).await);
    })
    .await;
    same(
        "a member that many add stands there once",
        all(&**store, &list).await,
        names(&["one"]),
    );
    ok(store.list_remove(&list, "one").await);
    same(
        "and one removal takes it out",
        all(&**store, &list).await,
        names(&[]),
    );
}

async fn removals_and_adds_of_others_do_not_meet(store: &Arc<dyn TokenStorage>) {
    let list = fresh_key("list-mixed");
    let stays = race(store, &list, |store, list, n| async move {
        let member = n.to_string();
        ok(store.list_add(&list, &member, LONG).await);
        if n % 2 == 0 {
            ok(store.list_remove(&list, &member).await);
            return None;
        }
        Some(member)
    })
    .await;
    let found: HashSet<_> = all(&**store, &list).await.into_iter().collect();
    let stays: HashSet<_> = stays.into_iter().flatten().collect();
    same(
        "a removal takes out its own member and no other",
        found,
        stays,
    );
}

async fn who_stays_is_found_while_others_come_and_go(store: &Arc<dyn TokenStorage>) {
    let list = fresh_key("list-churn");
    for n in 0..MANY {
        ok(store.list_add(&list, &format!("stays-{n}"), LONG).await);
    }
    let found = race(store, &list, |store, list, n| async move {
        if n % 20 == 0 {
            return Some(all(&*store, &list).await);
        }
        let member = format!("comes-{n}");
        ok(store.list_add(&list, &member, LONG).await);
        if n % 3 == 0 {
            ok(store.list_remove(&list, &member).await);
        }
        if n < MANY {
            ok(store.list_add(&list, &format!("stays-{n}"), LONG * 2).await);
        }
        None
    })
    .await;
    for found in found.into_iter().flatten() {
        let found: HashSet<_> = found
            .into_iter()
            .filter(|name| name.starts_with("stays"))
            .collect();
        same(
            "a page misses no member that was there all the time",
            found.len(),
            MANY,
        );
    }
}
