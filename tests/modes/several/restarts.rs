//! The list of providers changes between any two steps.

use std::time::Duration;

use tower_oauth_proxy::{OAuthProxyConfig, ProviderChoice, Reason, Step};

use super::{World, about};
use testkit::{
    Kind, Pkce, Proxy, Tokens,
    proxy::{BASE, builder_from, upstream},
    wire::query_param,
};

#[tokio::test]
async fn a_provider_that_is_gone_when_the_person_decides_is_not_gone_to() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    let mut browser = world.browser();
    let pkce = Pkce::new();
    browser
        .open(&client.authorize(&pkce, "s").url())
        .await
        .page();
    let alone = world.again(|builder| builder);
    let mut browser = browser.knowing(alone.wire.clone());
    let page = browser.choose("b", "approve").await.page();
    assert_eq!(page.reply.status, 400);
    assert!(page.reply.text().contains("then log in with"));
    alone.told(Step::Consent, Reason::UnknownProvider);
    assert_eq!(world.second.count(Kind::Authorize), 0);
    // The one that is left is theirs to approve.
    let callback = browser.press("approve").await.left();
    assert_eq!(client.redeem(&callback, &pkce).await.status, 200);
}

#[tokio::test]
async fn a_provider_that_is_new_when_the_person_decides_has_to_be_chosen() {
    let world = World::start().await;
    let alone = world.again(|builder| builder);
    let client = alone.client().await;
    let mut browser = alone.browser().knowing(world.second.wire());
    browser
        .open(&client.authorize(&Pkce::new(), "s").url())
        .await
        .page();
    let mut browser = browser.knowing(world.proxy.wire.clone());
    let page = browser.press("approve").await.page();
    assert_eq!(page.reply.status, 400);
    assert_eq!(browser.form().radios.len(), 2);
    browser.choose("oauth", "approve").await.left();
}

#[tokio::test]
async fn a_chosen_provider_that_is_gone_ends_the_login_at_the_page_and_at_the_decision() {
    let world = World::with(|b| b.choose_provider(|_| ProviderChoice::of("b"))).await;
    let client = world.proxy.client().await;
    let browser = world.at_consent(&client, &Pkce::new()).await;
    let page = browser.page().url.clone();
    let alone = world.again(|builder| builder);
    let mut browser = browser.knowing(alone.wire.clone());
    let mut reader = browser.clone();
    let back = browser.press("approve").await.left();
    assert_eq!(query_param(&back, "error").as_deref(), Some("server_error"));
    alone.told(Step::Consent, Reason::UnknownProvider);
    assert_eq!(reader.open(&page).await.page().reply.status, 500);
    assert_eq!(world.proxy.provider.count(Kind::Authorize), 0);
}

#[tokio::test]
async fn a_login_whose_provider_is_gone_when_it_comes_back_brings_no_code_anywhere() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    let mut browser = world.at_consent(&client, &Pkce::new()).await;
    world
        .second
        .always_authorize(testkit::AuthorizeAnswer::Show);
    browser.choose("b", "approve").await.page();
    let state = world.second.last(Kind::Authorize);
    let state = state.param("state").unwrap().to_owned();
    let alone = world.again(|builder| builder);
    let mut browser = browser.knowing(alone.wire.clone());
    let at_first = format!("{BASE}/oauth/callback?code=c&state={state}");
    assert_eq!(browser.open(&at_first).await.page().reply.status, 400);
    alone.told(Step::Callback, Reason::Browser);
    let gone = format!("{BASE}/oauth/return/b?code=c&state={state}");
    assert_eq!(browser.open(&gone).await.page().reply.status, 401);
    assert_eq!(world.proxy.provider.count(Kind::Token), 0);
    assert_eq!(world.second.count(Kind::Token), 0);
}

#[tokio::test]
async fn a_code_of_a_provider_that_is_gone_is_not_redeemed_and_nothing_is_revoked_elsewhere() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    let (callback, pkce) = world.login(&client, "b").await;
    let alone = world.again(|builder| builder);
    let client = testkit::Client {
        wire: alone.wire.clone(),
        ..client
    };
    let reply = client.redeem(&callback, &pkce).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    assert_eq!(world.proxy.provider.requests().len(), 0);
    assert_eq!(world.second.count(Kind::Revoke), 0);
}

