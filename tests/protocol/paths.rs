//! Which request is ours, which is public, and which is protected.

use http::Method;
use serde_json::Value;

use testkit::{Proxy, proxy::INSIDE};

#[tokio::test]
async fn odd_paths_neither_reach_an_endpoint_nor_escape_protection() {
    let proxy = Proxy::with(|builder| builder.public_paths(["/health"])).await;
    for path in [
        "//oauth/token",
        "/oauth//token",
        "/oauth/token/",
        "/oauth/token/x",
        "/%6fauth/token",
        "/oauth%2ftoken",
        "/oauth/../mcp",
        "/x/../oauth/token",
        "/oauth/./token",
        "/OAUTH/token",
        "/oauth/token%00",
        "/oauth/token;x=y",
        "/oauth\\token",
        "/oauth",
        "/oauth/",
        "/oauth/unknown",
        "/health/",
        "/health/x",
        "//health",
        "/%68ealth",
        "/health;x",
        "/health/../mcp",
        "/HEALTH",
        "/.well-known/other",
        "/",
        "/mcp",
    ] {
        for method in [Method::GET, Method::POST] {
            let Ok(_) = path.parse::<http::Uri>() else {
                continue;
            };
            let reply = proxy.wire.request(method, path, &[], "".into()).await;
            assert_eq!(reply.status, 401, "{path}: {reply:?}");
            assert_eq!(reply.header(INSIDE), None, "{path}");
            assert!(reply.header("www-authenticate").is_some(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_public_path_is_matched_exactly_and_carries_no_session() {
    let proxy = Proxy::with(|builder| builder.public_paths(["/health"])).await;
    for path in ["/health", "/health?probe=1"] {
        let reply = proxy.wire.get(path, &[]).await.expect(200);
        assert_eq!(reply.json()["session"], Value::Null);
    }
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let reply = client.call("/health", &tokens.access).await.expect(200);
    assert_eq!(reply.json()["session"], Value::Null);
    for query in ["/mcp?/health", "/mcp?x=/health", "/mcp?/health#/health"] {
        assert_eq!(proxy.wire.get(query, &[]).await.status, 401, "{query}");
    }
    for header in ["x-forwarded-uri", "x-original-url", "x-rewrite-url"] {
        let reply = proxy.wire.get("/mcp", &[(header, "/health")]).await;
        assert_eq!(reply.status, 401, "{header}");
    }
}

#[tokio::test]
async fn an_inbound_session_of_our_type_is_removed() {
    use tower::{Layer, ServiceExt};
    let proxy = Proxy::with(|builder| builder.public_paths(["/health"])).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    // Steal a real session, as an outer layer with a bug could, and plant it.
    let stolen = std::sync::Arc::new(std::sync::Mutex::new(None));
    let seen = stolen.clone();
    let inner = tower::service_fn(
        move |request: http::Request<http_body_util::Full<bytes::Bytes>>| {
            let session = tower_oauth_proxy::AuthSession::from_extensions(request.extensions());
            let present = session.is_some();
            *seen.lock().unwrap() = session.cloned();
            async move { Ok::<_, std::convert::Infallible>(http::Response::new(present.to_string())) }
        },
    );
    let service = proxy.layer.layer(inner);
    let request = |path: &str, bearer: Option<&str>| {
        let mut request = http::Request::get(path);
        if let Some(token) = bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.body(http_body_util::Full::default()).unwrap()
    };
    service
        .clone()
        .oneshot(request("/mcp", Some(&tokens.access)))
        .await
        .unwrap();
    let session = stolen.lock().unwrap().take().unwrap();
    let mut planted = request("/health", None);
    planted.extensions_mut().insert(session.clone());
    service.clone().oneshot(planted).await.unwrap();
    assert!(
        stolen.lock().unwrap().is_none(),
        "a planted session came through"
    );
    let mut planted = request("/mcp", None);
    planted.extensions_mut().insert(session);
    let response = service.oneshot(planted).await.unwrap();
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn below_a_path_the_endpoints_are_there_and_only_there() {
    let proxy = Proxy::at("https://proxy.example/api", |builder| builder).await;
    let reply = proxy
        .wire
        .form("/api/oauth/token", &[("grant_type", "x")], &[])
        .await;
    assert_ne!(reply.header("content-type"), None);
    reply.error();
    let reply = proxy
        .wire
        .form("/oauth/token", &[("grant_type", "x")], &[])
        .await;
    assert!(
        reply
            .header("www-authenticate")
            .is_some_and(|v| v.starts_with("Bearer"))
    );
}
