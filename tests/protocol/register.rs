//! Dynamic registration (RFC 7591) that stores nothing.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tower_oauth_proxy::{KnownClient, Reason, RegistrationRequest, Step, Veto};

use testkit::{
    Client, Pkce, Proxy, Reply, Tokens,
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
    let client = proxy.register(&metadata).await;
    proxy.clock.advance_secs(10 * 366 * 24 * 3600);
    proxy.journey(&client).await;
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
    let key = testkit::proxy::secret(9);
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
async fn metadata_that_decides_and_cannot_be_honoured_is_refused() {
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
        ("grant_types", json!("authorization_code")),
        ("response_types", json!(["token"])),
    ] {
        let mut metadata = native_metadata(CALLBACK);
        metadata[name] = value.clone();
        let reply = register(&proxy, &metadata).await;
        assert_eq!(reply.status, 400, "{name}: {value}: {reply:?}");
        assert!(reply.error().starts_with("invalid_"), "{name}: {value}");
    }
}

#[tokio::test]
async fn metadata_for_show_that_is_of_no_use_is_left_out_and_the_client_works() {
    let proxy = Proxy::start().await;
    let mut metadata = native_metadata(CALLBACK);
    for (name, value) in [
        ("logo_uri", json!("data:image/png;base64,iVBORw0KGgo=")),
        ("client_uri", json!("javascript:alert(1)")),
        (
            "tos_uri",
            json!(format!("https://b.example/{}", "x".repeat(9_000))),
        ),
        ("policy_uri", json!(7)),
        ("contacts", json!("ops@example.com")),
        ("software_id", json!([])),
        ("application_type", json!("browser")),
        ("scope", json!({ "read": true })),
        ("client_name", json!({})),
    ] {
        metadata[name] = value;
    }
    let answer = register(&proxy, &metadata).await.expect(201).json();
    for name in [
        "logo_uri",
        "client_uri",
        "tos_uri",
        "policy_uri",
        "contacts",
        "software_id",
        "application_type",
        "scope",
        "client_name",
    ] {
        assert_eq!(answer.get(name), None, "{name}");
    }
    metadata["client_name"] = json!("x".repeat(10_000));
    metadata["software_version"] = json!(3);
    let answer = register(&proxy, &metadata).await.expect(201).json();
    assert_eq!(answer["client_name"].as_str().unwrap().len(), 100);
    assert_eq!(answer["software_version"], "3");
    let client = proxy.register(&metadata).await;
    proxy.journey(&client).await;
}

#[tokio::test]
async fn an_application_type_of_web_forbids_nothing_that_the_policy_permits() {
    let cursor = "cursor://anysphere.cursor-mcp/oauth/callback";
    let proxy = Proxy::with(|b| b.allow_client(KnownClient::Cursor)).await;
    for uri in [cursor, CALLBACK] {
        let mut metadata = native_metadata(uri);
        metadata["application_type"] = json!("web");
        let answer = register(&proxy, &metadata).await.expect(201).json();
        assert_eq!(answer["application_type"], "web");
        let client = proxy.register(&metadata).await;
        let mut browser = proxy.browser();
        let callback = proxy.login(&mut browser, &client, &Pkce::new()).await;
        assert!(callback.starts_with(uri), "{callback}");
    }
    // What the policy does not permit is refused, whatever the type.
    let strict = Proxy::start().await;
    for kind in ["web", "native"] {
        let mut metadata = native_metadata(cursor);
        metadata["application_type"] = json!(kind);
        let reply = register(&strict, &metadata).await;
        reply.refused(400, "invalid_redirect_uri");
    }
}

#[tokio::test]
async fn a_byte_order_mark_before_the_body_is_no_obstacle() {
    let proxy = Proxy::start().await;
    let headers = [("content-type", "application/json; charset=utf-8")];
    let body = format!("\u{feff}{}", native_metadata(CALLBACK));
    let reply = proxy
        .wire
        .request(Method::POST, "/oauth/register", &headers, body.into())
        .await;
    reply.expect(201);
}

