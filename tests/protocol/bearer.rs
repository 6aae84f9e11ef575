//! Protected paths: from a bearer token to a session, or a challenge.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use tower_oauth_proxy::{ClaimsPassthrough, Reason, Step};

use testkit::{Answer, Kind, Proxy, Reply, Tokens, proxy::INSIDE};

fn challenge(reply: &Reply) -> &str {
    reply.header("www-authenticate").unwrap_or_default()
}

fn is_refused(reply: &Reply) {
    assert_eq!(reply.status, 401, "{reply:?}");
    assert!(
        challenge(reply).contains("error=\"invalid_token\""),
        "{reply:?}"
    );
    assert_eq!(reply.header(INSIDE), None, "the service was reached");
}

#[tokio::test]
async fn without_credentials_the_challenge_is_bare_and_says_where_to_look() {
    let proxy = Proxy::start().await;
    let reply = proxy.wire.get("/mcp", &[]).await.expect(401);
    assert!(challenge(&reply).starts_with("Bearer "));
    assert!(!challenge(&reply).contains("error"), "{reply:?}");
    let metadata =
        "resource_metadata=\"https://proxy.example/.well-known/oauth-protected-resource/mcp\"";
    assert!(challenge(&reply).contains(metadata), "{reply:?}");
    assert!(!challenge(&reply).contains("scope="), "none is required");
    let exposed = reply.header("access-control-expose-headers").unwrap();
    assert!(exposed.to_lowercase().contains("www-authenticate"));
    assert_eq!(reply.header(INSIDE), None);
}

#[tokio::test]
async fn required_scopes_are_named_in_the_challenge_and_in_a_403() {
    let proxy = Proxy::with(|builder| builder.required_scopes(["read", "write"])).await;
    let reply = proxy.wire.get("/mcp", &[]).await.expect(401);
    assert!(
        challenge(&reply).contains("scope=\"read write\""),
        "{reply:?}"
    );

    let client = proxy.client().await;
    let pkce = testkit::Pkce::new();
    let url = client.authorize(&pkce, "s").with("scope", "read").url();
    let callback = proxy.approve(&mut proxy.browser(), &url).await.left();
    let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
    let reply = client.call("/mcp", &tokens.access).await.expect(403);
    assert!(
        challenge(&reply).contains("error=\"insufficient_scope\""),
        "{reply:?}"
    );
    assert!(
        challenge(&reply).contains("scope=\"read write\""),
        "{reply:?}"
    );
    assert!(
        challenge(&reply).contains("resource_metadata="),
        "{reply:?}"
    );

    let tokens = proxy.journey(&client).await;
    proxy.session(&client, &tokens.access).await;
}

#[tokio::test]
async fn only_the_authorization_header_is_read() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let token = &tokens.access;
    let reply = proxy
        .wire
        .get(&format!("/mcp?access_token={token}"), &[])
        .await;
    assert_eq!(reply.status, 401);
    let reply = proxy
        .wire
        .form("/mcp", &[("access_token", token)], &[])
        .await;
    assert_eq!(reply.status, 401);
    for header in [
        "cookie",
        "x-authorization",
        "proxy-authorization",
        "x-auth_token",
    ] {
        let value = format!("Bearer {token}");
        assert_eq!(
            proxy.wire.get("/mcp", &[(header, &value)]).await.status,
            401
        );
    }
}

#[tokio::test]
async fn what_is_no_bearer_token_is_refused() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let long = "x".repeat(100_000);
    for token in [
        "x",
        "a.b.c",
        "..",
        &*long,
        "UPSTREAM-ACCESS-2",
        tokens.refresh(),
    ] {
        is_refused(&client.call("/mcp", token).await);
    }
    for value in [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer  {}  x", tokens.access),
        format!("Bearer {},{}", tokens.access, tokens.access),
        format!("Basic {}", tokens.access),
        tokens.access.clone(),
    ] {
        let reply = proxy.wire.get("/mcp", &[("authorization", &value)]).await;
        assert!(
            [400, 401].contains(&reply.status.as_u16()),
            "{value}: {reply:?}"
        );
        assert_eq!(reply.header(INSIDE), None, "{value}");
    }
    let twice = format!("Bearer {}", tokens.access);
    let headers = [("authorization", &*twice), ("authorization", &*twice)];
    let reply = proxy.wire.get("/mcp", &headers).await;
    assert!([400, 401].contains(&reply.status.as_u16()), "{reply:?}");
    let lower = format!("bearer {}", tokens.access);
    proxy
        .wire
        .get("/mcp", &[("authorization", &lower)])
        .await
        .expect(200);
}

