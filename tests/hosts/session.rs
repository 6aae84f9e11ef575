//! The session in the request's extensions, and the header that it came from.

use axum::{Router, routing::any};
use tower::{Layer, ServiceExt, util::MapRequestLayer};
use tower_oauth_proxy::{AuthSession, guard};

use crate::inside::{Witness, bearer, real_session, request};
use testkit::{Proxy, Wire};

#[tokio::test]
async fn a_session_that_an_outer_layer_plants_is_removed_on_every_route() {
    let proxy = Proxy::with(|b| b.optional_auth(true).public_paths(["/open"])).await;
    let (planted, _) = real_session(&proxy).await;
    // Another person logs in.
    proxy.provider.configure(|settings| {
        settings.person.insert("sub".into(), "person-2".into());
    });
    let client = proxy.client().await;
    let own = bearer(&proxy.journey(&client).await);

    let witness = Witness::default();
    let service = proxy.layer.layer(witness.service());
    for (path, authorization, expected) in [
        ("/open", None, None),
        ("/open", Some(&*own), None),
        ("/mcp", None, None),
        ("/mcp", Some(&*own), Some("person-2")), // looked up
        ("/mcp", Some(&*own), Some("person-2")), // cached
    ] {
        let mut request = request(path, authorization);
        request.extensions_mut().insert(planted.clone());
        let reply = service.clone().oneshot(request).await.unwrap();
        assert_eq!(reply.status(), 200, "{path}");
        let seen = witness.session();
        let seen = seen.as_ref().map(AuthSession::subject);
        assert_eq!(seen, expected, "{path} {authorization:?}");
    }
    assert_eq!(witness.calls(), 5);
    let mut bad = request("/mcp", Some("Bearer x"));
    bad.extensions_mut().insert(planted);
    let reply = service.oneshot(bad).await.unwrap();
    assert_eq!(reply.status(), 401);
    assert_eq!(witness.calls(), 5);
}

#[tokio::test]
async fn a_planted_session_opens_no_guarded_route() {
    let proxy = Proxy::with(|b| b.optional_auth(true).public_paths(["/open"])).await;
    let (planted, token) = real_session(&proxy).await;
    let guarded = guard::RequireLayer::new(guard::require_auth());
    let app = Router::new()
        .route("/mcp", any(async || "inside"))
        .route("/open", any(async || "inside"))
        .route_layer(guarded)
        .layer(proxy.layer.clone());
    let plant = MapRequestLayer::new(move |mut request: axum::extract::Request| {
        request.extensions_mut().insert(planted.clone());
        request
    });
    let app = plant.layer(app);
    let ask = async |path, token: Option<&str>| {
        let request = request(path, token).map(axum::body::Body::new);
        app.clone().oneshot(request).await.unwrap().status()
    };
    assert_eq!(ask("/mcp", None).await, 401);
    assert_eq!(ask("/open", None).await, 401);
    assert_eq!(ask("/open", Some(&token)).await, 401);
    assert_eq!(ask("/mcp", Some(&token)).await, 200);
}

#[tokio::test]
async fn the_token_is_hidden_from_the_service_inside_or_kept_looked_up_and_cached_alike() {
    for keep in [false, true] {
        let proxy = Proxy::with(|b| b.keep_authorization_header(keep)).await;
        let client = proxy.client().await;
        let token = bearer(&proxy.journey(&client).await);
        let witness = Witness::default();
        let wire = Wire::new(&*proxy.base, proxy.layer.layer(witness.service()));
        for round in ["looked up", "cached"] {
            wire.get("/mcp", &[("authorization", &token)])
                .await
                .expect(200);
            let seen = witness.authorization.lock().unwrap().clone();
            assert_eq!(seen, keep.then(|| token.clone()), "{round}");
        }
    }
}

#[tokio::test]
async fn a_session_prints_neither_tokens_nor_claims_and_clones_are_the_same_session() {
    let proxy = Proxy::start().await;
    let (session, token) = real_session(&proxy).await;
    let printed = format!("{session:?} {:?} {:?}", session.upstream(), session.clone());
    let token = token.strip_prefix("Bearer ").unwrap();
    for secret in ["UPSTREAM-", "ada@example.com", token] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(
        session
            .upstream()
            .access_token()
            .starts_with("UPSTREAM-ACCESS-")
    );
    assert_eq!(session.clone().grant_id(), session.grant_id());
    assert_eq!(session.resource(), format!("{}/mcp", proxy.base));
}
