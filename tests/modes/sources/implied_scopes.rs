//! A scope that implies others is good for them, whatever kind of token names it.

use std::convert::Infallible;

use axum::{Router, routing::any};
use serde_json::json;
use tower_oauth_proxy::{
    ApiKey, AuthSession, OAuthProxyConfigBuilder, StaticClient, Step,
    guard::{RequireLayer, require_all, require_scopes},
};

use super::{At, corp, introspection, start};
use crate::{
    inside::{session, tokens_of},
    machines::SECRET,
    mistakes::{fault, fault_showing, good},
};
use testkit::{
    Answer, Auth, Client, Kind, Proxy, Reply, Resource, Tokens, Wire, client::CALLBACK, proxy::BASE,
};

fn ruled(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    builder
        .scopes(["openid", "read", "write", "admin", "report"])
        .scopes_imply("admin", ["write"])
        .scopes_imply("write", ["read"])
        .required_scopes(["read"])
}

/// The layer around routes with guards.
fn guarded(proxy: &Proxy) -> Wire {
    let scopes = |names: &[&str]| require_scopes(names).unwrap();
    let rules = [
        ("read", scopes(&["read"])),
        ("both", scopes(&["read", "write"])),
        ("all", require_all([scopes(&["read"]), scopes(&["admin"])])),
        ("report", scopes(&["report"])),
    ];
    let app = rules.into_iter().fold(Router::new(), |app, (name, guard)| {
        let route = any(async || "inside").layer(RequireLayer::new(guard));
        app.route(&format!("/mcp/{name}"), route)
    });
    let outer = RequireLayer::new(scopes(&["write"]));
    let app = app.route(
        "/mcp/within",
        any(async || "inside")
            .layer::<_, Infallible>(RequireLayer::new(scopes(&["report"])))
            .layer(outer),
    );
    Wire::new(&*proxy.base, app.layer(proxy.layer.clone()))
}

async fn asked(wire: &Wire, path: &str, token: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    wire.get(path, &[("authorization", &bearer)]).await
}

/// The scopes that a 403 names.
fn named(reply: &Reply) -> String {
    reply.refused(403, "insufficient_scope");
    let said = reply.header("www-authenticate").unwrap_or_default();
    let (_, scope) = said.split_once(", scope=\"").expect("scopes");
    scope.trim_end_matches('"').to_owned()
}

fn machine(proxy: &Proxy) -> Client {
    Client {
        wire: proxy.wire.clone(),
        base_path: proxy.base_path().to_owned(),
        id: "ci".to_owned(),
        secret: Some(SECRET.to_owned()),
        auth: Auth::Basic,
        redirect_uri: CALLBACK.to_owned(),
    }
}

/// A token of each kind, of just this scope.
async fn of_every_kind(at: &At, key: String, scope: &str) -> Vec<(&'static str, String)> {
    let client = at.proxy.client().await;
    let login = tokens_of(&at.proxy, &client, &[("scope", scope)]).await;
    let grant = [("grant_type", "client_credentials"), ("scope", scope)];
    let machine = Tokens::read(&machine(&at.proxy).token(&grant).await);
    at.introspects(json!({"active": true, "sub": "eve", "aud": BASE, "scope": scope}));
    vec![
        ("login", login.access),
        ("machine", machine.access),
        ("key", key),
        ("issuer", at.token(json!({ "scope": scope }))),
        ("introspection", format!("opaque-{scope}")),
    ]
}

async fn with_every_source() -> (At, [String; 2]) {
    let keys = ["admin", "write"].map(|scope| (scope, ApiKey::generate()));
    let held: Vec<_> = keys
        .iter()
        .map(|(scope, key)| ApiKey::new(*scope, key.hash()).scopes([*scope]))
        .collect();
    let at = start(|builder, idp| {
        ruled(builder)
            .api_keys(held)
            .static_client(StaticClient::machine("ci", SECRET).scopes(["admin", "write"]))
            .trusted_issuer(corp(idp))
            .introspection("legacy", introspection(idp))
    })
    .await;
    (at, keys.map(|(_, key)| key.reveal()))
}

