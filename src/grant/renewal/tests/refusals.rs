//! What a refusal of the provider means for the grant.

use super::*;
use crate::limits::REFUSED_FOR;

const ODD: &str = r#"{"status":400,"message":"Invalid refresh token"}"#;

#[tokio::test]
async fn the_providers_word_that_a_person_has_to_come_again_ends_the_grant_at_once_and_is_told() {
    for code in [
        "invalid_grant",
        "interaction_required",
        "login_required",
        "consent_required",
    ] {
        let body = format!(r#"{{"error":"{code}"}}"#);
        let world = World::new(Script::json("400 Bad Request", &body)).await;
        world.at(HOUR);
        let instance = world.instance();
        is_over(instance.token().await);
        assert!(world.record().await.is_none(), "{code}");
        assert_eq!(world.lease().await, None, "{code}");
        let told = instance.told(Reason::ProviderRejected);
        assert!(told.contains("400") && told.contains(code), "{told}");
        assert!(told.ends_with("the grant ends"), "{told}");
    }
}

/// The mutant: a refusal of a token that was replaced meanwhile ends the grant.
#[tokio::test]
async fn a_refusal_of_a_token_that_was_replaced_meanwhile_ends_nothing() {
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
    let mut renewed = grant(Unix::at(HOUR));
    renewed.upstream.access_token = "theirs".into();
    renewed.upstream.refresh_token = Some("their refresh token".into());
    renewed.upstream.renew_at = Some(Unix::at(3 * HOUR));
    world.write(&renewed).await;
    assert_eq!(asking.await.unwrap().unwrap(), "theirs");
    assert!(world.record().await.is_some());
    let told = instance.told(Reason::ProviderRejected);
    assert!(told.contains("a newer token is there"), "{told}");
}

#[tokio::test]
async fn a_refusal_that_does_not_name_the_token_ends_the_grant_once_it_has_lasted_a_day() {
    let world = World::new(Script::json("400 Bad Request", ODD)).await;
    let instance = world.instance();
    world.at(HOUR);
    is_later(instance.token().await);
    let kept = world.record().await.unwrap().upstream;
    assert_eq!(kept.refused_since, Some(Unix::at(HOUR)));
    let told = instance.told(Reason::ProviderRejected);
    assert!(told.contains("ends if this lasts 86400 s more"), "{told}");
    world.at(HOUR + REFUSED_FOR.as_secs() - 1);
    is_later(instance.token().await);
    assert_eq!(
        world.record().await.unwrap().upstream.refused_since,
        Some(Unix::at(HOUR))
    );
    world.at(HOUR + REFUSED_FOR.as_secs() + 30);
    is_over(instance.token().await);
    assert!(world.record().await.is_none());
}

#[tokio::test]
async fn a_success_between_two_refusals_begins_the_day_anew() {
    let world = World::with(grant(Unix::EPOCH), |turn| match turn {
        1 => Script::json("200 OK", RENEWED),
        _ => Script::json("400 Bad Request", ODD),
    })
    .await;
    let instance = world.instance();
    world.at(HOUR);
    is_later(instance.token().await);
    world.at(HOUR + 60);
    assert_eq!(instance.token().await.unwrap(), "at2");
    assert_eq!(world.record().await.unwrap().upstream.refused_since, None);
    world.at(2 * DAY);
    is_later(instance.token().await);
    assert!(world.record().await.is_some());
}

/// Refusals are no use of a grant: they do not make its record live longer.
#[tokio::test]
async fn a_refusal_that_is_remembered_leaves_the_record_the_life_it_had() {
    let world = World::new(Script::json("400 Bad Request", ODD)).await;
    let instance = world.instance();
    world.at(29 * DAY);
    is_later(instance.token().await);
    world.at(30 * DAY - 1);
    assert!(world.record().await.is_some());
    world.at(30 * DAY);
    assert!(world.record().await.is_none());
}

#[tokio::test]
async fn trouble_never_ends_a_grant_however_long_it_lasts() {
    let client = r#"{"error":"invalid_client","error_description":"the secret has expired"}"#;
    for (status, body) in [("503 Down", "{}"), ("401 No", client), ("429 Slow", "{}")] {
        let world = World::new(Script::json(status, body)).await;
        let instance = world.instance();
        for day in 1..29 {
            world.at(day * DAY);
            is_later(instance.token().await);
        }
        let kept = world.record().await.unwrap();
        assert_eq!(kept.upstream.refused_since, None, "{status}");
        assert_eq!(world.asked(), 28, "{status}");
    }
}

/// However many ask, at however many instances.
#[tokio::test]
async fn one_grant_causes_no_more_than_a_few_requests_a_minute_at_a_provider_that_refuses() {
    let world = World::new(Script::json("400 Bad Request", ODD)).await;
    let instances = [world.instance(), world.instance(), world.instance()];
    for second in 0..60 {
        world.at(HOUR + second);
        for instance in &instances {
            is_later(instance.token().await);
        }
    }
    let in_a_minute = world.asked();
    assert!((2..=5).contains(&in_a_minute), "{in_a_minute}");
    for second in 60..180 {
        world.at(HOUR + second);
        for instance in &instances {
            is_later(instance.token().await);
        }
    }
    let later = world.asked() - in_a_minute;
    assert!((2..=5).contains(&later), "{later}");
}

#[tokio::test]
async fn a_failure_is_remembered_here_even_where_the_store_has_lost_it() {
    let world = World::new(Script::json("503 Down", "{}")).await;
    let instance = world.instance();
    world.at(HOUR);
    is_later(instance.token().await);
    world.store.remove(&world.id.lease_key()).await.unwrap();
    is_later(instance.token().await);
    assert_eq!(world.asked(), 1);
    world.at(HOUR + 2);
    is_later(instance.token().await);
    assert_eq!(world.lease().await.unwrap().failures, 2, "in a row");
}

#[tokio::test]
async fn requests_go_on_with_the_old_token_while_it_lives_or_may_live() {
    let world = World::new(Script::json("503 Down", "{}")).await;
    let instance = world.instance();
    world.at(HOUR - 30);
    assert_eq!(instance.token().await.unwrap(), "at");
    instance.settle().await;
    world.at(HOUR);
    is_later(instance.token().await);
    // A token whose end nobody said.
    let mut unknown = grant(Unix::EPOCH);
    unknown.upstream.expires_at = None;
    let world = World::with(unknown, |_| Script::json("503 Down", "{}")).await;
    let instance = world.instance();
    world.at(3 * HOUR);
    assert_eq!(instance.token().await.unwrap(), "at");
    instance.settle().await;
    assert_eq!(world.asked(), 1);
}

#[tokio::test]
async fn a_life_is_assumed_where_the_provider_says_none() {
    let silent = r#"{"access_token":"at2","token_type":"Bearer","refresh_token":"rt2"}"#;
    let world = World::new(Script::json("200 OK", silent)).await;
    let instance = world.instance();
    world.at(HOUR);
    assert_eq!(instance.token().await.unwrap(), "at2");
    let upstream = world.record().await.unwrap().upstream;
    assert_eq!(upstream.expires_at, None);
    assert_eq!(upstream.renew_at, Some(Unix::at(2 * HOUR - 60)));
    assert_eq!(upstream.renewed_at, Some(Unix::at(HOUR)));
}

/// Its refresh token is another provider's secret, and so are the tokens that its end would revoke.
#[tokio::test]
async fn the_tokens_of_a_provider_that_is_not_configured_are_sent_to_no_other() {
    let mut other = grant(Unix::EPOCH);
    other.provider = "google".into();
    let world = World::with(other, |_| Script::json("200 OK", RENEWED)).await;
    let instance = world.instance();
    world.at(HOUR);
    is_over(instance.token().await);
    let another = instance.freshness.another(world.id, "at").await;
    is_over(another.map(drop));
    // A request that had looked before its provider went out of the configuration.
    let before = grant(Unix::EPOCH);
    let late = instance.freshness.ensure(world.id, &before, Need::Token);
    is_over(late.await);
    let told = instance.told(Reason::GrantEnded);
    assert!(told.contains("provider `google`"), "{told}");
    // It can be ended all the same.
    assert!(instance.ending.end(world.id).await.unwrap());
    instance.settle().await;
    assert!(world.record().await.is_none());
    let told = instance.told(Reason::GrantEnded);
    assert!(told.contains("not revoked there"), "{told}");
    assert!(world.provider.requests.lock().unwrap().is_empty());
}
