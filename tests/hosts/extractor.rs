//! `AuthSession` as an argument of axum handlers.

use axum::{Router, routing::any};
use tower::ServiceExt;
use tower_oauth_proxy::AuthSession;

use crate::inside::{bearer, request};
use testkit::{Proxy, Reply, Wire};

async fn required(session: AuthSession) -> String {
    session.subject().to_owned()
}

async fn wanted(session: Option<AuthSession>) -> String {
    session.map_or_else(|| "nobody".to_owned(), |s| s.subject().to_owned())
}

fn routes() -> Router {
    Router::new()
        .route("/mcp/required", any(required))
        .route("/mcp/wanted", any(wanted))
        .route("/open/required", any(required))
        .route("/open/wanted", any(wanted))
}

async fn ask(wire: &Wire, path: &str, token: &str) -> Reply {
    match token {
        "" => wire.get(path, &[]).await,
        token => wire.get(path, &[("authorization", token)]).await,
    }
}

#[tokio::test]
async fn a_handler_takes_a_session_or_an_optional_one() {
    let proxy = Proxy::with(|b| {
        b.optional_auth(true)
            .required_scopes(["read"])
            .public_paths(["/open/required", "/open/wanted"])
    })
    .await;
    let client = proxy.client().await;
    let token = bearer(&proxy.journey(&client).await);
    let wire = Wire::new(&*proxy.base, routes().layer(proxy.layer.clone()));
    for (path, token, says) in [
        ("/mcp/required", &*token, "person-1"),
        ("/mcp/wanted", &*token, "person-1"),
        ("/mcp/wanted", "", "nobody"),
        ("/open/wanted", "", "nobody"),
        ("/open/wanted", &*token, "nobody"),
    ] {
        assert_eq!(ask(&wire, path, token).await.expect(200).text(), says);
    }
    // Without one: the layer's own challenge, so that a client can log somebody in.
    for path in ["/mcp/required", "/open/required"] {
        let reply = ask(&wire, path, "").await.expect(401);
        let challenge = reply.header("www-authenticate").unwrap();
        let metadata = format!(
            "resource_metadata=\"https://proxy.example/.well-known/oauth-protected-resource{path}\""
        );
        assert!(challenge.starts_with("Bearer "), "{reply:?}");
        assert!(challenge.contains(&metadata), "{reply:?}");
        assert!(challenge.contains("scope=\"read\""), "{reply:?}");
        assert!(!challenge.contains("error="), "{reply:?}");
    }
}

#[tokio::test]
async fn outside_the_layer_a_session_is_refused() {
    let asked = request("/mcp/required", None).map(axum::body::Body::new);
    let reply = routes().oneshot(asked).await.unwrap();
    assert_eq!(reply.status(), 401);
    assert_eq!(reply.headers()["www-authenticate"], "Bearer");
    let asked = request("/mcp/wanted", None).map(axum::body::Body::new);
    assert_eq!(routes().oneshot(asked).await.unwrap().status(), 200);
}
