//! Clients from configuration, and the operator's word on those that register themselves.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use tower_oauth_proxy::{
    ClientAuthMethod, OAuthProxyConfigBuilder, Reason, RegistrationRequest, ScopeSet, StaticClient,
    Step, Veto,
};

use testkit::{
    Auth, Client, Landing, Pkce, Proxy, Store, Tokens,
    client::{CALLBACK, native_metadata},
};

const SECRET: &str = "a+secret with 100% odd:letters/=";
const INTRANET: &str = "https://intranet.example/callback";

fn static_clients() -> [StaticClient; 4] {
    let at = |client: StaticClient, uri| client.redirect_uri(uri).unwrap();
    [
        at(StaticClient::public("desktop app"), "http://localhost/cb").name("Desktop"),
        at(StaticClient::confidential("web:basic", SECRET), INTRANET)
            .auth_method(ClientAuthMethod::ClientSecretBasic),
        at(StaticClient::confidential("web-any", SECRET), INTRANET),
        at(StaticClient::confidential("web-post", SECRET), INTRANET)
            .auth_method(ClientAuthMethod::ClientSecretPost)
            .default_scope(ScopeSet::new(["read"]).unwrap()),
    ]
}

async fn start() -> Proxy {
    Proxy::with(|builder| {
        static_clients()
            .into_iter()
            .fold(builder, OAuthProxyConfigBuilder::static_client)
    })
    .await
}

fn client(proxy: &Proxy, id: &str, auth: Auth, redirect_uri: &str) -> Client {
    Client {
        wire: proxy.wire.clone(),
        base_path: proxy.base_path().to_owned(),
        id: id.to_owned(),
        secret: (auth != Auth::None).then(|| SECRET.to_owned()),
        auth,
        redirect_uri: redirect_uri.to_owned(),
    }
}

#[tokio::test]
async fn static_clients_of_each_kind_make_the_whole_journey() {
    let proxy = start().await;
    for (id, auth, redirect_uri, scope) in [
        (
            "desktop app",
            Auth::None,
            "http://localhost:4711/cb",
            "openid read write",
        ),
        ("web:basic", Auth::Basic, INTRANET, "openid read write"),
        ("web-any", Auth::Basic, INTRANET, "openid read write"),
        ("web-any", Auth::Post, INTRANET, "openid read write"),
        ("web-post", Auth::Post, INTRANET, "read"),
    ] {
        let client = client(&proxy, id, auth, redirect_uri);
        let tokens = proxy.journey(&client).await;
        assert_eq!(tokens.scope, scope);
        let session = proxy.session(&client, &tokens.access).await;
        assert_eq!(session["client_id"], id);
        let next = Tokens::read(&client.refresh(tokens.refresh()).await);
        client.revoke(&next.access).await.expect(200);
        client.call("/mcp", &next.access).await.expect(401);
    }
}

#[tokio::test]
async fn a_static_client_authenticates_as_configured_and_not_otherwise() {
    let proxy = start().await;
    for (id, right, redirect_uri) in [
        ("desktop app", Auth::None, "http://localhost/cb"),
        ("web:basic", Auth::Basic, INTRANET),
        ("web-post", Auth::Post, INTRANET),
    ] {
        let owner = client(&proxy, id, right, redirect_uri);
        let pkce = Pkce::new();
        let mut browser = proxy.browser();
        let callback = proxy.login(&mut browser, &owner, &pkce).await;
        for auth in [Auth::None, Auth::Basic, Auth::Post] {
            if auth == right {
                continue;
            }
            let wrong = client(&proxy, id, auth, redirect_uri);
            let reply = wrong.redeem(&callback, &pkce).await;
            reply.refused(401, "invalid_client");
            proxy.told(Step::Redeem, Reason::ClientAuthentication);
        }
        if right != Auth::None {
            for secret in ["", "wrong", "a secret with 100% odd:letters/="] {
                let mut wrong = owner.clone();
                wrong.secret = Some(secret.to_owned());
                let reply = wrong.redeem(&callback, &pkce).await;
                assert_eq!(reply.status, 401, "{secret}");
            }
        }
        owner.redeem(&callback, &pkce).await.expect(200);
    }
    // Without a word on how, the secret may stand anywhere, and has to be there.
    let nobody = client(&proxy, "web-any", Auth::None, INTRANET);
    nobody.refresh("x").await.refused(401, "invalid_client");
}

