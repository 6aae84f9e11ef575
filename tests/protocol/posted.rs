//! Providers that post their answer (OAuth 2.0 Form Post Response Mode), as Apple does.

use std::sync::Arc;

use tower_oauth_proxy::{Reason, Step};

use testkit::{
    AuthorizeAnswer, Browser, Client, FakeClock, Kind, Landing, Pkce, Provider, Proxy,
    proxy::{BASE, builder_from, upstream},
    wire::{query, query_param},
};

async fn posting() -> Proxy {
    let clock = FakeClock::default();
    let provider = Arc::new(Provider::start(clock.clone()).await);
    let builder = builder_from(upstream(&provider).form_post(true), BASE);
    Proxy::built(provider, clock, BASE, builder)
}

/// Approves, and stops on the provider's page that posts.
async fn at_provider(proxy: &Proxy, client: &Client, pkce: &Pkce) -> Browser {
    let mut browser = proxy.browser();
    let url = client.authorize(pkce, "client-state").url();
    let landing = proxy.approve(&mut browser, &url).await;
    let page = landing.page();
    assert!(page.url.starts_with(&proxy.provider.origin), "{page:?}");
    browser
}

#[tokio::test]
async fn a_login_whose_answer_is_posted_ends_at_the_client() {
    let proxy = posting().await;
    let (client, pkce) = (proxy.client().await, Pkce::new());
    let mut browser = at_provider(&proxy, &client, &pkce).await;
    let asked = proxy.provider.last(Kind::Authorize);
    assert_eq!(asked.param("response_mode"), Some("form_post"));
    let back = browser.press("on").await.left();
    client.redeem(&back, &pkce).await.expect(200);
    // The post came without the cookie, and set none; what it sent on is only what is known.
    let visits: Vec<_> = browser.history.iter().rev().take(2).collect();
    let [get, post] = visits[..] else { panic!() };
    assert_eq!((post.method.as_str(), get.method.as_str()), ("POST", "GET"));
    assert_eq!(
        (&post.sent_cookies, post.reply.status.as_u16()),
        (&None, 303)
    );
    assert!(post.reply.header("set-cookie").is_none());
    assert_eq!(post.reply.header("referrer-policy"), Some("no-referrer"));
    let names: Vec<_> = query(post.reply.location())
        .into_iter()
        .map(|(k, _)| k)
        .collect();
    assert_eq!(names, ["code", "state"]);
    assert!(get.sent_cookies.is_some());
}

#[tokio::test]
async fn an_error_that_is_posted_reaches_the_client() {
    let proxy = posting().await;
    let client = proxy.client().await;
    let denied = AuthorizeAnswer::Deny("user_cancelled_authorize");
    proxy.provider.next_authorize(denied);
    let mut browser = at_provider(&proxy, &client, &Pkce::new()).await;
    let back = browser.press("on").await.left();
    assert_eq!(
        query_param(&back, "error").as_deref(),
        Some("access_denied")
    );
    proxy.told(Step::Callback, Reason::ProviderDenied);
}

/// It can do nothing that a link could not: another browser's answer stays another browser's.
#[tokio::test]
async fn a_posted_answer_in_another_browser_is_refused() {
    let proxy = posting().await;
    let client = proxy.client().await;
    let browser = at_provider(&proxy, &client, &Pkce::new()).await;
    let fields = browser.form().hidden;
    let fields: Vec<_> = fields.iter().map(|(k, v)| (&**k, &**v)).collect();
    let url = format!("{}/oauth/callback", proxy.base);
    let mut other = proxy.browser();
    let page = other
        .forged_post("https://evil.example", &url, &fields)
        .await;
    assert_eq!(page.page().reply.status, 400);
    proxy.told(Step::Callback, Reason::Browser);
    assert_eq!(proxy.provider.count(Kind::Token), 0);
}

#[tokio::test]
async fn a_posted_answer_is_a_bounded_form_and_nothing_else() {
    let proxy = posting().await;
    let post = async |kind: &str, body: Vec<u8>| {
        let headers = [("content-type", kind)];
        let request = proxy.wire.request(
            http::Method::POST,
            "/oauth/callback?code=in-the-query&state=x",
            &headers,
            body.into(),
        );
        request.await
    };
    let form = "application/x-www-form-urlencoded";
    for (kind, body, status) in [
        ("application/json", b"{}".to_vec(), 415),
        ("text/plain", b"code=a".to_vec(), 415),
        ("multipart/form-data", b"code=a".to_vec(), 415),
        (form, vec![b'x'; 64 * 1024 + 1], 413),
        (form, [&b"code="[..], &vec![b'x'; 20_000]].concat(), 400),
    ] {
        let reply = post(kind, body).await;
        assert_eq!(reply.status.as_u16(), status, "{kind}");
        assert!(reply.header("location").is_none());
    }
    // The query of a post is nobody's answer, and any bytes are read.
    let reply = post(
        form,
        b"error=\xff&state=a%0d%0ab&error_description=%FF".to_vec(),
    )
    .await;
    let sent = reply.expect(303);
    let url = sent.location();
    assert!(
        url.starts_with("https://proxy.example/oauth/callback?"),
        "{url}"
    );
    assert!(!url.contains("in-the-query"), "{url}");
    assert_eq!(query_param(url, "state").as_deref(), Some("a\r\nb"));
}

#[tokio::test]
async fn a_post_is_served_only_where_the_provider_is_asked_for_one() {
    let proxy = Proxy::start().await;
    let reply = proxy
        .wire
        .form("/oauth/callback", &[("code", "a")], &[])
        .await;
    assert_eq!(reply.status, 405);
    assert_eq!(reply.header("allow"), Some("GET"));
    let posting = posting().await;
    let reply = posting
        .wire
        .request(http::Method::PUT, "/oauth/callback", &[], "".into())
        .await;
    assert_eq!(reply.header("allow"), Some("GET, POST"));
    let client = proxy.client().await;
    proxy.journey(&client).await;
    let asked = proxy.provider.last(Kind::Authorize);
    assert_eq!(asked.param("response_mode"), None);
    assert!(matches!(
        posting.browser().open(BASE).await,
        Landing::Page(_)
    ));
}
