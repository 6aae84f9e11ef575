//! A resource server: the provider registers the clients, logs people in and issues the tokens.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::Method;
use serde_json::{Value, json};
use tower_oauth_proxy::{
    ConfigError, OAuthProxyConfig, Reason, ResourceServerBuilder, ScopeSet, Step, TokenVerifier,
    VerifiedToken, VerifyError, VerifyFuture, VerifyRequest,
};

use testkit::{
    Pkce, Provider, Resource,
    client::{CALLBACK, basic},
    proxy::{BASE, INSIDE},
    wire::query_param,
};

/// Believes what the provider knows of a token.
#[derive(Clone)]
struct Believes {
    provider: Arc<Provider>,
    audiences: Vec<String>,
    asked: Arc<AtomicUsize>,
}

impl Believes {
    fn new(provider: &Arc<Provider>) -> Self {
        Self {
            provider: provider.clone(),
            audiences: Vec::new(),
            asked: Arc::default(),
        }
    }

    fn tokens_for(audiences: &[&str]) -> impl FnOnce(&Arc<Provider>) -> Self {
        let audiences = audiences.iter().map(|it| (*it).to_owned()).collect();
        |provider| Self {
            audiences,
            ..Self::new(provider)
        }
    }
}

impl TokenVerifier for Believes {
    fn verify<'a>(&'a self, request: VerifyRequest<'a>) -> VerifyFuture<'a> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            match request.token() {
                "trouble" => return Err(VerifyError::Unavailable("no route".into())),
                token if !self.provider.accepts(token) => {
                    return Err(VerifyError::Invalid("inactive".to_owned()));
                }
                _ => {}
            }
            let mut verified = VerifiedToken::new("person-1");
            verified.client_id = Some("some-client".to_owned());
            verified.scopes = ScopeSet::new(["read"]).unwrap();
            verified.audiences.clone_from(&self.audiences);
            verified.claims.insert("roles".into(), json!(["admin"]));
            Ok(verified)
        })
    }
}

async fn configured(
    change: impl FnOnce(ResourceServerBuilder) -> ResourceServerBuilder,
) -> Resource {
    Resource::at(BASE, Believes::new, change).await
}

#[tokio::test]
async fn a_client_finds_the_provider_registers_there_and_is_let_in_with_its_token() {
    let at = configured(|builder| builder.required_scopes(["read"])).await;
    // The challenge leads to the document of the URL that was asked for.
    let refused = at.wire.get("/mcp", &[]).await.expect(401);
    assert_eq!(
        refused.header("www-authenticate"),
        Some(
            "Bearer resource_metadata=\"https://proxy.example/.well-known/oauth-protected-resource\
             /mcp\", scope=\"read\""
        )
    );
    let document = "/.well-known/oauth-protected-resource/mcp";
    let resource = at.wire.get(document, &[]).await.expect(200);
    assert_eq!(resource.header("access-control-allow-origin"), Some("*"));
    let resource = resource.json();
    assert_eq!(
        resource,
        json!({
            "resource": "https://proxy.example/mcp",
            "authorization_servers": [at.provider.settings().issuer],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["read"],
        })
    );
    // The provider does the rest.
    let provider = at.provider.wire();
    let metadata = "/.well-known/openid-configuration";
    let metadata = provider.get(metadata, &[]).await.expect(200).json();
    assert_eq!(metadata["issuer"], resource["authorization_servers"][0]);
    let path = |name: &str| -> String {
        let url = metadata[name].as_str().unwrap();
        url.strip_prefix(&provider.origin).unwrap().to_owned()
    };
    let wants = json!({ "redirect_uris": [CALLBACK] });
    let client = provider
        .json(&path("registration_endpoint"), &wants, &[])
        .await;
    let client = client.expect(201).json();
    let (id, secret) = (&client["client_id"], &client["client_secret"]);
    let (id, secret) = (id.as_str().unwrap(), secret.as_str().unwrap());
    let pkce = Pkce::new();
    let query = serde_urlencoded::to_string([
        ("response_type", "code"),
        ("client_id", id),
        ("redirect_uri", CALLBACK),
        ("code_challenge", &pkce.challenge),
        ("code_challenge_method", "S256"),
        ("scope", "read"),
        ("resource", resource["resource"].as_str().unwrap()),
    ])
    .unwrap();
    let authorize = format!("{}?{query}", path("authorization_endpoint"));
    let back = provider.get(&authorize, &[]).await;
    let code = query_param(back.location(), "code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", &pkce.verifier),
    ];
    let tokens = provider
        .form(
            &path("token_endpoint"),
            &form,
            &[("authorization", &basic(id, secret))],
        )
        .await
        .expect(200)
        .json();
    let token = tokens["access_token"].as_str().unwrap();
    let seen = at.call("/mcp", token).await.expect(200).json();
    assert_eq!(seen["session"]["subject"], "person-1");
    assert_eq!(seen["session"]["client_id"], "some-client");
    assert_eq!(seen["session"]["scopes"], json!(["read"]));
    assert_eq!(seen["session"]["resource"], BASE);
    assert_eq!(seen["session"]["upstream_access_token_present"], true);
    assert_eq!(seen["authorization_header_present"], false);
}

