//! Sessions that users make for their tests: what a handler and a guard see of them.

use std::time::{Duration, UNIX_EPOCH};

use axum::{
    Extension, Router,
    body::Body,
    http::{Request, StatusCode},
    routing::get,
};
use tower::ServiceExt;
use tower_oauth_proxy::{
    AuthSession, UpstreamTokenError,
    guard::{RequireLayer, require_scopes},
    testing,
};

fn request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_made_session_is_what_was_asked_for() {
    let end = UNIX_EPOCH + Duration::from_secs(1_900_000_000);
    let session = testing::session("ada")
        .client("inspector")
        .scopes(["read", "write"])
        .roles(["admin"])
        .claim("email", "ada@example.com")
        .claim("groups", vec!["staff"])
        .resource("https://mcp.example.com/mcp")
        .expires_at(end)
        .grant_id("grant-1")
        .upstream_access_token("their-access-token")
        .upstream_id_token("their-id-token")
        .build();
    assert_eq!(session.subject(), "ada");
    assert_eq!(session.client_id(), "inspector");
    assert_eq!(
        session.scopes().iter().collect::<Vec<_>>(),
        ["read", "write"]
    );
    assert_eq!(session.roles(), ["admin"]);
    assert_eq!(session.claims()["email"], "ada@example.com");
    assert_eq!(session.claims()["groups"][0], "staff");
    assert_eq!(session.resource(), "https://mcp.example.com/mcp");
    assert_eq!(session.expires_at(), end);
    assert_eq!(session.grant_id(), Some("grant-1"));
    assert_eq!(session.upstream().access_token(), "their-access-token");
    assert_eq!(session.upstream().id_token(), Some("their-id-token"));
    let refused = session.upstream_token_refused().await;
    assert_eq!(refused.unwrap_err(), UpstreamTokenError::NotRenewable);
}

#[tokio::test]
async fn a_handler_finds_it_and_the_layer_takes_it_away() {
    let routes = Router::new().route(
        "/mcp",
        get(async |Extension(session): Extension<AuthSession>| session.subject().to_owned()),
    );
    let asked = testing::session("ada").on(request("/mcp"));
    let answer = routes.clone().oneshot(asked).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);

    let on_each = routes
        .clone()
        .layer(Extension(testing::session("ada").build()));
    let answer = on_each.oneshot(request("/mcp")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);

    let proxy = testkit::Proxy::start().await;
    let asked = testing::session("ada").on(request("/mcp"));
    let answer = routes.layer(proxy.layer).oneshot(asked).await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_guard_admits_it_or_challenges_for_the_path_that_was_asked_for() {
    let reports = RequireLayer::new(require_scopes(["reports:read"]).unwrap());
    let routes = Router::new().nest(
        "/api",
        Router::new()
            .route("/reports", get(async || "the report"))
            .route_layer(reports),
    );
    let allowed = testing::session("ada").scopes(["reports:read"]);
    let answer = routes
        .clone()
        .oneshot(allowed.on(request("/api/reports")))
        .await;
    assert_eq!(answer.unwrap().status(), StatusCode::OK);

    let denied = testing::session("ada")
        .scopes(["read"])
        .resource("https://own.example/api");
    let answer = routes
        .oneshot(denied.on(request("/api/reports")))
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    let document = "https://own.example/.well-known/oauth-protected-resource/api/reports";
    assert!(challenge.contains(document), "{challenge}");
    assert!(challenge.contains("scope=\"reports:read\""), "{challenge}");
}

#[test]
#[should_panic(expected = "scope")]
fn a_scope_with_a_space_stops_the_test() {
    let _ = testing::session("ada").scopes(["no scope"]);
}

#[test]
#[should_panic(expected = "base_url")]
fn a_resource_that_is_no_url_stops_the_test() {
    let _ = testing::session("ada").resource("/mcp");
}

#[test]
fn a_builder_prints_no_token() {
    let builder = testing::session("ada").upstream_access_token("SECRET");
    let printed = format!("{builder:?} {:?}", testing::session("ada").build());
    assert!(
        printed.contains("ada") && !printed.contains("SECRET"),
        "{printed}"
    );
}
