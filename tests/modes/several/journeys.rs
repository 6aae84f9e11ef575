//! A person of each, from the page to the last revocation.

use std::time::Duration;

use tower_oauth_proxy::{Reason, Step, Veto};

use super::World;
use testkit::{Kind, Pkce, Tokens, proxy::BASE, wire::query_param};

#[tokio::test]
async fn a_person_of_each_provider_logs_in_and_each_provider_hears_of_its_own_alone() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    let first = world.journey(&client, "oauth").await;
    let second = world.journey(&client, "b").await;
    for (provider, callback) in [
        (&*world.proxy.provider, format!("{BASE}/oauth/callback")),
        (&*world.second, format!("{BASE}/oauth/return/b")),
    ] {
        assert_eq!(provider.count(Kind::Token), 1);
        let asked = provider.last(Kind::Token);
        assert_eq!(asked.param("redirect_uri"), Some(&*callback));
        let asked = provider.last(Kind::Authorize);
        assert_eq!(asked.param("redirect_uri"), Some(&*callback));
        let id = provider.settings().client_id;
        assert_eq!(asked.param("client_id"), Some(&*id));
    }
    for (tokens, provider, subject) in [(&first, "oauth", "person-1"), (&second, "b", "b|person-1")]
    {
        let session = world.proxy.session(&client, &tokens.access).await;
        assert_eq!(session["provider"], provider);
        assert_eq!(session["subject"], subject);
        assert_eq!(session["provider_subject"], "person-1");
    }
}

#[tokio::test]
async fn the_events_of_a_login_name_its_provider() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    world.journey(&client, "b").await;
    for step in [Step::Consent, Step::Callback] {
        let events = world.proxy.events();
        let event = events.iter().find(|event| event.step == step).unwrap();
        assert_eq!(event.provider.as_deref(), Some("b"), "{event:?}");
    }
}

#[tokio::test]
async fn the_hook_hears_which_provider_vouches_and_how_the_person_is_named_here() {
    let world = World::with(|builder| {
        builder.on_login(async |request| match &*request.provider {
            "b" if request.subject == "b|person-1" => {
                assert_eq!(request.person.subject.as_deref(), Some("person-1"));
                Ok(())
            }
            other => Err(Veto::new(format!("not {other}"))),
        })
    })
    .await;
    let client = world.proxy.client().await;
    world.journey(&client, "b").await;
    let (refused, _) = world.login(&client, "oauth").await;
    assert_eq!(
        query_param(&refused, "error").as_deref(),
        Some("access_denied")
    );
    world.proxy.told(Step::Callback, Reason::HookDenied);
}

#[tokio::test]
async fn a_grant_is_renewed_and_looked_at_by_its_own_provider_alone() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    let mut first = world.journey(&client, "oauth").await;
    let mut second = world.journey(&client, "b").await;
    let asked = |kind| (world.proxy.provider.count(kind), world.second.count(kind));
    assert_eq!(asked(Kind::UserInfo), (0, 1), "who logged in at b");
    world.proxy.clock.advance(Duration::from_secs(2 * 3600));
    first = Tokens::read(&client.refresh(first.refresh()).await);
    assert_eq!(asked(Kind::Token), (2, 1), "renewed at the first");
    assert_eq!(asked(Kind::UserInfo), (0, 1));
    second = Tokens::read(&client.refresh(second.refresh()).await);
    assert_eq!(asked(Kind::Token), (2, 1), "b cannot renew");
    assert_eq!(asked(Kind::UserInfo), (0, 2), "and says whether they live");
    // The account at b is gone: its grant ends, the other one lives.
    world.second.remove_app();
    world.proxy.clock.advance(Duration::from_secs(2 * 3600));
    assert_eq!(client.refresh(second.refresh()).await.status, 400);
    assert_eq!(client.refresh(first.refresh()).await.status, 200);
}

#[tokio::test]
async fn userinfo_of_another_person_ends_the_grant_of_that_provider() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    let second = world.journey(&client, "b").await;
    world.second.configure(|settings| {
        settings.person.insert("sub".into(), "b|person-1".into());
    });
    world.proxy.clock.advance(Duration::from_secs(2 * 3600));
    assert_eq!(client.refresh(second.refresh()).await.status, 400);
}

