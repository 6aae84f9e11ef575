//! How long a rotated refresh token is answered with its successor: `refresh_token_grace`.

use std::{collections::HashSet, time::Duration};

use tower_oauth_proxy::{OAuthProxyConfigBuilder, Reason, RefreshGrace, Step};

use testkit::{Answer, Client, Kind, Proxy, Store, Tokens};

fn until_used(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    builder.refresh_token_grace(RefreshGrace::UntilUsed)
}

/// The same process after a restart: nothing is left but secret and store.
fn restarted(
    proxy: &Proxy,
    store: &Store,
    client: &Client,
    change: fn(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> (Proxy, Client) {
    let next = proxy.sibling(|builder| change(builder).token_storage(store.clone()));
    let wire = next.wire.clone();
    (
        next,
        Client {
            wire,
            ..client.clone()
        },
    )
}

#[tokio::test]
async fn two_processes_of_one_client_forty_seconds_apart_share_one_chain() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let shared = proxy.journey(&client).await;
    let one = Tokens::read(&client.refresh(shared.refresh()).await);
    proxy.clock.advance_secs(40);
    let other = Tokens::read(&client.refresh(shared.refresh()).await);
    assert_eq!(one.refresh, other.refresh);
    proxy.session(&client, &one.access).await;
    proxy.session(&client, &other.access).await;
}

#[tokio::test]
async fn the_grace_is_a_minute_and_a_repetition_does_not_begin_it_anew() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let first = proxy.journey(&client).await;
    let second = Tokens::read(&client.refresh(first.refresh()).await);
    for _ in 0..2 {
        proxy.clock.advance_secs(30);
        let again = Tokens::read(&client.refresh(first.refresh()).await);
        assert_eq!(again.refresh, second.refresh);
    }
    proxy.clock.advance_secs(1);
    client
        .refresh(first.refresh())
        .await
        .refused(400, "invalid_grant");
    proxy.told(Step::Refresh, Reason::RefreshReuse);
    client
        .refresh(second.refresh())
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn the_operator_sets_the_grace() {
    let tries = async |grace: u64, late: u64| {
        let time = Duration::from_secs(grace);
        let proxy = Proxy::with(|b| b.refresh_token_grace(time)).await;
        let client = proxy.client().await;
        let first = proxy.journey(&client).await;
        client.refresh(first.refresh()).await.expect(200);
        proxy.clock.advance_secs(late);
        client.refresh(first.refresh()).await.status.as_u16()
    };
    assert_eq!(tries(600, 600).await, 200);
    assert_eq!(tries(600, 601).await, 400);
    assert_eq!(tries(0, 0).await, 200, "the same second");
    assert_eq!(tries(0, 1).await, 400);
}

#[tokio::test]
async fn a_grace_without_an_end_is_told_at_start_as_a_weak_option() {
    let weak = async |grace: RefreshGrace| {
        let proxy = Proxy::with(|b| b.refresh_token_grace(grace)).await;
        proxy.refusals() == [(Step::Configuration, Reason::WeakOption)]
    };
    assert!(weak(RefreshGrace::UntilUsed).await);
    assert!(!weak(Duration::from_secs(24 * 3600).into()).await);
}

#[tokio::test]
async fn until_used_a_lost_answer_can_be_asked_for_again_after_weeks_and_a_restart() {
    let (proxy, store) = Proxy::with_store(until_used).await;
    let client = proxy.client().await;
    let first = proxy.journey(&client).await;
    let lost = Tokens::read(&client.refresh(first.refresh()).await);
    proxy.clock.advance_secs(20 * 24 * 3600);
    let (proxy, client) = restarted(&proxy, &store, &client, until_used);
    let again = Tokens::read(&client.refresh(first.refresh()).await);
    assert_eq!(again.refresh, lost.refresh, "the same successor");
    proxy.session(&client, &again.access).await;
}

#[tokio::test]
async fn until_used_ends_with_the_first_use_of_the_successor() {
    let (proxy, store) = Proxy::with_store(until_used).await;
    let client = proxy.client().await;
    let first = proxy.journey(&client).await;
    let second = Tokens::read(&client.refresh(first.refresh()).await);
    client.refresh(first.refresh()).await.expect(200);
    let third = Tokens::read(&client.refresh(second.refresh()).await);
    let (proxy, client) = restarted(&proxy, &store, &client, until_used);
    // The immediate predecessor has its grace, the one before it none, in the same second even.
    client.refresh(second.refresh()).await.expect(200);
    client
        .refresh(first.refresh())
        .await
        .refused(400, "invalid_grant");
    proxy.told(Step::Refresh, Reason::RefreshReuse);
    client
        .refresh(third.refresh())
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_successor_that_was_refused_is_not_used() {
    let proxy = Proxy::with(until_used).await;
    let client = proxy.client().await;
    let first = proxy.journey(&client).await;
    let second = Tokens::read(&client.refresh(first.refresh()).await);
    proxy.clock.advance_secs(3600);
    proxy.provider.always(Kind::Token, Answer::Status(503));
    client
        .refresh(second.refresh())
        .await
        .refused(503, "temporarily_unavailable");
    proxy.provider.always(Kind::Token, Answer::Normal);
    // A failed renewal is backed off.
    proxy.clock.advance_secs(30);
    let again = Tokens::read(&client.refresh(first.refresh()).await);
    assert_eq!(again.refresh, second.refresh);
}

#[tokio::test]
async fn until_used_fifty_processes_that_come_late_share_one_chain_on_two_instances() {
    let (first, store) = Proxy::with_store(until_used).await;
    let here = first.client().await;
    let tokens = first.journey(&here).await;
    let successor = Tokens::read(&here.refresh(tokens.refresh()).await);
    first.clock.advance_secs(7 * 24 * 3600);
    let (_second, there) = restarted(&first, &store, &here, until_used);
    let tasks: Vec<_> = (0..50)
        .map(|turn| {
            let client = if turn % 2 == 0 { &here } else { &there };
            let (client, token) = (client.clone(), tokens.refresh().to_owned());
            tokio::spawn(async move { Tokens::read(&client.refresh(&token).await) })
        })
        .collect();
    let mut successors = HashSet::new();
    for task in tasks {
        successors.insert(task.await.unwrap().refresh().to_owned());
    }
    assert_eq!(successors, HashSet::from([successor.refresh().to_owned()]));
    assert_eq!(first.provider.live_refresh_tokens(), 1);
    Tokens::read(&there.refresh(successor.refresh()).await);
}
