//! Other ways to run: the operator's own clients, hooks, passthrough.

use tower_oauth_proxy::{
    OAuthProxyConfig, Reason, RegistrationRequest, StaticClient, Step, TokenVerifier,
    VerifiedToken, VerifyError, VerifyFuture, VerifyRequest, Veto,
};

use testkit::{
    Auth, Client, Kind, Pkce, Provider, Proxy, Tokens,
    client::{CALLBACK, native_metadata},
    proxy::{BASE, builder_from, upstream},
    wire::query_param,
};

fn known(proxy: &Proxy, id: &str, secret: Option<&str>, auth: Auth) -> Client {
    Client {
        wire: proxy.wire.clone(),
        base_path: String::new(),
        id: id.to_owned(),
        secret: secret.map(str::to_owned),
        auth,
        redirect_uri: "https://known.example/callback".to_owned(),
    }
}

#[tokio::test]
async fn a_static_client_needs_no_registration_and_no_pattern() {
    let callback = "https://known.example/callback";
    let public = StaticClient::public("public")
        .redirect_uri(callback)
        .unwrap();
    let secret = "a static client's own long secret";
    let confidential = StaticClient::confidential("confidential", secret)
        .redirect_uri(callback)
        .unwrap();
    let proxy = Proxy::with(|b| b.static_client(public).static_client(confidential)).await;
    let client = known(&proxy, "public", None, Auth::None);
    let tokens = proxy.journey(&client).await;
    let session = proxy.session(&client, &tokens.access).await;
    assert_eq!(session["client_id"], "public");

    let client = known(&proxy, "confidential", Some(secret), Auth::Basic);
    let tokens = proxy.journey(&client).await;
    Tokens::read(&client.refresh(tokens.refresh()).await);
    let guess = known(&proxy, "confidential", Some("guess"), Auth::Basic);
    guess
        .refresh(tokens.refresh())
        .await
        .refused(401, "invalid_client");
    let none = known(&proxy, "confidential", None, Auth::None);
    none.refresh(tokens.refresh())
        .await
        .refused(401, "invalid_client");

    let mut elsewhere = client.clone();
    elsewhere.redirect_uri = "https://evil.example/callback".to_owned();
    let url = elsewhere.authorize(&Pkce::new(), "s").url();
    let page = proxy.browser().open(&url).await.page();
    assert_eq!(page.reply.status, 400);
}

#[tokio::test]
async fn the_registration_hook_sees_what_is_asked_and_may_refuse() {
    let proxy = Proxy::with(|builder| {
        builder.on_register(
            async |asked: RegistrationRequest| match asked.client_name.as_deref() {
                Some("Kit") => Ok(()),
                _ => Err(Veto::new("only the kit may register")),
            },
        )
    })
    .await;
    proxy.client().await;
    let mut metadata = native_metadata(CALLBACK);
    metadata["client_name"] = "Another".into();
    let reply = Client::try_register(&proxy.wire, "", &metadata).await;
    assert!(reply.status.is_client_error(), "{reply:?}");
    assert!(reply.text().contains("only the kit may register"));
    proxy.told(Step::Register, Reason::HookDenied);
}

/// RFC 6749 section 5.2 keeps `error_description` to a part of ASCII, whatever a hook writes.
#[tokio::test]
async fn a_hooks_words_are_made_fit_for_the_protocol() {
    let proxy = Proxy::with(|builder| {
        builder.on_register(async |_| Err(Veto::new("nur für \"Gäste\"\u{202e}")))
    })
    .await;
    let reply = Client::try_register(&proxy.wire, "", &native_metadata(CALLBACK)).await;
    let answer = reply.expect(400).json();
    assert_eq!(answer["error_description"], "nur f?r ?G?ste??");
}

/// Knows the provider's tokens by asking the provider, as introspection would.
struct Introspect(std::sync::Arc<Provider>);

impl TokenVerifier for Introspect {
    fn verify<'a>(&'a self, request: VerifyRequest<'a>) -> VerifyFuture<'a> {
        Box::pin(async move {
            if self.0.accepts(request.token()) {
                Ok(VerifiedToken::new("person-1"))
            } else {
                Err(VerifyError::Invalid("unknown".to_owned()))
            }
        })
    }
}

