//! Everything at the same moment, on several threads, against one instance and against two.

use std::{collections::HashSet, time::Duration};

use crate::support::{
    at, at_once, before_callback, code, count, provider_saw, two_instances, upstream_token,
};
use testkit::{
    Answer, Client, Landing, Proxy, Reply, Store, Tokens,
    client::{CALLBACK, native_metadata},
    provider::Gate,
    wire::query_param,
};

/// The access token outlives the provider's, which is renewed behind it.
const DAY: Duration = Duration::from_secs(86_400);

async fn two_long_lived_instances() -> (Proxy, Proxy, Store) {
    let (first, store) = Proxy::with_store(|builder| builder.access_token_ttl(DAY)).await;
    let second =
        first.sibling(|builder| builder.access_token_ttl(DAY).token_storage(store.clone()));
    (first, second, store)
}

/// The store's records that are grants, live or pending.
fn grants(store: &Store) -> usize {
    let mut alive = HashSet::new();
    for seen in store.seen() {
        if !seen.key.starts_with("grant:") {
            continue;
        }
        match seen.verb {
            "set" | "insert_if_absent" => drop(alive.insert(seen.key)),
            "take" | "remove" => drop(alive.remove(&seen.key)),
            _ => {}
        }
    }
    alive.len()
}

/// None of these tokens is good for anything.
async fn is_dead(client: &Client, tokens: &Tokens) {
    let reply = client.call("/mcp", &tokens.access).await;
    assert_eq!(reply.status, 401, "{reply:?}");
    let reply = client.refresh(tokens.refresh()).await;
    reply.refused(400, "invalid_grant");
}

