//! Guards before routes and inside handlers.

use axum::{
    Router,
    extract::Request,
    http::StatusCode,
    routing::{any, any_service},
};
use serde_json::json;
use tower::Layer;
use tower_oauth_proxy::{
    AuthSession,
    guard::{
        Denied, Guard, RequireLayer, require, require_all, require_any, require_auth, require_role,
        require_scopes,
    },
};

use testkit::{Client, Pkce, Proxy, Reply, Tokens, Wire};

fn scopes(names: &[&str]) -> Guard {
    require_scopes(names).unwrap()
}

/// Each rule on a route of its own, below the resource of the token.
fn guarded() -> Router {
    let rules = [
        ("auth", require_auth()),
        ("read", scopes(&["read"])),
        ("both", scopes(&["read", "write"])),
        ("admin", require_role("admin")),
        ("all", require_all([scopes(&["read"]), scopes(&["write"])])),
        (
            "strict",
            require_all([scopes(&["write"]), require_role("admin")]),
        ),
        (
            "any",
            require_any([require_role("admin"), scopes(&["read"])]),
        ),
        (
            "step",
            require_any([require_role("admin"), scopes(&["write"])]),
        ),
        (
            "own",
            require(|session| session.claims()["name"] == "Ada Example"),
        ),
        ("no", require(|_| false)),
    ];
    rules.into_iter().fold(Router::new(), |app, (name, guard)| {
        let route = any(async || "inside").layer(RequireLayer::new(guard));
        app.route(&format!("/mcp/{name}"), route.clone())
            .route(&format!("/open/{name}"), route)
    })
}

/// A login for these scopes.
async fn tokens(proxy: &Proxy, client: &Client, scope: &str) -> Tokens {
    let pkce = Pkce::new();
    let url = client.authorize(&pkce, "s").with("scope", scope).url();
    let callback = proxy.approve(&mut proxy.browser(), &url).await.left();
    Tokens::read(&client.redeem(&callback, &pkce).await)
}

fn challenge(reply: &Reply) -> &str {
    reply.header("www-authenticate").unwrap_or_default()
}

