//! Dynamic registration (RFC 7591) that stores nothing.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tower_oauth_proxy::{Reason, Step};

use crate::common::{
    Client, Proxy, Reply, Tokens,
    client::{CALLBACK, native_metadata},
    provider::MARK,
};

async fn register(proxy: &Proxy, metadata: &Value) -> Reply {
    Client::try_register(&proxy.wire, proxy.base_path(), metadata).await
}

#[tokio::test]
async fn a_public_client_gets_no_secret() {
    let proxy = Proxy::start().await;
    let reply = register(&proxy, &native_metadata(CALLBACK))
        .await
        .expect(201);
    assert!(reply.header("cache-control").unwrap().contains("no-store"));
    let answer = reply.json();
    assert!(answer.get("client_secret").is_none());
    assert!(answer.get("client_secret_expires_at").is_none());
    assert!(answer.get("registration_client_uri").is_none());
    assert!(answer.get("registration_access_token").is_none());
    assert_eq!(answer["redirect_uris"], json!([CALLBACK]));
    assert_eq!(answer["client_name"], "Kit");
    assert_eq!(answer["client_id_issued_at"], proxy.clock.unix());
}

#[tokio::test]
async fn a_confidential_client_gets_a_secret_of_its_own_that_never_expires() {
    let proxy = Proxy::start().await;
    let mut metadata = native_metadata(CALLBACK);
    metadata
        .as_object_mut()
        .unwrap()
        .remove("token_endpoint_auth_method");
    let first = register(&proxy, &metadata).await.expect(201).json();
    assert_eq!(first["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(first["client_secret_expires_at"], 0);
    proxy.clock.advance_secs(1);
    let second = register(&proxy, &metadata).await.expect(201).json();
    assert_ne!(first["client_secret"], second["client_secret"]);
    assert!(
        !first.to_string().contains(MARK),
        "the provider's own secret"
    );
}

#[tokio::test]
async fn a_registration_survives_a_restart() {
    let proxy = Proxy::start().await;
    let mut client = proxy.client().await;
    let restarted = proxy.sibling(|builder| builder);
    client.wire = restarted.wire.clone();
    let tokens = restarted.journey(&client).await;
    restarted.session(&client, &tokens.access).await;
}

#[tokio::test]
async fn under_another_secret_a_registration_is_unknown() {
    let proxy = Proxy::start().await;
    let mut client = proxy.client().await;
    let key = crate::common::proxy::secret(9);
    let foreign = proxy.sibling(|builder| builder.secret_key(key));
    client.wire = foreign.wire.clone();
    client
        .refresh("whatever")
        .await
        .refused(401, "invalid_client");
}

#[tokio::test]
async fn every_changed_character_of_a_client_id_makes_it_unknown() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    for index in 0..client.id.len() {
        let mut forged = client.clone();
        let old = client.id.as_bytes()[index];
        let new = if old == b'A' { "B" } else { "A" };
        forged.id.replace_range(index..=index, new);
        let reply = forged.refresh("whatever").await;
        reply.refused(401, "invalid_client");
    }
}

#[tokio::test]
async fn redirect_uris_that_could_carry_a_code_to_a_stranger_are_refused() {
    let proxy = Proxy::start().await;
    for uri in [
        "https://evil.example/callback",
        "http://localhost:80@evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://localhost/cb#fragment",
        "http://localhost/a/../b",
        "http://localhost/a/%2e%2e/b",
        "http://localhost\\@evil.example/",
        "http://localhost/\nSet-Cookie: a=b",
        "http:localhost/callback",
        "//localhost/callback",
        "/callback",
        "",
        "javascript:alert(1)",
        "JavaScript:alert(1)//localhost",
        "data:text/html,hello",
        "file:///etc/passwd",
        "vbscript:x",
        "blob:http://localhost/x",
        "about:blank",
    ] {
        let reply = register(&proxy, &native_metadata(uri)).await;
        assert_eq!(reply.status, 400, "{uri}");
        let code = reply.error();
        assert!(
            ["invalid_redirect_uri", "invalid_client_metadata"].contains(&&*code),
            "{uri}: {code}"
        );
        assert_eq!(reply.header("content-type"), Some("application/json"));
    }
    proxy.told(Step::Register, Reason::RedirectUri);
}

#[tokio::test]
async fn loopback_redirect_uris_of_any_form_are_permitted_by_default() {
    let proxy = Proxy::start().await;
    for uri in [
        "http://localhost/callback",
        "http://localhost:33418/",
        "http://127.0.0.1/",
        "http://127.0.0.1:9/x?y=z",
        "http://[::1]:8080/callback",
    ] {
        register(&proxy, &native_metadata(uri)).await.expect(201);
    }
}

#[tokio::test]
async fn patterns_permit_what_they_say_and_nothing_near_it() {
    let pattern = "https://*.example.com/callback/*";
    let proxy = Proxy::with(|b| b.allowed_redirect_uri_patterns([pattern])).await;
    for uri in [
        "https://a.example.com/callback/x",
        "https://a.example.com/callback/x/y",
    ] {
        register(&proxy, &native_metadata(uri)).await.expect(201);
    }
    for uri in [
        "https://example.com/callback/x",
        "https://a.example.com.evil.example/callback/x",
        "https://evil.example/a.example.com/callback/x",
        "https://a.example.com@evil.example/callback/x",
        "https://aexample.com/callback/x",
        "https://a.example.com/other",
        "https://a.example.com/callbackx",
        "https://a.example.com/callback/../other",
        "https://a.example.com:444/callback/x",
        "http://a.example.com/callback/x",
    ] {
        let reply = register(&proxy, &native_metadata(uri)).await;
        assert_eq!(reply.status, 400, "{uri}");
    }
}

#[tokio::test]
async fn metadata_that_cannot_be_honoured_is_refused() {
    let proxy = Proxy::start().await;
    for (name, value) in [
        ("redirect_uris", json!([])),
        ("redirect_uris", json!("http://localhost/")),
        ("redirect_uris", json!([1])),
        ("redirect_uris", Value::Null),
        ("redirect_uris", json!(vec!["http://localhost/"; 200])),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("token_endpoint_auth_method", json!(7)),
        ("grant_types", json!(["client_credentials"])),
        ("response_types", json!(["token"])),
        ("client_name", json!("x".repeat(10_000))),
        ("client_name", json!({})),
        ("client_uri", json!("javascript:alert(1)")),
        ("logo_uri", json!("data:text/html,x")),
    ] {
        let mut metadata = native_metadata(CALLBACK);
        metadata[name] = value.clone();
        let reply = register(&proxy, &metadata).await;
        assert_eq!(reply.status, 400, "{name}: {value}: {reply:?}");
        assert!(reply.error().starts_with("invalid_"), "{name}: {value}");
    }
}

#[tokio::test]
async fn what_is_not_kept_is_echoed_and_what_is_ours_never() {
    let proxy = Proxy::start().await;
    let mut metadata = native_metadata(CALLBACK);
    metadata["contacts"] = json!(["ops@example.com"]);
    metadata["policy_uri"] = json!("https://app.example/policy");
    metadata["client_id"] = json!("mine");
    metadata["client_secret"] = json!("mine");
    metadata["registration_access_token"] = json!("mine");
    metadata["scope"] = json!("read claudeai nonsense");
    let answer = register(&proxy, &metadata).await.expect(201).json();
    assert_eq!(answer["contacts"], metadata["contacts"]);
    assert_eq!(answer["policy_uri"], metadata["policy_uri"]);
    assert_ne!(answer["client_id"], "mine");
    assert!(answer.get("client_secret").is_none());
    assert!(answer.get("registration_access_token").is_none());
    assert_eq!(answer["scope"], "read", "unknown scopes are dropped");
}

#[tokio::test]
async fn a_body_that_is_no_registration_is_refused_in_json() {
    let proxy = Proxy::start().await;
    let json = [("content-type", "application/json")];
    for body in ["", "{", "[]", "null", "\"x\"", "{\"redirect_uris\":"] {
        let reply = proxy
            .wire
            .request(Method::POST, "/oauth/register", &json, body.into())
            .await;
        reply.refused(400, "invalid_client_metadata");
    }
    let large = format!("{{\"client_name\":\"{}\"}}", "x".repeat(200_000));
    let reply = proxy
        .wire
        .request(Method::POST, "/oauth/register", &json, large.into())
        .await;
    assert_eq!(reply.status, 413);
    reply.error();
    let reply = proxy.wire.form("/oauth/register", &[("a", "b")], &[]).await;
    assert_eq!(reply.status, 415);
    reply.error();
}

#[tokio::test]
async fn a_hook_of_the_operator_may_refuse() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    // The layer's handle can take a client back later.
    proxy.layer.handle().deny_client(&client.id).await.unwrap();
    let url = client.authorize(&crate::common::Pkce::new(), "s").url();
    let page = proxy.browser().open(&url).await.page();
    assert_eq!(page.reply.status, 400);
    client
        .refresh("whatever")
        .await
        .refused(401, "invalid_client");
    let other = proxy
        .register(&native_metadata("http://localhost/other"))
        .await;
    proxy.journey(&other).await;
}

#[tokio::test]
async fn a_client_that_is_denied_loses_what_it_holds() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy.layer.handle().deny_client(&client.id).await.unwrap();
    client
        .refresh(tokens.refresh())
        .await
        .refused(401, "invalid_client");
    proxy.clock.advance(Duration::from_secs(3601));
    assert_eq!(client.call("/mcp", &tokens.access).await.status, 401);
}

#[tokio::test]
async fn a_scope_given_at_registration_is_a_default_and_no_cap() {
    let proxy = Proxy::start().await;
    let mut metadata = native_metadata(CALLBACK);
    metadata["scope"] = json!("read");
    let client = proxy.register(&metadata).await;
    assert_eq!(proxy.journey(&client).await.scope, "read");
    let pkce = crate::common::Pkce::new();
    let url = client
        .authorize(&pkce, "s")
        .with("scope", "read write")
        .url();
    let callback = proxy.approve(&mut proxy.browser(), &url).await.left();
    let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
    assert_eq!(tokens.scope, "read write");
}
