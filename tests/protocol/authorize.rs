//! The authorization request: what is proven before anybody is redirected anywhere.

use tower_oauth_proxy::{Reason, Step};

use testkit::{
    Client, Kind, Pkce, Proxy, Reply,
    client::{CALLBACK, native_metadata},
    wire::query_param,
};

/// Opens an authorization URL; the first answer.
async fn open(proxy: &Proxy, url: &str) -> Reply {
    proxy.browser().open_once(url).await
}

/// A refusal that goes to the client, by redirect.
async fn refused_by_redirect(proxy: &Proxy, client: &Client, url: &str, code: &str) {
    let reply = open(proxy, url).await;
    assert!(reply.status.is_redirection(), "{url}: {reply:?}");
    let back = reply.location();
    assert!(back.starts_with(&client.redirect_uri), "{url}: {back}");
    assert_eq!(
        query_param(back, "error").as_deref(),
        Some(code),
        "{url}: {back}"
    );
    assert_eq!(
        query_param(back, "iss").as_deref(),
        Some(&*proxy.base),
        "{back}"
    );
    assert_eq!(
        query_param(back, "state").as_deref(),
        Some("a b&c=%2F"),
        "{back}"
    );
    assert_eq!(query_param(back, "code"), None, "{back}");
}

/// A refusal that a person reads; nobody is redirected.
async fn refused_on_a_page(proxy: &Proxy, url: &str) -> Reply {
    let reply = open(proxy, url).await;
    assert_eq!(reply.status, 400, "{url}: {reply:?}");
    assert_eq!(reply.header("location"), None, "{url}");
    let kind = reply.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("text/html"), "{url}: {kind}");
    assert_eq!(reply.header("set-cookie"), None, "{url}");
    reply
}

const STATE: &str = "a b&c=%2F";

#[tokio::test]
async fn an_unknown_client_gets_a_page_that_says_what_to_do() {
    let proxy = Proxy::start().await;
    let mut client = proxy.client().await;
    client.id = "a-client-of-another-server".to_owned();
    let url = client.authorize(&Pkce::new(), STATE).url();
    let page = refused_on_a_page(&proxy, &url).await.text();
    assert!(
        page.contains("Remove the server") && page.contains("add it"),
        "{page}"
    );
    proxy.told(Step::Authorize, Reason::UnknownClient);
}

#[tokio::test]
async fn no_redirect_goes_to_a_uri_that_is_not_the_clients() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let right = client.authorize(&Pkce::new(), STATE);
    for uri in [
        "https://evil.example/",
        "http://127.0.0.1:9000/callback/",
        "http://127.0.0.1:9000/Callback",
        "http://127.0.0.1:9000/callback?x=y",
        "http://127.0.0.1:9000/callback#x",
        "http://127.0.0.1:9000/x/../callback",
        "http://127.0.0.1:9000/%63allback",
        "http://localhost:9000/callback",
        "http://127.0.0.2:9000/callback",
        "https://127.0.0.1:9000/callback",
        "http://127.0.0.1:80@evil.example/callback",
        "http://evil.example\\@127.0.0.1:9000/callback",
        "http://127.0.0.1.evil.example:9000/callback",
        "http://user@127.0.0.1:9000/callback",
        "javascript:alert(1)",
    ] {
        let url = right.clone().with("redirect_uri", uri).url();
        refused_on_a_page(&proxy, &url).await;
    }
    // Given twice it counts as not given: then only the client's only one can be meant.
    let twice = right
        .clone()
        .and("redirect_uri", "https://evil.example/")
        .url();
    let reply = open(&proxy, &twice).await;
    assert!(!reply.everything().contains("evil.example"), "{reply:?}");
    let twice = right.clone().and("client_id", "another").url();
    refused_on_a_page(&proxy, &twice).await;
}

#[tokio::test]
async fn a_missing_redirect_uri_means_the_only_one_or_a_page() {
    let proxy = Proxy::start().await;
    let mut metadata = native_metadata(CALLBACK);
    metadata["redirect_uris"] = serde_json::json!([CALLBACK, "http://127.0.0.1/other"]);
    let client = proxy.register(&metadata).await;
    let url = client
        .authorize(&Pkce::new(), STATE)
        .without("redirect_uri")
        .url();
    refused_on_a_page(&proxy, &url).await;
    let client = proxy.client().await;
    for request in [
        client.authorize(&Pkce::new(), "s").without("redirect_uri"),
        client.authorize(&Pkce::new(), "s").with("redirect_uri", ""),
    ] {
        let back = proxy
            .approve(&mut proxy.browser(), &request.url())
            .await
            .left();
        assert!(back.starts_with(CALLBACK), "{back}");
    }
}