#[tokio::test]
async fn nothing_of_an_authorization_server_is_served_and_its_paths_are_protected_like_any_other() {
    let at = configured(|builder| builder).await;
    let token = at.token(BASE, "read").await;
    for path in [
        "/oauth/register",
        "/oauth/authorize",
        "/oauth/token",
        "/oauth/revoke",
        "/oauth/consent",
        "/oauth/callback",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration",
        "/",
    ] {
        for method in [Method::GET, Method::POST] {
            let refused = at.wire.request(method, path, &[], "".into()).await;
            let challenge = refused.expect(401);
            let challenge = challenge.header("www-authenticate").unwrap();
            assert!(
                challenge.starts_with("Bearer resource_metadata="),
                "{path}: {challenge}"
            );
        }
        let inside = at.call(path, &token).await.expect(200);
        assert_eq!(
            (inside.header(INSIDE), &inside.json()["path"]),
            (Some("yes"), &json!(path))
        );
    }
    // Our own document, and a method that it does not know.
    let document = "/.well-known/oauth-protected-resource";
    let post = at
        .wire
        .request(Method::POST, document, &[], "".into())
        .await;
    assert_eq!(post.expect(405).header("allow"), Some("GET, HEAD, OPTIONS"));
    let head = at
        .wire
        .request(Method::HEAD, document, &[], "".into())
        .await;
    assert!(head.expect(200).body.is_empty());
    let elsewhere = format!("{document}/..");
    at.wire.get(&elsewhere, &[]).await.expect(404);
    at.told(Step::Http, Reason::NotServed);
}

#[tokio::test]
async fn a_service_of_the_same_origin_may_be_the_authorization_server() {
    let documents = "/.well-known/oauth-authorization-server";
    let at = configured(|builder| builder.public_paths([documents, "/oauth/token"])).await;
    for path in [documents, "/oauth/token"] {
        let inside = at.wire.get(path, &[]).await.expect(200);
        assert_eq!(inside.header(INSIDE), Some("yes"));
    }
}

#[tokio::test]
async fn clients_that_look_for_the_providers_metadata_here_are_sent_on_where_that_is_wanted() {
    let issuer = "https://idp.example/realms/acme/";
    let server = OAuthProxyConfig::resource_server("https://proxy.example/api", Nobody)
        .authorization_server(issuer)
        .authorization_server("https://second.example")
        .redirect_metadata(true);
    let wire = wire(server);
    for (path, to) in [
        (
            "/.well-known/oauth-authorization-server",
            "https://idp.example/.well-known/oauth-authorization-server/realms/acme",
        ),
        (
            "/.well-known/oauth-authorization-server/api",
            "https://idp.example/.well-known/oauth-authorization-server/realms/acme",
        ),
        (
            "/api/.well-known/openid-configuration",
            "https://idp.example/realms/acme/.well-known/openid-configuration",
        ),
    ] {
        let sent = wire.get(path, &[]).await.expect(307);
        assert_eq!(sent.location(), to, "{path}");
        assert_eq!(sent.header("access-control-allow-origin"), Some("*"));
    }
    wire.get("/.well-known/oauth-authorization-server/other", &[])
        .await
        .expect(404);
    wire.get("/api/oauth/token", &[]).await.expect(401);
    let named = wire
        .get("/.well-known/oauth-protected-resource/api", &[])
        .await;
    let named = named.expect(200).json();
    // To the byte, the slash included.
    assert_eq!(
        named["authorization_servers"],
        json!([issuer, "https://second.example"])
    );
    assert_eq!(named.get("scopes_supported"), None);
}