/// Whoever registers what a known client registers, at the same second, is not that client.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_registrations_of_the_same_metadata_are_fifty_clients() {
    let proxy = Proxy::start().await;
    let mut metadata = native_metadata(CALLBACK);
    metadata["token_endpoint_auth_method"] = "client_secret_post".into();
    let clients = at_once(50, |_| {
        let (wire, metadata) = (proxy.wire.clone(), metadata.clone());
        async move { Client::register(&wire, "", &metadata).await }
    })
    .await;
    let ids: HashSet<_> = clients.iter().map(|client| &client.id).collect();
    let secrets: HashSet<_> = clients.iter().map(|client| &client.secret).collect();
    assert_eq!((ids.len(), secrets.len()), (50, 50));
    let stranger = Client {
        id: clients[0].id.clone(),
        ..clients[1].clone()
    };
    let reply = stranger.refresh("x").await;
    reply.refused(401, "invalid_client");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_redemptions_of_one_code_on_two_instances_give_one_success_and_no_second_chain() {
    let (first, second, store) = two_instances().await;
    let here = first.client().await;
    let there = at(&here, &second);
    for _ in 0..3 {
        let (code, pkce) = code(&first, &here).await;
        let replies = at_once(50, |turn| {
            let client = [&here, &there][turn % 2].clone();
            let (code, pkce) = (code.clone(), pkce.clone());
            async move { client.redeem_code(&code, &pkce).await }
        })
        .await;
        let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|r| r.status == 200);
        assert_eq!(won.len(), 1, "{replies:?}");
        lost.iter().for_each(|reply| {
            reply.refused(400, "invalid_grant");
        });
        // The other forty-nine were replays: what the code gave is dead, here and there.
        let tokens = Tokens::read(won[0]);
        is_dead(&here, &tokens).await;
        is_dead(&there, &tokens).await;
        assert_eq!(grants(&store), 0);
        assert_eq!(first.provider.live_refresh_tokens(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_refreshes_on_two_instances_give_one_chain_and_twenty_working_tokens() {
    let (first, second, _) = two_instances().await;
    let here = first.client().await;
    let there = at(&here, &second);
    let mut live = first.journey(&here).await.refresh().to_owned();
    for _ in 0..5 {
        let replies = at_once(20, |turn| {
            let (client, token) = ([&here, &there][turn % 2].clone(), live.clone());
            async move { client.refresh(&token).await }
        })
        .await;
        let tokens: Vec<_> = replies.iter().map(Tokens::read).collect();
        let successors: HashSet<_> = tokens.iter().map(|t| t.refresh().to_owned()).collect();
        assert_eq!(successors.len(), 1);
        let access: HashSet<_> = tokens.iter().map(|t| &t.access).collect();
        assert_eq!(access.len(), 20);
        for tokens in &tokens {
            first.session(&here, &tokens.access).await;
            second.session(&there, &tokens.access).await;
        }
        live = tokens[0].refresh().to_owned();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn when_a_refresh_races_a_revocation_nothing_works_afterwards() {
    let (first, second, store) = two_instances().await;
    let here = first.client().await;
    let there = at(&here, &second);
    for round in 0..12 {
        let tokens = first.journey(&here).await;
        let replies = at_once(9, |turn| {
            let (client, tokens) = ([&here, &there][turn % 2].clone(), tokens.clone());
            async move {
                match turn {
                    0 if round % 2 == 0 => client.revoke(&tokens.access).await,
                    0 => client.revoke(tokens.refresh()).await,
                    _ => client.refresh(tokens.refresh()).await,
                }
            }
        })
        .await;
        assert_eq!(replies[0].status, 200, "{:?}", replies[0]);
        is_dead(&here, &tokens).await;
        is_dead(&there, &tokens).await;
        for reply in &replies[1..] {
            if reply.status == 200 {
                is_dead(&here, &Tokens::read(reply)).await;
                is_dead(&there, &Tokens::read(reply)).await;
            } else {
                reply.refused(400, "invalid_grant");
            }
        }
        assert_eq!(grants(&store), 0);
        assert_eq!(first.provider.live_refresh_tokens(), 0, "revoked upstream");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revocation_during_a_renewal_at_the_provider_is_not_undone_by_it() {
    let (first, second, store) = two_long_lived_instances().await;
    let here = first.client().await;
    let there = at(&here, &second);
    for revoker in [&here, &there] {
        let tokens = first.journey(&here).await;
        first.clock.advance_secs(3600);
        let gate = Gate::default();
        first.provider.next_token(Answer::Held(gate.clone()));
        let renewals = first.provider.count_grant("refresh_token");
        let (client, access) = (here.clone(), tokens.access.clone());
        let call = tokio::spawn(async move { client.call("/mcp", &access).await });
        provider_saw(&first, "refresh_token", renewals + 1).await;
        revoker.revoke(tokens.refresh()).await.expect(200);
        gate.open();
        let reply = call.await.unwrap();
        assert_eq!(reply.status, 401, "{reply:?}");
        is_dead(&here, &tokens).await;
        is_dead(&there, &tokens).await;
        assert_eq!(grants(&store), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn when_a_replay_races_the_redemption_and_its_tokens_nothing_works_afterwards() {
    let (first, second, store) = two_instances().await;
    let here = first.client().await;
    let there = at(&here, &second);
    for _ in 0..10 {
        let (code, pkce) = code(&first, &here).await;
        let got: Vec<Vec<Reply>> = at_once(4, |turn| {
            let (client, code) = ([&here, &there][turn % 2].clone(), code.clone());
            let pkce = pkce.clone();
            async move {
                let redeemed = client.redeem_code(&code, &pkce).await;
                if redeemed.status != 200 {
                    return vec![redeemed];
                }
                // The winner goes straight on, while the others' replays are on their way.
                let tokens = Tokens::read(&redeemed);
                let refreshed = client.refresh(tokens.refresh()).await;
                vec![redeemed, refreshed]
            }
        })
        .await;
        let got = got.concat();
        let won: Vec<_> = got.iter().filter(|reply| reply.status == 200).collect();
        assert!((1..=2).contains(&won.len()), "{got:?}");
        for reply in won {
            is_dead(&here, &Tokens::read(reply)).await;
            is_dead(&there, &Tokens::read(reply)).await;
        }
        assert_eq!(grants(&store), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_callbacks_of_one_login_send_the_providers_code_once_and_give_one_code() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    for round in 1..=20 {
        let (browser, callback, pkce) = before_callback(&proxy, &client).await;
        let landings = at_once(10, |_| {
            let (mut browser, callback) = (browser.clone(), callback.clone());
            async move { browser.open(&callback).await }
        })
        .await;
        let codes = codes(&landings);
        assert_eq!(codes.len(), 1, "{landings:?}");
        assert_eq!(proxy.provider.count_grant("authorization_code"), round);
        let tokens = Tokens::read(&client.redeem_code(&codes[0], &pkce).await);
        proxy.session(&client, &tokens.access).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callbacks_on_two_instances_give_one_code_and_one_grant() {
    let (first, second, store) = two_instances().await;
    let client = first.client().await;
    for _ in 0..5 {
        store.forget();
        let (browser, callback, pkce) = before_callback(&first, &client).await;
        let landings = at_once(10, |turn| {
            let wire = [&first, &second][turn % 2].wire.clone();
            let (mut browser, callback) = (browser.clone().knowing(wire), callback.clone());
            async move { browser.open(&callback).await }
        })
        .await;
        let codes = codes(&landings);
        assert_eq!(codes.len(), 1, "{landings:?}");
        assert_eq!(grants(&store), 1);
        Tokens::read(&client.redeem_code(&codes[0], &pkce).await);
    }
}

/// The codes that clients received.
fn codes(landings: &[Landing]) -> Vec<String> {
    landings
        .iter()
        .filter_map(|landing| match landing {
            Landing::Left(url) => query_param(url, "code"),
            Landing::Page(page) => {
                assert_eq!(page.reply.status, 400, "{page:?}");
                None
            }
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_requests_at_the_providers_expiry_cause_one_refresh_there() {
    let proxy = Proxy::with(|builder| builder.access_token_ttl(DAY)).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    for round in 1..=3 {
        proxy.clock.advance_secs(3600);
        let replies = at_once(100, |_| {
            let (client, access) = (client.clone(), tokens.access.clone());
            async move { client.call("/mcp", &access).await }
        })
        .await;
        assert_eq!(count(&replies, 200), 100);
        assert_eq!(proxy.provider.count_grant("refresh_token"), round);
        let now = upstream_token(&proxy, &tokens.access).await;
        assert!(proxy.provider.accepts(&now));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_requests_on_two_instances_cause_one_refresh_at_the_provider() {
    let (first, second, _) = two_long_lived_instances().await;
    let here = first.client().await;
    let there = at(&here, &second);
    let tokens = first.journey(&here).await;
    for round in 1..=3 {
        first.clock.advance_secs(3600);
        let slow = Answer::Slow(Duration::from_millis(120));
        first.provider.next_token(slow);
        let replies = at_once(100, |turn| {
            let client = [&here, &there][turn % 2].clone();
            let access = tokens.access.clone();
            async move { client.call("/mcp", &access).await }
        })
        .await;
        assert_eq!(count(&replies, 200), 100);
        assert_eq!(first.provider.count_grant("refresh_token"), round);
        for instance in [&first, &second] {
            let now = upstream_token(instance, &tokens.access).await;
            assert!(first.provider.accepts(&now));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refreshes_and_requests_at_the_providers_expiry_share_one_renewal() {
    let (first, second, _) = two_long_lived_instances().await;
    let here = first.client().await;
    let there = at(&here, &second);
    let tokens = first.journey(&here).await;
    first.clock.advance_secs(3600);
    let replies = at_once(40, |turn| {
        let client = [&here, &there][turn % 2].clone();
        let tokens = tokens.clone();
        async move {
            match turn % 4 {
                0 | 1 => client.call("/mcp", &tokens.access).await,
                _ => client.refresh(tokens.refresh()).await,
            }
        }
    })
    .await;
    assert_eq!(count(&replies, 200), 40, "{replies:?}");
    assert_eq!(first.provider.count_grant("refresh_token"), 1);
    let is_token_answer = |reply: &&Reply| reply.text().contains("refresh_token");
    let successors: HashSet<_> = replies
        .iter()
        .filter(is_token_answer)
        .map(|reply| Tokens::read(reply).refresh)
        .collect();
    assert_eq!(successors.len(), 1);
}

/// The request that started the renewal is dropped, as a server does when the client hangs up,
/// while the provider has already spent the old refresh token.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_client_that_hangs_up_during_a_renewal_does_not_lose_the_grant() {
    let proxy = Proxy::with(|builder| builder.access_token_ttl(DAY)).await;
    let client = proxy.client().await;
    let mut tokens = proxy.journey(&client).await;
    for by_refresh in [false, true] {
        proxy.clock.advance_secs(3600);
        let gate = Gate::default();
        proxy.provider.next_token(Answer::Held(gate.clone()));
        let renewals = proxy.provider.count_grant("refresh_token");
        let (asking, held) = (client.clone(), tokens.clone());
        let request = tokio::spawn(async move {
            match by_refresh {
                true => asking.refresh(held.refresh()).await,
                false => asking.call("/mcp", &held.access).await,
            }
        });
        provider_saw(&proxy, "refresh_token", renewals + 1).await;
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
        gate.open();

        proxy.session(&client, &tokens.access).await;
        assert_eq!(proxy.provider.count_grant("refresh_token"), renewals + 1);
        assert_eq!(proxy.provider.live_refresh_tokens(), 1);
        let now = upstream_token(&proxy, &tokens.access).await;
        assert!(proxy.provider.accepts(&now));
        tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    }
}

/// The rotation comes while the renewal waits for the provider: neither may overwrite the other.
/// The second instance's clock is behind, so that its refresh does not want the renewal too.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rotation_during_a_renewal_keeps_both_changes() {
    let (first, second, _) = two_long_lived_instances().await;
    let here = first.client().await;
    let there = at(&here, &second);
    let tokens = first.journey(&here).await;
    let start = first.clock.unix();
    first.clock.advance_secs(3600);
    let gate = Gate::default();
    first.provider.next_token(Answer::Held(gate.clone()));
    let (client, access) = (here.clone(), tokens.access.clone());
    let call = tokio::spawn(async move { client.call("/mcp", &access).await });
    provider_saw(&first, "refresh_token", 1).await;

    first.clock.set_unix(start + 1800);
    let rotated = Tokens::read(&there.refresh(tokens.refresh()).await);
    first.clock.set_unix(start + 3600);
    gate.open();
    call.await.unwrap().expect(200);

    // The renewal stands: the provider is not asked again, and its new token works.
    let now = upstream_token(&second, &rotated.access).await;
    assert!(first.provider.accepts(&now));
    assert_eq!(first.provider.count_grant("refresh_token"), 1);
    // The rotation stands: its successor is live, and the predecessor is reuse by now.
    let next = Tokens::read(&there.refresh(rotated.refresh()).await);
    here.refresh(tokens.refresh())
        .await
        .refused(400, "invalid_grant");
    is_dead(&here, &next).await;
}
