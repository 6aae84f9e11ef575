//! Which paths need a token, which token, and with which scopes.

use http::Method;
use serde_json::Value;
use tower_oauth_proxy::{Reason, Step};

use crate::inside::tokens_of;
use testkit::{Client, Proxy, proxy::INSIDE};

#[tokio::test]
async fn optional_mode_lets_in_whoever_brings_nothing_and_nobody_who_brings_something_bad() {
    let proxy = Proxy::with(|b| b.optional_auth(true).required_scopes(["read", "write"])).await;
    let client = proxy.client().await;
    let good = proxy.journey(&client).await.access;
    let narrow = tokens_of(&proxy, &client, &[("scope", "read")])
        .await
        .access;
    let other = format!("{}/other", proxy.base);
    let elsewhere = tokens_of(&proxy, &client, &[("resource", &other)]).await;
    let elsewhere = elsewhere.access;

    let reply = proxy.wire.get("/mcp", &[]).await.expect(200);
    assert_eq!(reply.json()["session"], Value::Null);
    let reply = client.call("/mcp", &good).await.expect(200);
    assert_eq!(reply.json()["session"]["subject"], "person-1");
    for (header, status, error) in [
        ("Bearer", 401, "invalid_token"),
        ("Bearer x", 401, "invalid_token"),
        (&*format!("Bearer {elsewhere}"), 401, "invalid_token"),
        (&*format!("Bearer {good}x"), 401, "invalid_token"),
        (&*format!("Bearer {narrow}"), 403, "insufficient_scope"),
    ] {
        let reply = proxy.wire.get("/mcp", &[("authorization", header)]).await;
        reply.refused(status, error);
        assert!(reply.header("www-authenticate").unwrap().contains(error));
        assert_eq!(reply.header(INSIDE), None, "{header}");
    }
    proxy.clock.advance_secs(3600);
    client
        .call("/mcp", &good)
        .await
        .refused(401, "invalid_token");
    proxy.told(Step::Bearer, Reason::Expired);
}

#[tokio::test]
async fn a_public_path_is_a_whole_path_of_the_host_base_path_included() {
    let proxy = Proxy::at("https://proxy.example/api", |b| {
        b.public_paths(["/api/health", "/api/"])
    })
    .await;
    for path in ["/api/health", "/api/", "/api/health?x=/mcp"] {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let reply = proxy.wire.request(method, path, &[], "".into()).await;
            assert_eq!(reply.expect(200).json()["session"], Value::Null);
        }
    }
    for path in [
        "/health",
        "/api",
        "/",
        "/api/healthy",
        "/api/health/",
        "/api/HEALTH",
    ] {
        let reply = proxy.wire.get(path, &[]).await.expect(401);
        assert_eq!(reply.header(INSIDE), None, "{path}");
    }
    // What is not looked at cannot be refused.
    let bad = [("authorization", "Bearer x")];
    proxy.wire.get("/api/health", &bad).await.expect(200);
}

#[tokio::test]
async fn a_bearer_token_is_not_handed_on_by_a_public_path_and_other_credentials_are() {
    for keep in [false, true] {
        let proxy = Proxy::with(|b| {
            b.public_paths(["/health"])
                .keep_authorization_header(keep)
                .optional_auth(true)
        })
        .await;
        let client = proxy.client().await;
        let token = format!("Bearer {}", proxy.journey(&client).await.access);
        for line in [&*token, "Bearer x", "bearer  x", "Bearer", "BEARER !"] {
            let sent = [("authorization", line)];
            let seen = proxy.wire.get("/health", &sent).await.expect(200).json();
            assert_eq!(seen["authorization_header_present"], keep, "{line:?}");
            assert_eq!(seen["session"], Value::Null, "{line:?}");
        }
        // One of two is a token: both go, or the second would be left.
        let sent = [("authorization", "Basic eDp5"), ("authorization", &*token)];
        let seen = proxy.wire.get("/health", &sent).await.expect(200).json();
        assert_eq!(seen["authorization_header_present"], keep);
        let sent = [("authorization", "Basic eDp5")];
        for path in ["/health", "/mcp"] {
            let seen = proxy.wire.get(path, &sent).await.expect(200).json();
            assert_eq!(seen["authorization_header_present"], true, "{path}");
        }
    }
}

#[tokio::test]
async fn a_token_is_good_on_all_paths_where_the_operator_says_so_and_at_no_other_server() {
    let proxy = Proxy::with(|b| b.audience_by_path(false)).await;
    let client = proxy.client().await;
    let token = proxy.journey(&client).await.access;
    // Each path twice: looked up, and from the cache.
    for path in ["/messages", "/mcp", "/", "/messages"] {
        client.call(path, &token).await.expect(200);
    }
    let other = Proxy::before(
        proxy.provider.clone(),
        proxy.clock.clone(),
        "https://other.example",
        |b| b.audience_by_path(false),
    );
    let there = Client {
        wire: other.wire.clone(),
        ..client.clone()
    };
    there.call("/mcp", &token).await.expect(401);
    other.told(Step::Bearer, Reason::WrongAudience);

    let strict = Proxy::start().await;
    let client = strict.client().await;
    let token = strict.journey(&client).await.access;
    strict.session(&client, &token).await;
    // The session is in the cache by now; it is the path that is wrong.
    client.call("/messages", &token).await.expect(401);
    strict.told(Step::Bearer, Reason::WrongAudience);
    let base = tokens_of(&strict, &client, &[("resource", &strict.base)]).await;
    client.call("/messages", &base.access).await.expect(200);
}

#[tokio::test]
async fn whoever_asks_for_the_scopes_that_a_403_names_gets_in() {
    let proxy = Proxy::with(|b| b.required_scopes(["read", "write"])).await;
    let client = proxy.client().await;
    let narrow = tokens_of(&proxy, &client, &[("scope", "read")]).await;
    // Twice: a refusal must not come out of the cache as a session.
    for _ in 0..2 {
        let reply = client.call("/mcp", &narrow.access).await.expect(403);
        assert_eq!(reply.header(INSIDE), None);
        proxy.told(Step::Bearer, Reason::Scope);
    }
    let reply = client.call("/mcp", &narrow.access).await;
    let challenge = reply.header("www-authenticate").unwrap().to_owned();
    let (_, rest) = challenge.split_once("scope=\"").unwrap();
    let (scope, _) = rest.split_once('"').unwrap();
    let wide = tokens_of(&proxy, &client, &[("scope", scope)]).await;
    proxy.session(&client, &wide.access).await;
}
