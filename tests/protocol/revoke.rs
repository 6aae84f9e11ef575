//! Revocation (RFC 7009).

use std::time::Duration;

use tower_oauth_proxy::{AuthSession, Reason, Step};

use testkit::{
    Answer, Client, Kind, Proxy, Tokens,
    client::{CALLBACK, native_metadata},
};

#[tokio::test]
async fn either_token_ends_the_whole_grant_at_once() {
    for use_refresh in [true, false] {
        let proxy = Proxy::start().await;
        let client = proxy.client().await;
        let tokens = proxy.journey(&client).await;
        // The session is in the cache.
        proxy.session(&client, &tokens.access).await;
        let token = if use_refresh {
            tokens.refresh()
        } else {
            &tokens.access
        };
        let reply = client.revoke(token).await.expect(200);
        assert!(
            reply
                .header("cache-control")
                .unwrap_or_default()
                .contains("no-store")
        );
        let refused = client.call("/mcp", &tokens.access).await;
        assert_eq!(refused.status, 401, "at once");
        client
            .refresh(tokens.refresh())
            .await
            .refused(400, "invalid_grant");
        assert_eq!(
            proxy.provider.live_refresh_tokens(),
            0,
            "at the provider too"
        );
    }
}

#[tokio::test]
async fn the_provider_never_sees_our_own_tokens() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    client.revoke(&tokens.access).await.expect(200);
    let seen = format!("{:?}", proxy.provider.requests());
    assert!(!seen.contains(&tokens.access) && !seen.contains(tokens.refresh()));
    assert!(proxy.provider.count(Kind::Revoke) >= 1);
}

#[tokio::test]
async fn what_is_unknown_is_revoked_already() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    for token in ["x", "a.b.c", "UPSTREAM-ACCESS-1"] {
        client.revoke(token).await.expect(200);
    }
    assert_eq!(proxy.provider.count(Kind::Revoke), 0);
    let reply = client.authenticated("/oauth/revoke", &[]).await;
    reply.refused(400, "invalid_request");
}

#[tokio::test]
async fn another_clients_tokens_are_not_ended() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let thief = proxy
        .register(&native_metadata("http://127.0.0.1/thief"))
        .await;
    let tokens = proxy.journey(&client).await;
    for token in [tokens.refresh(), &tokens.access] {
        // Like a token that is unknown: the thief learns nothing (RFC 7009 section 2.2).
        thief.revoke(token).await.expect(200);
        proxy.told(Step::Revoke, Reason::ForeignClient);
    }
    assert_eq!(proxy.provider.count(Kind::Revoke), 0);
    proxy.session(&client, &tokens.access).await;
    Tokens::read(&client.refresh(tokens.refresh()).await);
}

#[tokio::test]
async fn a_client_that_does_not_authenticate_revokes_nothing() {
    let proxy = Proxy::start().await;
    let mut metadata = native_metadata(CALLBACK);
    metadata["token_endpoint_auth_method"] = "client_secret_basic".into();
    let client = proxy.register(&metadata).await;
    let tokens = proxy.journey(&client).await;
    let guess = Client {
        secret: Some("guess".to_owned()),
        ..client.clone()
    };
    for token in [&*tokens.access, tokens.refresh()] {
        guess.revoke(token).await.refused(401, "invalid_client");
    }
    proxy.session(&client, &tokens.access).await;
}

#[tokio::test]
async fn a_provider_that_is_down_does_not_hold_a_revocation_up() {
    // Without a bound of its own the answer would wait for the provider's.
    let hour = Duration::from_secs(3600);
    let proxy = Proxy::with(|b| b.upstream_request_timeout(hour)).await;
    let client = proxy.client().await;
    for trouble in [Answer::Status(503), Answer::Hang] {
        let tokens = proxy.journey(&client).await;
        proxy.provider.always(Kind::Revoke, trouble);
        client.revoke(tokens.refresh()).await.expect(200);
        assert_eq!(client.call("/mcp", &tokens.access).await.status, 401);
    }
}

#[tokio::test]
async fn one_grant_ends_and_the_same_clients_others_stay() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mine = proxy.journey(&client).await;
    let yours = proxy.journey(&client).await;
    client.revoke(&mine.access).await.expect(200);
    proxy.session(&client, &yours.access).await;
    Tokens::read(&client.refresh(yours.refresh()).await);
}

#[tokio::test]
async fn a_session_is_revoked_by_the_operators_hand() {
    use tower::Layer;
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let kept = std::sync::Arc::new(std::sync::Mutex::new(None));
    let seen = kept.clone();
    let inner = tower::service_fn(
        move |request: http::Request<http_body_util::Full<bytes::Bytes>>| {
            *seen.lock().unwrap() = AuthSession::from_extensions(request.extensions()).cloned();
            async { Ok::<_, std::convert::Infallible>(http::Response::new(String::new())) }
        },
    );
    let wire = testkit::Wire::new(proxy.wire.origin.clone(), proxy.layer.layer(inner));
    let bearer = format!("Bearer {}", tokens.access);
    wire.get("/mcp", &[("authorization", &bearer)])
        .await
        .expect(200);
    let session = kept.lock().unwrap().take().unwrap();
    proxy.layer.admin().revoke(&session).await.unwrap();
    assert_eq!(client.call("/mcp", &tokens.access).await.status, 401);
}