fn parts(token: &str) -> (Value, Value, String) {
    let parts: Vec<_> = token.split('.').collect();
    let read = |part: &str| serde_json::from_slice(&B64.decode(part).unwrap()).unwrap();
    (read(parts[0]), read(parts[1]), parts[2].to_owned())
}

fn put(header: &Value, claims: &Value, signature: &str) -> String {
    let write = |part: &Value| B64.encode(part.to_string());
    format!("{}.{}.{signature}", write(header), write(claims))
}

#[tokio::test]
async fn an_access_token_is_what_rfc_9068_says() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let (header, claims, _) = parts(&tokens.access);
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(header["alg"], "HS256");
    assert_eq!(claims["iss"], proxy.base);
    assert_eq!(claims["aud"], format!("{}/mcp", proxy.base));
    assert_eq!(claims["sub"], "person-1");
    assert_eq!(claims["client_id"], client.id);
    assert_eq!(claims["scope"], "openid read write");
    assert_eq!(claims["iat"], proxy.clock.unix());
    assert_eq!(claims["exp"], proxy.clock.unix() + 3600);
    assert!(claims["jti"].as_str().is_some_and(|jti| jti.len() >= 16));
}

#[tokio::test]
async fn a_token_that_was_changed_or_signed_by_another_is_refused() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let (header, claims, signature) = parts(&tokens.access);
    let mut admin = claims.clone();
    admin["sub"] = json!("admin");
    let mut later = claims.clone();
    later["exp"] = json!(proxy.clock.unix() + 1_000_000);
    let algorithm = |alg: &str| json!({ "alg": alg, "typ": "at+jwt" });
    let own = |key: &[u8], header: &Value| {
        let unsigned = put(header, &admin, "");
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(unsigned.trim_end_matches('.').as_bytes());
        put(header, &admin, &B64.encode(mac.finalize().into_bytes()))
    };
    for forged in [
        put(&header, &admin, &signature),
        put(&header, &later, &signature),
        put(&header, &claims, ""),
        put(&header, &claims, "AAAA"),
        put(&header, &claims, &format!("{signature}A")),
        put(&header, &claims, &signature[..signature.len() - 2]),
        put(&algorithm("none"), &claims, ""),
        put(&algorithm("None"), &claims, &signature),
        put(&algorithm("RS256"), &claims, &signature),
        put(&algorithm("HS512"), &claims, &signature),
        put(
            &json!({ "alg": "HS256", "typ": "JWT" }),
            &claims,
            &signature,
        ),
        put(&json!({ "alg": "HS256" }), &claims, &signature),
        own(b"", &header),
        own(b"secret", &header),
        own(proxy.base.as_bytes(), &header),
        own(client.id.as_bytes(), &header),
        own(&testkit::proxy::SECRET, &header),
        format!("{}.x", tokens.access),
        format!("{}=", tokens.access),
    ] {
        is_refused(&client.call("/mcp", &forged).await);
    }
    proxy.session(&client, &tokens.access).await;
}

#[tokio::test]
async fn tokens_of_another_server_are_refused() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    // The same secret, another issuer.
    let other = Proxy::before(
        proxy.provider.clone(),
        proxy.clock.clone(),
        "https://other.example",
        |builder| builder,
    );
    let bearer = format!("Bearer {}", tokens.access);
    let reply = other.wire.get("/mcp", &[("authorization", &bearer)]).await;
    is_refused(&reply);
    // The same issuer, another secret.
    let key = testkit::proxy::secret(7);
    let foreign = proxy.sibling(|builder| builder.secret_key(key));
    is_refused(
        &foreign
            .wire
            .get("/mcp", &[("authorization", &bearer)])
            .await,
    );
}

#[tokio::test]
async fn a_token_is_good_for_its_resource_and_below_and_nowhere_else() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    for path in ["/mcp", "/mcp/", "/mcp/x", "/mcp?a=b"] {
        client.call(path, &tokens.access).await.expect(200);
    }
    for path in [
        "/mcpx",
        "/",
        "/other",
        "/MCP",
        "/mc",
        "/mcp/../other",
        "/mcp%2fx",
        "//mcp",
    ] {
        is_refused(&client.call(path, &tokens.access).await);
    }
    proxy.told(Step::Bearer, Reason::WrongAudience);
}

#[tokio::test]
async fn a_token_ends_on_time() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy.session(&client, &tokens.access).await;
    proxy.clock.advance_secs(3599);
    proxy.session(&client, &tokens.access).await;
    proxy.clock.advance_secs(1);
    is_refused(&client.call("/mcp", &tokens.access).await);
    proxy.told(Step::Bearer, Reason::Expired);
}

