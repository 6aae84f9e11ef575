//! Who comes back to a login that is over, too old, or another browser's, reads what it is.

use tower_oauth_proxy::{Event, Reason, Step};

use testkit::{Browser, Client, Pkce, Proxy, browser::Page, wire::query_param};

/// A login up to the client, and the URLs of its consent page and callback.
async fn login(proxy: &Proxy, client: &Client) -> (Browser, String, String) {
    let mut browser = proxy.browser();
    proxy.login(&mut browser, client, &Pkce::new()).await;
    let find = |part: &str| {
        let urls = browser.history.iter().map(|visit| visit.url.clone());
        urls.into_iter().find(|url| url.contains(part)).unwrap()
    };
    let (consent, callback) = (find("/oauth/consent?"), find("/oauth/callback?"));
    (browser, consent, callback)
}

fn last_refusal(proxy: &Proxy) -> Event {
    let events = proxy.events();
    events
        .into_iter()
        .rfind(|event| event.reason.is_some())
        .unwrap()
}

#[track_caller]
fn says(page: &Page, status: u16, title: &str) {
    assert_eq!(page.reply.status, status, "{page:?}");
    let html = page.reply.text();
    assert!(
        html.contains(&format!("<h1>{title}</h1>")),
        "{title}: {html}"
    );
}

#[tokio::test]
async fn whoever_reloads_a_finished_callback_of_theirs_reads_that_they_are_done() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (mut browser, consent, callback) = login(&proxy, &client).await;
    let events = proxy.events();
    let begun = events.iter().find(|event| event.step == Step::Authorize);
    let id = begun.unwrap().login.clone();
    for (again, step) in [(&callback, Step::Callback), (&consent, Step::Consent)] {
        for _ in 0..2 {
            let page = browser.open(again).await.page();
            says(&page, 200, "You are logged in");
            proxy.told(step, Reason::Replayed);
            assert_eq!(last_refusal(&proxy).login, id, "the login's own id");
            assert!(page.reply.text().contains(id.as_deref().unwrap()));
        }
    }
    assert_eq!(proxy.provider.count_grant("authorization_code"), 1);
    // Any other browser is as it was.
    let page = proxy.browser().open(&callback).await.page();
    says(&page, 400, "This login does not belong to this browser");
    proxy.told(Step::Callback, Reason::Browser);
}

#[tokio::test]
async fn a_login_that_ended_without_access_says_no_more_than_that() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let url = client.authorize(&Pkce::new(), "s").url();
    let page = browser.open(&url).await.page();
    let back = browser.press("deny").await.left();
    assert_eq!(
        query_param(&back, "error").as_deref(),
        Some("access_denied")
    );
    let page = browser.open(&page.url).await.page();
    says(&page, 200, "This login was already used");
    proxy.told(Step::Consent, Reason::Replayed);
}

#[tokio::test]
async fn the_marks_of_finished_logins_are_few_and_go_by_themselves() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    for _ in 0..6 {
        proxy.clock.advance_secs(1);
        proxy.login(&mut browser, &client, &Pkce::new()).await;
        let marks = browser.jar.all();
        let marks = marks
            .iter()
            .filter(|cookie| cookie.name.contains("finished"));
        assert!(marks.count() <= 3);
    }
    assert_eq!(browser.jar.all().len(), 3, "nothing else is left");
    proxy.clock.advance_secs(600);
    assert!(browser.jar.all().is_empty());
}

#[tokio::test]
async fn too_old_is_told_from_not_here() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let url = client.authorize(&Pkce::new(), "s").url();
    let waiting = browser.open(&url).await.page().url;
    proxy.clock.advance_secs(601);
    let page = browser.open(&waiting).await.page();
    says(&page, 400, "This login has expired");
    proxy.told(Step::Consent, Reason::Expired);
    // And by the form of a page that stood open for so long.
    let mut browser = proxy.browser();
    browser.open(&url).await.page();
    proxy.clock.advance_secs(601);
    let page = browser.press("approve").await.page();
    says(&page, 400, "This login has expired");
    // And at the callback.
    let (_, _, callback) = login(&proxy, &client).await;
    proxy.clock.advance_secs(601);
    let page = proxy.browser().open(&callback).await.page();
    says(&page, 400, "This login has expired");
    proxy.told(Step::Callback, Reason::Expired);
}

#[tokio::test]
async fn a_browser_without_cookies_reads_that() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let url = client.authorize(&Pkce::new(), "s").url();
    let waiting = browser.open(&url).await.page().url;
    let other = login(&proxy, &client).await.0;
    browser.jar.clear();
    let page = browser.open(&waiting).await.page();
    says(&page, 400, "This browser sends no cookies");
    proxy.told(Step::Consent, Reason::Browser);
    let detail = last_refusal(&proxy).detail.unwrap();
    assert!(detail.contains("no cookie of ours"), "{detail}");
    // One that keeps them, and does not have this login, is another browser.
    let page = other.clone().open(&waiting).await.page();
    says(&page, 400, "This login is not waiting in this browser");
    // What no login was ever called says nothing either way.
    let made_up = waiting.replace("login=", "login=x");
    let page = proxy.browser().open(&made_up).await.page();
    says(&page, 400, "This login is not waiting in this browser");
}

#[tokio::test]
async fn a_no_that_no_app_can_hear_is_a_page() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    // At the provider, where the browser does not hold the login.
    let denied = format!("{}/oauth/callback?error=access_denied&state=x", proxy.base);
    let page = proxy.browser().open(&denied).await.page();
    says(&page, 400, "The login was cancelled");
    proxy.told(Step::Callback, Reason::ProviderDenied);
    // On our page, whose cookie is gone.
    let mut browser = proxy.browser();
    let url = client.authorize(&Pkce::new(), "s").url();
    browser.open(&url).await.page();
    browser.jar.clear();
    let page = browser.press("deny").await.page();
    says(&page, 400, "The login was cancelled");
    proxy.told(Step::Consent, Reason::PersonDenied);
    // A no is no yes.
    let page = browser.open(&format!("{denied}&code=x")).await.page();
    says(&page, 400, "The login was cancelled");
}
