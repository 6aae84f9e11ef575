//! Who gives way to whom: grants before denied clients, members of lists among themselves.

use super::*;
use crate::storage::MAX_LIST_PAGE;

#[tokio::test]
async fn of_a_full_store_denied_clients_go_last() {
    for parts in [1, 8] {
        let store = divided(parts, MIN_MAX_BYTES);
        for n in 0..100 {
            let key = format!("denied:{n}");
            store.set(&key, vec![1], MINUTE).await.unwrap();
        }
        for n in 0..5_000 {
            let key = format!("grant:{n}");
            store.set(&key, vec![0; 2_000], MINUTE).await.unwrap();
        }
        let kept = async || {
            let mut kept = 0;
            for n in 0..100 {
                let denied = store.get(&format!("denied:{n}")).await.unwrap();
                kept += usize::from(denied.is_some());
            }
            kept
        };
        assert_eq!(kept().await, 100);
        assert!(store.bytes.get() <= MIN_MAX_BYTES);
        // Among themselves the bound holds all the same.
        for n in 100..6_000 {
            let key = format!("denied:{n}");
            store.set(&key, vec![0; 200], MINUTE).await.unwrap();
        }
        assert!(kept().await < 100);
        assert!(store.bytes.get() <= MIN_MAX_BYTES);
        check_sum(&store);
    }
}

#[tokio::test]
async fn lists_take_a_quarter_at_most_and_what_ends_first_goes() {
    let store = divided(4, MIN_MAX_BYTES);
    for n in 0..3_000_u32 {
        let (list, member) = (format!("list:{}", n % 7), n.to_string());
        let ttl = MINUTE + Duration::from_millis(n.into());
        store.list_add(&list, &member, ttl).await.unwrap();
        assert!(store.list_bytes.get() <= MIN_MAX_BYTES / LIST_SHARE);
        let page = store.list_page(&list, None, MAX_LIST_PAGE).await.unwrap();
        assert!(page.members.contains(&member), "{n} was refused");
    }
    check_sum(&store);
    // The rest is for records.
    fill(&store, 0..3_000, 200).await;
    assert!(store.record_count() > 1_900);
    let page = store.list_page("list:1", None, 10).await.unwrap();
    assert_eq!(page.members.len(), 10);
}

/// The lists of a full store once took their room from the first part alone.
#[tokio::test]
async fn lists_take_their_room_from_all_parts_alike() {
    let store = divided(4, MIN_MAX_BYTES);
    fill(&store, 0..3_000, 200).await;
    let full = store.record_count();
    for n in 0..1_000_u32 {
        let member = n.to_string();
        store.list_add("one", &member, MINUTE).await.unwrap();
    }
    assert!(store.record_count() < full - 400);
    let held = store.parts.iter().map(|part| part.lock().len());
    let held: Vec<_> = held.collect();
    let (least, most) = (held.iter().min(), held.iter().max());
    assert!(least.unwrap() * 2 > *most.unwrap(), "{held:?}");
    check_sum(&store);
}

#[tokio::test]
async fn members_that_are_over_go_with_later_use_and_their_room_too() {
    let (store, clock) = on_a_fake_clock();
    for n in 0..1_000 {
        let member = n.to_string();
        store.list_add("list", &member, MINUTE).await.unwrap();
    }
    clock.pass(3 * MINUTE);
    // A part looks at eight with each of its own writes.
    for n in 0..8_000 {
        let list = format!("another:{n}");
        store.list_add(&list, "a", MINUTE).await.unwrap();
    }
    check_sum(&store);
    let each = 201;
    assert_eq!(store.list_bytes.get(), 8_000 * each);
}
