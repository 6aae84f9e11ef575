//! Services that cannot verify a token ask about it: `POST {base}/oauth/introspect` (RFC 7662).

use std::{sync::Arc, time::Duration};

use http::Method;
use serde_json::{Value, json};
use tower_oauth_proxy::{
    ClaimsPassthrough, ClientAuthMethod, IntrospectionVerifier, OAuthProxyConfigBuilder, Reason,
    StaticClient, Step,
};

use crate::{
    inside::{payload, session, tokens_of},
    mistakes::{fault_showing, good},
};
use testkit::{
    Answer, Auth, Client, Kind, Proxy, Reply, Tokens,
    client::{CALLBACK, native_metadata},
    store::Health,
};

const SECRET: &str = "r7Kq2ZtV9wLx4MbYr7Kq";
const MCP: &str = "https://proxy.example/mcp";
const OTHER: &str = "https://proxy.example/other";
const BASE: &str = "https://proxy.example";

fn service(id: &str, resource: &str) -> StaticClient {
    StaticClient::confidential(id, SECRET).introspects(resource)
}

/// One service for `/mcp`, one for another path, one for all.
fn services(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    builder
        .static_client(service("mcp-api", MCP))
        .static_client(service("other-api", OTHER))
        .static_client(service("gateway", BASE))
        .session_cache_ttl(Duration::ZERO)
}

fn caller(proxy: &Proxy, id: &str) -> Client {
    Client {
        wire: proxy.wire.clone(),
        base_path: proxy.base_path().to_owned(),
        id: id.to_owned(),
        secret: Some(SECRET.to_owned()),
        auth: Auth::Basic,
        redirect_uri: String::new(),
    }
}

async fn ask(proxy: &Proxy, id: &str, token: &str) -> Reply {
    let caller = caller(proxy, id);
    let fields = [("token", token)];
    let reply = caller.authenticated("/oauth/introspect", &fields).await;
    assert!(reply.header("access-control-allow-origin").is_none());
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    reply
}

async fn active(proxy: &Proxy, id: &str, token: &str) -> Value {
    let answer = ask(proxy, id, token).await.expect(200).json();
    assert_eq!(answer["active"], true, "{answer}");
    answer
}

/// The one answer about all that is not active, byte for byte, and its event.
#[track_caller]
fn is_inactive(proxy: &Proxy, reply: &Reply, reason: Reason) {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.text(), r#"{"active":false}"#);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    proxy.told(Step::Introspect, reason);
}

async fn inactive(proxy: &Proxy, id: &str, token: &str, reason: Reason) {
    is_inactive(proxy, &ask(proxy, id, token).await, reason);
}

/// A login for `/mcp`.
async fn login(proxy: &Proxy) -> (Client, Tokens) {
    let client = proxy.client().await;
    let tokens = tokens_of(proxy, &client, &[("resource", MCP)]).await;
    (client, tokens)
}

#[tokio::test]
async fn a_service_hears_what_the_token_says_and_what_its_session_would_be() {
    let proxy = Proxy::with(|builder| {
        services(builder)
            .custom_claims_passthrough(
                ClaimsPassthrough::default().allowed_claims(["preferred_username", "team"]),
            )
            .role_claims(["groups"])
    })
    .await;
    proxy.provider.configure(|settings| {
        for (name, value) in [
            ("preferred_username", json!("ada")),
            ("team", json!("blue")),
            ("groups", json!(["eng"])),
        ] {
            settings.person.insert(name.into(), value);
        }
    });
    let (client, tokens) = login(&proxy).await;
    let token = payload(&tokens.access);
    let said = active(&proxy, "mcp-api", &tokens.access).await;
    for name in [
        "iss",
        "sub",
        "aud",
        "client_id",
        "scope",
        "jti",
        "iat",
        "exp",
    ] {
        assert_eq!(said[name], token[name], "{name}: {said}");
    }
    let session = session(&proxy, &tokens.access).await;
    assert_eq!(said["sub"], session.subject());
    assert_eq!(said["client_id"], client.id);
    assert_eq!(said["aud"], MCP);
    assert_eq!(said["token_type"], "Bearer");
    assert_eq!(said["username"], "ada");
    assert_eq!(said["team"], "blue");
    assert_eq!(said["roles"], json!(["eng"]));
    // Neither the grant's name nor anything of the provider's.
    let names: Vec<_> = said.as_object().unwrap().keys().collect();
    assert_eq!(names.len(), 14, "{names:?}");
    let upstream = session.upstream().access_token();
    assert!(!said.to_string().contains(upstream));
    // Successes are not reported, as at a protected path.
    let asked = |event: &tower_oauth_proxy::Event| event.step == Step::Introspect;
    assert!(!proxy.events().iter().any(asked));
}