#[tokio::test]
async fn the_service_does_not_see_the_token_unless_the_operator_says_so() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let seen = client.call("/mcp", &tokens.access).await.json();
    assert_eq!(seen["authorization_header_present"], false);

    let proxy = Proxy::with(|builder| builder.keep_authorization_header(true)).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let seen = client.call("/mcp", &tokens.access).await.json();
    assert_eq!(seen["authorization_header_present"], true);
}

#[tokio::test]
async fn in_optional_mode_no_token_passes_without_a_session_and_a_bad_one_does_not() {
    let proxy = Proxy::with(|builder| builder.optional_auth(true)).await;
    let reply = proxy.wire.get("/mcp", &[]).await.expect(200);
    assert_eq!(reply.json()["session"], Value::Null);
    for line in [
        "Bearer x",
        "Bearer",
        "Bearer ",
        "bearer a b",
        "Bearer \u{e9}",
    ] {
        is_refused(&proxy.wire.get("/mcp", &[("authorization", line)]).await);
    }
    // Two readers could choose differently, whichever of them is none.
    let two = [
        ("authorization", "Bearer x"),
        ("authorization", "Basic eA=="),
    ];
    is_refused(&proxy.wire.get("/mcp", &two).await);
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy.session(&client, &tokens.access).await;
}

#[tokio::test]
async fn an_expiring_provider_token_is_renewed_on_the_way_once_for_all() {
    let proxy = Proxy::with(|b| b.access_token_ttl(Duration::from_secs(86_400))).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy.clock.advance_secs(3600);
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (client, token) = (client.clone(), tokens.access.clone());
            tokio::spawn(async move { client.call("/mcp", &token).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().expect(200);
    }
    assert_eq!(proxy.provider.count_grant("refresh_token"), 1);
}

#[tokio::test]
async fn a_provider_that_is_down_is_503_and_logs_nobody_out() {
    let proxy = Proxy::with(|b| b.access_token_ttl(Duration::from_secs(86_400))).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy.clock.advance_secs(3600);
    proxy.provider.always(Kind::Token, Answer::Status(503));
    let reply = client.call("/mcp", &tokens.access).await.expect(503);
    assert!(reply.header("retry-after").is_some());
    assert_eq!(reply.header(INSIDE), None);
    proxy.clock.advance_secs(30);
    proxy.provider.always(Kind::Token, Answer::Normal);
    proxy.session(&client, &tokens.access).await;
}

#[tokio::test]
async fn a_provider_that_ended_the_grant_ends_it_here() {
    let proxy = Proxy::with(|b| b.access_token_ttl(Duration::from_secs(86_400))).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy.provider.remove_app();
    proxy.clock.advance_secs(3600);
    is_refused(&client.call("/mcp", &tokens.access).await);
    client
        .refresh(tokens.refresh())
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn claims_pass_through_as_configured() {
    let claims = ClaimsPassthrough::default()
        .allowed_claims(["name", "roles"])
        .allow_complex(true)
        .prefix("idp_");
    let proxy = Proxy::with(|builder| builder.custom_claims_passthrough(claims)).await;
    proxy.provider.configure(|settings| {
        settings.person.insert("roles".into(), json!(["admin"]));
        settings.person.insert("secret".into(), json!("no"));
    });
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let session = proxy.session(&client, &tokens.access).await;
    let expected = json!({ "idp_name": "Ada Example", "idp_roles": ["admin"] });
    assert_eq!(session["claims"], expected);
}

#[tokio::test]
async fn a_preflight_on_a_protected_path_is_answered_where_the_operator_wants_it() {
    let ask = [
        ("origin", "https://inspector.example"),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "authorization,mcp-session-id",
        ),
    ];
    let proxy = Proxy::start().await;
    let reply = proxy
        .wire
        .request(Method::OPTIONS, "/mcp", &ask, "".into())
        .await;
    assert_eq!(reply.header("access-control-allow-origin"), None);

    let proxy = Proxy::with(|builder| builder.cors_on_protected_paths(true)).await;
    let reply = proxy
        .wire
        .request(Method::OPTIONS, "/mcp", &ask, "".into())
        .await;
    assert!(reply.status.is_success());
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    let allowed = reply
        .header("access-control-allow-headers")
        .unwrap()
        .to_lowercase();
    for header in [
        "authorization",
        "mcp-session-id",
        "mcp-protocol-version",
        "last-event-id",
    ] {
        assert!(allowed.contains(header), "{header}: {allowed}");
    }
    let methods = reply.header("access-control-allow-methods").unwrap();
    assert!(methods.contains("DELETE"), "{methods}");
    assert_eq!(reply.header("access-control-allow-credentials"), None);
    let reply = proxy.wire.get("/mcp", &[ask[0]]).await.expect(401);
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
}