#[tokio::test]
async fn a_loopback_port_may_vary() {
    let proxy = Proxy::start().await;
    let mut client = proxy.client().await;
    client.redirect_uri = "http://127.0.0.1:51234/callback".to_owned();
    let pkce = Pkce::new();
    let callback = proxy.login(&mut proxy.browser(), &client, &pkce).await;
    assert!(callback.starts_with("http://127.0.0.1:51234/callback?"));
    client.redeem(&callback, &pkce).await.expect(200);
}

#[tokio::test]
async fn what_is_wrong_with_the_request_goes_back_to_the_client() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let right = client.authorize(&Pkce::new(), STATE);
    for (wrong, code) in [
        (right.clone().without("response_type"), "invalid_request"),
        (
            right.clone().with("response_type", "token"),
            "unsupported_response_type",
        ),
        (
            right.clone().with("response_type", "code token"),
            "unsupported_response_type",
        ),
        (right.clone().without("code_challenge"), "invalid_request"),
        (
            right.clone().with("code_challenge", "short"),
            "invalid_request",
        ),
        (
            right.clone().with("code_challenge", &"x".repeat(200)),
            "invalid_request",
        ),
        (
            right.clone().with("code_challenge_method", "plain"),
            "invalid_request",
        ),
        (
            right.clone().with("code_challenge_method", "s256"),
            "invalid_request",
        ),
        (
            right.clone().with("code_challenge_method", "none"),
            "invalid_request",
        ),
        (
            right.clone().without("code_challenge_method"),
            "invalid_request",
        ),
        (
            right.clone().with("resource", "https://other.example/mcp"),
            "invalid_target",
        ),
        (
            right
                .clone()
                .with("resource", "https://proxy.example.evil/"),
            "invalid_target",
        ),
        (
            right.clone().with("resource", "https://proxy.example/#x"),
            "invalid_target",
        ),
        (right.clone().with("resource", "/mcp"), "invalid_target"),
        (
            right.clone().and("resource", "https://proxy.example/other"),
            "invalid_target",
        ),
        (right.clone().with("scope", "unknown"), "invalid_scope"),
        // RFC 9101: what stands in there would pass by every rule.
        (right.clone().with("request", "e30.e30."), "invalid_request"),
        (
            right.clone().with("request_uri", "https://app.example/r"),
            "invalid_request",
        ),
        (
            right.clone().with("response_mode", "fragment"),
            "invalid_request",
        ),
        (
            right.clone().and("scope", "read").and("scope", "write"),
            "invalid_request",
        ),
        (
            right.clone().and("foo", "1").and("foo", "2"),
            "invalid_request",
        ),
    ] {
        refused_by_redirect(&proxy, &client, &wrong.url(), code).await;
    }
    assert_eq!(proxy.provider.requests().len(), 0);
}

#[tokio::test]
async fn the_operator_may_allow_plain_pkce() {
    let proxy = Proxy::with(|builder| builder.allow_plain_pkce(true)).await;
    let client = proxy.client().await;
    let mut pkce = Pkce::new();
    pkce.challenge.clone_from(&pkce.verifier);
    let url = client
        .authorize(&pkce, STATE)
        .with("code_challenge_method", "plain")
        .url();
    let callback = proxy.approve(&mut proxy.browser(), &url).await.left();
    client.redeem(&callback, &pkce).await.expect(200);
}

#[tokio::test]
async fn state_comes_back_byte_for_byte_or_not_at_all() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let pkce = Pkce::new();
    for state in [
        "",
        "a b+c%20d",
        "ü€😀",
        "<script>",
        "a\"b'c",
        &"x".repeat(1_000),
    ] {
        let url = client.authorize(&pkce, state).url();
        let callback = proxy.approve(&mut proxy.browser(), &url).await.left();
        assert_eq!(query_param(&callback, "state").as_deref(), Some(state));
    }
    let url = client.authorize(&pkce, "").without("state").url();
    let callback = proxy.approve(&mut proxy.browser(), &url).await.left();
    assert_eq!(query_param(&callback, "state"), None);
}

