//! Where state is, and what happens when the store does not do as it should.

use std::time::Duration;

use tower_oauth_proxy::{Reason, Step};

use testkit::{
    Pkce, Proxy, Tokens,
    client::{CALLBACK, native_metadata},
    provider::MARK,
    store::Health,
    wire::query_param,
};

#[tokio::test]
async fn strangers_write_nothing() {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    for turn in 0..200 {
        let client = proxy.register(&native_metadata(CALLBACK)).await;
        let url = client.authorize(&Pkce::new(), "s").url();
        let mut browser = proxy.browser();
        browser.open(&url).await.page();
        if turn % 2 == 0 {
            browser.press("deny").await.left();
        }
        client.refresh("x").await.refused(400, "invalid_grant");
        client.revoke("x").await.expect(200);
        client.call("/mcp", "x").await.expect(401);
    }
    assert_eq!(store.writes(), 0);
    assert_eq!(store.records(), 0);
}

#[tokio::test]
async fn a_login_leaves_a_few_records_that_name_nobody() {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    let client = proxy.client().await;
    let pkce = Pkce::new();
    let callback = proxy.login(&mut proxy.browser(), &client, &pkce).await;
    let code = query_param(&callback, "code").unwrap();
    let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
    // The grant, the callback's mark; and the two lists that it stands in.
    assert_eq!(store.records(), 2);
    let listed = store.seen().into_iter();
    let listed = listed.filter(|seen| seen.verb == "list_add");
    let lists: std::collections::HashSet<_> = listed.map(|seen| seen.key).collect();
    assert_eq!(lists.len(), 2);
    for seen in store.seen() {
        let value = String::from_utf8_lossy(&seen.value).into_owned();
        for text in [&seen.key, &value] {
            for secret in [
                MARK,
                "person-1",
                "ada@example.com",
                CALLBACK,
                &code,
                &client.id,
            ] {
                assert!(
                    !text.contains(secret),
                    "{secret} in {} {}",
                    seen.verb,
                    seen.key
                );
            }
            assert!(!text.contains(&tokens.access) && !text.contains(tokens.refresh()));
        }
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_temporarily_unavailable_everywhere_and_logs_nobody_out() {
    let (proxy, store) =
        Proxy::with_store(|builder| builder.session_cache_ttl(Duration::ZERO)).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    for health in [Health::Down, Health::AnswersLost] {
        store.be(health);
        let reply = client.refresh(tokens.refresh()).await;
        reply.refused(503, "temporarily_unavailable");
        assert!(reply.header("retry-after").is_some());
        proxy.told(Step::Refresh, Reason::StoreUnavailable);
        let reply = client.call("/mcp", &tokens.access).await.expect(503);
        assert!(reply.header("retry-after").is_some());
        let reply = client.redeem_code("x", &Pkce::new()).await;
        assert!([400, 503].contains(&reply.status.as_u16()), "{reply:?}");
        store.be(Health::Up);
        proxy.session(&client, &tokens.access).await;
    }
    Tokens::read(&client.refresh(tokens.refresh()).await);
}

#[tokio::test]
async fn a_frozen_store_is_answered_for_in_time() {
    let (proxy, store) =
        Proxy::with_store(|builder| builder.session_cache_ttl(Duration::ZERO)).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    store.be(Health::Frozen);
    let begun = std::time::Instant::now();
    let (refresh, call) = tokio::join!(
        client.refresh(tokens.refresh()),
        client.call("/mcp", &tokens.access),
    );
    refresh.refused(503, "temporarily_unavailable");
    assert_eq!(call.status, 503);
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
}

/// Refreshes while the store breaks down after some steps, then again when it is back: on the same
/// instance, or on one that was started anew. The client never saw the first answer.
async fn refresh_twice(steps: usize, expired: bool, restart: bool, rotating: bool) {
    let case = format!("steps {steps}, expired {expired}, restart {restart}, rotating {rotating}");
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    proxy
        .provider
        .configure(|settings| settings.rotate = rotating);
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    if expired {
        proxy.clock.advance_secs(3600);
    }
    store.be(Health::UpFor(steps));
    let reply = client.refresh(tokens.refresh()).await;
    let status = reply.status.as_u16();
    assert!([200, 503].contains(&status), "{case}: {reply:?}");
    store.be(Health::Up);
    let next = if restart {
        proxy.sibling(|builder| builder.token_storage(store.clone()))
    } else {
        proxy
    };
    let mut client = client.clone();
    client.wire = next.wire.clone();
    next.clock.advance_secs(20);
    // What is in doubt settles once the store is well; until then the client is told to come back,
    // as often as a busy machine needs.
    let mut again = client.refresh(tokens.refresh()).await;
    for _ in 0..30 {
        if again.status != 503 {
            break;
        }
        again.refused(503, "temporarily_unavailable");
        assert!(again.header("retry-after").is_some(), "{case}: {again:?}");
        again = client.refresh(tokens.refresh()).await;
    }
    assert_eq!(again.status, 200, "{case}: {again:?}");
    let renewed = Tokens::read(&again);
    next.session(&client, &renewed.access).await;
    assert_eq!(next.provider.live_refresh_tokens(), 1, "{case}");
}

#[tokio::test]
async fn a_crash_between_any_two_steps_of_a_refresh_logs_nobody_out() {
    for steps in 0..12 {
        for rotating in [false, true] {
            refresh_twice(steps, false, true, rotating).await;
        }
        // What a rotating provider answered to a process that died is lost: nobody can help that.
        refresh_twice(steps, true, true, false).await;
    }
}

#[tokio::test]
async fn a_store_that_fails_during_a_refresh_logs_nobody_out() {
    for steps in 0..12 {
        refresh_twice(steps, false, false, true).await;
        refresh_twice(steps, true, false, false).await;
    }
}

#[tokio::test]
async fn what_a_rotating_provider_answered_is_kept_until_the_store_takes_it() {
    for steps in 0..12 {
        refresh_twice(steps, true, false, true).await;
    }
}

#[tokio::test]
async fn a_crash_between_any_two_steps_of_a_redemption_gives_at_most_one_grant() {
    for steps in 0..6 {
        let (proxy, store) = Proxy::with_store(|builder| builder).await;
        let client = proxy.client().await;
        let pkce = Pkce::new();
        let callback = proxy.login(&mut proxy.browser(), &client, &pkce).await;
        store.be(Health::UpFor(steps));
        let first = client.redeem(&callback, &pkce).await;
        assert!(
            [200, 503].contains(&first.status.as_u16()),
            "{steps}: {first:?}"
        );
        store.be(Health::Up);
        let second = client.redeem(&callback, &pkce).await;
        assert_ne!(
            (first.status.as_u16(), second.status.as_u16()),
            (200, 200),
            "{steps}"
        );
    }
}

#[tokio::test]
async fn a_store_that_is_down_at_the_callback_sends_the_person_on_or_lets_them_reload() {
    for steps in 0..6 {
        let (proxy, store) = Proxy::with_store(|builder| builder).await;
        let client = proxy.client().await;
        let mut browser = proxy.browser();
        let url = client.authorize(&Pkce::new(), "s").url();
        browser.open(&url).await.page();
        store.be(Health::UpFor(steps));
        match browser.press("approve").await {
            testkit::Landing::Left(url) => {
                let error = query_param(&url, "error");
                let known = matches!(error.as_deref(), None | Some("temporarily_unavailable"));
                assert!(known, "{steps}: {url}");
            }
            testkit::Landing::Page(page) => {
                assert_eq!(page.reply.status, 503, "{steps}: {page:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_record_that_was_moved_or_changed_does_not_open() {
    use tower_oauth_proxy::TokenStorage;
    let (proxy, store) =
        Proxy::with_store(|builder| builder.session_cache_ttl(Duration::ZERO)).await;
    let client = proxy.client().await;
    let mine = proxy.journey(&client).await;
    let yours = proxy.journey(&client).await;
    let grants: Vec<_> = store
        .seen()
        .into_iter()
        .filter(|seen| seen.verb == "compare_and_swap" && seen.key.starts_with("grant:"))
        .map(|seen| seen.key)
        .collect();
    let [first, second] = [grants.first().unwrap(), grants.last().unwrap()];
    assert_ne!(first, second);
    let value = store.get(first).await.unwrap().unwrap();
    let hour = Duration::from_secs(3600);
    store.set(second, value.clone(), hour).await.unwrap();
    assert_eq!(client.call("/mcp", &yours.access).await.status, 401);
    let mut changed = value;
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    store.set(first, changed, hour).await.unwrap();
    assert_eq!(client.call("/mcp", &mine.access).await.status, 401);
}

#[tokio::test]
async fn a_revocation_on_another_instance_is_seen_within_the_cache_time() {
    let (first, store) = Proxy::with_store(|builder| builder).await;
    let second = first.sibling(|builder| builder.token_storage(store.clone()));
    let client = first.client().await;
    let tokens = first.journey(&client).await;
    let mut there = client.clone();
    there.wire = second.wire.clone();
    second.session(&there, &tokens.access).await;
    client.revoke(tokens.refresh()).await.expect(200);
    assert_eq!(
        client.call("/mcp", &tokens.access).await.status,
        401,
        "here at once"
    );
    first.clock.advance_secs(10);
    assert_eq!(there.call("/mcp", &tokens.access).await.status, 401);
}

#[tokio::test]
async fn secrets_rotate_and_nobody_is_logged_out() {
    use tower_oauth_proxy::SecretKey;
    let old = || SecretKey::from_bytes(testkit::proxy::SECRET).unwrap();
    let new = || testkit::proxy::secret(42);
    let (before, store) = Proxy::with_store(|builder| builder).await;
    let mut client = before.client().await;
    let tokens = before.journey(&client).await;
    let after = before.sibling(|builder| {
        let builder = builder.secret_key(new()).previous_secret_keys([old()]);
        builder.token_storage(store.clone())
    });
    client.wire = after.wire.clone();
    after.session(&client, &tokens.access).await;
    let renewed = Tokens::read(&client.refresh(tokens.refresh()).await);
    after.session(&client, &renewed.access).await;
    after.journey(&client).await;
    let without = before.sibling(|builder| builder.secret_key(new()).token_storage(store.clone()));
    client.wire = without.wire.clone();
    client
        .refresh(renewed.refresh())
        .await
        .refused(401, "invalid_client");
}