#[tokio::test]
async fn a_guarded_route_passes_challenges_or_forbids() {
    let proxy = Proxy::with(|b| b.optional_auth(true)).await;
    let client = proxy.client().await;
    let plain = tokens(&proxy, &client, "openid read").await;
    proxy.provider.configure(|settings| {
        settings.person.insert("roles".into(), json!(["admin"]));
    });
    let admin = tokens(&proxy, &client, "openid write").await;
    let wire = Wire::new(&*proxy.base, guarded().layer(proxy.layer.clone()));
    let client = Client { wire, ..client };

    // The rule, and what it says to (read, no role) and to (write, role admin).
    let scope = |needed| Some(format!("scope=\"{needed}\""));
    let forbidden = || Some("".to_owned());
    for (rule, to_plain, to_admin) in [
        ("auth", None, None),
        ("read", None, scope("read")),
        ("both", scope("read write"), scope("read write")),
        ("admin", forbidden(), None),
        ("all", scope("read write"), scope("read write")),
        ("strict", forbidden(), None),
        ("any", None, None),
        ("step", scope("write"), None),
        ("own", None, None),
        ("no", forbidden(), forbidden()),
    ] {
        let path = format!("/mcp/{rule}");
        for (tokens, expected) in [(&plain, to_plain), (&admin, to_admin)] {
            let reply = client.call(&path, &tokens.access).await;
            match expected.as_deref() {
                None => {
                    assert_eq!(reply.status, 200, "{rule}: {reply:?}");
                    assert_eq!(reply.text(), "inside");
                }
                Some("") => {
                    assert_eq!(reply.status, 403, "{rule}: {reply:?}");
                    // No login can help, so no client is sent into one.
                    assert_eq!(challenge(&reply), "", "{rule}");
                }
                Some(scope) => {
                    assert_eq!(reply.status, 403, "{rule}: {reply:?}");
                    let said = challenge(&reply);
                    let metadata = format!(
                        "resource_metadata=\"{}/.well-known/oauth-protected-resource{path}\"",
                        proxy.base
                    );
                    assert!(said.contains("error=\"insufficient_scope\""), "{said}");
                    assert!(said.contains(scope), "{rule}: {said}");
                    assert!(said.contains(&metadata), "{said}");
                    reply.refused(403, "insufficient_scope");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_client_that_asks_for_just_what_the_challenge_names_passes_after_one_step() {
    let proxy = Proxy::with(|b| {
        b.scopes(["openid", "list", "read", "write"])
            .required_scopes(["openid"])
    })
    .await;
    let client = proxy.client().await;
    let first = tokens(&proxy, &client, "openid").await;
    let guards = [
        ("one", scopes(&["write"])),
        ("both", scopes(&["read", "write"])),
        (
            "either",
            require_all([
                require_any([require_role("x"), scopes(&["read"])]),
                scopes(&["write"]),
            ]),
        ),
    ];
    let app = guards
        .into_iter()
        .fold(Router::new(), |app, (name, guard)| {
            let route = any(async || "inside").layer(RequireLayer::new(guard));
            app.route(&format!("/{name}"), route)
        });
    // Guards outside of guards, behind a router that cuts the path.
    let outer = RequireLayer::new(scopes(&["list"]));
    let within = app
        .clone()
        .layer(RequireLayer::new(scopes(&["read"])))
        .layer(RequireLayer::new(require_auth()));
    let app = Router::new()
        .nest("/mcp/in", app)
        .nest("/mcp/within", within.layer(outer))
        .layer(proxy.layer.clone());
    let wire = Wire::new(&*proxy.base, app);
    let there = Client {
        wire,
        ..client.clone()
    };
    let needed = async |path: &str, token: &str| {
        let reply = there.call(path, token).await;
        reply.refused(403, "insufficient_scope");
        let said = challenge(&reply).to_owned();
        // The TypeScript SDK reads the scheme up to the first space.
        let metadata = format!(
            "resource_metadata=\"https://proxy.example/.well-known/oauth-protected-resource{path}\""
        );
        assert!(
            said.starts_with("Bearer error=\"insufficient_scope\", "),
            "{said}"
        );
        assert!(said.contains(&metadata), "{said}");
        let (_, scope) = said.split_once("scope=\"").unwrap();
        scope.split_once('"').unwrap().0.to_owned()
    };
    for (path, expected) in [
        ("/mcp/in/one", "openid write"),
        ("/mcp/in/both", "openid read write"),
    ] {
        assert_eq!(needed(path, &first.access).await, expected, "{path}");
        let stepped_up = tokens(&proxy, &client, expected).await;
        there.call(path, &stepped_up.access).await.expect(200);
    }
    // Of two ways one is named, and it is enough.
    let either = needed("/mcp/in/either", &first.access).await;
    let stepped_up = tokens(&proxy, &client, &either).await;
    there
        .call("/mcp/in/either", &stepped_up.access)
        .await
        .expect(200);

    // What the outer guards were passed by is still needed inside.
    let lister = tokens(&proxy, &client, "openid list").await;
    let reader = tokens(&proxy, &client, "openid list read").await;
    for path in ["/mcp/within/one", "/mcp/within/both", "/mcp/within/either"] {
        assert_eq!(needed(path, &first.access).await, "openid list", "{path}");
        let next = needed(path, &lister.access).await;
        assert_eq!(next, "openid list read", "{path}");
        let all = needed(path, &reader.access).await;
        assert_eq!(all, "openid list read write", "{path}");
        let stepped_up = tokens(&proxy, &client, &all).await;
        there.call(path, &stepped_up.access).await.expect(200);
    }
}

#[tokio::test]
async fn without_a_session_every_guard_answers_with_the_layers_challenge() {
    let open = ["auth", "read", "admin", "strict", "any", "own"];
    let paths = open.map(|rule| format!("/open/{rule}"));
    let proxy = Proxy::with(|b| b.optional_auth(true).public_paths(paths)).await;
    let wire = Wire::new(&*proxy.base, guarded().layer(proxy.layer.clone()));
    for rule in open {
        for path in [format!("/open/{rule}"), format!("/mcp/{rule}")] {
            let reply = wire.get(&path, &[]).await.expect(401);
            let said = challenge(&reply);
            let metadata = format!("oauth-protected-resource{path}\"");
            assert!(said.starts_with("Bearer resource_metadata="), "{said}");
            assert!(said.contains(&metadata), "{said}");
        }
    }
}

#[tokio::test]
async fn outside_the_proxys_layer_a_guard_lets_nobody_in() {
    let wire = Wire::new("https://proxy.example", guarded());
    let reply = wire.get("/mcp/auth", &[]).await.expect(401);
    assert_eq!(challenge(&reply), "Bearer");
}

#[tokio::test]
async fn a_guard_stands_before_any_service() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = tokens(&proxy, &client, "read").await;
    let inner = tower::service_fn(async |_: Request| {
        Ok::<_, std::convert::Infallible>(http::Response::new("inside".to_owned()))
    });
    let app = Router::new()
        .route(
            "/mcp",
            any_service(RequireLayer::new(scopes(&["read"])).layer(inner)),
        )
        .route(
            "/mcp/write",
            any_service(RequireLayer::new(scopes(&["write"])).layer(inner)),
        )
        .layer(proxy.layer.clone());
    let client = Client {
        wire: Wire::new(&*proxy.base, app),
        ..client
    };
    let reply = client.call("/mcp", &tokens.access).await.expect(200);
    assert_eq!(reply.text(), "inside");
    client.call("/mcp/write", &tokens.access).await.expect(403);
}

#[tokio::test]
async fn a_guard_checks_inside_a_handler() {
    async fn delete(request: Request) -> (StatusCode, String) {
        let session = AuthSession::from_extensions(request.extensions());
        match require_all([scopes(&["read", "write"])]).check(session) {
            Ok(()) => (StatusCode::OK, "deleted".to_owned()),
            Err(Denied::Scopes(needed)) => (StatusCode::FORBIDDEN, needed.to_string()),
            Err(denied) => (StatusCode::UNAUTHORIZED, denied.to_string()),
        }
    }
    let proxy = Proxy::with(|b| b.optional_auth(true)).await;
    let client = proxy.client().await;
    let few = tokens(&proxy, &client, "read").await;
    let all = tokens(&proxy, &client, "read write").await;
    let app = Router::new()
        .route("/mcp", any(delete))
        .layer(proxy.layer.clone());
    let client = Client {
        wire: Wire::new(&*proxy.base, app),
        ..client
    };
    let reply = client.call("/mcp", &all.access).await.expect(200);
    assert_eq!(reply.text(), "deleted");
    let reply = client.call("/mcp", &few.access).await.expect(403);
    assert_eq!(reply.text(), "read write");
    client.wire.get("/mcp", &[]).await.expect(401);
}