#[tokio::test]
async fn a_revocation_reaches_the_provider_of_the_grant_and_no_other() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    let first = world.journey(&client, "oauth").await;
    let second = world.journey(&client, "b").await;
    assert_eq!(client.revoke(second.refresh()).await.status, 200);
    assert_eq!(client.call("/mcp", &second.access).await.status, 401);
    assert_eq!(world.proxy.provider.count(Kind::Revoke), 0);
    assert_eq!(world.second.count(Kind::Revoke), 1);
    let secret = world.second.settings().client_secret;
    let asked = world.second.last(Kind::Revoke);
    assert!(asked.param("token").is_some(), "{asked:?} {secret}");
    assert_eq!(client.call("/mcp", &first.access).await.status, 200);
}

#[tokio::test]
async fn a_login_asks_a_provider_for_the_scopes_that_it_knows_and_grants_no_others() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    // All: what the first knows, and what b does.
    let all = "openid read write repo offline_access";
    let document = world
        .proxy
        .wire
        .get("/.well-known/oauth-authorization-server", &[]);
    let supported = document.await.json()["scopes_supported"].clone();
    for scope in all.split(' ') {
        assert!(
            supported.as_array().unwrap().contains(&scope.into()),
            "{scope}: {supported}"
        );
    }
    for (id, provider, granted) in [
        (
            "oauth",
            &*world.proxy.provider,
            "openid read write offline_access",
        ),
        ("b", &*world.second, "openid read repo offline_access"),
    ] {
        let (mut browser, pkce) = (world.browser(), Pkce::new());
        let url = client.authorize(&pkce, "s").with("scope", all).url();
        browser.open(&url).await.page();
        let callback = browser.choose(id, "approve").await.left();
        let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
        assert_eq!(tokens.scope, granted, "{id}");
        let asked = provider.last(Kind::Authorize);
        let upstream = asked.param("scope").unwrap();
        let foreign = if id == "b" { "write" } else { "repo" };
        assert!(!upstream.contains(foreign), "{id}: {upstream}");
        // As clients do: the list that they once sent.
        let again = [
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens.refresh()),
            ("scope", all),
        ];
        let again = Tokens::read(&client.token(&again).await);
        assert_eq!(again.scope, granted, "{id}");
    }
}

#[tokio::test]
async fn two_logins_in_one_browser_at_two_providers_do_not_meet() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    let (mut browser, mine, other) = (world.browser(), Pkce::new(), Pkce::new());
    browser
        .open(&client.authorize(&mine, "1").url())
        .await
        .page();
    let first_page = browser.page().clone();
    browser
        .open(&client.authorize(&other, "2").url())
        .await
        .page();
    let second = browser.choose("b", "approve").await.left();
    browser.open(&first_page.url).await.page();
    let first = browser.choose("oauth", "approve").await.left();
    let (first, second) =
        tokio::join!(client.redeem(&first, &mine), client.redeem(&second, &other));
    for (reply, provider) in [(first, "oauth"), (second, "b")] {
        let tokens = Tokens::read(&reply);
        let session = world.proxy.session(&client, &tokens.access).await;
        assert_eq!(session["provider"], provider);
    }
}

#[tokio::test]
async fn many_at_once_log_in_at_both() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    let world = std::sync::Arc::new(world);
    let logins: Vec<_> = (0..12)
        .map(|n| {
            let (world, client) = (world.clone(), client.clone());
            let provider = if n % 2 == 0 { "oauth" } else { "b" };
            tokio::spawn(async move { world.journey(&client, provider).await })
        })
        .collect();
    let mut all = Vec::new();
    for login in logins {
        all.push(login.await.unwrap());
    }
    for (n, tokens) in all.iter().enumerate() {
        let session = world.proxy.session(&client, &tokens.access).await;
        let subject = if n % 2 == 0 { "person-1" } else { "b|person-1" };
        assert_eq!(session["subject"], subject);
    }
}