#[tokio::test]
async fn a_grant_of_a_provider_that_is_gone_is_refused_and_lives_again_when_it_comes_back() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    let tokens = world.journey(&client, "b").await;
    let alone = world.again(|builder| builder);
    let there = testkit::Client {
        wire: alone.wire.clone(),
        ..client.clone()
    };
    assert_eq!(there.call("/mcp", &tokens.access).await.status, 401);
    assert_eq!(there.refresh(tokens.refresh()).await.status, 400);
    let details: Vec<_> = alone
        .events()
        .into_iter()
        .filter_map(|event| event.detail)
        .collect();
    assert!(
        details.iter().any(|detail| detail.contains("provider `b`")),
        "{details:?}"
    );
    assert_eq!(
        world.proxy.provider.requests().len(),
        0,
        "nothing goes to another"
    );
    let back = world.again(|builder| builder.also_provider(about(&world.second)));
    let there = testkit::Client {
        wire: back.wire.clone(),
        ..client
    };
    let tokens = Tokens::read(&there.refresh(tokens.refresh()).await);
    assert_eq!(
        back.session(&there, &tokens.access).await["subject"],
        "b|person-1"
    );
}

#[tokio::test]
async fn an_administrator_ends_a_grant_of_a_provider_that_is_gone_and_no_other_hears_of_it() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    world.journey(&client, "b").await;
    let alone = world.again(|builder| builder);
    let admin = alone.layer.admin();
    let grants = admin.grants_of_subject("b|person-1").await.unwrap();
    assert_eq!(grants.len(), 1);
    assert_eq!(grants[0].provider, "b");
    assert_eq!(admin.revoke_subject("b|person-1").await.unwrap(), 1);
    admin.drain(Duration::from_secs(5)).await;
    alone.told(Step::UpstreamRevoke, Reason::GrantEnded);
    assert_eq!(world.proxy.provider.count(Kind::Revoke), 0);
    assert_eq!(world.second.count(Kind::Revoke), 0);
}

/// The first provider is another one: its callback has moved, and so a login on its way is refused.
#[tokio::test]
async fn a_login_on_its_way_while_the_order_changes_is_refused() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    let mut browser = world.at_consent(&client, &Pkce::new()).await;
    world
        .proxy
        .provider
        .always_authorize(testkit::AuthorizeAnswer::Show);
    browser.choose("oauth", "approve").await.page();
    let state = world.proxy.provider.last(Kind::Authorize);
    let state = state.param("state").unwrap().to_owned();
    let builder = builder_from(about(&world.second), BASE);
    let builder = builder.also_provider(upstream(&world.proxy.provider).scopes(["read"]));
    let turned = Proxy::built(
        world.proxy.provider.clone(),
        world.proxy.clock.clone(),
        BASE,
        builder.token_storage(world.store.clone()),
    );
    let mut browser = browser.knowing(turned.wire.clone());
    let back = format!("{BASE}/oauth/callback?code=c&state={state}");
    let back = browser.open(&back).await.left();
    assert_eq!(query_param(&back, "error").as_deref(), Some("server_error"));
    assert_eq!(world.proxy.provider.count(Kind::Token), 0);
    assert_eq!(world.second.count(Kind::Token), 0);
}

/// Without a secret of its own, a proxy's keys come from the first provider's client secret.
#[tokio::test]
async fn adding_and_removing_a_provider_logs_no_one_out() {
    let world = World::start().await;
    let built = |also: bool| {
        let first = upstream(&world.proxy.provider).scopes(["read"]);
        let mut builder = OAuthProxyConfig::builder(first, BASE).token_storage(world.store.clone());
        if also {
            builder = builder.also_provider(about(&world.second));
        }
        let (provider, clock) = (world.proxy.provider.clone(), world.proxy.clock.clone());
        Proxy::built(provider, clock, BASE, builder)
    };
    let (alone, both) = (built(false), built(true));
    let client = alone.client().await;
    let tokens = alone.journey(&client).await;
    let there = testkit::Client {
        wire: both.wire.clone(),
        ..client.clone()
    };
    let session = both.session(&there, &tokens.access).await;
    assert_eq!(
        session["subject"], "person-1",
        "and no one has another name"
    );
    let tokens = Tokens::read(&there.refresh(tokens.refresh()).await);
    assert_eq!(
        built(false).session(&client, &tokens.access).await["subject"],
        "person-1"
    );
    let events = both.events();
    let odd = events
        .iter()
        .find(|event| event.reason == Some(Reason::OddOption))
        .unwrap();
    assert!(
        odd.detail
            .as_deref()
            .unwrap()
            .contains("secret_key is not set"),
        "{odd:?}"
    );
    assert!(
        alone
            .events()
            .iter()
            .all(|event| event.reason != Some(Reason::OddOption))
    );
}