#[tokio::test]
async fn in_passthrough_mode_the_client_holds_the_providers_tokens() {
    let clock = testkit::FakeClock::default();
    let provider = std::sync::Arc::new(Provider::start(clock.clone()).await);
    let verifier = Introspect(provider.clone());
    let proxy = Proxy::before(provider, clock, BASE, |builder| {
        builder.passthrough(verifier)
    });
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    assert!(proxy.provider.accepts(&tokens.access));
    let session = proxy.session(&client, &tokens.access).await;
    assert_eq!(session["subject"], "person-1");
    assert_eq!(client.call("/mcp", "unknown").await.status, 401);

    let renewed = Tokens::read(&client.refresh(tokens.refresh()).await);
    proxy.session(&client, &renewed.access).await;
    assert_eq!(proxy.provider.count_grant("refresh_token"), 1);
    client.revoke(&renewed.access).await.expect(200);
    assert!(proxy.provider.count(Kind::Revoke) >= 1);
    assert_eq!(
        client.call("/mcp", &renewed.access).await.status,
        401,
        "at once, cached or not"
    );

    // Nothing here knows which access token belongs to a refresh token of the provider's.
    let tokens = proxy.journey(&client).await;
    proxy.session(&client, &tokens.access).await;
    client.revoke(tokens.refresh()).await.expect(200);
    proxy.clock.advance_secs(10);
    assert_eq!(client.call("/mcp", &tokens.access).await.status, 401);
}

#[tokio::test]
async fn in_passthrough_mode_a_code_is_redeemed_once_too() {
    let clock = testkit::FakeClock::default();
    let provider = std::sync::Arc::new(Provider::start(clock.clone()).await);
    let verifier = Introspect(provider.clone());
    let proxy = Proxy::before(provider, clock, BASE, |builder| {
        builder.passthrough(verifier)
    });
    let client = proxy.client().await;
    let pkce = Pkce::new();
    let callback = proxy.login(&mut proxy.browser(), &client, &pkce).await;
    let code = query_param(&callback, "code").unwrap();
    client.redeem_code(&code, &pkce).await.expect(200);
    client
        .redeem_code(&code, &pkce)
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_refused_with_the_options_name() {
    let provider = Provider::start(testkit::FakeClock::default()).await;
    let build = |base: &str| builder_from(upstream(&provider), base);
    for (builder, option) in [
        (build("http://proxy.example"), "base_url"),
        (build("https://proxy.example/?x"), "base_url"),
        (build("https://proxy.example/a/../b"), "base_url"),
        (build("proxy.example"), "base_url"),
        (build(""), "base_url"),
        (build(BASE).scopes(["a b"]), "scopes"),
        (build(BASE).required_scopes(["unknown"]), "required_scopes"),
        (
            build(BASE).allowed_redirect_uri_patterns(["*"]),
            "allowed_redirect_uri_patterns",
        ),
        (build(BASE).redirect_path("callback"), "redirect_path"),
        (build(BASE).redirect_path("/oauth/token"), "redirect_path"),
        (build(BASE).public_paths(["health"]), "public_paths"),
    ] {
        let Err(error) = builder.build() else {
            panic!("{option} was accepted");
        };
        assert_eq!(error.option(), option, "{error}");
    }
    let unusable = tower_oauth_proxy::provider::generic("nonsense", "", "", "");
    let error = OAuthProxyConfig::builder(unusable, BASE).build().err();
    assert_eq!(error.expect("a refusal").option(), "provider");
}

#[tokio::test]
async fn another_callback_path_and_cookie_prefix_work() {
    let proxy = Proxy::with(|builder| builder.redirect_path("/login/back").cookie_prefix("")).await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let pkce = Pkce::new();
    let url = client.authorize(&pkce, "s").url();
    // Without `__Host-` there is the account page.
    proxy.approve(&mut browser, &url).await.page();
    let back = browser.press("approve").await.left();
    Tokens::read(&client.redeem(&back, &pkce).await);
    let asked = proxy.provider.last(Kind::Authorize);
    assert_eq!(
        asked.param("redirect_uri"),
        Some("https://proxy.example/login/back")
    );
    let set = browser
        .history
        .iter()
        .filter_map(|visit| visit.reply.headers.get("set-cookie"));
    for cookie in set {
        assert!(
            !cookie.to_str().unwrap().starts_with("__Host-"),
            "{cookie:?}"
        );
    }
}
