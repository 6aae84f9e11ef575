mod room;

use std::{collections::BTreeMap, ops::Range, time::SystemTime};

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::storage::{TokenStorage, by_hand::ByHand, contract};

const MINUTE: Duration = Duration::from_secs(60);

fn on_a_fake_clock() -> (Arc<MemoryStorage>, Arc<ByHand>) {
    let clock = ByHand::new();
    let store = MemoryStorage::new().with_clock(clock.clone());
    (Arc::new(store), clock)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_store_keeps_the_contract() {
    let (store, clock) = on_a_fake_clock();
    contract::run(store, async |time| clock.pass(time)).await;
}

#[tokio::test]
async fn a_record_is_gone_at_the_very_nanosecond() {
    let (store, clock) = on_a_fake_clock();
    store.set("k", vec![1], MINUTE).await.unwrap();
    clock.pass(MINUTE - Duration::from_nanos(1));
    assert!(store.get("k").await.unwrap().is_some());
    clock.pass(Duration::from_nanos(1));
    assert!(store.get("k").await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_over_by_a_clock_that_is_put_right_again_comes_back() {
    let (store, clock) = on_a_fake_clock();
    store.set("k", vec![1], MINUTE).await.unwrap();
    clock.pass(2 * MINUTE - Duration::from_secs(1));
    fill(&store, 0..1_000, 1).await;
    assert!(store.get("k").await.unwrap().is_none());
    clock.set_back(2 * MINUTE - Duration::from_secs(1));
    assert!(store.get("k").await.unwrap().is_some());
    clock.set_back(10 * MINUTE);
    assert_eq!(store.record_count(), 1_001);
    clock.pass(12 * MINUTE - Duration::from_secs(1));
    assert_eq!(store.record_count(), 1_000, "what is over does not count");
}

#[tokio::test]
async fn a_full_store_drops_what_was_not_used_for_long_and_never_refuses_the_new() {
    let store = MemoryStorage::with_max_bytes(0);
    let value = || vec![0; 8 * 1024];
    let set = async |key: &str| store.set(key, value(), MINUTE).await.unwrap();
    set("read all the time").await;
    set("never read").await;
    for n in 0..2_000 {
        let key = format!("new{n}");
        set(&key).await;
        assert!(
            store.get(&key).await.unwrap().is_some(),
            "{key} was refused"
        );
        let used = store.get("read all the time").await.unwrap();
        assert!(used.is_some(), "lost at {n}");
        assert!(store.bytes.get() <= MIN_MAX_BYTES);
    }
    assert!(store.get("never read").await.unwrap().is_none());
    assert!(store.get("new0").await.unwrap().is_none());
    let held = store.record_count();
    assert!((100..130).contains(&held), "{held}");
    check_sum(&store);
}

/// Of a large store the room is made by looking at a few records at a time: close to the oldest will do.
#[tokio::test]
async fn of_many_records_in_many_parts_those_that_are_used_stay() {
    let store = divided(8, 20_000 * 400);
    fill(&store, 0..20_000, 200).await;
    assert_eq!(store.record_count(), 20_000);
    let held = store.parts.iter().map(|part| part.lock().len());
    assert!(held.min().unwrap() > 2_000, "the keys fall anywhere");
    for n in (0..20_000).step_by(2) {
        store.get(&n.to_string()).await.unwrap();
    }
    fill(&store, 20_000..25_000, 200).await;
    assert_eq!(store.record_count(), 20_000);
    let mut left = [0; 3];
    for n in 0..25_000 {
        let kind = if n < 20_000 { n % 2 } else { 2 };
        left[kind] += usize::from(store.get(&n.to_string()).await.unwrap().is_some());
    }
    let [used, unused, new] = left;
    assert!(used > 9_900, "{left:?}");
    assert!(unused < 5_100, "{left:?}");
    assert!(new > 4_990, "{left:?}");
}

#[tokio::test]
async fn a_part_makes_its_own_room_and_only_what_it_cannot_comes_from_others() {
    let store = divided(4, MIN_MAX_BYTES);
    let of_part = |part| {
        let keys = (0..).map(|n: u32| n.to_string());
        keys.filter(move |key| Key::of(key).part(4) == part)
    };
    let set = async |key: String, size| store.set(&key, vec![0; size], MINUTE).await.unwrap();
    let held = || {
        let held = store.parts.iter().map(|part| part.lock().len());
        held.collect::<Vec<_>>()
    };
    for part in [0, 2, 3] {
        for key in of_part(part).take(1_500) {
            set(key, 40).await;
        }
    }
    let full = held();
    assert_eq!(full.iter().sum::<usize>(), 4_369, "records of 240 bytes");
    // One that its own part has no room for.
    set(of_part(1).next().unwrap(), MAX_VALUE_BYTES).await;
    assert!(store.bytes.get() <= MIN_MAX_BYTES);
    let after = held();
    assert_eq!((after[1], after[0], after[3]), (1, full[0], full[3]));
    assert!(after[2] < full[2], "the next part: {after:?}");
    for key in of_part(3).skip(1_500).take(500) {
        set(key, 40).await;
    }
    assert_eq!(held(), after);
    check_sum(&store);
}

#[tokio::test]
async fn what_is_over_makes_room_before_what_lives_and_is_no_loss() {
    let clock = ByHand::new();
    let store = MemoryStorage::with_max_bytes(0).with_clock(clock.clone());
    let set = async |name: &str, n, life| {
        let value = vec![0; 8 * 1024];
        store.set(&format!("{name}{n}"), value, life).await.unwrap();
    };
    for n in 0..60 {
        set("over", n, MINUTE).await;
        set("live", n, 10 * MINUTE).await;
    }
    // Not long enough over to be swept.
    clock.pass(MINUTE);
    for n in 0..30 {
        set("new", n, MINUTE).await;
    }
    for n in 0..60 {
        let key = format!("live{n}");
        assert!(store.get(&key).await.unwrap().is_some(), "{key}");
    }
    assert!(!store.losses.is_any());
    for n in 30..80 {
        set("new", n, MINUTE).await;
    }
    assert!(store.losses.is_any());
    check_sum(&store);
}

/// With two looks at each write some of those who are always there are pushed out.
#[tokio::test]
async fn people_who_come_and_go_push_nobody_out_while_there_is_room() {
    let clock = ByHand::new();
    let store = MemoryStorage::divided(4, 8 * 1024 * 1024, clock.clone());
    // 60 % of the room, never used again.
    fill_for(&store, 0..2_240, 2_000, 24 * 60 * MINUTE).await;
    // Another 10 % live at any time, and twice that has not been over for long enough.
    for second in 0..600 {
        let from = 10_000 + second * 6;
        fill_for(&store, from..from + 6, 2_000, MINUTE).await;
        clock.pass(Duration::from_secs(1));
    }
    let mut lost = 0;
    for n in 0..2_240 {
        lost += usize::from(store.get(&n.to_string()).await.unwrap().is_none());
    }
    assert_eq!(lost, 0);
    assert!(!store.losses.is_any());
}

#[tokio::test]
async fn what_is_over_goes_with_later_use_and_its_room_too() {
    let (store, clock) = on_a_fake_clock();
    fill(&store, 0..20_000, 100).await;
    clock.pass(2 * MINUTE);
    let held = || {
        let held = store.parts.iter().map(|part| part.lock().len());
        held.sum::<usize>()
    };
    assert_eq!(held(), 20_000);
    fill(&store, 20_000..24_000, 100).await;
    assert!(held() < 5_000, "{}", held());
    clock.pass(2 * MINUTE);
    for _ in 0..100 {
        for n in 0..100 {
            store.get(&format!("read{n}")).await.unwrap();
        }
    }
    assert!(held() < 500, "{}", held());
    for n in 20_000..24_000 {
        store.remove(&n.to_string()).await.unwrap();
    }
    assert_eq!((held(), store.bytes.get()), (0, 0));
    let room = store.parts.iter().map(|part| part.lock().capacity());
    assert!(room.sum::<usize>() < 64 * store.parts.len());
}

#[test]
fn the_sum_of_bytes_holds_under_many_threads() {
    let clock = ByHand::new();
    let store = MemoryStorage::divided(4, MIN_MAX_BYTES, clock.clone());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (store, clock) = (&store, &clock);
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap();
                runtime.block_on(hammer(store, clock, thread));
            });
        }
    });
    check_sum(&store);
    assert!(store.losses.is_any());
    // Of three hundred keys most were swept.
    let held = store.parts.iter().map(|part| part.lock().len());
    assert!(held.sum::<usize>() < 200);
}

