//! One person's grants are so many at most.

use std::{sync::Arc, time::Duration};

use tower_oauth_proxy::{MemoryStorage, Reason};

use testkit::{Client, Kind, Pkce, Proxy, Tokens, store::Health};

async fn with_limit(limit: usize) -> (Proxy, Client) {
    let proxy = Proxy::with(|builder| builder.grants_per_person(limit)).await;
    let client = proxy.client().await;
    (proxy, client)
}

fn become_person(proxy: &Proxy, sub: &str) {
    proxy.provider.configure(|settings| {
        settings.person.insert("sub".into(), sub.into());
    });
}

/// The grants that ended because there were too many.
fn too_many(proxy: &Proxy) -> Vec<String> {
    let events = proxy.events().into_iter();
    let ended = events.filter(|event| event.reason == Some(Reason::TooMany));
    ended.map(|event| event.grant.unwrap()).collect()
}

async fn ids(proxy: &Proxy, subject: &str) -> Vec<String> {
    let grants = proxy.layer.admin().grants_of_subject(subject).await;
    grants.unwrap().into_iter().map(|grant| grant.id).collect()
}

#[tokio::test]
async fn a_login_beyond_the_limit_ends_the_grant_that_was_used_longest_ago() {
    let (proxy, client) = with_limit(2).await;
    become_person(&proxy, "bob");
    let bobs = proxy.journey(&client).await;
    become_person(&proxy, "ada");
    let first = proxy.journey(&client).await;
    proxy.clock.advance_secs(60);
    let second = proxy.journey(&client).await;
    let known = ids(&proxy, "ada").await;
    proxy.clock.advance_secs(60);
    let first = Tokens::read(&client.refresh(first.refresh()).await);
    assert!(too_many(&proxy).is_empty(), "two are not too many");
    proxy.clock.advance_secs(60);
    let third = proxy.journey(&client).await;

    // The second was used longest ago; the first has refreshed since.
    client
        .refresh(second.refresh())
        .await
        .refused(400, "invalid_grant");
    client
        .call("/mcp", &second.access)
        .await
        .refused(401, "invalid_token");
    for tokens in [&first, &third, &bobs] {
        Tokens::read(&client.refresh(tokens.refresh()).await);
    }
    let ended = too_many(&proxy);
    assert_eq!(ended.len(), 1);
    assert!(known.contains(&ended[0]));
    let left = ids(&proxy, "ada").await;
    assert_eq!(left.len(), 2);
    assert!(!left.contains(&ended[0]));
    // At Google the provider's word would end the other grants, the new one among them.
    let left = proxy.layer.admin().drain(Duration::from_secs(20)).await;
    assert_eq!((left, proxy.provider.count(Kind::Revoke)), (0, 0));
}

#[tokio::test]
async fn of_logins_at_once_one_stays_with_the_next_login_and_nobody_elses_is_touched() {
    let (proxy, client) = with_limit(1).await;
    become_person(&proxy, "bob");
    let bobs = proxy.journey(&client).await;
    become_person(&proxy, "ada");
    let proxy = Arc::new(proxy);
    let mut logins = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (proxy, client) = (Arc::clone(&proxy), client.clone());
        logins.spawn(async move {
            let mut browser = proxy.browser();
            let pkce = Pkce::new();
            let callback = proxy.login(&mut browser, &client, &pkce).await;
            (callback, pkce)
        });
    }
    let mut got_in = 0;
    for (callback, pkce) in logins.join_all().await {
        let reply = client.redeem(&callback, &pkce).await;
        match reply.status.as_u16() {
            200 => got_in += 1,
            _ => drop(reply.refused(400, "invalid_grant")),
        }
    }
    // Two that see each other in the same second do not end each other: the next login does.
    assert!(got_in >= 1);
    proxy.clock.advance_secs(1);
    proxy.journey(&client).await;
    assert_eq!(ids(&proxy, "ada").await.len(), 1);
    Tokens::read(&client.refresh(bobs.refresh()).await);
}

#[tokio::test]
async fn a_limit_that_was_lowered_is_reached_with_a_few_logins() {
    let (proxy, store) = Proxy::with_store(|builder| builder.grants_per_person(1_000)).await;
    let client = proxy.client().await;
    for _ in 0..120 {
        proxy
            .login(&mut proxy.browser(), &client, &Pkce::new())
            .await;
    }
    assert_eq!(ids(&proxy, "person-1").await.len(), 120);
    let stricter = proxy.sibling(|builder| {
        let builder = builder.grants_per_person(5);
        builder.token_storage(store.clone())
    });
    stricter.clock.advance_secs(1);
    for left in [21, 5] {
        // A hundred at a time.
        let client = stricter.client().await;
        stricter.journey(&client).await;
        assert_eq!(ids(&stricter, "person-1").await.len(), left);
    }
}

#[tokio::test]
async fn a_store_that_fails_while_grants_are_counted_costs_no_login() {
    let change = |builder: tower_oauth_proxy::OAuthProxyConfigBuilder| builder.grants_per_person(1);
    let (proxy, store) = Proxy::with_store(change).await;
    let client = proxy.client().await;
    let old = proxy.journey(&client).await;
    proxy.clock.advance_secs(60);
    store.be(Health::WithoutLists);
    let tokens = proxy.journey(&client).await;
    proxy.session(&client, &tokens.access).await;
    let events = proxy.events().into_iter();
    let told: Vec<_> = events
        .filter(|event| event.reason == Some(Reason::StoreUnavailable))
        .filter_map(|event| event.detail)
        .collect();
    for what in ["not counted", "not listed"] {
        let told = told.iter().find(|detail| detail.contains(what));
        // What the store itself said, too.
        assert!(told.unwrap().ends_with("broken on purpose"), "{told:?}");
    }
    proxy.session(&client, &old.access).await;
    assert!(too_many(&proxy).is_empty());
    // The next login makes up for it.
    store.be(Health::Up);
    proxy.clock.advance_secs(60);
    Tokens::read(&client.refresh(tokens.refresh()).await);
    proxy.clock.advance_secs(60);
    proxy.journey(&client).await;
    assert_eq!(too_many(&proxy).len(), 2);
}

/// The memory store drops what was not used for long when it is full: nobody may bring that about for
/// others, nor for the operator's deny list.
#[tokio::test]
async fn one_account_pushes_nobody_out_of_a_store_with_bounds_and_no_denied_client_back_in() {
    let store = MemoryStorage::with_max_bytes(1024 * 1024);
    let proxy = Proxy::with(|builder| builder.token_storage(store).grants_per_person(10)).await;
    let denied = proxy.client().await;
    proxy.layer.admin().deny_client(&denied.id).await.unwrap();
    let client = proxy.client().await;
    let victim = proxy.journey(&client).await;
    become_person(&proxy, "mallory");
    for _ in 0..600 {
        proxy
            .login(&mut proxy.browser(), &client, &Pkce::new())
            .await;
    }
    assert_eq!(ids(&proxy, "mallory").await.len(), 10);
    Tokens::read(&client.refresh(victim.refresh()).await);
    let url = denied.authorize(&Pkce::new(), "state").url();
    let page = proxy.browser().open(&url).await.page();
    assert_eq!(page.reply.status, 400);
}

#[tokio::test]
async fn a_limit_of_none_is_no_configuration() {
    let proxy = Proxy::start().await;
    let upstream = testkit::proxy::upstream(&proxy.provider);
    let builder = testkit::proxy::builder_from(upstream, testkit::proxy::BASE);
    let error = builder.grants_per_person(0).build().unwrap_err();
    assert_eq!(error.option(), "grants_per_person");
}