#[tokio::test]
async fn a_body_with_a_content_coding_is_refused_with_what_to_do() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let form = format!(
        "grant_type=refresh_token&refresh_token=x&client_id={}",
        client.id
    );
    let revoke = format!("token=x&client_id={}", client.id);
    for (path, content_type, body) in [
        (
            "/oauth/register",
            "application/json",
            native_metadata(CALLBACK).to_string(),
        ),
        ("/oauth/token", "application/x-www-form-urlencoded", form),
        ("/oauth/revoke", "application/x-www-form-urlencoded", revoke),
    ] {
        let ask = async |coding: &str| {
            let headers = [("content-type", content_type), ("content-encoding", coding)];
            proxy
                .wire
                .request(Method::POST, path, &headers, body.clone().into())
                .await
        };
        for coding in ["gzip", "br", "identity, gzip", "x"] {
            let reply = ask(coding).await;
            reply.refused(415, "invalid_request");
            assert_eq!(reply.header("accept-encoding"), Some("identity"), "{path}");
            let said = reply.json()["error_description"].to_string();
            assert!(said.contains("without"), "{said}");
            let event = proxy.events().pop().unwrap();
            assert_eq!(event.reason, Some(Reason::NotServed));
        }
        // No coding at all, said in words.
        for coding in ["identity", "Identity", ""] {
            assert_ne!(ask(coding).await.status, 415, "{path} {coding}");
        }
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
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    let before = proxy.client().await;
    let tokens = proxy.journey(&before).await;
    let guarded = proxy.sibling(|builder| {
        builder.token_storage(store.clone()).on_register(
            |request: RegistrationRequest| async move {
                match request.client_name.as_deref() {
                    Some("Kit") => Err(Veto::new("no kits here")),
                    _ => Ok(()),
                }
            },
        )
    });
    for _ in 0..2 {
        let reply = register(&guarded, &native_metadata(CALLBACK)).await;
        reply.refused(400, "invalid_client_metadata");
        assert_eq!(reply.json()["error_description"], "no kits here");
        assert_eq!(reply.json().get("client_id"), None);
        guarded.told(Step::Register, Reason::HookDenied);
    }
    let mut metadata = native_metadata(CALLBACK);
    metadata["client_name"] = json!("Welcome");
    let welcome = guarded.register(&metadata).await;
    guarded.journey(&welcome).await;
    // It is asked for registrations: who is registered already has to be denied.
    let there = Client {
        wire: guarded.wire.clone(),
        ..before
    };
    Tokens::read(&there.refresh(tokens.refresh()).await);
}

#[tokio::test]
async fn a_denied_client_is_refused_at_every_endpoint_and_others_are_not() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (code, pkce) = proxy.code(&client).await;
    let tokens = proxy.journey(&client).await;
    proxy.layer.admin().deny_client(&client.id).await.unwrap();
    let url = client.authorize(&Pkce::new(), "s").url();
    let page = proxy.browser().open(&url).await.page();
    assert_eq!(page.reply.status, 400);
    proxy.told(Step::Authorize, Reason::DeniedClient);
    for reply in [
        client.redeem_code(&code, &pkce).await,
        client.refresh(tokens.refresh()).await,
        client.revoke(tokens.refresh()).await,
    ] {
        reply.refused(401, "invalid_client");
    }
    proxy.told(Step::Revoke, Reason::DeniedClient);
    let other = proxy
        .register(&native_metadata("http://localhost/other"))
        .await;
    proxy.journey(&other).await;
}

#[tokio::test]
async fn a_denial_is_for_one_registration_and_only_the_policy_or_the_hook_is_for_all() {
    let uri = "https://app.example.com/callback";
    let (proxy, store) = Proxy::with_store(|b| b.allowed_redirect_uri_patterns([uri])).await;
    let client = proxy.register(&native_metadata(uri)).await;
    proxy.layer.admin().deny_client(&client.id).await.unwrap();
    // The same app with the same metadata is another client.
    let again = proxy.register(&native_metadata(uri)).await;
    assert_ne!(again.id, client.id);
    proxy.journey(&again).await;
    // A narrower policy binds old and new registrations alike.
    let strict = proxy.sibling(|builder| builder.token_storage(store.clone()));
    let reply = register(&strict, &native_metadata(uri)).await;
    reply.refused(400, "invalid_redirect_uri");
    let there = Client {
        wire: strict.wire.clone(),
        ..again
    };
    let url = there.authorize(&Pkce::new(), "s").url();
    let page = strict.browser().open(&url).await.page();
    assert_eq!(page.reply.status, 400);
    strict.told(Step::Authorize, Reason::RedirectUri);
}

#[tokio::test]
async fn a_denied_client_gets_no_new_tokens_and_its_access_token_ends_in_its_own_time() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy.layer.admin().deny_client(&client.id).await.unwrap();
    client
        .refresh(tokens.refresh())
        .await
        .refused(401, "invalid_client");
    proxy.session(&client, &tokens.access).await;
    proxy.clock.advance(Duration::from_secs(3600));
    assert_eq!(client.call("/mcp", &tokens.access).await.status, 401);
}

#[tokio::test]
async fn a_scope_given_at_registration_is_a_default_and_no_cap() {
    let proxy = Proxy::start().await;
    let mut metadata = native_metadata(CALLBACK);
    metadata["scope"] = json!("read");
    let client = proxy.register(&metadata).await;
    assert_eq!(proxy.journey(&client).await.scope, "read");
    let pkce = Pkce::new();
    let url = client
        .authorize(&pkce, "s")
        .with("scope", "read write")
        .url();
    let callback = proxy.approve(&mut proxy.browser(), &url).await.left();
    let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
    assert_eq!(tokens.scope, "read write");
}