/// The sum is of unsigned numbers: below zero would be enormous.
#[test]
fn the_sum_of_bytes_is_never_below_zero() {
    let store = divided(1, MIN_MAX_BYTES);
    let most = 4 * Record::new(vec![0; 100], Nanos::at(0)).weight();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    let put = store.change("k", |_| {
                        Change::Put(Record::new(vec![0; 100], Nanos::at(0)))
                    });
                    put.unwrap();
                    assert!(store.bytes.get() <= most);
                    store.change("k", |_| Change::Remove).unwrap();
                    assert!(store.bytes.get() <= most);
                }
            });
        }
    });
    assert_eq!(store.bytes.get(), 0);
}

/// All verbs, on keys that others use too, with more than there is room for.
async fn hammer(store: &MemoryStorage, clock: &ByHand, thread: usize) {
    for n in 0..4_000 {
        let key = format!("k{}", (n * 7 + thread * 13) % 300);
        let value = vec![0; 100 + n * 7 % 16_000];
        match n % 7 {
            0 | 1 => store.set(&key, value, MINUTE).await.unwrap(),
            2 => drop(store.insert_if_absent(&key, value, MINUTE).await.unwrap()),
            3 => drop(store.take(&key).await.unwrap()),
            4 => {
                let there = store.get(&key).await.unwrap().unwrap_or_default();
                let swap = store.compare_and_swap(&key, &there, value, Duration::ZERO);
                swap.await.unwrap();
            }
            5 => store.remove(&key).await.unwrap(),
            _ => clock.pass(Duration::from_millis(300)),
        }
        // Each thread may be about to make room for what it has just put.
        assert!(store.bytes.get() <= MIN_MAX_BYTES + 4 * MAX_VALUE_BYTES as u64);
    }
}

