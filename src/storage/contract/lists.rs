//! The rules about lists: members with an end of their own, in pages.

use std::{collections::HashSet, time::Duration};

use super::{LONG, ListPage, MAX_LIST_PAGE, expiry::TICK, fresh_key, ok, same};
use crate::storage::{StorageError, TokenStorage};

/// Members of a list of several pages.
pub(super) const MANY: usize = 60;

pub(super) async fn run<P: AsyncFn(Duration)>(store: &dyn TokenStorage, pass: &P) {
    a_list_has_what_was_added_and_not_removed(store).await;
    lists_are_apart_from_each_other_and_from_records(store).await;
    the_one_with_the_earliest_end_comes_first(store).await;
    pages_have_no_gap_and_no_more_than_was_asked_for(store).await;
    a_page_whose_last_member_has_gone_is_followed_all_the_same(store).await;
    a_place_that_is_none_is_an_error(store).await;
    each_member_has_an_end_of_its_own(store, pass).await;
    an_end_only_moves_later(store, pass).await;
}

async fn a_list_has_what_was_added_and_not_removed(store: &dyn TokenStorage) {
    let list = fresh_key("list");
    same(
        "a list that is not there is empty",
        all(store, &list).await,
        names(&[]),
    );
    ok(store.list_remove(&list, "a").await);
    ok(store.list_add(&list, "a", LONG).await);
    ok(store.list_add(&list, "B", LONG).await);
    ok(store.list_add(&list, "a", LONG).await);
    same(
        "a member stands in a list once",
        sorted(store, &list).await,
        names(&["B", "a"]),
    );
    ok(store.list_remove(&list, "b").await);
    ok(store.list_remove(&list, "a").await);
    same(
        "a removed member is not listed, another is",
        all(store, &list).await,
        names(&["B"]),
    );
    ok(store.list_add(&list, "a", LONG).await);
    same(
        "a member can be added again",
        sorted(store, &list).await,
        names(&["B", "a"]),
    );
    ok(store.list_remove(&list, "a").await);
    ok(store.list_remove(&list, "B").await);
    same(
        "after the last one is removed a list is empty",
        all(store, &list).await,
        names(&[]),
    );
    ok(store.list_add(&list, "c", Duration::ZERO).await);
    same(
        "a stay of zero ends at once",
        all(store, &list).await,
        names(&[]),
    );
    let long = ["x".repeat(100), "~!@#$%^&*()_+{}|:<>?'\"\\".to_owned()];
    for member in &long {
        ok(store.list_add(&list, member, Duration::MAX).await);
    }
    let mut long = long.to_vec();
    long.sort();
    same(
        "members are any printable ASCII, 100 bytes too",
        sorted(store, &list).await,
        long,
    );
}

async fn lists_are_apart_from_each_other_and_from_records(store: &dyn TokenStorage) {
    let lists = ["list-a", "list-A"].map(fresh_key);
    let [one, other] = &lists;
    ok(store.list_add(one, "a", LONG).await);
    same(
        "another list has its own members",
        all(store, other).await,
        names(&[]),
    );
    ok(store.list_remove(other, "a").await);
    ok(store.remove(other).await);
    same(
        "and removing there removes nothing here",
        all(store, one).await,
        names(&["a"]),
    );
    same("a list is no record", ok(store.get(other).await), None);
}

async fn the_one_with_the_earliest_end_comes_first(store: &dyn TokenStorage) {
    let list = fresh_key("list-order");
    for (member, ends) in [("a", 5), ("b", 3), ("c", 4), ("d", 2)] {
        ok(store.list_add(&list, member, LONG * ends).await);
    }
    ok(store.list_add(&list, "d", LONG * 6).await);
    same(
        "members come in the order of their ends",
        all(store, &list).await,
        names(&["b", "c", "a", "d"]),
    );
}

async fn pages_have_no_gap_and_no_more_than_was_asked_for(store: &dyn TokenStorage) {
    let list = fresh_key("list-pages");
    let members: Vec<String> = (0..MANY).map(|n| format!("{n:02}")).collect();
    for member in &members {
        ok(store.list_add(&list, member, LONG).await);
    }
    for limit in [1, 7, MANY - 1, MANY, usize::MAX] {
        let mut found = Vec::new();
        for page in pages(store, &list, limit).await {
            let most = limit.min(MAX_LIST_PAGE);
            assert!(
                page.members.len() <= most,
                "a page has at most as many as were asked for"
            );
            found.extend(page.members);
        }
        found.sort();
        same(
            "the pages together have every member once",
            found,
            members.clone(),
        );
    }
    let page = ok(store.list_page(&list, None, MANY).await);
    same("a page that has all is the last", page.next, None);
    let page = ok(store.list_page(&list, None, 0).await);
    assert!(page.members.len() <= 1, "a page of none has one at most");
}