#[tokio::test]
async fn a_service_hears_of_its_own_resource_and_what_is_below_it() {
    let proxy = Proxy::with(services).await;
    let client = proxy.client().await;
    for (resource, hears) in [
        (MCP, &["mcp-api", "gateway"][..]),
        ("https://proxy.example/mcp/tools", &["mcp-api", "gateway"]),
        ("https://proxy.example/mcpx", &["gateway"]),
        (OTHER, &["other-api", "gateway"]),
        (BASE, &["gateway"]),
    ] {
        let tokens = tokens_of(&proxy, &client, &[("resource", resource)]).await;
        for id in ["mcp-api", "other-api", "gateway"] {
            if hears.contains(&id) {
                let said = active(&proxy, id, &tokens.access).await;
                assert_eq!(said["aud"], resource);
            } else {
                inactive(&proxy, id, &tokens.access, Reason::WrongAudience).await;
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_an_access_token_of_ours_is_inactive() {
    let proxy = Proxy::with(services).await;
    let (_, tokens) = login(&proxy).await;
    let session = session(&proxy, &tokens.access).await;
    let foreign = Proxy::with(|builder| services(builder).secret_key(testkit::proxy::secret(9)));
    let (_, of_another_key) = login(&foreign.await).await;
    let (head, signature) = tokens.access.rsplit_once('.').unwrap();
    let long = "a".repeat(20_000);
    for token in [
        tokens.refresh(),
        &of_another_key.access,
        session.upstream().access_token(),
        &format!("{head}.{}", signature.to_lowercase()),
        &format!("{} ", tokens.access),
        "x",
        "a.b.c",
        "\u{202e}\n",
        &long,
    ] {
        inactive(&proxy, "mcp-api", token, Reason::InvalidToken).await;
    }
    let elsewhere = Proxy::at("https://other.example", services_elsewhere).await;
    let client = elsewhere.client().await;
    let tokens = elsewhere.journey(&client).await;
    // The same key, another issuer.
    inactive(&proxy, "gateway", &tokens.access, Reason::WrongAudience).await;
}

fn services_elsewhere(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    builder.static_client(service("gateway", "https://other.example"))
}

#[tokio::test]
async fn a_token_that_has_expired_is_inactive() {
    let proxy = Proxy::with(|b| services(b).access_token_ttl(Duration::from_secs(60))).await;
    let (_, tokens) = login(&proxy).await;
    active(&proxy, "mcp-api", &tokens.access).await;
    proxy.clock.advance(Duration::from_secs(60));
    inactive(&proxy, "mcp-api", &tokens.access, Reason::Expired).await;
}

#[tokio::test]
async fn a_login_that_ended_is_inactive_at_once_on_every_instance() {
    let (proxy, store) = Proxy::with_store(services).await;
    let other = proxy.sibling(|builder| services(builder).token_storage(store.clone()));
    for end in ["client", "admin", "reuse"] {
        let (client, tokens) = login(&proxy).await;
        for instance in [&proxy, &other] {
            active(instance, "mcp-api", &tokens.access).await;
        }
        match end {
            "client" => drop(client.revoke(&tokens.access).await.expect(200)),
            "admin" => {
                let subject = session(&proxy, &tokens.access).await;
                let subject = subject.subject().to_owned();
                proxy.layer.admin().revoke_subject(&subject).await.unwrap();
            }
            _ => {
                let next = Tokens::read(&client.refresh(tokens.refresh()).await);
                Tokens::read(&client.refresh(next.refresh()).await);
                let reused = client.refresh(tokens.refresh()).await;
                reused.refused(400, "invalid_grant");
            }
        }
        for instance in [&other, &proxy] {
            inactive(instance, "mcp-api", &tokens.access, Reason::GrantEnded).await;
        }
    }
}

#[tokio::test]
async fn a_login_past_its_last_day_and_a_token_of_a_denied_client_are_inactive() {
    let day = Duration::from_secs(86_400);
    let proxy = Proxy::with(|b| services(b).grant_max_age(day).access_token_ttl(2 * day)).await;
    let (client, tokens) = login(&proxy).await;
    let (_, old) = login(&proxy).await;
    proxy.layer.admin().deny_client(&client.id).await.unwrap();
    inactive(&proxy, "mcp-api", &tokens.access, Reason::DeniedClient).await;
    active(&proxy, "mcp-api", &old.access).await;
    proxy.clock.advance(day);
    inactive(&proxy, "mcp-api", &old.access, Reason::Expired).await;
}

#[tokio::test]
async fn of_a_login_that_was_narrowed_only_what_is_left_is_said() {
    let proxy = Proxy::with(services).await;
    let (client, tokens) = login(&proxy).await;
    let narrow = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh()),
        ("scope", "read"),
    ];
    let narrowed = Tokens::read(&client.token(&narrow).await);
    let said = active(&proxy, "mcp-api", &narrowed.access).await;
    assert_eq!(said["scope"], "read");
}

#[tokio::test]
async fn a_store_in_trouble_is_neither_active_nor_inactive() {
    let (proxy, store) = Proxy::with_store(services).await;
    let (_, tokens) = login(&proxy).await;
    // Of the caller, the grant and the deny list, each may be what cannot be read.
    for verbs in 0..3 {
        store.be(Health::UpFor(verbs));
        let reply = ask(&proxy, "mcp-api", &tokens.access).await;
        reply.refused(503, "temporarily_unavailable");
        assert!(reply.header("retry-after").is_some());
        assert!(!reply.text().contains("active\""), "{reply:?}");
        proxy.told(Step::Introspect, Reason::StoreUnavailable);
        store.be(Health::Up);
    }
    active(&proxy, "mcp-api", &tokens.access).await;
}

#[tokio::test]
async fn a_question_writes_nothing_and_asks_no_provider_even_where_a_request_would() {
    let (proxy, store) = Proxy::with_store(services).await;
    let (client, tokens) = login(&proxy).await;
    // The provider's token has expired: a request here would renew it.
    proxy.clock.advance(Duration::from_secs(3_590));
    store.forget();
    let asked = proxy.provider.requests().len();
    active(&proxy, "mcp-api", &tokens.access).await;
    // The caller on the deny list, the grant, the token's client on the deny list.
    let verbs: Vec<_> = store.seen().iter().map(|seen| seen.verb).collect();
    assert_eq!(verbs, ["get", "get", "get"]);
    assert_eq!(proxy.provider.requests().len(), asked);
    client.call("/mcp", &tokens.access).await.expect(200);
    assert_eq!(proxy.provider.requests().len(), asked + 1);
}

#[tokio::test]
async fn a_token_for_another_resource_costs_and_says_what_an_unknown_one_does() {
    let (proxy, store) = Proxy::with_store(services).await;
    let (_, tokens) = login(&proxy).await;
    let mut replies = Vec::new();
    for token in [&*tokens.access, "unknown"] {
        store.forget();
        let reply = ask(&proxy, "other-api", token).await;
        let verbs: Vec<_> = store.seen().iter().map(|seen| seen.verb).collect();
        assert_eq!(verbs, ["get"], "the caller alone is looked up");
        replies.push((reply.status, reply.headers.clone(), reply.text()));
    }
    assert_eq!(replies[0], replies[1]);
}

#[tokio::test]
async fn only_an_authenticated_client_that_may_ask_is_answered() {
    let proxy = Proxy::with(|builder| {
        let web = StaticClient::confidential("web", SECRET).redirect_uri("https://web.example/cb");
        let by_body = service("by-body", MCP).auth_method(ClientAuthMethod::ClientSecretPost);
        services(builder)
            .static_client(web.unwrap())
            .static_client(by_body)
    })
    .await;
    let (public, tokens) = login(&proxy).await;
    let fields = [("token", &*tokens.access)];
    let path = "/oauth/introspect";
    let with = |id: &str, secret: &str, auth| Client {
        secret: Some(secret.to_owned()),
        auth,
        ..caller(&proxy, id)
    };

    // By the method of each, and by no other.
    for (id, auth, is_in) in [
        ("mcp-api", Auth::Basic, true),
        ("mcp-api", Auth::Post, true),
        ("mcp-api", Auth::None, false),
        ("by-body", Auth::Post, true),
        ("by-body", Auth::Basic, false),
    ] {
        let reply = with(id, SECRET, auth).authenticated(path, &fields).await;
        match is_in {
            true => assert_eq!(reply.expect(200).json()["active"], true),
            false => drop(reply.refused(401, "invalid_client")),
        }
    }
    for (id, secret) in [
        ("mcp-api", "r7Kq2ZtV9wLx4MbYr7Kx"),
        ("mcp-api", ""),
        ("unknown", SECRET),
    ] {
        let reply = with(id, secret, Auth::Basic)
            .authenticated(path, &fields)
            .await;
        reply.refused(401, "invalid_client");
        assert!(reply.header("access-control-allow-origin").is_none());
    }
    let basic = with("mcp-api", "wrong", Auth::Basic);
    let basic = basic.authenticated(path, &fields).await.expect(401);
    let challenge = basic.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Basic"), "{challenge}");

    // Its own access token is no authorization, nor is any bearer token.
    let bearer = format!("Bearer {}", tokens.access);
    let reply = proxy
        .wire
        .form(path, &fields, &[("authorization", &bearer)])
        .await;
    reply.refused(401, "invalid_client");

    // Those that log people in may not ask, whether they were configured or came by themselves.
    let mut metadata = native_metadata(CALLBACK);
    metadata["token_endpoint_auth_method"] = "client_secret_basic".into();
    let registered = proxy.register(&metadata).await;
    for client in [&public, &registered, &with("web", SECRET, Auth::Basic)] {
        let reply = client.authenticated(path, &fields).await;
        reply.refused(403, "access_denied");
        proxy.told(Step::Introspect, Reason::Forbidden);
    }
    // A service that was denied neither.
    proxy.layer.admin().deny_client("mcp-api").await.unwrap();
    let reply = ask(&proxy, "mcp-api", &tokens.access).await;
    reply.refused(401, "invalid_client");
    proxy.told(Step::Introspect, Reason::DeniedClient);
}

#[tokio::test]
async fn a_question_is_one_post_of_one_form_with_one_token() {
    let proxy = Proxy::with(services).await;
    let (_, tokens) = login(&proxy).await;
    let gateway = caller(&proxy, "gateway");
    let path = "/oauth/introspect";
    for fields in [&[][..], &[("token", "")], &[("token", "a"), ("token", "b")]] {
        let reply = gateway.authenticated(path, fields).await;
        reply.refused(400, "invalid_request");
    }
    for hint in ["access_token", "refresh_token", "nonsense"] {
        let fields = [("token", &*tokens.access), ("token_type_hint", hint)];
        let said = gateway.authenticated(path, &fields).await.expect(200);
        assert_eq!(said.json()["active"], true, "{hint}");
    }
    let from = [("origin", "https://page.example")];
    for method in [Method::GET, Method::PUT, Method::OPTIONS] {
        let asked = format!("{path}?token={}", tokens.access);
        let reply = proxy.wire.request(method, &asked, &from, "".into()).await;
        assert_eq!(reply.status, 405, "{reply:?}");
        assert_eq!(reply.header("allow"), Some("POST"));
        assert!(reply.header("access-control-allow-origin").is_none());
    }
    let body = json!({ "token": tokens.access });
    let reply = proxy.wire.json(path, &body, &from).await;
    reply.refused(415, "invalid_request");
    // Neither the token nor the client in the query counts.
    let asked = format!("{path}?token={}", tokens.access);
    let reply = gateway.authenticated(&asked, &[]).await;
    reply.refused(400, "invalid_request");
}

#[tokio::test]
async fn it_is_served_and_advertised_only_where_a_client_may_ask() {
    let document = "/.well-known/oauth-authorization-server";
    let members = [
        "introspection_endpoint",
        "introspection_endpoint_auth_methods_supported",
    ];
    let without = Proxy::start().await;
    let metadata = without.wire.get(document, &[]).await.json();
    for member in members {
        assert_eq!(metadata.get(member), None);
    }
    let fields = [("token", "x")];
    let reply = without.wire.form("/oauth/introspect", &fields, &[]).await;
    let reply = reply.expect(401);
    let challenge = reply.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer"), "a path like any other");

    let with = Proxy::with(|builder| {
        let one = service("one", MCP).auth_method(ClientAuthMethod::ClientSecretPost);
        builder.static_client(one)
    })
    .await;
    let metadata = with.wire.get(document, &[]).await.json();
    assert_eq!(
        metadata[members[0]],
        "https://proxy.example/oauth/introspect"
    );
    assert_eq!(metadata[members[1]], json!(["client_secret_post"]));
    let with = Proxy::with(services).await;
    let metadata = with.wire.get(document, &[]).await.json();
    let both = json!(["client_secret_basic", "client_secret_post"]);
    assert_eq!(metadata[members[1]], both);
}

#[tokio::test]
async fn a_service_that_only_asks_logs_no_one_in_and_gets_no_token() {
    let proxy = Proxy::with(services).await;
    let gateway = caller(&proxy, "gateway");
    let authorize = Client {
        redirect_uri: CALLBACK.to_owned(),
        ..gateway.clone()
    };
    let url = authorize.authorize(&testkit::Pkce::new(), "s").url();
    let page = proxy.browser().open_once(&url).await;
    assert_eq!(page.status, 400, "{page:?}");
    assert!(page.header("location").is_none());
    let reply = gateway.token(&[("grant_type", "client_credentials")]).await;
    reply.refused(400, "unsupported_grant_type");
}

#[test]
fn a_service_that_could_not_ask_is_refused_at_the_start() {
    let public = StaticClient::public("search").introspects(BASE);
    for (client, says) in [
        (public, "neither a secret nor a key"),
        (
            service("search", "https://other.example"),
            "`https://other.example`",
        ),
        (service("search", "/mcp"), "`/mcp`"),
    ] {
        let option = fault_showing(good().static_client(client), says);
        assert_eq!(option, "static_clients");
    }
    let verifier = IntrospectionVerifier::new("https://idp.example/introspect", "id", SECRET);
    let passed = good().static_client(service("search", MCP));
    let option = fault_showing(passed.passthrough(verifier), "passthrough");
    assert_eq!(option, "static_clients");
    // It takes the endpoint's path.
    for builder in [good(), good().static_client(service("search", MCP))] {
        let option = fault_showing(
            builder.redirect_path("/oauth/introspect"),
            "/oauth/introspect",
        );
        assert_eq!(option, "redirect_path");
    }
}

/// No answer that begins after a revocation was answered says that the token is active.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_question_that_comes_after_a_revocation_finds_the_token_active() {
    let (proxy, store) = Proxy::with_store(services).await;
    store.be(Health::Slow);
    let proxy = Arc::new(proxy);
    for _ in 0..20 {
        let (client, tokens) = login(&proxy).await;
        let asking: Vec<_> = (0..6)
            .map(|_| {
                let (proxy, token) = (proxy.clone(), tokens.access.clone());
                tokio::spawn(async move { ask(&proxy, "mcp-api", &token).await })
            })
            .collect();
        client.revoke(&tokens.access).await.expect(200);
        inactive(&proxy, "mcp-api", &tokens.access, Reason::GrantEnded).await;
        for reply in asking {
            // Either word was true at some moment of the question.
            let said = reply.await.unwrap().expect(200).json();
            assert!(said["active"].is_boolean());
        }
        inactive(&proxy, "mcp-api", &tokens.access, Reason::GrantEnded).await;
    }
}

#[tokio::test]
async fn a_provider_that_is_down_holds_no_question_up() {
    let proxy = Proxy::with(services).await;
    let (_, tokens) = login(&proxy).await;
    proxy.provider.always(Kind::Token, Answer::Hang);
    proxy.clock.advance(Duration::from_secs(3_590));
    active(&proxy, "mcp-api", &tokens.access).await;
}

#[tokio::test]
async fn a_machines_token_is_active_until_it_is_revoked_and_says_who_it_is() {
    let machine = || {
        StaticClient::machine("nightly", SECRET)
            .scopes(["read"])
            .roles(["batch"])
    };
    let (proxy, store) =
        Proxy::with_store(|builder| services(builder).static_client(machine())).await;
    let nightly = caller(&proxy, "nightly");
    let asked = [("grant_type", "client_credentials"), ("resource", MCP)];
    let token = Tokens::read(&nightly.token(&asked).await).access;
    let said = active(&proxy, "mcp-api", &token).await;
    for (name, value) in [
        ("sub", json!("nightly")),
        ("client_id", json!("nightly")),
        ("scope", json!("read")),
        ("roles", json!(["batch"])),
        ("aud", json!(MCP)),
    ] {
        assert_eq!(said[name], value, "{name}: {said}");
    }
    assert_eq!(said["jti"], payload(&token)["jti"]);
    store.forget();
    inactive(&proxy, "other-api", &token, Reason::WrongAudience).await;
    assert_eq!(store.seen().len(), 1, "the caller alone is looked up");
    // A machine is no service that asks, unless it is both.
    let fields = [("token", &*token)];
    let reply = nightly.authenticated("/oauth/introspect", &fields).await;
    reply.refused(403, "access_denied");
    for verbs in 0..3 {
        store.be(Health::UpFor(verbs));
        let reply = ask(&proxy, "mcp-api", &token).await;
        reply.refused(503, "temporarily_unavailable");
        store.be(Health::Up);
    }
    nightly.revoke(&token).await.expect(200);
    inactive(&proxy, "mcp-api", &token, Reason::GrantEnded).await;

    // Taken out of the configuration: its tokens are dead, whatever their end.
    let token = Tokens::read(&nightly.token(&asked).await).access;
    active(&proxy, "mcp-api", &token).await;
    let without = proxy.sibling(|builder| services(builder).token_storage(store.clone()));
    inactive(&without, "mcp-api", &token, Reason::UnknownClient).await;
}
