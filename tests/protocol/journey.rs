//! The whole way, and what must never be seen on it.

use serde_json::json;

use testkit::{
    Kind, Proxy, Tokens,
    client::{Auth, native_metadata},
    provider::MARK,
    wire::query_param,
};

#[tokio::test]
async fn a_client_registers_logs_a_person_in_calls_refreshes_and_revokes() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;

    let session = proxy.session(&client, &tokens.access).await;
    assert_eq!(session["subject"], "person-1");
    assert_eq!(session["client_id"], client.id);
    assert_eq!(session["resource"], format!("{}/mcp", proxy.base));
    assert_eq!(session["scopes"], json!(["openid", "read", "write"]));
    assert_eq!(session["upstream_access_token_present"], true);

    let renewed = Tokens::read(&client.refresh(tokens.refresh()).await);
    assert_ne!(renewed.refresh, tokens.refresh);
    proxy.session(&client, &renewed.access).await;

    client.revoke(renewed.refresh()).await.expect(200);
    let reply = client.call("/mcp", &renewed.access).await;
    assert_eq!(reply.status, 401);
    client
        .refresh(renewed.refresh())
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn below_a_path_the_same_journey_works() {
    let proxy = Proxy::at("https://proxy.example/api", |builder| builder).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let session = proxy.session(&client, &tokens.access).await;
    assert_eq!(session["resource"], "https://proxy.example/api/mcp");
    Tokens::read(&client.refresh(tokens.refresh()).await);
}

#[tokio::test]
async fn on_plain_http_loopback_the_same_journey_works() {
    let proxy = Proxy::at("http://localhost:8080", |builder| builder).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy.session(&client, &tokens.access).await;
}

#[tokio::test]
async fn confidential_clients_make_the_same_journey() {
    for method in ["client_secret_basic", "client_secret_post"] {
        let proxy = Proxy::start().await;
        let mut metadata = native_metadata("https://app.example/callback");
        metadata["token_endpoint_auth_method"] = method.into();
        let allowed = proxy.sibling(|builder| {
            builder.allowed_redirect_uri_patterns(["https://app.example/callback"])
        });
        let client = allowed.register(&metadata).await;
        assert_ne!(client.auth, Auth::None);
        let tokens = allowed.journey(&client).await;
        let renewed = Tokens::read(&client.refresh(tokens.refresh()).await);
        client.revoke(&renewed.access).await.expect(200);
    }
}

#[tokio::test]
async fn nothing_that_the_provider_keeps_secret_is_ever_sent() {
    let proxy = Proxy::start().await;
    proxy
        .provider
        .configure(|settings| settings.jwt_access = true);
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let tokens = proxy.journey_in(&mut browser, &client).await;
    let renewed = client.refresh(tokens.refresh()).await;

    let proxied = browser
        .history
        .iter()
        .filter(|v| v.url.starts_with(&proxy.base));
    let mut seen: Vec<String> = proxied.map(|visit| visit.reply.everything()).collect();
    assert!(seen.len() >= 4, "authorize, consent, approval, callback");
    seen.push(renewed.everything());
    seen.push(format!("{tokens:?}"));
    seen.push(client.call("/mcp", &tokens.access).await.everything());
    seen.push(format!("{:?}", proxy.events()));
    seen.push(format!("{:?}", proxy.layer));
    for text in seen {
        assert!(!text.contains(MARK), "a secret of the provider in {text}");
    }
    // The marks were there to be found.
    let exchange = format!("{:?}", proxy.provider.last(Kind::Token).params);
    assert!(exchange.contains(MARK));
}

#[tokio::test]
async fn the_provider_sees_its_own_app_and_never_the_client() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    proxy.journey(&client).await;

    let asked = proxy.provider.last(Kind::Authorize);
    assert_eq!(asked.param("client_id"), Some("upstream-app"));
    assert_eq!(asked.param("response_type"), Some("code"));
    let callback = format!("{}/oauth/callback", proxy.base);
    assert_eq!(asked.param("redirect_uri"), Some(&*callback));
    assert_eq!(asked.param("code_challenge_method"), Some("S256"));
    assert!(asked.param("nonce").is_some(), "openid was asked for");
    assert_ne!(asked.param("state"), Some("client-state"));
    assert_eq!(asked.param("resource"), None, "not unless forwarded");

    let exchange = proxy.provider.last(Kind::Token);
    assert!(exchange.param("code_verifier").is_some());
    assert_eq!(exchange.param("redirect_uri"), Some(&*callback));
    let everything = format!("{:?}", proxy.provider.requests());
    assert!(!everything.contains(&client.id), "{everything}");
}

#[tokio::test]
async fn each_login_has_its_own_pair_nonce_and_state() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    proxy.journey(&client).await;
    proxy.journey(&client).await;
    let asked = proxy.provider.requests_of(Kind::Authorize);
    for name in ["code_challenge", "nonce", "state"] {
        let [first, second] = [0, 1].map(|index: usize| asked[index].param(name).unwrap());
        assert_ne!(first, second, "{name}");
        assert!(first.len() >= 22, "{name} is at least 128 bits: {first}");
    }
}

#[tokio::test]
async fn any_instance_serves_any_step() {
    let (first, store) = Proxy::with_store(|builder| builder).await;
    let [second, third, fourth] =
        [0; 3].map(|_| first.sibling(|builder| builder.token_storage(store.clone())));

    let mut client = first.client().await;
    let pkce = testkit::Pkce::new();
    let mut browser = first.browser();
    let url = client.authorize(&pkce, "s").url();
    browser.open(&url).await.page();
    // From here on the browser reaches another instance, then a third.
    let mut browser = browser.knowing(second.wire.clone());
    let callback = browser.press("approve").await.left();
    assert_eq!(query_param(&callback, "error"), None, "{callback}");
    client.wire = third.wire.clone();
    let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
    client.wire = fourth.wire.clone();
    fourth.session(&client, &tokens.access).await;
    let renewed = Tokens::read(&client.refresh(tokens.refresh()).await);
    client.wire = first.wire.clone();
    first.session(&client, &renewed.access).await;
}