#[tokio::test]
async fn every_kind_of_token_is_good_for_what_its_scopes_imply_and_still_names_them_alone() {
    let (at, [admin, write]) = with_every_source().await;
    let wire = guarded(&at.proxy);
    for (kind, token) in of_every_kind(&at, admin, "admin").await {
        // At first sight, and from the cache.
        for path in ["/mcp/all", "/mcp/read", "/mcp/both"] {
            let reply = asked(&wire, path, &token).await;
            assert_eq!(reply.status, 200, "{kind} {path}: {reply:?}");
        }
        assert_eq!(
            named(&asked(&wire, "/mcp/report", &token).await),
            "read report",
            "{kind}"
        );
        let session: AuthSession = session(&at.proxy, &token).await;
        assert_eq!(session.scopes().to_string(), "admin", "{kind}");
        assert_eq!(
            session.effective_scopes().to_string(),
            "admin write read",
            "{kind}"
        );
        assert!(
            ["admin", "write", "read"]
                .iter()
                .all(|scope| session.has_scope(scope))
        );
        assert!(
            ["openid", "report", "", "admin write"]
                .iter()
                .all(|scope| !session.has_scope(scope))
        );
    }
    for (kind, token) in of_every_kind(&at, write, "write").await {
        for (path, status) in [("/mcp/read", 200), ("/mcp/both", 200), ("/mcp/all", 403)] {
            let reply = asked(&wire, path, &token).await;
            assert_eq!(reply.status, status, "{kind} {path}: {reply:?}");
        }
    }
}

/// The challenge has to be enough, and no longer than that.
#[tokio::test]
async fn a_challenge_names_what_a_request_needs_without_what_that_implies() {
    let (at, [_, write]) = with_every_source().await;
    let wire = guarded(&at.proxy);
    // `read` of every request is part of `admin`.
    assert_eq!(named(&asked(&wire, "/mcp/all", &write).await), "admin");
    // What the outer guard was passed by stays, and stands for the `read` of every request.
    assert_eq!(
        named(&asked(&wire, "/mcp/within", &write).await),
        "write report"
    );
    let event = at
        .proxy
        .events()
        .into_iter()
        .rfind(|event| event.step == Step::Guard);
    let told = event.and_then(|event| event.detail).unwrap_or_default();
    assert!(
        told.contains("the session has the scopes `write read`"),
        "{told}"
    );
    // A client that asks for just this gets through.
    let client = at.proxy.client().await;
    for (scope, path) in [("admin", "/mcp/all"), ("write report", "/mcp/within")] {
        let tokens = tokens_of(&at.proxy, &client, &[("scope", scope)]).await;
        assert_eq!(tokens.scope, scope);
        asked(&wire, path, &tokens.access).await.expect(200);
    }
    // Nothing is implied upwards, or by a scope that only begins like another.
    let none = tokens_of(&at.proxy, &client, &[("scope", "openid report")]).await;
    assert_eq!(
        named(&asked(&wire, "/mcp/report", &none.access).await),
        "read"
    );
}

#[tokio::test]
async fn the_first_challenge_is_as_short_and_a_token_of_just_that_gets_in() {
    let proxy = Proxy::with(|builder| ruled(builder).required_scopes(["read", "write"])).await;
    let reply = proxy.wire.get("/mcp", &[]).await.expect(401);
    let said = reply.header("www-authenticate").unwrap_or_default();
    assert!(said.ends_with(", scope=\"write\""), "{said}");
    let client = proxy.client().await;
    let tokens = tokens_of(&proxy, &client, &[("scope", "write")]).await;
    client.call("/mcp", &tokens.access).await.expect(200);
    let tokens = tokens_of(&proxy, &client, &[("scope", "read")]).await;
    assert_eq!(named(&client.call("/mcp", &tokens.access).await), "write");
}

#[tokio::test]
async fn a_token_names_what_was_granted_and_a_refresh_takes_nothing_that_was_only_implied() {
    let (at, _) = with_every_source().await;
    let client = at.proxy.client().await;
    let tokens = tokens_of(&at.proxy, &client, &[("scope", "admin")]).await;
    assert_eq!(tokens.scope, "admin");
    let refresh = tokens.refresh.unwrap();
    let grant = [("grant_type", "refresh_token"), ("refresh_token", &refresh)];
    let narrower = [&grant[..], &[("scope", "read")]].concat();
    client.token(&narrower).await.refused(400, "invalid_scope");
    assert_eq!(Tokens::read(&client.token(&grant).await).scope, "admin");
}

