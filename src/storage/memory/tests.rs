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
async fn a_clock_that_stands_still_loses_no_record_to_the_sweep() {
    let (store, _clock) = on_a_fake_clock();
    store
        .set("k", vec![1], Duration::from_millis(1))
        .await
        .unwrap();
    std::thread::sleep(Duration::from_millis(1_200));
    store.records.run_pending_tasks();
    assert!(store.get("k").await.unwrap().is_some());
}

#[tokio::test]
async fn a_full_store_drops_the_least_recently_used_and_never_refuses_the_new() {
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
        store.records.run_pending_tasks();
        assert!(store.get(&key).await.unwrap().is_some(), "{key} was swept");
        let used = store.get("read all the time").await.unwrap();
        assert!(used.is_some(), "lost at {n}");
    }
    assert!(store.get("never read").await.unwrap().is_none());
    assert!(store.get("new0").await.unwrap().is_none());
    assert!(store.record_count() < 130, "{}", store.record_count());
    assert!(store.records.weighted_size() <= MIN_MAX_BYTES);
}

#[tokio::test]
async fn the_bound_holds_without_anybody_sweeping() {
    let store = MemoryStorage::with_max_bytes(0);
    for n in 0..5_000 {
        let value = vec![0; 4 * 1024];
        store.set(&format!("k{n}"), value, MINUTE).await.unwrap();
    }
    let held = store.records.iter().count();
    // 1 MiB holds 230 of these; the sweep may lag by the 384 writes of moka's log.
    assert!(held < 230 + 384, "{held}");
}

#[test]
fn the_loss_of_live_records_is_told_once_a_minute() {
    let clock = ByHand::new();
    let losses = Losses::new(clock.clone());
    let record = |life| Record::new(&[], clock.now(), life);
    assert!(
        !losses.count(&record(Duration::ZERO)),
        "an expired record is no loss"
    );
    assert!(losses.count(&record(MINUTE)));
    assert!(!losses.count(&record(MINUTE)));
    clock.pass(MINUTE);
    assert!(losses.count(&record(MINUTE)));
}

#[test]
fn a_record_gives_back_its_value_and_its_times() {
    let now = std::time::UNIX_EPOCH + Duration::from_millis(1_800_000_000_123);
    let record = Record::new(b"value", now, MINUTE);
    assert_eq!(record.value(), b"value");
    assert_eq!(record.expires_at(), since_epoch(now + MINUTE));
    assert_eq!(record.ttl(), MINUTE);
    let empty = Record::new(&[], now, MAX_TTL);
    assert_eq!((empty.value(), empty.ttl()), (&b""[..], MAX_TTL));
}

#[tokio::test]
async fn a_future_that_is_never_polled_does_nothing() {
    let (store, _clock) = on_a_fake_clock();
    drop(store.set("k", vec![1], MINUTE));
    assert!(store.get("k").await.unwrap().is_none());
}
