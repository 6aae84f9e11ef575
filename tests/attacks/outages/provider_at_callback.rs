//! The provider in trouble at the callback: whatever it is, the client that waits is told, and the
//! person never stands before a bare error.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use tower_oauth_proxy::{Reason, Step, provider::generic};

use crate::support::before_callback;
use testkit::{
    Answer, AuthorizeAnswer, Kind, Proxy,
    client::CALLBACK,
    proxy::{BASE, builder_from},
    wire::query_param,
};

/// Opens a callback and looks at the one answer: a redirect to the client with `error`, `state` and
/// `iss`, and nothing more than the error's code and plain words.
async fn tells_the_client(proxy: &Proxy, case: &str) -> String {
    let client = proxy.client().await;
    let (mut browser, callback, _) = before_callback(proxy, &client).await;
    let reply = browser.open_once(&callback).await;
    assert_eq!(reply.status, StatusCode::FOUND, "{case}: {reply:?}");
    let back = reply.location();
    assert!(back.starts_with(&format!("{CALLBACK}?")), "{case}: {back}");
    let of = |name| query_param(back, name);
    assert_eq!(
        of("state").as_deref(),
        Some("client-state"),
        "{case}: {back}"
    );
    assert_eq!(of("iss").as_deref(), Some(&*proxy.base), "{case}: {back}");
    assert_eq!(of("code"), None, "{case}: {back}");
    assert!(of("error_description").is_some(), "{case}: {back}");
    assert!(!back.contains("PROVIDER-"), "the provider's words: {back}");
    assert!(browser.jar.all().len() < 2, "the login is over: {case}");
    of("error").unwrap_or_else(|| panic!("{case}: no error in {back}"))
}

async fn patient_for(time: Duration) -> Proxy {
    Proxy::with(|builder| builder.upstream_request_timeout(time)).await
}

/// Where there is no ID token, userinfo says who it is; its troubles are the provider's.
#[tokio::test]
async fn trouble_with_userinfo_goes_back_to_the_client() {
    let proxy = patient_for(Duration::from_millis(400)).await;
    proxy
        .provider
        .configure(|provider| provider.issue_id_token = false);
    let raw = |status, kind, body: &str| Answer::Raw(status, kind, body.to_owned());
    let json = "application/json";
    for answer in [
        Answer::Status(500),
        Answer::Status(429),
        Answer::Hang,
        Answer::Lost,
        Answer::Padded(3 << 20),
        Answer::Redirect("https://elsewhere.example/userinfo".into()),
        raw(200, json, ""),
        raw(200, json, "{"),
        raw(200, json, "[]"),
        raw(200, json, "\"person-1\""),
        raw(200, "text/html", "<h1>PROVIDER-PAGE</h1>"),
        Answer::Without(&["sub"]),
        Answer::With(json!({ "sub": { "nested": true } })),
    ] {
        let said = format!("{answer:?}");
        proxy.provider.next(Kind::UserInfo, answer);
        let error = tells_the_client(&proxy, &said[..said.len().min(100)]).await;
        assert!(
            ["server_error", "temporarily_unavailable"].contains(&&*error),
            "{said}: {error}"
        );
    }
    for (status, code) in [(401, "invalid_token"), (403, "forbidden"), (404, "odd")] {
        let answer = Answer::Error(status, code);
        proxy.provider.next(Kind::UserInfo, answer);
        let error = tells_the_client(&proxy, code).await;
        assert_eq!(error, "server_error", "a retry cannot mend {status}");
        proxy.told(Step::Callback, Reason::ProviderRejected);
    }
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_told_to_the_client() {
    let good = Proxy::start().await;
    let settings = good.provider.settings();
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/token", listener.local_addr().unwrap())
    };
    let half = generic(
        good.provider.url("/authorize"),
        &closed,
        settings.client_id,
        settings.client_secret,
    );
    let proxy = Proxy::built(
        good.provider.clone(),
        good.clock.clone(),
        BASE,
        builder_from(half, BASE),
    );
    let error = tells_the_client(&proxy, "connection refused").await;
    assert_eq!(error, "temporarily_unavailable");
    // A port is the operator's business.
    let told = format!("{:?}", proxy.events());
    assert!(told.contains("could not be reached"), "{told}");
}

/// What the provider, or somebody who holds the browser's state, puts into the callback.
#[tokio::test]
async fn odd_callbacks_of_the_provider_go_back_to_the_client_as_errors() {
    let proxy = patient_for(Duration::from_secs(5)).await;
    let client = proxy.client().await;
    let state = || ("state", "{state}".to_owned());
    let with = |params: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        let params = params.iter().map(|(k, v)| (*k, (*v).to_owned()));
        params.chain([state()]).collect()
    };
    let long = "x".repeat(6_000);
    for params in [
        with(&[]),
        with(&[("code", "")]),
        with(&[("code", "never issued")]),
        with(&[("code", "\u{0}\r\nSet-Cookie: a=b")]),
        with(&[("code", &long)]),
        with(&[("error", "access_denied")]),
        with(&[("error", "access_denied"), ("code", "UPSTREAM-CODE-1")]),
        with(&[
            ("error", "PROVIDER-invented"),
            ("error_description", "PROVIDER-detail"),
        ]),
        with(&[("error", "a\r\nLocation: https://evil.example/")]),
        with(&[("error", &long)]),
        with(&[
            ("error", "ünïcode \u{202e}"),
            ("error_uri", "https://evil.example/"),
        ]),
    ] {
        let (mut browser, _, _) = before_callback(&proxy, &client).await;
        // The provider's page is still in the tab; its query names the state.
        let url = browser.page().url.clone();
        proxy
            .provider
            .next_authorize(AuthorizeAnswer::Params(params.clone()));
        let back = proxy.browser().open_once(&url).await.location().to_owned();
        let reply = browser.open_once(&back).await;
        assert_eq!(reply.status, StatusCode::FOUND, "{params:?}: {reply:?}");
        let sent = reply.location();
        assert!(sent.starts_with(&format!("{CALLBACK}?")), "{sent}");
        assert!(query_param(sent, "error").is_some(), "{sent}");
        assert_eq!(query_param(sent, "code"), None, "{sent}");
        assert_eq!(query_param(sent, "state").as_deref(), Some("client-state"));
        assert_eq!(query_param(sent, "iss").as_deref(), Some(&*proxy.base));
        for never in ["PROVIDER-", "evil", "xxxx", "%0D", "%0A"] {
            assert!(!sent.contains(never), "{never} in {sent}");
        }
    }
}
