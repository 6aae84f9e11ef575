//! What browsers do besides: popups, prefetches, frames, and other sites' windows.

use tower_oauth_proxy::{Consent, Reason, Step};

use testkit::{
    AuthorizeAnswer, Browser, Client, Kind, Landing, Pkce, Proxy, Reply, jar::SameSite,
    wire::query_param,
};

const EVIL: &str = "https://evil.example";

/// As long as some clients': two such logins fill the room that there is for cookies.
fn long_state() -> String {
    "s".repeat(1_200)
}

/// Approves, and stops where the provider sends the browser: the callback URL, not yet opened.
async fn before_callback(proxy: &Proxy, client: &Client, browser: &mut Browser) -> String {
    let url = client.authorize(&Pkce::new(), &long_state()).url();
    browser.open(&url).await.page();
    go_on(proxy, browser).await
}

/// The same from the consent page on.
async fn go_on(proxy: &Proxy, browser: &mut Browser) -> String {
    proxy.provider.next_authorize(AuthorizeAnswer::Show);
    browser.press("approve").await.page();
    let reply = proxy.browser().open_once(&browser.page().url.clone()).await;
    reply.location().to_owned()
}

/// A web client opens the login in a popup and waits for its message: a page with that header is
/// another browsing context group, and the client reads `popup.closed` at once.
#[tokio::test]
async fn no_page_of_a_login_cuts_off_the_window_that_opened_it() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let callback = before_callback(&proxy, &client, &mut browser).await;
    let mut twin = browser.clone();
    browser.open(&callback).await.left();
    twin.open(&callback).await.page();
    browser.open(&callback).await.page();
    browser
        .open(
            &client
                .authorize(&Pkce::new(), "s")
                .with("client_id", "x")
                .url(),
        )
        .await
        .page();
    browser
        .open(&format!("{}/oauth/consent?login=x", proxy.base))
        .await
        .page();
    let refused = proxy
        .wire
        .request(http::Method::PUT, "/oauth/consent", &[], "".into())
        .await;
    let seen = browser.history.iter().chain(&twin.history);
    let replies: Vec<&Reply> = seen
        .filter(|visit| visit.url.starts_with(&proxy.base))
        .map(|visit| &visit.reply)
        .chain([&refused])
        .collect();
    assert!(replies.len() >= 8);
    for reply in replies {
        assert_eq!(
            reply.header("cross-origin-opener-policy"),
            None,
            "{reply:?}"
        );
    }
}

#[tokio::test]
async fn a_prefetch_spends_nothing_and_the_navigation_gets_the_code() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    for header in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-moz", "prefetch"),
    ] {
        let mut browser = proxy.browser();
        let callback = before_callback(&proxy, &client, &mut browser).await;
        let asked = proxy.provider.count(Kind::Token);
        let reply = browser.prefetch(&callback, header).await;
        assert_eq!(reply.status, 503, "{header:?}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert!(reply.header("set-cookie").is_none() && reply.body.is_empty());
        assert_eq!(proxy.provider.count(Kind::Token), asked);
        proxy.told(Step::Callback, Reason::NotServed);
        let back = browser.open(&callback).await.left();
        assert!(query_param(&back, "code").is_some(), "{header:?}: {back}");
    }
}

#[tokio::test]
async fn a_prefetch_starts_no_login_and_may_see_the_consent_page() {
    let proxy = Proxy::with(|builder| builder.consent(Consent::External)).await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let url = client.authorize(&Pkce::new(), "s").url();
    let reply = browser.prefetch(&url, ("sec-purpose", "prefetch")).await;
    assert_eq!((reply.status.as_u16(), browser.jar.all().len()), (503, 0));
    browser.open(&url).await.left();
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    browser
        .open(&client.authorize(&Pkce::new(), "s").url())
        .await
        .page();
    let here = browser.page().url.clone();
    let reply = browser.prefetch(&here, ("sec-purpose", "prefetch")).await;
    assert_eq!(reply.status, 200);
    browser.press("approve").await.left();
}