#[tokio::test]
async fn bad_tokens_trouble_and_missing_scopes_are_answered_as_by_a_proxy() {
    let at = configured(|builder| builder.required_scopes(["read", "write"])).await;
    let challenge = |reply: &testkit::Reply| reply.header("www-authenticate").unwrap().to_owned();
    let bad = at.call("/mcp", "made-up").await.expect(401);
    assert!(challenge(&bad).contains("error=\"invalid_token\""));
    assert_eq!(at.told(Step::Bearer, Reason::InvalidToken), "inactive");
    let trouble = at.call("/mcp", "trouble").await.expect(503);
    assert!(trouble.header("retry-after").is_some());
    assert_eq!(trouble.header("www-authenticate"), None);
    at.told(Step::Bearer, Reason::ProviderUnavailable);
    let token = at.token(BASE, "read").await;
    let narrow = at.call("/mcp", &token).await.expect(403);
    let asked = challenge(&narrow);
    assert!(
        asked.contains("error=\"insufficient_scope\"") && asked.contains("scope=\"read write\""),
        "{asked}"
    );
    // Neither in the query nor in another scheme.
    at.wire
        .get(&format!("/mcp?access_token={token}"), &[])
        .await
        .expect(401);
    at.wire
        .get("/mcp", &[("authorization", "Basic YTpi")])
        .await
        .expect(401);
}

#[tokio::test]
async fn a_token_is_verified_once_in_the_caches_life_and_again_when_it_was_forgotten() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let verifier = |provider: &Arc<Provider>| Believes {
        asked: count,
        ..Believes::new(provider)
    };
    let at = Resource::with(verifier).await;
    let token = at.token(BASE, "read").await;
    for _ in 0..5 {
        at.session(&token).await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    at.clock.advance_secs(11);
    at.session(&token).await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    at.provider.remove_app();
    at.clock.advance_secs(11);
    at.call("/mcp", &token).await.expect(401);
}

#[tokio::test]
async fn a_token_for_one_resource_is_refused_at_its_neighbour_unless_paths_do_not_count() {
    let named = ["https://proxy.example/mcp"];
    let at = Resource::with(Believes::tokens_for(&named)).await;
    let token = at.token(named[0], "read").await;
    assert_eq!(at.session(&token).await["resource"], named[0]);
    at.call("/mcp/deeper", &token).await.expect(200);
    at.call("/admin", &token).await.expect(401);
    at.told(Step::Bearer, Reason::WrongAudience);
    let any = Resource::at(BASE, Believes::tokens_for(&named), |builder| {
        builder.audience_by_path(false)
    })
    .await;
    let token = any.token(named[0], "read").await;
    any.call("/admin", &token).await.expect(200);
}

#[tokio::test]
async fn a_token_for_two_resources_is_good_at_both_in_turn_and_nowhere_else() {
    let both = [
        "https://proxy.example/sse",
        "https://proxy.example/messages",
    ];
    let at = Resource::with(Believes::tokens_for(&both)).await;
    let token = at.token(both[0], "read").await;
    for _ in 0..2 {
        for path in ["/sse", "/messages"] {
            at.call(path, &token).await.expect(200);
        }
        at.call("/admin", &token).await.expect(401);
    }
}

#[tokio::test]
async fn public_paths_optional_authentication_and_cors_are_the_layers() {
    let at = configured(|builder| {
        builder
            .public_paths(["/health"])
            .optional_auth(true)
            .cors_on_protected_paths(true)
            .keep_authorization_header(true)
            .service_name("Reports")
    })
    .await;
    for path in ["/health", "/mcp"] {
        let stranger = at.wire.get(path, &[]).await.expect(200);
        assert_eq!(stranger.json()["session"], Value::Null);
    }
    at.call("/mcp", "made-up").await.expect(401);
    let token = at.token(BASE, "read").await;
    let kept = at.call("/mcp", &token).await.expect(200);
    assert_eq!(kept.header("access-control-allow-origin"), Some("*"));
    assert_eq!(kept.json()["authorization_header_present"], true);
    let asked = [
        ("access-control-request-method", "POST"),
        ("origin", "https://web.example"),
    ];
    let preflight = at
        .wire
        .request(Method::OPTIONS, "/mcp", &asked, "".into())
        .await;
    preflight.expect(204);
    let document = "/.well-known/oauth-protected-resource";
    let document = at.wire.get(document, &[]).await.expect(200).json();
    assert_eq!(document["resource_name"], "Reports");
    let weak: Vec<_> = at
        .events()
        .into_iter()
        .filter(|event| event.reason == Some(Reason::WeakOption))
        .filter_map(|event| event.detail)
        .collect();
    assert!(
        matches!(&*weak, [one] if one.contains("keep_authorization_header")),
        "{weak:?}"
    );
}

