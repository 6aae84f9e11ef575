//! Well-known documents: RFC 8414 and RFC 9728.

use http::Method;
use serde_json::{Value, json};

use testkit::{Proxy, Reply};

async fn document(proxy: &Proxy, path: &str) -> Value {
    let reply = proxy.wire.get(path, &[]).await.expect(200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    reply.json()
}

fn strings(value: &Value) -> Vec<&str> {
    let items = value
        .as_array()
        .unwrap_or_else(|| panic!("{value} is no array"));
    items.iter().map(|item| item.as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_authorization_server_tells_its_endpoints_and_what_it_can_do() {
    let proxy = Proxy::start().await;
    let meta = document(&proxy, "/.well-known/oauth-authorization-server").await;
    assert_eq!(meta["issuer"], proxy.base);
    for endpoint in ["authorization", "token", "registration", "revocation"] {
        let path = match endpoint {
            "authorization" => "authorize",
            "registration" => "register",
            "revocation" => "revoke",
            other => other,
        };
        let url = format!("{}/oauth/{path}", proxy.base);
        assert_eq!(meta[format!("{endpoint}_endpoint")], url);
    }
    assert_eq!(meta["response_types_supported"], json!(["code"]));
    assert_eq!(meta["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(meta["authorization_response_iss_parameter_supported"], true);
    let grants = strings(&meta["grant_types_supported"]);
    assert_eq!(grants, ["authorization_code", "refresh_token"]);
    let mut methods = strings(&meta["token_endpoint_auth_methods_supported"]);
    methods.sort_unstable();
    assert_eq!(
        methods,
        [
            "client_secret_basic",
            "client_secret_post",
            "none",
            "private_key_jwt"
        ]
    );
    let scopes = strings(&meta["scopes_supported"]);
    for scope in ["openid", "read", "write", "offline_access"] {
        assert!(scopes.contains(&scope), "{scope} is missing in {scopes:?}");
    }
}

#[tokio::test]
async fn clients_that_only_probe_openid_configuration_find_the_same() {
    let proxy = Proxy::start().await;
    let oauth = document(&proxy, "/.well-known/oauth-authorization-server").await;
    let openid = document(&proxy, "/.well-known/openid-configuration").await;
    assert_eq!(oauth, openid);
}

#[tokio::test]
async fn a_resource_is_the_url_that_the_client_typed() {
    let proxy = Proxy::start().await;
    for (path, resource) in [
        (
            "/.well-known/oauth-protected-resource",
            "https://proxy.example",
        ),
        (
            "/.well-known/oauth-protected-resource/mcp",
            "https://proxy.example/mcp",
        ),
        (
            "/.well-known/oauth-protected-resource/a/b",
            "https://proxy.example/a/b",
        ),
    ] {
        let meta = document(&proxy, path).await;
        assert_eq!(meta["resource"], resource);
        assert_eq!(meta["authorization_servers"], json!([proxy.base]));
        assert_eq!(meta["bearer_methods_supported"], json!(["header"]));
        let scopes = strings(&meta["scopes_supported"]);
        assert!(!scopes.contains(&"offline_access"), "{scopes:?}");
    }
}

#[tokio::test]
async fn below_a_path_the_documents_are_found_by_insertion() {
    let proxy = Proxy::at("https://proxy.example/api", |builder| builder).await;
    let inserted = "/.well-known/oauth-authorization-server/api";
    let meta = document(&proxy, inserted).await;
    assert_eq!(meta["issuer"], "https://proxy.example/api");
    assert_eq!(
        meta["token_endpoint"],
        "https://proxy.example/api/oauth/token"
    );
    let at_root = document(&proxy, "/.well-known/oauth-authorization-server").await;
    assert_eq!(at_root, meta);
    let openid = document(&proxy, "/.well-known/openid-configuration/api").await;
    assert_eq!(openid, meta);
    let resource = document(&proxy, "/.well-known/oauth-protected-resource/api/mcp").await;
    assert_eq!(resource["resource"], "https://proxy.example/api/mcp");
}

#[tokio::test]
async fn a_trailing_slash_of_the_base_url_is_dropped_and_nothing_else() {
    let proxy = Proxy::at("https://proxy.example/", |builder| builder).await;
    let meta = document(&proxy, "/.well-known/oauth-authorization-server").await;
    assert_eq!(meta["issuer"], "https://proxy.example");
}

#[tokio::test]
async fn the_host_header_never_decides_on_a_url() {
    let proxy = Proxy::start().await;
    let headers = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("forwarded", "host=evil.example;proto=http"),
    ];
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource/mcp",
        "/mcp",
    ] {
        let reply = proxy.wire.get(path, &headers).await;
        assert!(!reply.everything().contains("evil.example"), "{reply:?}");
    }
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let proxy = Proxy::start().await;
    let path = "/.well-known/oauth-authorization-server";
    let head = proxy.wire.request(Method::HEAD, path, &[], "".into()).await;
    assert_eq!(head.status, 200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn another_method_is_405_and_told_which_are_allowed() {
    let proxy = Proxy::start().await;
    for (path, method, allowed) in [
        (
            "/.well-known/oauth-authorization-server",
            Method::POST,
            "GET",
        ),
        (
            "/.well-known/oauth-protected-resource/mcp",
            Method::PUT,
            "GET",
        ),
        ("/oauth/register", Method::GET, "POST"),
        ("/oauth/token", Method::GET, "POST"),
        ("/oauth/revoke", Method::DELETE, "POST"),
        ("/oauth/callback", Method::PUT, "GET"),
    ] {
        let reply = proxy.wire.request(method, path, &[], "".into()).await;
        assert_eq!(reply.status, 405, "{path}: {reply:?}");
        let allow = reply.header("allow").unwrap_or_default();
        assert!(allow.contains(allowed), "{path}: Allow: {allow}");
    }
}

fn cors(reply: &Reply) -> Option<&str> {
    reply.header("access-control-allow-origin")
}

#[tokio::test]
async fn browser_clients_may_read_documents_and_use_the_machine_endpoints() {
    let proxy = Proxy::start().await;
    let from = [("origin", "https://inspector.example")];
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-protected-resource/mcp",
    ] {
        let reply = proxy.wire.get(path, &from).await.expect(200);
        assert_eq!(cors(&reply), Some("*"), "{path}");
        assert_eq!(reply.header("access-control-allow-credentials"), None);
    }
    for path in ["/oauth/register", "/oauth/token", "/oauth/revoke"] {
        let reply = proxy.wire.form(path, &[], &from).await;
        assert_eq!(cors(&reply), Some("*"), "{path}, even on a refusal");
        let ask = [
            ("origin", "https://inspector.example"),
            ("access-control-request-method", "POST"),
            (
                "access-control-request-headers",
                "content-type, authorization",
            ),
        ];
        let preflight = proxy
            .wire
            .request(Method::OPTIONS, path, &ask, "".into())
            .await;
        assert!(preflight.status.is_success(), "{path}: {preflight:?}");
        assert_eq!(cors(&preflight), Some("*"), "{path}");
        let methods = preflight.header("access-control-allow-methods");
        assert!(methods.is_some_and(|m| m.contains("POST")), "{path}");
        let headers = preflight.header("access-control-allow-headers").unwrap();
        let headers = headers.to_lowercase();
        assert!(headers.contains("authorization") && headers.contains("content-type"));
    }
}

#[tokio::test]
async fn pages_for_people_are_never_shared_across_origins() {
    let proxy = Proxy::start().await;
    let from = [("origin", "https://evil.example")];
    for path in [
        "/oauth/authorize",
        "/oauth/consent?login=x",
        "/oauth/callback",
    ] {
        let reply = proxy.wire.get(path, &from).await;
        assert_eq!(cors(&reply), None, "{path}");
        let ask = [from[0], ("access-control-request-method", "GET")];
        let reply = proxy
            .wire
            .request(Method::OPTIONS, path, &ask, "".into())
            .await;
        assert_eq!(cors(&reply), None, "{path}");
    }
}
