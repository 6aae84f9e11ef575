use super::*;
use crate::storage::{by_hand::ByHand, contract};

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
async fn a_clock_that_is_set_back_loses_no_record_to_the_sweep() {
    let (store, clock) = on_a_fake_clock();
    store.set("k", vec![1], MINUTE).await.unwrap();
    clock.set_back(10 * MINUTE);
    for n in 0..1_000 {
        store.set(&format!("k{n}"), vec![1], MINUTE).await.unwrap();
    }
    assert!(store.get("k").await.unwrap().is_some());
    assert_eq!(store.record_count(), 1_001);
}

#[tokio::test]
async fn a_full_store_drops_what_was_not_used_for_long_and_never_refuses_the_new() {
    let store = MemoryStorage::with_max_bytes(0);
    let value = || vec![0; 8 * 1024];
    store
        .set("read all the time", value(), MINUTE)
        .await
        .unwrap();
    store.set("never read", value(), MINUTE).await.unwrap();
    for n in 0..2_000 {
        let key = format!("new{n}");
        store.set(&key, value(), MINUTE).await.unwrap();
        assert!(
            store.get(&key).await.unwrap().is_some(),
            "{key} was refused"
        );
        let used = store.get("read all the time").await.unwrap();
        assert!(used.is_some(), "lost at {n}");
        assert!(store.bytes.load(Ordering::Relaxed) <= MIN_MAX_BYTES);
    }
    assert!(store.get("never read").await.unwrap().is_none());
    assert!(store.get("new0").await.unwrap().is_none());
    let held = store.record_count();
    assert!((100..130).contains(&held), "{held}");
    check_sum(&store);
}

/// Of a large store the room is made by looking at a few records at a time: close to the oldest will do.
#[tokio::test]
async fn of_many_records_those_that_are_used_stay() {
    let store = MemoryStorage::with_max_bytes(20_000 * 400);
    for n in 0..20_000 {
        store
            .set(&format!("old{n}"), vec![0; 200], MINUTE)
            .await
            .unwrap();
    }
    assert_eq!(store.record_count(), 20_000);
    for n in (0..20_000).step_by(2) {
        store.get(&format!("old{n}")).await.unwrap();
    }
    for n in 0..5_000 {
        store
            .set(&format!("new{n}"), vec![0; 200], MINUTE)
            .await
            .unwrap();
    }
    assert_eq!(store.record_count(), 20_000);
    let mut left = [0; 3];
    for n in 0..20_000 {
        left[n % 2] += usize::from(store.get(&format!("old{n}")).await.unwrap().is_some());
    }
    for n in 0..5_000 {
        left[2] += usize::from(store.get(&format!("new{n}")).await.unwrap().is_some());
    }
    let [used, unused, new] = left;
    assert!(used > 9_800, "{left:?}");
    assert!(unused < 5_200, "{left:?}");
    assert!(new > 4_900, "{left:?}");
}

#[tokio::test]
async fn what_is_over_makes_room_before_what_lives() {
    let clock = ByHand::new();
    let store = MemoryStorage::with_max_bytes(0).with_clock(clock.clone());
    let value = || vec![0; 8 * 1024];
    for n in 0..60 {
        store
            .set(&format!("live{n}"), value(), 10 * MINUTE)
            .await
            .unwrap();
        store
            .set(&format!("over{n}"), value(), MINUTE)
            .await
            .unwrap();
    }
    clock.pass(MINUTE);
    // Few more than fit, if nothing went.
    for n in 0..30 {
        store
            .set(&format!("new{n}"), value(), MINUTE)
            .await
            .unwrap();
    }
    for n in 0..60 {
        let key = format!("live{n}");
        assert!(store.get(&key).await.unwrap().is_some(), "{key}");
    }
    check_sum(&store);
}

#[tokio::test]
async fn what_is_over_goes_with_later_writes_and_its_room_too() {
    let (store, clock) = on_a_fake_clock();
    for n in 0..20_000 {
        store
            .set(&format!("old{n}"), vec![0; 100], MINUTE)
            .await
            .unwrap();
    }
    assert_eq!(store.record_count(), 20_000);
    clock.pass(MINUTE);
    let mut most = 0;
    for n in 0..25_000 {
        store
            .set(&format!("new{n}"), vec![0; 100], MINUTE)
            .await
            .unwrap();
        most = most.max(store.record_count());
        clock.pass(Duration::from_millis(10));
    }
    assert!(most <= 20_200, "{most}");
    // A minute has 6000 writes: as many are live, and as many again have not been looked at yet.
    let held = store.record_count();
    assert!(held < 13_000, "{held}");
    check_sum(&store);
    for n in 0..25_000 {
        store.remove(&format!("new{n}")).await.unwrap();
    }
    assert_eq!(store.record_count(), 0);
    assert_eq!(store.bytes.load(Ordering::Relaxed), 0);
    let room = store.parts.iter().map(|part| part.lock().capacity());
    assert!(room.sum::<usize>() < 64 * store.parts.len());
}

#[test]
fn the_sum_of_bytes_holds_under_many_threads() {
    let clock = ByHand::new();
    let store = MemoryStorage::with_max_bytes(0).with_clock(clock.clone());
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
    assert!(store.record_count() > 0);
    assert!(store.bytes.load(Ordering::Relaxed) <= MIN_MAX_BYTES);
}

/// All verbs, on keys that others use too.
async fn hammer(store: &MemoryStorage, clock: &ByHand, thread: usize) {
    for n in 0..4_000 {
        let key = format!("k{}", (n * 7 + thread * 13) % 300);
        let value = vec![0; 100 + n % 9_000];
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
            _ => clock.pass(Duration::from_millis(50)),
        }
    }
}

/// The running sum is that of what is there.
fn check_sum(store: &MemoryStorage) {
    let weights = store.parts.iter().map(|part| part.lock().weight());
    assert_eq!(
        weights.sum::<u64>(),
        store.bytes.load(Ordering::Relaxed),
        "bytes"
    );
}

#[tokio::test]
async fn only_what_still_lived_is_a_loss() {
    let clock = ByHand::new();
    let store = MemoryStorage::with_max_bytes(0).with_clock(clock.clone());
    let losses_after = async |name: &str, many: usize| {
        for n in 0..many {
            let value = vec![0; 60 * 1024];
            store
                .set(&format!("{name}{n}"), value, MINUTE)
                .await
                .unwrap();
        }
        store.losses.is_any()
    };
    assert!(!losses_after("first", 10).await);
    clock.pass(MINUTE);
    assert!(!losses_after("over makes room for", 17).await);
    assert!(losses_after("live makes room for", 10).await);
}

#[tokio::test]
async fn a_future_that_is_never_polled_does_nothing() {
    let (store, _clock) = on_a_fake_clock();
    drop(store.set("k", vec![1], MINUTE));
    assert!(store.get("k").await.unwrap().is_none());
}