/// The operator's word of now counts, for a code and for a refresh token alike.
#[tokio::test]
async fn a_static_client_whose_method_changed_during_its_login_authenticates_by_the_new_one() {
    let configured = |client: StaticClient| client.redirect_uri(INTRANET).unwrap();
    let public = configured(StaticClient::public("web"));
    let confidential = configured(StaticClient::confidential("web", SECRET));
    for (before, after, old, new) in [
        (&public, &confidential, Auth::None, Auth::Post),
        (&confidential, &public, Auth::Post, Auth::None),
    ] {
        let (proxy, store) = Proxy::with_store(|b| b.static_client(before.clone())).await;
        let changed = proxy.sibling(|b| b.static_client(after.clone()).token_storage(store));
        let at = |proxy: &Proxy, auth| client(proxy, "web", auth, INTRANET);
        let tokens = proxy.journey(&at(&proxy, old)).await;
        let (code, pkce) = proxy.code(&at(&proxy, old)).await;
        let (stale, fresh) = (at(&changed, old), at(&changed, new));
        for reply in [
            stale.redeem_code(&code, &pkce).await,
            stale.refresh(tokens.refresh()).await,
        ] {
            reply.refused(401, "invalid_client");
        }
        let refused = |step| (step, Reason::ClientAuthentication);
        assert_eq!(
            changed.refusals(),
            [refused(Step::Redeem), refused(Step::Refresh)]
        );
        Tokens::read(&fresh.redeem_code(&code, &pkce).await);
        Tokens::read(&fresh.refresh(tokens.refresh()).await);
    }
}

/// The operator reads which login stopped, and why.
#[tokio::test]
async fn the_consent_page_of_a_client_that_is_no_longer_configured_names_the_login_that_stops() {
    let web = StaticClient::public("web").redirect_uri(INTRANET).unwrap();
    let (proxy, store) = Proxy::with_store(|builder| builder.static_client(web)).await;
    let without = proxy.sibling(|builder| builder.token_storage(store));
    let url = client(&proxy, "web", Auth::None, INTRANET)
        .authorize(&Pkce::new(), "s")
        .url();
    let mut browser = proxy.browser();
    let consent = browser.open(&url).await.page().url;
    let mut later = without.browser();
    later.jar = browser.jar;
    assert_eq!(later.open(&consent).await.page().reply.status, 400);
    let events = without.events();
    let stopped = events.iter().find(|event| event.step == Step::Consent);
    let stopped = stopped.unwrap();
    assert!(
        consent.ends_with(stopped.login.as_deref().unwrap()),
        "{stopped:?}"
    );
    assert!(
        stopped
            .detail
            .as_deref()
            .unwrap()
            .contains("not configured"),
        "{stopped:?}"
    );
}

#[tokio::test]
async fn a_stranger_costs_one_read_of_the_store_and_without_a_known_client_none() {
    let (proxy, store) = Proxy::with_store(|builder| {
        let clients = static_clients().into_iter();
        clients.fold(builder, OAuthProxyConfigBuilder::static_client)
    })
    .await;
    let right = client(&proxy, "web-post", Auth::Post, INTRANET);
    let wrong = Client {
        secret: Some("wrong".to_owned()),
        ..right.clone()
    };
    let unknown = client(&proxy, "unknown", Auth::Post, INTRANET);
    for (stranger, reads) in [(&unknown, 0), (&wrong, 1), (&right, 1)] {
        for way in ["redeem", "refresh", "revoke"] {
            store.forget();
            match way {
                "redeem" => stranger.redeem_code("garbage", &Pkce::new()).await,
                "refresh" => stranger.refresh("garbage").await,
                _ => stranger.revoke("garbage").await,
            };
            assert_eq!(store.seen().len(), reads, "{way}: {:?}", store.seen());
            assert_eq!(store.writes(), 0);
        }
    }
    // With the right secret or without: a denied client is told the same.
    proxy.layer.admin().deny_client("web-post").await.unwrap();
    let [a, b] = [wrong.refresh("x").await, right.refresh("x").await];
    assert_eq!((a.status, a.text()), (b.status, b.text()));
    a.refused(401, "invalid_client");
    proxy.told(Step::Refresh, Reason::DeniedClient);
}

#[tokio::test]
async fn a_static_client_has_its_own_redirect_uris_whatever_the_policy_says() {
    let proxy = start().await;
    // Nobody may register that address.
    let stranger = native_metadata(INTRANET);
    let reply = Client::try_register(&proxy.wire, "", &stranger).await;
    reply.refused(400, "invalid_redirect_uri");
    for (id, auth, redirect_uri) in [
        (
            "web:basic",
            Auth::Basic,
            "https://intranet.example/callback/",
        ),
        (
            "web:basic",
            Auth::Basic,
            "https://intranet.example:444/callback",
        ),
        ("web:basic", Auth::Basic, "http://localhost/cb"),
        ("desktop app", Auth::None, INTRANET),
        ("desktop app", Auth::None, "http://127.0.0.1/cb"),
        ("unknown", Auth::None, CALLBACK),
        ("WEB-POST", Auth::Post, INTRANET),
    ] {
        let client = client(&proxy, id, auth, redirect_uri);
        let url = client.authorize(&Pkce::new(), "s").url();
        let page = proxy.browser().open(&url).await.page();
        assert_eq!(page.reply.status, 400, "{id} {redirect_uri}");
    }
}