#[tokio::test]
async fn its_administration_has_no_grants_and_says_that_it_cannot_deny_a_client() {
    let at = configured(|builder| builder).await;
    let admin = at.layer.admin();
    assert!(
        admin
            .grants_of_subject("person-1")
            .await
            .unwrap()
            .is_empty()
    );
    assert!(admin.grants_of_client("c").await.unwrap().is_empty());
    let page = admin.grants_of_client_page("c", None).await.unwrap();
    assert!(page.grants.is_empty() && page.next.is_none());
    assert_eq!(admin.revoke_subject("person-1").await.unwrap(), 0);
    assert_eq!(admin.revoke_client("c").await.unwrap(), 0);
    assert!(!admin.revoke_grant("AAAAAAAAAAAAAAAAAAAAAA").await.unwrap());
    assert!(admin.deny_client("c").await.is_err());
    assert_eq!(admin.drain(std::time::Duration::from_secs(1)).await, 0);
}

#[test]
fn a_resource_server_that_cannot_work_says_which_option_to_change() {
    let fault = |change: &dyn Fn(ResourceServerBuilder) -> ResourceServerBuilder| -> ConfigError {
        let server = OAuthProxyConfig::resource_server(BASE, Nobody);
        let built = change(server.authorization_server("https://idp.example")).build();
        built.expect_err("a mistake that is not seen")
    };
    for issuer in [
        "",
        "idp.example",
        "http://idp.example",
        "ftp://idp.example",
        "https://idp.example?x=y",
        "https://idp.example/#x",
        "https://user:hunter2@idp.example",
        "https://idp.example/a/../b",
    ] {
        let error = fault(&|server| server.authorization_server(issuer));
        assert_eq!(error.option(), "authorization_server", "{issuer}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let none = OAuthProxyConfig::resource_server(BASE, Nobody).build();
    assert_eq!(none.unwrap_err().option(), "authorization_server");
    let base = OAuthProxyConfig::resource_server("http://proxy.example", Nobody).build();
    assert_eq!(base.unwrap_err().option(), "base_url");
    for (change, option) in [
        (
            &(|server: ResourceServerBuilder| server.required_scopes(["offline_access"]))
                as &dyn Fn(ResourceServerBuilder) -> ResourceServerBuilder,
            "required_scopes",
        ),
        (&|server| server.scopes(["a b"]), "scopes"),
        (&|server| server.role_claims([""]), "role_claims"),
        (&|server| server.service_name(""), "service_name"),
        (&|server| server.public_paths(["/docs/*"]), "public_paths"),
        (
            &|server| server.public_paths(["/.well-known/oauth-protected-resource"]),
            "public_paths",
        ),
        (
            &|server| {
                let document = "/.well-known/openid-configuration";
                server.redirect_metadata(true).public_paths([document])
            },
            "public_paths",
        ),
        (&|server| server.outbound_proxy("proxy:1"), "outbound_proxy"),
        (
            &|server| server.session_cache_ttl(std::time::Duration::from_secs(3601)),
            "session_cache_ttl",
        ),
    ] {
        assert_eq!(fault(change).option(), option);
    }
}

#[test]
fn an_authorization_server_at_this_very_url_is_reported_unless_the_service_answers_there() {
    let odd = |server: ResourceServerBuilder| {
        let seen = Arc::new(AtomicUsize::new(0));
        let count = seen.clone();
        let server = server.on_event(move |event| {
            if event.reason == Some(Reason::OddOption) {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        server.build().map(drop).unwrap();
        seen.load(Ordering::SeqCst)
    };
    let here =
        || OAuthProxyConfig::resource_server(BASE, Nobody).authorization_server(format!("{BASE}/"));
    assert_eq!(odd(here()), 1);
    let documents = ["/.well-known/oauth-authorization-server"];
    assert_eq!(odd(here().public_paths(documents)), 0);
}

/// Lets no one in.
struct Nobody;

impl TokenVerifier for Nobody {
    fn verify<'a>(&'a self, _: VerifyRequest<'a>) -> VerifyFuture<'a> {
        Box::pin(std::future::ready(Err(VerifyError::Invalid(
            "no".to_owned(),
        ))))
    }
}

fn wire(server: ResourceServerBuilder) -> testkit::Wire {
    use tower::Layer;

    let layer = tower_oauth_proxy::OAuthProxyLayer::new(server.build().unwrap());
    let inner = tower::service_fn(async |_| {
        Ok::<_, std::convert::Infallible>(http::Response::new(
            http_body_util::Full::<bytes::Bytes>::default(),
        ))
    });
    testkit::Wire::new("https://proxy.example", layer.layer(inner))
}