async fn granted(proxy: &Proxy, client: &Client, scope: Option<&str>) -> String {
    let pkce = Pkce::new();
    let request = client.authorize(&pkce, "s");
    let url = match scope {
        Some(scope) => request.with("scope", scope).url(),
        None => request.url(),
    };
    let callback = proxy.approve(&mut proxy.browser(), &url).await.left();
    let reply = client.redeem(&callback, &pkce).await.expect(200);
    reply.json()["scope"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn unknown_scopes_are_dropped_and_the_answer_names_what_was_granted() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    assert_eq!(
        granted(&proxy, &client, Some("read claudeai")).await,
        "read"
    );
    assert_eq!(granted(&proxy, &client, None).await, "openid read write");
    let with_offline = granted(&proxy, &client, Some("read offline_access")).await;
    assert!(with_offline.contains("read"), "{with_offline}");
}

#[tokio::test]
async fn a_missing_resource_means_the_base_url() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let pkce = Pkce::new();
    let url = client.authorize(&pkce, "s").without("resource").url();
    let callback = proxy.approve(&mut proxy.browser(), &url).await.left();
    let tokens = testkit::Tokens::read(&client.redeem(&callback, &pkce).await);
    let session = proxy.session(&client, &tokens.access).await;
    assert_eq!(session["resource"], proxy.base);
}

#[tokio::test]
async fn the_same_resource_twice_is_one() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let pkce = Pkce::new();
    let request = client.authorize(&pkce, "s");
    let url = request.and("resource", "https://proxy.example/mcp").url();
    let callback = proxy.approve(&mut proxy.browser(), &url).await.left();
    let code = query_param(&callback, "code").unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", &*pkce.verifier),
        ("resource", "https://proxy.example/mcp"),
        ("resource", "https://proxy.example/mcp"),
    ];
    let mut different = fields;
    different[5].1 = "https://proxy.example/mcp/x";
    let reply = client.token(&different).await;
    assert_eq!(reply.error(), "invalid_target", "{reply:?}");
    let tokens = testkit::Tokens::read(&client.token(&fields).await);
    let session = proxy.session(&client, &tokens.access).await;
    assert_eq!(session["resource"], "https://proxy.example/mcp");
}

#[tokio::test]
async fn nothing_reaches_the_provider_before_the_person_has_approved() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let url = client.authorize(&Pkce::new(), "s").url();
    proxy.browser().open(&url).await.page();
    assert_eq!(proxy.provider.count(Kind::Authorize), 0);
}

#[tokio::test]
async fn the_client_can_answer_by_post_or_head_only_as_the_rfc_says() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let request = client.authorize(&Pkce::new(), STATE);
    let url = request.url();
    let path = url.strip_prefix(&proxy.wire.origin).unwrap();
    let reply = proxy
        .wire
        .request(http::Method::DELETE, path, &[], "".into())
        .await;
    assert_eq!(reply.status, 405);
    assert!(reply.header("allow").unwrap().contains("GET"));
}

#[tokio::test]
async fn only_a_few_logins_stand_open_in_one_browser_and_their_cookies_stay_small() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    for _ in 0..20 {
        let url = client.authorize(&Pkce::new(), "s").url();
        browser.open(&url).await.page();
    }
    let cookies = browser.jar.all();
    assert!(cookies.len() <= 5, "{} cookies", cookies.len());
    for cookie in cookies {
        assert!(cookie.name.starts_with("__Host-"), "{cookie:?}");
        assert!(cookie.http_only && cookie.secure, "{cookie:?}");
        assert_eq!(cookie.same_site, testkit::jar::SameSite::Lax);
        assert!(cookie.expires.is_some(), "{cookie:?}");
    }
    // The last one still works.
    browser.press("approve").await.left();
}

#[tokio::test]
async fn a_request_that_is_too_long_is_refused_and_changes_nothing() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let request = client.authorize(&Pkce::new(), &"x".repeat(60_000));
    let reply = open(&proxy, &request.url()).await;
    assert!(reply.status.is_client_error() || reply.status.is_redirection());
    assert_eq!(reply.header("set-cookie"), None);
}