fn divided(parts: u64, max_bytes: u64) -> MemoryStorage {
    MemoryStorage::divided(parts, max_bytes, Arc::new(SystemClock))
}

async fn fill(store: &MemoryStorage, keys: Range<usize>, size: usize) {
    fill_for(store, keys, size, MINUTE).await;
}

async fn fill_for(store: &MemoryStorage, keys: Range<usize>, size: usize, life: Duration) {
    for n in keys {
        store
            .set(&n.to_string(), vec![0; size], life)
            .await
            .unwrap();
    }
}

/// The running sum is that of what is there.
fn check_sum(store: &MemoryStorage) {
    let parts = store.parts.iter().chain([&store.kept]);
    let records: u64 = parts.map(|part| part.lock().weight()).sum();
    let lists: u64 = store.lists.iter().map(|part| part.lock().weight()).sum();
    assert_eq!(lists, store.list_bytes.get(), "bytes of lists");
    assert_eq!(records + lists, store.bytes.get(), "bytes");
}

#[tokio::test]
async fn a_future_that_is_never_polled_does_nothing() {
    let (store, _clock) = on_a_fake_clock();
    drop(store.set("k", vec![1], MINUTE));
    assert!(store.get("k").await.unwrap().is_none());
}

proptest! {
    #[test]
    fn whatever_is_done_it_answers_as_a_plain_map_would(
        steps in vec((0..7_u8, 0..8_u8, 0..4_u8, 0..5_u64), 1..400),
    ) {
        let clock = ByHand::new();
        let store = MemoryStorage::divided(3, MIN_MAX_BYTES, clock.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(beside_a_plain_map(&store, &clock, steps));
        check_sum(&store);
    }
}

/// Each step: what to do, with which key, with which value, for how many half minutes.
async fn beside_a_plain_map(store: &MemoryStorage, clock: &ByHand, steps: Vec<(u8, u8, u8, u64)>) {
    let mut map: BTreeMap<u8, (Vec<u8>, SystemTime)> = BTreeMap::new();
    for (verb, key, value, halves) in steps {
        let ttl = MINUTE * u32::try_from(halves).unwrap() / 2;
        if verb == 0 {
            clock.pass(ttl / 2);
        }
        let (now, name) = (clock.now(), key.to_string());
        map.retain(|_, (_, until)| now < *until);
        let there = map.get(&key).map(|(value, _)| value.clone());
        let (plain, new) = (vec![value], (vec![value], now + ttl));
        match verb {
            1 => {
                store.set(&name, plain, ttl).await.unwrap();
                map.insert(key, new);
            }
            2 => {
                let inserted = store.insert_if_absent(&name, plain, ttl).await.unwrap();
                assert_eq!(inserted, there.is_none());
                map.entry(key).or_insert(new);
            }
            3 => {
                assert_eq!(store.take(&name).await.unwrap(), there);
                map.remove(&key);
            }
            4 => {
                let expected = [value / 2];
                let swap = store.compare_and_swap(&name, &expected, plain, ttl);
                let fits = there.is_some_and(|there| there == expected);
                assert_eq!(swap.await.unwrap(), fits);
                if fits {
                    map.insert(key, new);
                }
            }
            5 => {
                store.remove(&name).await.unwrap();
                map.remove(&key);
            }
            _ => assert_eq!(store.get(&name).await.unwrap(), there),
        }
    }
}
