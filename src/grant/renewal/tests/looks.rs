//! What is known of a person is looked at again.

use super::*;

fn name(grant: &Grant) -> &str {
    grant.claims.map()["name"].as_str().unwrap()
}

async fn renewing(proof: ScriptedProof) -> (World, Instance) {
    let world = World::new(Script::json("200 OK", RENEWED)).await;
    world.at(HOUR);
    let instance = world.instance_with(proof);
    (world, instance)
}

/// The provider's token lives for days, so that only the look is due.
async fn looking(proof: ScriptedProof, can_renew: bool) -> (World, Instance) {
    let mut grant = grant(Unix::EPOCH);
    grant.upstream.expires_at = Some(Unix::at(100 * DAY));
    grant.upstream.renew_at = Some(Unix::at(100 * DAY));
    grant.upstream.refresh_token = grant.upstream.refresh_token.filter(|_| can_renew);
    let world = World::with(grant, |_| Script::json("200 OK", RENEWED)).await;
    let instance = world.instance_with(proof);
    (world, instance)
}

#[tokio::test]
async fn a_renewal_that_proves_the_person_replaces_their_claims_roles_and_id_token_in_one_write() {
    let proof = ScriptedProof::reading([Some(known("Ada L.", &["reader"], Some("new")))]);
    let (world, instance) = renewing(proof).await;
    let mark = instance.grants.revocation_mark(world.id);
    let loaded = instance.ensure(Need::Token).await.unwrap();
    assert_eq!(name(&loaded), "Ada L.");
    let kept = world.record().await.unwrap();
    assert_eq!(
        (name(&kept), &*kept.roles),
        ("Ada L.", &["reader".to_owned()][..])
    );
    assert_eq!(kept.upstream.id_token.as_deref(), Some("new"));
    assert_eq!(kept.upstream.access_token, "at2");
    assert_eq!(kept.proven_at, Unix::at(HOUR));
    assert!(
        !instance.grants.revocations().is_current(mark),
        "looked up again"
    );
    assert!(instance.proof.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_id_token_that_nobody_checked_is_never_stored() {
    let (world, instance) = renewing(ScriptedProof::reading([Some(well())])).await;
    let mark = instance.grants.revocation_mark(world.id);
    instance.token().await.unwrap();
    let kept = world.record().await.unwrap();
    assert_eq!(kept.upstream.id_token.as_deref(), Some("checked"));
    assert_eq!((name(&kept), kept.proven_at), ("Ada", Unix::at(HOUR)));
    assert!(
        instance.grants.revocations().is_current(mark),
        "the same person"
    );
}

#[tokio::test]
async fn a_no_after_a_renewal_ends_the_grant_and_revokes_the_old_tokens_and_the_new() {
    for said in [Some(no()), None] {
        let was_read = said.is_some();
        let proof = ScriptedProof::reading([said]).then([no()]);
        let (world, instance) = renewing(proof).await;
        is_over(instance.token().await);
        assert!(world.record().await.is_none());
        let told = instance.told(Reason::NotAllowed);
        assert_eq!(told, "ada is on no list: the grant ends");
        instance.settle().await;
        let revoked: &[_] = match was_read {
            true => &["rt2", "rt"],
            // Saved before anybody was asked: the old one is spent.
            false => &["rt2"],
        };
        assert_eq!(world.revoked(), revoked);
    }
}

#[tokio::test]
async fn tokens_are_saved_before_anybody_is_asked_about_the_person() {
    let proof = ScriptedProof::reading([None]).then([nobody_knows()]);
    let (world, instance) = renewing(proof).await;
    assert_eq!(instance.token().await.unwrap(), "at2");
    let kept = world.record().await.unwrap();
    assert_eq!(kept.upstream.access_token, "at2");
    assert_eq!(kept.upstream.id_token.as_deref(), Some("checked"));
    assert_eq!((name(&kept), kept.proven_at), ("Ada", Unix::EPOCH));
    assert_eq!(*instance.proof.asked.lock().unwrap(), [true]);
    let told = instance.told(Reason::ProviderUnavailable);
    assert!(
        told.starts_with("userinfo is down: what was known"),
        "{told}"
    );

    let proof = ScriptedProof::reading([None]).then([known("Ada L.", &[], Some("new"))]);
    let (world, instance) = renewing(proof).await;
    let loaded = instance.ensure(Need::Token).await.unwrap();
    assert_eq!(name(&loaded), "Ada L.");
    let kept = world.record().await.unwrap();
    assert_eq!((kept.proven_at, kept.roles.len()), (Unix::at(HOUR), 0));
    assert_eq!(kept.upstream.id_token.as_deref(), Some("new"));
}

#[tokio::test]
async fn a_refresh_asks_about_the_person_once_the_last_look_is_too_old() {
    let proof = ScriptedProof::asking([known("Ada L.", &["reader"], None)]);
    let (world, instance) = looking(proof, true).await;
    world.at(HOUR - 1);
    instance.ensure(Need::Proof).await.unwrap();
    instance.ensure(Need::Token).await.unwrap();
    assert!(instance.proof.asked.lock().unwrap().is_empty());
    world.at(HOUR);
    instance.ensure(Need::Token).await.unwrap();
    let loaded = instance.ensure(Need::Proof).await.unwrap();
    assert_eq!(name(&loaded), "Ada L.");
    assert_eq!(*instance.proof.asked.lock().unwrap(), [false]);
    assert_eq!(world.record().await.unwrap().proven_at, Unix::at(HOUR));
    // Words of nobody move the time all the same.
    world.at(2 * HOUR);
    let loaded = instance.ensure(Need::Proof).await.unwrap();
    assert_eq!(
        (name(&loaded), loaded.proven_at),
        ("Ada L.", Unix::at(2 * HOUR))
    );
    assert_eq!(world.asked(), 0);
}

#[tokio::test]
async fn a_renewal_is_the_proof_where_nobody_can_be_asked() {
    let (world, instance) = looking(ScriptedProof::default(), true).await;
    world.at(HOUR);
    let loaded = instance.ensure(Need::Proof).await.unwrap();
    assert_eq!(loaded.upstream.access_token, "at2");
    assert_eq!(loaded.proven_at, Unix::at(HOUR));
    // And where nothing can be renewed either, the grant's age is what bounds it.
    let (world, instance) = looking(ScriptedProof::default(), false).await;
    world.at(20 * DAY);
    let loaded = instance.ensure(Need::Proof).await.unwrap();
    assert!(
        !instance
            .freshness
            .is_past_last_day(&loaded, Unix::at(30 * DAY - 1))
    );
    assert!(
        instance
            .freshness
            .is_past_last_day(&loaded, Unix::at(30 * DAY))
    );
    assert_eq!(world.asked(), 0);
}

#[tokio::test]
async fn a_no_ends_the_grant_at_a_refresh() {
    let (world, instance) = looking(ScriptedProof::asking([no()]), false).await;
    world.at(HOUR);
    is_over(instance.ensure(Need::Proof).await);
    assert!(world.record().await.is_none());
    instance.settle().await;
    assert_eq!(world.revoked(), ["at"]);
}

#[tokio::test]
async fn trouble_is_no_answer_what_was_known_stands_for_twice_its_time_and_then_503() {
    let proof = ScriptedProof::asking((0..9).map(|_| nobody_knows()));
    let (world, instance) = looking(proof, false).await;
    for now in [HOUR, HOUR + 1, 2 * HOUR - 1] {
        world.at(now);
        let loaded = instance.ensure(Need::Proof).await.unwrap();
        assert_eq!(loaded.proven_at, Unix::EPOCH);
    }
    assert_eq!(instance.proof.asked.lock().unwrap().len(), 2, "backed off");
    world.at(2 * HOUR + 30);
    is_later(instance.ensure(Need::Proof).await);
    // Requests go on, and the grant lives.
    instance.ensure(Need::Token).await.unwrap();
    world.at(3 * HOUR);
    instance.proof.looks.lock().unwrap().clear();
    instance.ensure(Need::Proof).await.unwrap();
}

#[tokio::test]
async fn a_token_that_the_providers_api_refuses_is_renewed_or_the_grant_ends() {
    let (world, instance) = looking(ScriptedProof::asking([Look::TokenRefused]), true).await;
    world.at(HOUR);
    let loaded = instance.ensure(Need::Proof).await.unwrap();
    assert_eq!(loaded.upstream.access_token, "at2");
    assert_eq!(loaded.proven_at, Unix::at(HOUR));

    let (world, instance) = looking(ScriptedProof::asking([Look::TokenRefused]), false).await;
    world.at(HOUR);
    is_over(instance.ensure(Need::Proof).await);
    assert!(world.record().await.is_none());
    instance.told(Reason::ProviderRejected);
}

/// A handler says that the provider's API refused the token.
#[tokio::test]
async fn a_refused_token_is_replaced_once_for_all_instances_and_not_again_at_once() {
    let (world, first) = looking(ScriptedProof::default(), true).await;
    let second = world.instance();
    world.at(100);
    let another = |instance: &Instance, than: &'static str| {
        let (freshness, id) = (Arc::clone(&instance.freshness), world.id);
        async move {
            let upstream = freshness.another(id, than).await?;
            Ok::<_, FreshnessError>(upstream.map(|upstream| upstream.access_token.to_string()))
        }
    };
    let mark = first.grants.revocation_mark(world.id);
    let (here, there) = (another(&first, "at"), another(&second, "at"));
    let (here, there) = (tokio::spawn(here), tokio::spawn(there));
    assert_eq!(here.await.unwrap().unwrap().as_deref(), Some("at2"));
    assert_eq!(there.await.unwrap().unwrap().as_deref(), Some("at2"));
    assert_eq!(world.asked(), 1);
    let is_current = first.grants.revocations().is_current(mark);
    let is_current_there = second.grants.revocations().is_current(mark);
    assert!(
        !is_current || !is_current_there,
        "sessions are looked up again"
    );
    // The new one is refused as well: the API refuses everything.
    for now in [100, 129] {
        world.at(now);
        is_later(another(&second, "at2").await);
    }
    assert_eq!(world.asked(), 1);
    world.at(130);
    is_later(another(&second, "at2").await);
    assert_eq!(world.asked(), 2);
}

#[tokio::test]
async fn a_refused_token_that_cannot_be_replaced_is_asked_about() {
    let proof = ScriptedProof::asking([well(), Look::TokenRefused]);
    let (world, instance) = looking(proof, false).await;
    let another = || instance.freshness.another(world.id, "at");
    world.at(100);
    assert!(
        another().await.unwrap().is_none(),
        "the provider stands by it"
    );
    is_later(another().await.map(drop));
    assert_eq!(instance.proof.asked.lock().unwrap().len(), 1);
    let elsewhere = world.instance_with(ScriptedProof::asking([]));
    is_later(elsewhere.freshness.another(world.id, "at").await.map(drop));
    assert!(elsewhere.proof.asked.lock().unwrap().is_empty());
    world.at(130);
    is_over(another().await.map(drop));
    assert!(world.record().await.is_none());
    is_over(another().await.map(drop));

    let (world, instance) = looking(ScriptedProof::default(), false).await;
    let another = instance.freshness.another(world.id, "at").await;
    assert!(another.unwrap().is_none());
    assert_eq!(world.asked(), 0);
}

/// 64 KiB are the most that a record takes.
#[tokio::test]
async fn a_token_is_never_lost_because_what_is_known_does_not_fit() {
    let huge = "x".repeat(80 * 1024);
    for (look, roles, id_token) in [
        (known(&huge, &["reader"], Some("new")), 1, Some("checked")),
        (known("Ada", &["reader"], Some(&huge)), 1, Some("checked")),
        (known("Ada", &[&huge], Some("new")), 0, None),
    ] {
        let (world, instance) = renewing(ScriptedProof::reading([Some(look)])).await;
        assert_eq!(instance.token().await.unwrap(), "at2");
        let kept = world.record().await.unwrap();
        assert_eq!(kept.upstream.refresh_token.as_deref(), Some("rt2"));
        assert_eq!(kept.upstream.id_token.as_deref(), id_token);
        assert_eq!(kept.roles.len(), roles);
        assert!(!kept.roles.contains(&"admin".to_owned()));
        instance.told(Reason::TooLarge);
    }
}

#[tokio::test]
async fn tokens_for_a_grant_that_ended_meanwhile_are_revoked() {
    let (world, instance) = renewing(ScriptedProof::default()).await;
    let instance = Arc::new(instance);
    let asking = tokio::spawn({
        let instance = Arc::clone(&instance);
        async move { instance.token().await }
    });
    while world.asked() == 0 {
        tokio::task::yield_now().await;
    }
    world.store.remove(&world.id.record_key()).await.unwrap();
    is_over(asking.await.unwrap());
    instance.settle().await;
    assert_eq!(world.revoked(), ["rt2"]);
    assert_eq!(world.lease().await, None);
}
