//! Who may ask the provider, and what a killed process leaves.

use std::time::Instant;

use super::*;
use crate::limits::LEASE_DEAD_AFTER;

#[tokio::test]
async fn a_dead_owner_frees_its_grant_in_three_seconds_and_not_before() {
    let world = World::new(Script::json("200 OK", RENEWED)).await;
    world.at(HOUR);
    world.leave_dead_lease().await;
    let begin = Instant::now();
    assert_eq!(world.instance().token().await.unwrap(), "at2");
    assert!(begin.elapsed() >= LEASE_DEAD_AFTER, "{:?}", begin.elapsed());
    assert_eq!(world.lease().await, None, "let go");
}

#[tokio::test]
async fn a_record_of_another_version_is_a_lease_like_any_other() {
    let world = World::new(Script::json("200 OK", RENEWED)).await;
    world.at(HOUR);
    let key = world.id.lease_key();
    world
        .store
        .set(&key, vec![0xff; 16], SETTLE_FOR)
        .await
        .unwrap();
    let begin = Instant::now();
    assert_eq!(world.instance().token().await.unwrap(), "at2");
    assert!(begin.elapsed() >= LEASE_DEAD_AFTER, "{:?}", begin.elapsed());
}

/// The dead one may have been answered, and not have been able to store it: promise 5.
#[tokio::test]
async fn a_refusal_after_a_lease_that_was_never_let_go_is_not_the_end_until_ten_minutes_have_passed()
 {
    let world = World::new(Script::json("400 Bad Request", DEAD)).await;
    world.at(HOUR);
    world.leave_dead_lease().await;
    let (first, second) = (world.instance(), world.instance());
    is_later(first.token().await);
    let told = first.told(Reason::ProviderRejected);
    assert!(told.contains("may have the newer token"), "{told}");
    let lease = world.lease().await.unwrap();
    assert_eq!((lease.owner, lease.suspect_since), (None, Some(HOUR)));
    // Any instance, as often as it likes.
    world.at(HOUR + 60);
    is_later(second.token().await);
    world.at(HOUR + SETTLE_FOR.as_secs() - 1);
    is_later(first.token().await);
    assert!(world.record().await.is_some());
    world.at(HOUR + SETTLE_FOR.as_secs() + 60);
    is_over(second.token().await);
    assert!(world.record().await.is_none());
    assert_eq!(world.asked(), 4);
}

#[tokio::test]
async fn an_instance_that_was_cut_off_stores_its_answer_when_it_is_back() {
    let world = World::with(grant(0), |turn| match turn {
        0 => Script::json("200 OK", RENEWED),
        _ => Script::json("400 Bad Request", DEAD),
    })
    .await;
    world.at(HOUR);
    let cut_off = world.instance_with(ScriptedProof::reading([None]));
    // The provider answers, then the store is gone: the first save fails.
    let is_cut_off = cut_off.is_cut_off.clone();
    let requests = world.provider.requests.clone();
    let cut = tokio::spawn(async move {
        while requests.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        is_cut_off.store(true, Ordering::SeqCst);
    });
    let refused = cut_off.token().await;
    cut.await.unwrap();
    assert!(matches!(
        refused,
        Err(FreshnessError::Store(_) | FreshnessError::Later)
    ));
    let other = world.instance();
    is_later(other.token().await);
    assert!(world.record().await.is_some(), "one instance's trouble");
    cut_off.is_cut_off.store(false, Ordering::SeqCst);
    cut_off.settle().await;
    assert_eq!(other.token().await.unwrap(), "at2");
    assert_eq!(cut_off.token().await.unwrap(), "at2");
}

#[tokio::test]
async fn a_refusal_under_a_lease_that_somebody_has_taken_is_not_the_end() {
    let world = World::new(Script::json("400 Bad Request", DEAD)).await;
    world.at(HOUR);
    let instance = Arc::new(world.instance());
    let asking = tokio::spawn({
        let instance = Arc::clone(&instance);
        async move { instance.token().await }
    });
    while world.asked() == 0 {
        tokio::task::yield_now().await;
    }
    world.leave_dead_lease().await;
    is_later(asking.await.unwrap());
    let told = instance.told(Reason::ProviderRejected);
    assert!(told.contains("may have taken the lease"), "{told}");
    assert!(world.record().await.is_some());
    assert_eq!(world.lease().await.unwrap().owner, Some(7), "not ours");
}

#[tokio::test]
async fn a_waiter_that_finds_the_work_done_asks_nobody() {
    let world = World::new(Script::json("200 OK", RENEWED)).await;
    world.at(HOUR);
    world.leave_dead_lease().await;
    let instance = Arc::new(world.instance());
    let waiting = tokio::spawn({
        let instance = Arc::clone(&instance);
        async move { instance.token().await }
    });
    tokio::task::yield_now().await;
    let mut renewed = grant(HOUR);
    renewed.upstream.access_token = "theirs".into();
    renewed.upstream.renew_at = Some(3 * HOUR);
    let record = serde_json::to_vec(&renewed).unwrap();
    let key = world.id.record_key();
    world.store.set(&key, record, GRANT_TTL).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), "theirs");
    assert_eq!(world.asked(), 0);
}
