//! What a machine gets, what it may with it, and who gets nothing.

use std::time::Duration;

use axum::{Router, routing::any};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use serde_json::{Value, json};
use tower_oauth_proxy::{
    ApiKey, AuthSession, Reason, ScopeSet, StaticClient, Step,
    guard::{RequireLayer, require, require_role, require_scopes},
};

use super::{GRANT, SECRET, ask, call, ci, client, start, token};
use testkit::{
    Auth, Client, Pkce, Proxy, Tokens, Wire,
    client::{CALLBACK, native_metadata},
    proxy::BASE,
    store::Health,
};

fn payload(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&B64.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn a_machine_gets_a_short_token_of_its_own_and_no_refresh_token() {
    let (proxy, _) = start().await;
    for auth in [Auth::Basic, Auth::Post] {
        let ci = Client {
            auth,
            ..client(&proxy, "ci")
        };
        let reply = ask(&ci, &[]).await;
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let tokens = Tokens::read(&reply);
        assert_eq!(tokens.refresh, None);
        assert_eq!(tokens.expires_in, 15 * 60);
        assert_eq!(tokens.scope, "read write");
        let session = proxy.session(&ci, &tokens.access).await;
        assert_eq!(
            session,
            json!({
                "source": "client_credentials",
                "is_person": false,
                "grant_id": null,
                "roles": ["bot"],
                "subject": "ci",
                "provider": null,
                "provider_subject": null,
                "client_id": "ci",
                "scopes": ["read", "write"],
                "claims": {},
                "resource": BASE,
                "upstream_access_token_present": false,
            })
        );
        let claims = payload(&tokens.access);
        assert_eq!(
            (&claims["sub"], &claims["aud"]),
            (&json!("ci"), &json!(BASE))
        );
        assert_eq!(claims["client_id"], "ci");
        assert_eq!(claims.get("gid"), None, "{claims}");
    }
    let events = proxy.events();
    let done: Vec<_> = events
        .iter()
        .filter(|event| event.step == Step::ClientCredentials)
        .collect();
    assert_eq!(done.len(), 2);
    assert_eq!(done[0].client.as_deref(), Some("ci"));
    assert_eq!(done[0].scopes.as_deref(), Some("read write"));
    assert_eq!(done[0].resource.as_deref(), Some(BASE));
    assert!(!format!("{events:?}").contains(SECRET));
}

#[tokio::test]
async fn a_machine_gets_the_scopes_that_it_has_of_those_that_it_asks_for() {
    let (proxy, _) = start().await;
    let ci = client(&proxy, "ci");
    for (asked, granted) in [
        ("read", "read"),
        ("write read", "write read"),
        // A client library asks for all that the metadata lists.
        ("openid read offline_access claudeai", "read"),
    ] {
        let tokens = Tokens::read(&ask(&ci, &[("scope", asked)]).await);
        assert_eq!(tokens.scope, granted, "{asked}");
        let session = proxy.session(&ci, &tokens.access).await;
        let scopes: Vec<_> = granted.split(' ').collect();
        assert_eq!(session["scopes"], json!(scopes));
    }
    for none in ["openid", "admin", "offline_access", "a\"b"] {
        let reply = ask(&ci, &[("scope", none)]).await;
        reply.refused(400, "invalid_scope");
        proxy.told(Step::ClientCredentials, Reason::Scope);
    }
}

#[tokio::test]
async fn a_machines_token_is_for_the_resource_that_it_asks_for_and_below() {
    let (proxy, _) = start().await;
    let ci = client(&proxy, "ci");
    let mcp = format!("{BASE}/mcp");
    let tokens = Tokens::read(&ask(&ci, &[("resource", &mcp)]).await);
    assert_eq!(payload(&tokens.access)["aud"], mcp);
    assert_eq!(proxy.session(&ci, &tokens.access).await["resource"], mcp);
    ci.call("/mcp/below", &tokens.access).await.expect(200);
    let elsewhere = ci.call("/other", &tokens.access).await;
    elsewhere.refused(401, "invalid_token");
    proxy.told(Step::Bearer, Reason::WrongAudience);
    // One that names none is good everywhere.
    ci.call("/other", &token(&proxy).await).await.expect(200);
    for resources in [
        vec!["https://other.example/mcp"],
        vec![&*mcp, BASE],
        vec!["https://proxy.example.evil.example"],
    ] {
        let fields: Vec<_> = resources.iter().map(|url| ("resource", *url)).collect();
        ask(&ci, &fields).await.refused(400, "invalid_target");
        proxy.told(Step::ClientCredentials, Reason::Resource);
    }
}

#[tokio::test]
async fn no_client_but_a_machine_gets_a_token_in_its_own_name() {
    let app = StaticClient::confidential("app", SECRET);
    let app = app.redirect_uri(CALLBACK).unwrap();
    let public = StaticClient::public("public")
        .redirect_uri(CALLBACK)
        .unwrap();
    let (proxy, store) = Proxy::with_store(|builder| {
        let builder = builder.static_client(ci()).static_client(app);
        builder.static_client(public)
    })
    .await;
    let mut metadata = native_metadata(CALLBACK);
    metadata["token_endpoint_auth_method"] = "client_secret_post".into();
    let public = Client {
        auth: Auth::None,
        ..client(&proxy, "public")
    };
    for other in [
        client(&proxy, "app"),
        public,
        proxy.client().await,
        proxy.register(&metadata).await,
    ] {
        let reply = ask(&other, &[]).await;
        reply.refused(400, "unauthorized_client");
        proxy.told(Step::ClientCredentials, Reason::UnsupportedType);
    }
    // Who is not the machine hears no more than any other stranger.
    let ci = client(&proxy, "ci");
    let wrong = |secret: &str| Client {
        secret: Some(secret.to_owned()),
        ..ci.clone()
    };
    let none = Client {
        auth: Auth::None,
        ..ci.clone()
    };
    for stranger in [wrong(""), wrong("wrong"), wrong(&SECRET[1..]), none] {
        let reply = ask(&stranger, &[]).await;
        reply.refused(401, "invalid_client");
        proxy.told(Step::ClientCredentials, Reason::ClientAuthentication);
    }
    ask(&client(&proxy, "unknown"), &[])
        .await
        .refused(401, "invalid_client");
    assert_eq!(store.writes(), 0);
}

#[tokio::test]
async fn a_machine_without_a_redirect_uri_logs_nobody_in() {
    let (proxy, _) = start().await;
    let ci = client(&proxy, "ci");
    let pkce = Pkce::new();
    let page = proxy
        .browser()
        .open(&ci.authorize(&pkce, "s").url())
        .await
        .page();
    assert_eq!(page.reply.status, 400);
    for (reply, step) in [
        (ci.redeem_code("code", &pkce).await, Step::Redeem),
        (ci.refresh("token").await, Step::Refresh),
    ] {
        reply.refused(400, "unauthorized_client");
        let refusals = proxy.refusals();
        assert!(
            refusals.contains(&(step, Reason::UnsupportedType)),
            "{refusals:?}"
        );
    }
}

#[tokio::test]
async fn a_machine_with_a_redirect_uri_logs_people_in_too_and_its_own_scopes_bind_no_login() {
    let both = ci().scopes(["read"]).redirect_uri(CALLBACK).unwrap();
    let proxy = Proxy::with(|builder| builder.static_client(both)).await;
    let ci = client(&proxy, "ci");
    let person = proxy.journey(&ci).await;
    assert_eq!(person.scope, "openid read write");
    let session = proxy.session(&ci, &person.access).await;
    assert_eq!(session["source"], "login");
    assert_eq!(session["subject"], "person-1");
    assert_eq!(session["is_person"], true);
    assert_eq!(session["roles"], json!([]));
    let own = Tokens::read(&ask(&ci, &[("scope", "read write")]).await);
    assert_eq!(own.scope, "read");
    let session = proxy.session(&ci, &own.access).await;
    assert_eq!(
        (&session["source"], &session["subject"]),
        (&json!("client_credentials"), &json!("ci"))
    );
    // One ends without the other.
    ci.revoke(&person.access).await.expect(200);
    ci.call("/mcp", &person.access)
        .await
        .refused(401, "invalid_token");
    assert_eq!(call(&proxy, &own.access).await, 200);
}

#[tokio::test]
async fn an_authenticated_machine_that_asks_in_a_loop_writes_nothing() {
    let (proxy, store) = start().await;
    let ci = client(&proxy, "ci");
    for _ in 0..50 {
        let tokens = Tokens::read(&ask(&ci, &[]).await);
        ci.call("/mcp", &tokens.access).await.expect(200);
        ask(&ci, &[("scope", "none")])
            .await
            .refused(400, "invalid_scope");
    }
    assert_eq!((store.writes(), store.records()), (0, 0));
    // One read for the client; at first sight one more, for the token; then none.
    store.forget();
    let token = token(&proxy).await;
    let keys = || {
        let seen = store.seen();
        let kinds = seen
            .iter()
            .map(|seen| seen.key.split(':').next().unwrap().to_owned());
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(keys(), ["denied"]);
    assert_eq!(call(&proxy, &token).await, 200);
    assert_eq!(keys(), ["denied", "denied", "revoked"]);
    assert_eq!(call(&proxy, &token).await, 200);
    assert_eq!(keys().len(), 3);
}

#[tokio::test]
async fn a_token_is_good_on_every_instance_and_after_a_restart_until_its_end() {
    let (proxy, store) = Proxy::with_store(|builder| {
        builder
            .static_client(ci())
            .machine_token_ttl(Duration::from_secs(60))
    })
    .await;
    let token = token(&proxy).await;
    let other = proxy.sibling(|b| b.static_client(ci()).token_storage(store.clone()));
    // The store of this one begins anew, as that of a process that keeps it in memory.
    let restarted = proxy.sibling(|b| b.static_client(ci()));
    for instance in [&proxy, &other, &restarted] {
        assert_eq!(call(instance, &token).await, 200);
    }
    proxy.clock.advance_secs(59);
    assert_eq!(call(&other, &token).await, 200);
    proxy.clock.advance_secs(1);
    for instance in [&proxy, &other, &restarted] {
        assert_eq!(call(instance, &token).await, 401);
        instance.told(Step::Bearer, Reason::Expired);
    }
    // By a clock that is set back too far, it is not good yet.
    let now = proxy.clock.unix();
    proxy.clock.set_unix(now - 60 - 61);
    assert_eq!(call(&restarted, &token).await, 401);
    restarted.told(Step::Bearer, Reason::InvalidToken);
}

#[tokio::test]
async fn a_store_that_is_down_is_no_word_against_a_machine() {
    let (proxy, store) = start().await;
    let (seen, fresh) = (token(&proxy).await, token(&proxy).await);
    assert_eq!(call(&proxy, &seen).await, 200);
    store.be(Health::Down);
    assert_eq!(call(&proxy, &seen).await, 200, "it is still remembered");
    assert_eq!(call(&proxy, &fresh).await, 503);
    proxy.told(Step::Bearer, Reason::StoreUnavailable);
    // The deny list can be read, and the marks of revoked tokens cannot.
    store.be(Health::UpFor(1));
    assert_eq!(call(&proxy, &fresh).await, 503);
    let ci = client(&proxy, "ci");
    ask(&ci, &[]).await.refused(503, "temporarily_unavailable");
    proxy.told(Step::ClientCredentials, Reason::StoreUnavailable);
    store.be(Health::Up);
    assert_eq!(call(&proxy, &fresh).await, 200);
}

#[tokio::test]
async fn guards_see_a_machines_scopes_and_roles_and_that_it_is_no_person() {
    let (proxy, _) = start().await;
    let rules = [
        ("bot", require_role("bot"), 200),
        ("admin", require_role("admin"), 403),
        ("read", require_scopes(["read"]).unwrap(), 200),
        ("openid", require_scopes(["openid"]).unwrap(), 403),
        ("person", require(AuthSession::is_person), 403),
    ];
    let guarded = rules
        .into_iter()
        .fold(Router::new(), |app, (name, guard, _)| {
            let route = any(async || "inside").layer(RequireLayer::new(guard));
            app.route(&format!("/{name}"), route)
        });
    let token = token(&proxy).await;
    let wire = Wire::new(&*proxy.base, guarded.layer(proxy.layer.clone()));
    let ci = Client {
        wire,
        ..client(&proxy, "ci")
    };
    for (path, status) in [
        ("/bot", 200),
        ("/admin", 403),
        ("/read", 200),
        ("/openid", 403),
        ("/person", 403),
    ] {
        let reply = ci.call(path, &token).await;
        assert_eq!(reply.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_machine_that_is_known_by_the_hash_of_its_secret_works_like_any_other() {
    let secret = ApiKey::generate();
    let (hash, secret) = (secret.hash(), secret.reveal());
    let hashed = StaticClient::confidential_by_hash("hashed", &*hash).as_machine();
    let proxy = Proxy::with(|builder| builder.static_client(hashed)).await;
    let own = Client {
        secret: Some(secret.clone()),
        ..client(&proxy, "hashed")
    };
    let tokens = Tokens::read(&ask(&own, &[]).await);
    assert_eq!(tokens.scope, "");
    assert_eq!(
        proxy.session(&own, &tokens.access).await["scopes"],
        json!([])
    );
    for wrong in [SECRET, &hash, ""] {
        let wrong = Client {
            secret: Some(wrong.to_owned()),
            ..own.clone()
        };
        ask(&wrong, &[]).await.refused(401, "invalid_client");
    }
    // The secret of a client is no API key.
    let reply = own.call("/mcp", &secret).await;
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn a_default_scope_of_logins_gives_a_machine_nothing() {
    let own = StaticClient::machine("ci", SECRET)
        .redirect_uri(CALLBACK)
        .unwrap()
        .default_scope(ScopeSet::new(["write"]).unwrap());
    let proxy = Proxy::with(|builder| builder.static_client(own)).await;
    let ci = client(&proxy, "ci");
    assert_eq!(Tokens::read(&ask(&ci, &[]).await).scope, "");
    let twice = [("scope", "write"), GRANT];
    ask(&ci, &twice).await.refused(400, "invalid_request");
}