#[tokio::test]
async fn a_static_client_survives_a_change_of_every_secret_and_can_be_denied() {
    let proxy = start().await;
    let other = testkit::proxy::secret(9);
    let changed = proxy.sibling(|builder| {
        let [client, ..] = static_clients();
        builder.static_client(client).secret_key(other)
    });
    let desktop = client(&changed, "desktop app", Auth::None, "http://localhost/cb");
    let tokens = changed.journey(&desktop).await;
    let admin = changed.layer.admin();
    admin.deny_client("desktop app").await.unwrap();
    let reply = desktop.refresh(tokens.refresh()).await;
    reply.refused(401, "invalid_client");
}

#[tokio::test]
async fn the_consent_page_names_a_static_client() {
    let proxy = start().await;
    let client = client(&proxy, "desktop app", Auth::None, "http://localhost/cb");
    let url = client.authorize(&Pkce::new(), "s").url();
    let page = proxy.browser().open(&url).await.page();
    assert!(page.reply.text().contains("Desktop"), "{page:?}");
}

#[tokio::test]
async fn the_registration_hook_sees_the_request_and_its_no_is_the_answer() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = seen.clone();
    let proxy = Proxy::with(|builder| {
        builder.on_register(move |request: RegistrationRequest| {
            let is_welcome = request.client_name.as_deref() != Some("Kit");
            keep.lock().unwrap().push(request);
            async move {
                match is_welcome {
                    true => Ok(()),
                    false => Err(Veto::new("no kits here")),
                }
            }
        })
    })
    .await;
    let mut metadata = native_metadata(CALLBACK);
    metadata["scope"] = json!("read unknown");
    let reply = Client::try_register(&proxy.wire, "", &metadata).await;
    reply.refused(400, "invalid_client_metadata");
    assert_eq!(reply.json()["error_description"], "no kits here");
    assert_eq!(reply.json().get("client_id"), None);
    proxy.told(Step::Register, Reason::HookDenied);
    let request = seen.lock().unwrap().pop().unwrap();
    assert_eq!(request.client_name.as_deref(), Some("Kit"));
    assert_eq!(request.redirect_uris, [CALLBACK]);
    assert_eq!(request.scopes.to_string(), "read");

    metadata["client_name"] = json!("Other");
    let client = proxy.register(&metadata).await;
    proxy.journey(&client).await;
    // What breaks a rule does not come so far.
    seen.lock().unwrap().clear();
    let bad = native_metadata("https://evil.example/");
    let reply = Client::try_register(&proxy.wire, "", &bad).await;
    assert_eq!(reply.status, 400);
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_registration_hook_that_hangs_lets_nobody_in() {
    let proxy = Proxy::with(|b| b.on_register(|_| std::future::pending())).await;
    let start = tokio::time::Instant::now();
    let metadata = native_metadata(CALLBACK);
    let reply = Client::try_register(&proxy.wire, "", &metadata).await;
    reply.refused(503, "temporarily_unavailable");
    assert_eq!(reply.json().get("client_id"), None);
    assert_eq!(start.elapsed().as_secs(), Duration::from_secs(10).as_secs());
    proxy.told(Step::Register, Reason::HookDenied);
}

#[tokio::test]
async fn a_client_whose_address_the_policy_no_longer_permits_gets_no_redirect() {
    let uri = "https://app.example.com/callback";
    let (wide, store): (Proxy, Store) =
        Proxy::with_store(|b| b.allowed_redirect_uri_patterns([uri])).await;
    let mut client = wide.register(&native_metadata(uri)).await;
    wide.journey(&client).await;
    let strict = wide.sibling(|builder| builder.token_storage(store.clone()));
    client.wire = strict.wire.clone();
    let url = client.authorize(&Pkce::new(), "s").url();
    match strict.browser().open(&url).await {
        Landing::Page(page) => assert_eq!(page.reply.status, 400),
        Landing::Left(url) => panic!("sent away to {url}"),
    }
    strict.told(Step::Authorize, Reason::RedirectUri);
}
