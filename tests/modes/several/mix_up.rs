//! One provider passes off another's answer as its own (RFC 9700 section 4.4).

use tower_oauth_proxy::{Reason, Step};

use super::World;
use testkit::{AuthorizeAnswer, Kind, Pkce, proxy::BASE, wire::query_param};

/// The person is at `b`, which an attacker runs: the `state` that it was given.
async fn at_second(world: &World, browser: &mut testkit::Browser) -> String {
    let client = world.proxy.client().await;
    world.second.always_authorize(AuthorizeAnswer::Show);
    browser
        .open(&client.authorize(&Pkce::new(), "s").url())
        .await
        .page();
    browser.choose("b", "approve").await.page();
    let asked = world.second.last(Kind::Authorize);
    asked.param("state").unwrap().to_owned()
}

/// The first provider's authorization URL, as the attacker writes it.
fn honest(world: &World, state: &str, callback: &str) -> String {
    let params = [
        ("client_id", "upstream-app"),
        ("response_type", "code"),
        ("redirect_uri", callback),
        ("state", state),
        ("scope", "openid"),
    ];
    let query = serde_urlencoded::to_string(params).unwrap();
    format!("{}?{query}", world.proxy.provider.url("/authorize"))
}

#[tokio::test]
async fn a_malicious_provider_that_sends_the_person_on_gets_no_code_of_the_honest_one() {
    let world = World::start().await;
    let mut browser = world.browser();
    let state = at_second(&world, &mut browser).await;
    let callback = format!("{BASE}/oauth/callback");
    let back = browser
        .open(&honest(&world, &state, &callback))
        .await
        .left();
    assert_eq!(query_param(&back, "error").as_deref(), Some("server_error"));
    assert_eq!(query_param(&back, "code"), None, "{back}");
    world.proxy.told(Step::Callback, Reason::ProviderDenied);
    let events = world.proxy.events();
    let last = events.iter().rfind(|event| event.reason.is_some()).unwrap();
    assert_eq!(last.provider.as_deref(), Some("b"));
    assert!(
        last.detail.as_deref().unwrap().contains("another provider"),
        "{last:?}"
    );
    assert_eq!(world.second.count(Kind::Token), 0, "the code went nowhere");
    assert_eq!(world.proxy.provider.count(Kind::Token), 0);
    // The login is spent: the answer at the right place comes too late.
    let late = format!("{BASE}/oauth/return/b?code=c&state={state}");
    let page = browser.open(&late).await.page();
    assert!(page.reply.text().contains("already used"), "{page:?}");
    assert_eq!(world.second.count(Kind::Token), 0);
}

#[tokio::test]
async fn nor_does_one_whose_own_callback_the_honest_provider_accepts_where_that_names_itself() {
    let world = World::start().await;
    world
        .proxy
        .provider
        .configure(|settings| settings.name_issuer = true);
    let also = super::about(&world.second).issuer(world.second.origin.clone());
    let named = world.again(|builder| builder.also_provider(also));
    let world = World {
        proxy: named,
        ..world
    };
    let mut browser = world.browser();
    let state = at_second(&world, &mut browser).await;
    let callback = format!("{BASE}/oauth/return/b");
    let back = browser
        .open(&honest(&world, &state, &callback))
        .await
        .left();
    assert_eq!(query_param(&back, "error").as_deref(), Some("server_error"));
    world.proxy.told(Step::Callback, Reason::ProviderDenied);
    assert_eq!(world.second.count(Kind::Token), 0, "the code went nowhere");
}

#[tokio::test]
async fn a_callback_of_no_provider_is_no_callback() {
    let world = World::start().await;
    for path in [
        "/oauth/return/oauth",
        "/oauth/return/c",
        "/oauth/return/",
        "/oauth/return/B",
    ] {
        let reply = world
            .proxy
            .wire
            .get(&format!("{path}?code=c&state=s"), &[])
            .await;
        assert_eq!(reply.status, 401, "{path} is protected like any other");
    }
    let reply = world
        .proxy
        .wire
        .get("/oauth/return/b?code=c&state=s", &[])
        .await;
    assert_eq!(reply.status, 400);
    world.proxy.told(Step::Callback, Reason::Browser);
}

#[tokio::test]
async fn an_answer_is_posted_to_the_callback_of_a_provider_that_posts_and_to_no_other() {
    let world = World::start().await;
    let also = super::about(&world.second).form_post(true);
    let posting = world.again(|builder| builder.also_provider(also));
    let form = [("code", "c"), ("state", "s")];
    let reply = posting.wire.form("/oauth/return/b", &form, &[]).await;
    assert_eq!(reply.status, 303);
    assert_eq!(
        reply.location(),
        format!("{BASE}/oauth/return/b?code=c&state=s")
    );
    assert_eq!(
        posting
            .wire
            .form("/oauth/callback", &form, &[])
            .await
            .status,
        405
    );
    // And the whole way.
    let world = World {
        proxy: posting,
        ..world
    };
    let client = world.proxy.client().await;
    let (mut browser, pkce) = (world.browser(), Pkce::new());
    browser
        .open(&client.authorize(&pkce, "s").url())
        .await
        .page();
    browser.choose("b", "approve").await.page();
    let callback = browser.press("on").await.left();
    assert_eq!(client.redeem(&callback, &pkce).await.status, 200);
}

/// Two providers read the one document about the proxy, so each accepts the other's callback.
#[tokio::test]
async fn providers_of_one_document_have_to_name_themselves_in_every_answer() {
    let world = World::start().await;
    let reader = |provider: &testkit::Provider, id: &str| {
        let url = |path: &str| provider.url(path);
        tower_oauth_proxy::provider::generic(url("/authorize"), url("/token"), "", "")
            .client_metadata_document()
            .issuer(provider.origin.clone())
            .id(id)
            .name(id)
            .scopes(["read"])
    };
    let first = reader(&world.proxy.provider, "a");
    let builder = testkit::proxy::builder_from(first, BASE);
    let builder = builder.also_provider(reader(&world.second, "b"));
    let proxy = testkit::Proxy::built(
        world.proxy.provider.clone(),
        world.proxy.clock.clone(),
        BASE,
        builder.token_storage(world.store.clone()),
    );
    let world = World { proxy, ..world };
    for (names_itself, error) in [(false, Some("server_error")), (true, None)] {
        world.second.configure(|settings| {
            settings.name_issuer = names_itself;
            settings.client_id = format!("{BASE}/oauth/client.json");
        });
        world.second.always(
            Kind::Token,
            testkit::Answer::Raw(
                200,
                "application/json",
                r#"{"access_token":"UPSTREAM-x","token_type":"Bearer"}"#.to_owned(),
            ),
        );
        let client = world.proxy.client().await;
        let (mut browser, pkce) = (world.browser(), Pkce::new());
        browser
            .open(&client.authorize(&pkce, "s").with("scope", "read").url())
            .await
            .page();
        let back = browser.choose("b", "approve").await.left();
        assert_eq!(query_param(&back, "error").as_deref(), error, "{back}");
    }
    assert_eq!(world.second.count(Kind::Token), 1);
}