/// GitHub and others answer with the larger scope alone, where both were asked for.
#[tokio::test]
async fn a_provider_that_grants_the_larger_scope_has_granted_the_smaller_one_at_login_and_renewal()
{
    let proxy = Proxy::with(ruled).await;
    let client = proxy.client().await;
    let says = |scope: &str| Answer::With(json!({"scope": scope, "expires_in": 120}));
    proxy.provider.next(Kind::Token, says("write"));
    let tokens = tokens_of(&proxy, &client, &[("scope", "write read admin")]).await;
    assert_eq!(tokens.scope, "write read", "and never upwards");
    // At a renewal, too.
    let before = session(&proxy, &tokens.access).await;
    proxy.provider.next(Kind::Token, says("admin"));
    proxy.clock.advance_secs(115);
    let after = session(&proxy, &tokens.access).await;
    assert_ne!(
        before.upstream().access_token(),
        after.upstream().access_token()
    );
    assert_eq!(after.scopes().to_string(), "write read");
}

#[tokio::test]
async fn it_holds_in_passthrough_mode_and_at_a_resource_server() {
    let at = start(|builder, idp| ruled(builder).passthrough(introspection(idp))).await;
    at.introspects(json!({"active": true, "sub": "7", "aud": BASE, "scope": "their-admin admin"}));
    asked(&guarded(&at.proxy), "/mcp/all", "theirs")
        .await
        .expect(200);

    let at = Resource::at(BASE, introspection, |builder| {
        builder
            .required_scopes(["read"])
            .scopes_imply("their-admin", ["write"])
            .scopes_imply("write", ["read"])
    })
    .await;
    let said = |scope: &str| {
        let said = json!({"active": true, "sub": "7", "aud": BASE, "scope": scope});
        at.provider.always(
            Kind::Introspect,
            Answer::Raw(200, "application/json", said.to_string()),
        );
    };
    said("their-admin");
    at.call("/mcp", "theirs").await.expect(200);
    said("reads their-admins");
    let reply = at.call("/mcp", "others").await;
    assert_eq!(named(&reply), "read");
}

#[tokio::test]
async fn what_a_rule_gets_wrong_is_said_when_the_service_starts() {
    let known = || good().scopes(["admin", "write", "read"]);
    for (builder, words) in [
        (known().scopes_imply("admin", ["writes"]), "`writes`"),
        (known().scopes_imply("admni", ["write"]), "`admni`"),
        (known().scopes_imply("admin", ["admin"]), "implies itself"),
        (
            known()
                .scopes_imply("admin", ["write"])
                .scopes_imply("write", ["admin"]),
            "`admin` implies `write`, and that implies `admin`",
        ),
        (
            known().scopes_imply("admin", ["offline_access"]),
            "`offline_access`",
        ),
    ] {
        assert_eq!(fault_showing(builder, words), "scopes_imply");
    }
    let none: [&str; 0] = [];
    assert_eq!(fault(known().scopes_imply("admin", none)), "scopes_imply");
    // A key's scope is known, whether clients may ask for it or not.
    let key = ApiKey::generate();
    let key = || ApiKey::new("root", key.hash()).scopes(["root"]);
    let rule = |builder: OAuthProxyConfigBuilder| builder.scopes_imply("root", ["admin"]);
    assert_eq!(fault(rule(known())), "scopes_imply");
    rule(known().api_key(key())).build().map(drop).unwrap();

    // Whoever is good for the scopes that every request needs does not lack them.
    let machine = StaticClient::machine("ci", SECRET).scopes(["admin"]);
    let needs = |builder: OAuthProxyConfigBuilder| builder.required_scopes(["read"]);
    let with = || needs(known().static_client(machine.clone()));
    assert_eq!(fault(with()), "static_clients");
    let with = with().scopes_imply("admin", ["read"]);
    with.build().map(drop).unwrap();
    let report = needs(known().api_key(key().scopes(["admin"])))
        .scopes_imply("admin", ["read"])
        .build()
        .unwrap()
        .report();
    let odd = report.findings.iter().map(|finding| &finding.words);
    assert!(
        !odd.clone().any(|words| words.contains("lacks the scope")),
        "{report}"
    );
    assert_eq!(report.implied_scopes.len(), 1);
    assert!(report.to_string().contains("admin: read"), "{report}");
}