#[tokio::test]
async fn what_another_site_embeds_gets_no_cookie() {
    for consent in [Consent::Always, Consent::External] {
        let proxy = Proxy::with(|builder| builder.consent(consent)).await;
        let client = proxy.client().await;
        let mut browser = proxy.browser();
        let url = client.authorize(&Pkce::new(), "s").url();
        for dest in ["image", "iframe", "empty"] {
            let reply = browser.embed(EVIL, &url, dest).await;
            assert_eq!(reply.status, 400, "{dest}");
            assert!(reply.header("set-cookie").is_none(), "{dest}: {reply:?}");
            proxy.told(Step::Authorize, Reason::Browser);
        }
        // In a window of its own it is a login like any other.
        match browser.click_on(EVIL, &url).await {
            Landing::Page(page) => assert_eq!(page.reply.status, 200),
            Landing::Left(back) => assert!(query_param(&back, "code").is_some()),
        }
    }
}

/// A page elsewhere opens as many windows as it likes, with clients of its own and long states.
async fn flood(proxy: &Proxy, browser: &Browser) -> Browser {
    let client = proxy.client().await;
    let mut tab = browser.clone();
    for length in [10, 10, 10, 10, 2_300, 2_300, 1_200, 1_200, 10] {
        let state = "s".repeat(length);
        tab.click_on(EVIL, &client.authorize(&Pkce::new(), &state).url())
            .await;
        proxy.clock.advance_secs(1);
    }
    // The windows share one profile.
    let mut after = browser.clone();
    after.jar = tab.jar;
    after
}

#[tokio::test]
async fn another_sites_windows_push_out_nothing_that_the_person_waits_for() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    // One is at the provider, one stands on the consent page.
    let callback = before_callback(&proxy, &client, &mut browser).await;
    proxy.clock.advance_secs(1);
    browser
        .open(&client.authorize(&Pkce::new(), &long_state()).url())
        .await
        .page();
    let mut browser = flood(&proxy, &browser).await;
    let mut twin = browser.clone();
    let back = browser.open(&callback).await.left();
    assert!(query_param(&back, "code").is_some(), "{back}");
    let back = twin.press("approve").await.left();
    assert!(query_param(&back, "code").is_some(), "{back}");
}

#[tokio::test]
async fn another_sites_windows_push_out_no_login_where_nobody_is_asked() {
    let proxy = Proxy::with(|builder| builder.consent(Consent::External)).await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    proxy.provider.next_authorize(AuthorizeAnswer::Show);
    browser
        .open(&client.authorize(&Pkce::new(), &long_state()).url())
        .await
        .page();
    let provider = browser.page().url.clone();
    proxy.provider.always_authorize(AuthorizeAnswer::Show);
    let mut browser = flood(&proxy, &browser).await;
    proxy.provider.always_authorize(AuthorizeAnswer::Approve);
    let callback = proxy
        .browser()
        .open_once(&provider)
        .await
        .location()
        .to_owned();
    let back = browser.open(&callback).await.left();
    assert!(query_param(&back, "code").is_some(), "{back}");
}

/// A web client's login comes from another site as well: it works, also the fourth, and what the
/// person approved of it is their own.
#[tokio::test]
async fn a_web_clients_login_works_and_once_approved_it_is_the_persons_own() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let url = client.authorize(&Pkce::new(), "client-state").url();
    for _ in 0..4 {
        browser.click_on("https://claude.ai", &url).await.page();
        proxy.clock.advance_secs(1);
    }
    let callback = go_on(&proxy, &mut browser).await;
    let mut browser = flood(&proxy, &browser).await;
    let back = browser.open(&callback).await.left();
    assert!(query_param(&back, "code").is_some(), "{back}");
}

/// A cookie is taken by its own name, to the digit: what else a browser sends is not repeated.
#[tokio::test]
async fn no_foreign_cookies_name_is_repeated() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let url = client.authorize(&Pkce::new(), "s").url();
    browser.open(&url).await.page();
    let mut planted = (*browser.jar.all()[0]).clone();
    let stem = planted.name[..planted.name.len() - 12].to_owned();
    for odd in [
        "\u{202e}\u{e9}\u{e9}\u{e9}",
        "<b>x</b>",
        "0123456789AB",
        "0123456789ab-",
    ] {
        planted.name = format!("{stem}{odd}");
        planted.value = "x".to_owned();
        planted.same_site = SameSite::None;
        browser.jar.plant(planted.clone());
    }
    planted.name = format!("{stem}0123456789ab");
    browser.jar.plant(planted);
    browser.open_once(&url).await;
    let reply = &browser.history.last().unwrap().reply;
    let names: Vec<_> = reply
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|line| line.to_str().unwrap().split_once('=').unwrap().0.to_owned())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(names[0], format!("{stem}0123456789ab"));
}
