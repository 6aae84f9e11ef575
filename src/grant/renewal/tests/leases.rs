//! Who may ask the provider, and what a killed process leaves.

use std::time::Instant;

use super::{super::lease::Lease, *};
use crate::{limits::LEASE_DEAD_AFTER, time::Unix};

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
        .vault
        .set(&key, &[0xff; 16], SETTLE_FOR)
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
    assert_eq!(
        (lease.owner, lease.suspect_since),
        (None, Some(Unix::at(HOUR)))
    );
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
    let world = World::with(grant(Unix::EPOCH), |turn| match turn {
        0 => Script::json("200 OK", RENEWED),
        _ => Script::json("400 Bad Request", DEAD),
    })
    .await;
    world.at(HOUR);
    let cut_off = world.instance_with(ScriptedProof::reading([None]));
    let refused = cut_off_while_the_provider_is_asked(&world, &cut_off).await;
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
    let mut renewed = grant(Unix::at(HOUR));
    renewed.upstream.access_token = "theirs".into();
    renewed.upstream.renew_at = Some(Unix::at(3 * HOUR));
    world.write(&renewed).await;
    assert_eq!(waiting.await.unwrap().unwrap(), "theirs");
    assert_eq!(world.asked(), 0);
}

/// Else the next one would take it for dead, and suspect it for ten minutes.
#[tokio::test]
async fn a_lease_that_the_store_did_not_let_go_is_let_go_when_it_is_back() {
    let world = World::new(Script::json("503 Down", "{}")).await;
    world.at(HOUR);
    let instance = world.instance();
    is_later(cut_off_while_the_provider_is_asked(&world, &instance).await);
    assert!(world.lease().await.unwrap().owner.is_some());
    instance.is_cut_off.store(false, Ordering::SeqCst);
    instance.settle().await;
    let lease = world.lease().await.unwrap();
    assert_eq!((lease.owner, lease.suspect_since), (None, None));
    assert_eq!(lease.failures, 1);
}

/// The store is gone once the provider has been asked, before its answer is heard.
async fn cut_off_while_the_provider_is_asked(
    world: &World,
    instance: &Instance,
) -> Result<String, FreshnessError> {
    let is_cut_off = instance.is_cut_off.clone();
    let requests = world.provider.requests.clone();
    let cut = tokio::spawn(async move {
        while requests.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        is_cut_off.store(true, Ordering::SeqCst);
    });
    let result = instance.token().await;
    cut.await.unwrap();
    result
}

#[tokio::test]
async fn an_owner_at_work_says_each_second_that_it_lives() {
    let world = World::new(Script::Close).await;
    let (vault, key) = (&world.vault, world.id.lease_key());
    let record = LeaseRecord::default().taken(1, Unix::EPOCH);
    let lease = Lease::claim(vault, &key, None, record.clone()).await;
    let lease = lease.unwrap().unwrap();
    let second = LeaseRecord::default().taken(2, Unix::EPOCH);
    let second = Lease::claim(vault, &key, None, second).await.unwrap();
    assert!(second.is_none(), "there is one");
    let seen = lease
        .while_held(async {
            let begin = Instant::now();
            while world.lease().await.as_ref() == Some(&record) {
                assert!(begin.elapsed() < Duration::from_secs(60), "silent");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            world.lease().await.unwrap()
        })
        .await;
    assert_eq!((seen.owner, seen.is_late), (Some(1), false));
    // One more, which nobody was told of: it is found, and let go all the same.
    lease.mark_late();
    let unheard = seen.beaten(true);
    vault.set(&key, &unheard.bytes(), SETTLE_FOR).await.unwrap();
    assert!(lease.release(Unix::EPOCH).await);
    assert_eq!(world.lease().await, None);
}

/// A failover can: two would be at the provider, and the one that is refused would end the grant.
#[tokio::test]
async fn a_lease_that_the_store_has_lost_is_put_back_and_proves_nothing_until_then() {
    let world = World::new(Script::Close).await;
    let (vault, key) = (&world.vault, world.id.lease_key());
    let record = LeaseRecord::default().taken(1, Unix::EPOCH);
    let lease = Lease::claim(vault, &key, None, record).await;
    let lease = lease.unwrap().unwrap();
    world.store.remove(&key).await.unwrap();
    assert!(!lease.beat().await, "somebody may have held it");
    assert_eq!(world.lease().await.unwrap().owner, Some(1));
    assert!(lease.beat().await);
    world.store.remove(&key).await.unwrap();
    assert!(
        lease.release(Unix::EPOCH).await,
        "there is nothing to let go"
    );
    assert_eq!(world.lease().await, None);
    // Somebody else has it by now.
    world.leave_dead_lease().await;
    assert!(!lease.beat().await && lease.release(Unix::EPOCH).await);
    assert_eq!(world.lease().await.unwrap().owner, Some(7));
}
