//! The server behind learns who is calling, from the gateway alone; and who may call what is judged before it.

use std::io::Write as _;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Request;
use serde_json::{Value, json};

use crate::{
    behind::Behind,
    kit::{Folder, Gateway, KEY_SUBJECT},
};

const SECRET: &str = "3q2-8ZcN0yF7wTtXvJmK1bR5uHsLgPdEaYi9oQx4nMk";

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// As the server behind would: by the key that the token names.
fn verified(token: &str, key_set: &str) -> Value {
    let set: Value = serde_json::from_str(key_set).unwrap();
    let keys = set["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == part(token, 0)["kid"]);
    let x = key.unwrap()["x"].as_str().unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let public = UnparsedPublicKey::new(&ED25519, bytes(x));
    public.verify(signed.as_bytes(), &bytes(signature)).unwrap();
    part(token, 1)
}

#[tokio::test]
async fn a_signed_identity_is_verified_by_the_key_set_of_any_instance() {
    let behind = Behind::echo().await;
    let settings = [
        ("keys.secret", SECRET),
        ("identity.jwt.header", "Authorization"),
        ("identity.jwt.audience", "notes"),
        ("identity.jwt.key_set_path", "/identity/jwks"),
        ("identity.headers.subject", "off"),
    ];
    let gateway = Gateway::before(&behind.url(), &settings).await;
    let another = Gateway::before(&behind.url(), &settings).await;
    let request = gateway
        .request("POST", "/mcp")
        .header("x-auth-subject", "root");
    assert_eq!(gateway.ask(request.body("{}").unwrap()).await.status, 200);
    let came = behind.came();
    assert_eq!(came.header("x-auth-subject"), None);
    let token = came.header("authorization").unwrap();
    let token = token.strip_prefix("Bearer ").unwrap();
    assert!(!token.contains(&gateway.key));

    let public = Request::get("/identity/jwks").header("host", "mcp.example.com");
    let public = another.ask(public.body("").unwrap()).await;
    assert_eq!(public.status, 200);
    assert_eq!(public.headers["content-type"], "application/json");
    for key_set in [public.text(), gateway.page("/identity/jwks").await.text()] {
        let claims = verified(token, &key_set);
        assert_eq!(claims["sub"], KEY_SUBJECT);
        assert_eq!(claims["aud"], "notes");
        assert_eq!(claims["iss"], "https://mcp.example.com");
        assert_eq!(claims["source"], "api_key");
        let lives = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
        assert_eq!(lives, 60);
    }
    // It is for the server behind: at the gateway it opens nothing.
    let replayed = Request::get("/mcp")
        .header("host", "mcp.example.com")
        .header("authorization", format!("Bearer {token}"));
    assert_eq!(gateway.ask(replayed.body("").unwrap()).await.status, 401);
}

#[tokio::test]
async fn without_a_signed_identity_there_is_no_key_set() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    assert_eq!(gateway.page("/identity/jwks").await.status, 404);
}

#[tokio::test]
async fn headers_have_the_names_that_the_operator_gives() {
    let behind = Behind::echo().await;
    let settings = [
        ("identity.headers.subject", "X-User"),
        ("identity.headers.source", "X-Auth-Source"),
        ("identity.provider_token", "Authorization"),
        ("identity.strip", "X-Company-User"),
    ];
    let gateway = Gateway::before(&behind.url(), &settings).await;
    let request = gateway
        .request("GET", "/mcp")
        .header("x-user", "root")
        .header("x-company-user", "root")
        .header("x-auth-subject", "root")
        .header("x-forwarded-user", "root");
    assert_eq!(gateway.ask(request.body("").unwrap()).await.status, 200);
    let came = behind.came();
    assert_eq!(came.header("x-user"), Some(KEY_SUBJECT));
    assert_eq!(came.header("x-auth-source"), Some("api_key"));
    // No provider stands behind an API key, and the client's own never passes.
    assert_eq!(came.header("authorization"), None);
    let values = came.parts.headers.values();
    assert!(
        values.into_iter().all(|value| value != "root"),
        "{:?}",
        came.parts.headers
    );
}

fn call(gateway: &Gateway, path: &str, tool: &str) -> Request<String> {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool}});
    let request = gateway.request("POST", path);
    let request = request.header("content-type", "application/json");
    request.body(body.to_string()).unwrap()
}

#[tokio::test]
async fn a_call_is_judged_before_it_reaches_the_server_behind() {
    let folder = Folder::new();
    let file = folder.0.join("gateway.toml");
    let mut settings = std::fs::File::create(&file).unwrap();
    settings
        .write_all(
            b"[tools]\n\"delete_*\" = { roles = [\"admin\"] }\nreport = { scopes = [\"read:user\"] }\n\
              [rules]\nexcept_paths = [\"/upload\"]\n[paths]\npublic = [\"/health\"]\n",
        )
        .unwrap();
    drop(settings);
    let behind = Behind::echo().await;
    let settings = [("config", file.to_str().unwrap())];
    let gateway = Gateway::before(&behind.url(), &settings).await;

    let reply = gateway.ask(call(&gateway, "/mcp", "whoami")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let came = String::from_utf8(behind.came().body.to_vec()).unwrap();
    assert_eq!(came, call(&gateway, "/mcp", "whoami").into_body());

    let reply = gateway.ask(call(&gateway, "/mcp", "delete_all")).await;
    assert_eq!(reply.status, 403);
    let reply = gateway.ask(call(&gateway, "/mcp", "report")).await;
    assert_eq!(reply.status, 403);
    let challenge = reply.headers["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains("insufficient_scope") && challenge.contains("read:user"),
        "{challenge}"
    );
    // What is no call is refused, except where the operator says that it is none.
    let upload = |path| {
        gateway
            .request("POST", path)
            .header("content-type", "text/plain")
            .body("x")
    };
    assert_eq!(gateway.ask(upload("/mcp").unwrap()).await.status, 415);
    assert_eq!(behind.count(), 0, "but the one that was looked at");
    assert_eq!(gateway.ask(upload("/upload").unwrap()).await.status, 200);
    let public = Request::get("/health").header("host", "mcp.example.com");
    assert_eq!(gateway.ask(public.body("").unwrap()).await.status, 200);
    assert_eq!(behind.count(), 2);
}

#[tokio::test]
async fn an_identity_that_does_not_fit_ends_the_request() {
    let behind = Behind::echo().await;
    let folder = Folder::new();
    let keys = folder.0.join("keys");
    let key = tower_oauth_proxy::ApiKey::generate();
    let line = key.line("nightly-report");
    let roles: Vec<String> = (0..40)
        .map(|number| format!("{number}{}", "r".repeat(120)))
        .collect();
    let mut with_roles: Value = serde_json::from_str(&line).unwrap();
    with_roles["roles"] = json!(roles);
    std::fs::write(&keys, with_roles.to_string()).unwrap();
    let settings = [("machines.api_keys_file", keys.to_str().unwrap())];
    let gateway = Gateway::before(&behind.url(), &settings).await;
    let request = Request::get("/mcp")
        .header("host", "mcp.example.com")
        .header("authorization", format!("Bearer {}", key.reveal()));
    let reply = gateway.ask(request.body("").unwrap()).await;
    assert_eq!(reply.status, 500, "{}", reply.text());
    assert!(!reply.text().contains("x-auth-roles"), "{}", reply.text());
    assert_eq!(behind.count(), 0);
    assert!(
        gateway.log().contains("x-auth-roles would have"),
        "{}",
        gateway.log()
    );
}
