//! The test kit keeps its own promises.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use serde_json::json;
use testkit::{
    Answer, Browser, FakeClock, Kind, Provider, Wire,
    jar::Jar,
    provider::{Gate, MetadataAt, SigningKey},
};

async fn redeem(provider: &Provider, url: &str, code: &str) -> testkit::Reply {
    let settings = provider.settings();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", url),
        ("client_id", &settings.client_id),
        ("client_secret", &settings.client_secret),
    ];
    provider.wire().form("/token", &fields, &[]).await
}

async fn refresh(provider: &Provider, token: &str) -> testkit::Reply {
    let settings = provider.settings();
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", &settings.client_id),
        ("client_secret", &settings.client_secret),
    ];
    provider.wire().form("/token", &fields, &[]).await
}

const BACK: &str = "https://app.example/back";

async fn code(provider: &Provider) -> String {
    let mut browser = Browser::new(&FakeClock::default()).knowing(provider.wire());
    let url = provider.url("/authorize?response_type=code&client_id=upstream-app&state=s&scope=a&redirect_uri=https://app.example/back");
    let back = browser.open(&url).await.left();
    assert!(back.starts_with(BACK), "{back}");
    assert_eq!(testkit::wire::query_param(&back, "state").unwrap(), "s");
    testkit::wire::query_param(&back, "code").unwrap()
}

#[tokio::test]
async fn the_provider_lets_a_code_be_redeemed_once() {
    let provider = Provider::start(FakeClock::default()).await;
    let code = code(&provider).await;
    let tokens = redeem(&provider, BACK, &code).await.expect(200).json();
    let access = tokens["access_token"].as_str().unwrap();
    assert!(provider.accepts(access));
    redeem(&provider, BACK, &code)
        .await
        .refused(400, "invalid_grant");
    assert!(!provider.accepts(access), "a replay ends the chain");
    assert_eq!(provider.count_grant("authorization_code"), 2);
}

#[tokio::test]
async fn the_provider_says_where_it_is_below_its_issuer_and_publishes_its_keys() {
    let provider = Provider::start(FakeClock::default()).await;
    let key = SigningKey::es256("k1");
    provider.signs(&key);
    provider.configure(|s| s.issuer += "/realms/acme/");
    let get = async |path: &str| provider.wire().get(path, &[]).await;
    let below = "/realms/acme/.well-known/openid-configuration";
    let document = get(below).await.expect(200).json();
    assert_eq!(document["issuer"], provider.url("/realms/acme/"));
    let inserted = "/.well-known/oauth-authorization-server/realms/acme";
    get(inserted).await.expect(404);
    provider.configure(|s| s.metadata_at = MetadataAt::OAuth);
    get(below).await.expect(404);
    get(inserted).await.expect(200);
    assert_eq!(
        get("/keys").await.expect(200).json()["keys"][0]["kid"],
        "k1"
    );
    let code = code(&provider).await;
    let tokens = redeem(&provider, BACK, &code).await.expect(200).json();
    let id_token = tokens["id_token"].as_str().unwrap();
    let signature = id_token.split('.').nth(2).unwrap();
    assert_eq!(signature.len(), 86, "64 bytes in base64url");
}

#[tokio::test]
async fn the_provider_takes_reuse_of_a_refresh_token_as_theft() {
    let provider = Provider::start(FakeClock::default()).await;
    let code = code(&provider).await;
    let tokens = redeem(&provider, BACK, &code).await.expect(200).json();
    let first = tokens["refresh_token"].as_str().unwrap();
    let tokens = refresh(&provider, first).await.expect(200).json();
    let second = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(provider.live_refresh_tokens(), 1);
    refresh(&provider, first)
        .await
        .refused(400, "invalid_grant");
    refresh(&provider, second)
        .await
        .refused(400, "invalid_grant");
    assert_eq!(provider.live_refresh_tokens(), 0);
}

#[tokio::test]
async fn the_provider_does_as_it_is_told_over_a_socket() {
    let provider = Provider::start(FakeClock::default()).await;
    let gate = Gate::default();
    provider
        .next(
            Kind::UserInfo,
            Answer::Error(503, "temporarily_unavailable"),
        )
        .next(Kind::UserInfo, Answer::Lost)
        .next(Kind::UserInfo, Answer::Held(gate.clone()));
    let ask = || reqwest::get(provider.url("/userinfo"));
    assert_eq!(ask().await.unwrap().status(), 503);
    let lost = match ask().await {
        Ok(answer) => answer.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(lost);
    gate.open();
    assert_eq!(ask().await.unwrap().status(), 401);
    assert_eq!(provider.count(Kind::UserInfo), 3);
}

#[tokio::test]
async fn a_cross_site_post_carries_no_lax_cookie_and_says_where_it_is_from() {
    let echo = tower::service_fn(async |request: http::Request<http_body_util::Full<_>>| {
        let header = |name| request.headers().get(name).map(|v| v.to_str().unwrap());
        let body = json!({ "cookie": header("cookie"), "origin": header("origin"),
                           "site": header("sec-fetch-site") });
        let response = http::Response::builder().header("set-cookie", "a=1; Path=/; SameSite=Lax");
        Ok::<_, std::convert::Infallible>(response.body(body.to_string()).unwrap())
    });
    let mut browser =
        Browser::new(&FakeClock::default()).knowing(Wire::new("https://proxy.example", echo));
    browser.open("https://proxy.example/").await.page();
    let url = "https://proxy.example/post";
    let evil = "https://evil.example";
    let seen = browser.forged_post(evil, url, &[]).await.page();
    let expected = json!({ "cookie": null, "origin": evil, "site": "cross-site" });
    assert_eq!(seen.reply.json(), expected);
    let seen = browser.click_on(evil, url).await.page();
    let expected = json!({ "cookie": "a=1", "origin": null, "site": "cross-site" });
    assert_eq!(seen.reply.json(), expected);
}

#[test]
#[should_panic(expected = "__Host-")]
fn the_jar_refuses_a_host_cookie_below_a_path() {
    let url = "https://proxy.example/a".parse().unwrap();
    Jar::new(FakeClock::default()).store(&url, "__Host-a=1; Secure; Path=/a");
}

#[test]
fn the_jar_forgets_on_time_and_on_command() {
    let clock = FakeClock::default();
    let mut jar = Jar::new(clock.clone());
    let url = "https://proxy.example/".parse().unwrap();
    jar.store(&url, "a=1; Path=/; Max-Age=10");
    jar.store(&url, "b=1; Path=/; Max-Age=10");
    jar.store(&url, "b=; Path=/; Max-Age=0");
    assert_eq!(jar.all().len(), 1);
    clock.advance_secs(10);
    assert!(jar.all().is_empty());
}