/// To end the grants of a list is to remove the very members that a page has named.
async fn a_page_whose_last_member_has_gone_is_followed_all_the_same(store: &dyn TokenStorage) {
    for prolonged in [false, true] {
        let list = fresh_key("list-gone");
        for n in 0..MANY {
            ok(store.list_add(&list, &n.to_string(), LONG).await);
        }
        let (mut found, mut after) = (HashSet::new(), None);
        loop {
            let page = ok(store.list_page(&list, after.as_deref(), 7).await);
            for member in &page.members {
                if !prolonged {
                    ok(store.list_remove(&list, member).await);
                } else if found.len() < 7 {
                    ok(store.list_add(&list, member, LONG * 2).await);
                }
            }
            found.extend(page.members);
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        same(
            "removed or prolonged while it is paged, a list has no gap",
            found.len(),
            MANY,
        );
    }
}

async fn a_place_that_is_none_is_an_error(store: &dyn TokenStorage) {
    let list = fresh_key("list-place");
    let page = store.list_page(&list, Some("no such place"), 7).await;
    let is_refused = matches!(page, Err(StorageError::Corrupt(_)));
    assert!(
        is_refused,
        "a place that no page named is Corrupt: {page:?}"
    );
}

async fn each_member_has_an_end_of_its_own<P: AsyncFn(Duration)>(
    store: &dyn TokenStorage,
    pass: &P,
) {
    let (list, short) = (fresh_key("list-ends"), fresh_key("list-short"));
    ok(store.list_add(&short, "a", TICK * 2).await);
    for (member, ticks) in [("a", 2), ("b", 2), ("c", 1_000)] {
        ok(store.list_add(&list, member, TICK * ticks).await);
    }
    same(
        "before their ends all are there",
        sorted(store, &list).await,
        names(&["a", "b", "c"]),
    );
    let first = ok(store.list_page(&list, None, 1).await);
    pass(TICK * 2).await;
    same(
        "after its end a member is not listed",
        all(store, &list).await,
        names(&["c"]),
    );
    same(
        "nor is the list of such",
        all(store, &short).await,
        names(&[]),
    );
    let rest = ok(store.list_page(&list, first.next.as_deref(), 7).await);
    same("nor in a later page", rest.members, names(&["c"]));
    ok(store.list_add(&list, "a", LONG).await);
    same(
        "after its end it can be added again",
        sorted(store, &list).await,
        names(&["a", "c"]),
    );
}

async fn an_end_only_moves_later<P: AsyncFn(Duration)>(store: &dyn TokenStorage, pass: &P) {
    let list = fresh_key("list-prolong");
    for member in ["prolonged", "kept", "gone"] {
        ok(store.list_add(&list, member, TICK * 2).await);
    }
    ok(store.list_add(&list, "prolonged", LONG).await);
    ok(store.list_add(&list, "kept", LONG).await);
    ok(store.list_add(&list, "kept", TICK).await);
    ok(store.list_add(&list, "kept", Duration::ZERO).await);
    pass(TICK * 2).await;
    same(
        "an end moves later and never earlier",
        sorted(store, &list).await,
        names(&["kept", "prolonged"]),
    );
}

/// Every member, in the order of the pages.
pub(super) async fn all(store: &dyn TokenStorage, list: &str) -> Vec<String> {
    let pages = pages(store, list, 7).await;
    pages.into_iter().flat_map(|page| page.members).collect()
}

async fn sorted(store: &dyn TokenStorage, list: &str) -> Vec<String> {
    let mut members = all(store, list).await;
    members.sort();
    members
}

async fn pages(store: &dyn TokenStorage, list: &str, limit: usize) -> Vec<ListPage> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = ok(store.list_page(list, after.as_deref(), limit).await);
        after = page.next.clone();
        pages.push(page);
        if after.is_none() {
            return pages;
        }
        assert!(pages.len() < 10_000, "the pages of a list come to an end");
    }
}

pub(super) fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
