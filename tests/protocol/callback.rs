//! The provider sends the person back.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tower_oauth_proxy::{Reason, Step, Veto};

use testkit::{
    Answer, AuthorizeAnswer, Browser, Client, Kind, Pkce, Proxy, client::CALLBACK,
    wire::query_param,
};

/// Approves, and stops where the provider sends the browser: the callback URL, not yet opened.
async fn before_callback(proxy: &Proxy, client: &Client) -> (Browser, String) {
    let mut browser = proxy.browser();
    let url = client.authorize(&Pkce::new(), "client-state").url();
    browser.open(&url).await.page();
    proxy.provider.next_authorize(AuthorizeAnswer::Show);
    browser.press("approve").await.page();
    let at_provider = browser.page().url.clone();
    let reply = proxy.browser().open_once(&at_provider).await;
    (browser, reply.location().to_owned())
}

/// A login that fails after the approval; what the client is told.
async fn failure(proxy: &Proxy) -> String {
    let client = proxy.client().await;
    let url = client.authorize(&Pkce::new(), "client-state").url();
    let back = proxy.approve(&mut proxy.browser(), &url).await.left();
    assert!(back.starts_with(CALLBACK), "{back}");
    assert_eq!(query_param(&back, "code"), None, "{back}");
    assert_eq!(
        query_param(&back, "state").as_deref(),
        Some("client-state"),
        "{back}"
    );
    assert_eq!(
        query_param(&back, "iss").as_deref(),
        Some(&*proxy.base),
        "{back}"
    );
    query_param(&back, "error").unwrap_or_else(|| panic!("no error in {back}"))
}

#[tokio::test]
async fn a_callback_in_another_browser_is_refused_and_the_right_one_still_works() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (mut browser, callback) = before_callback(&proxy, &client).await;
    let page = proxy.browser().open(&callback).await.page();
    assert_eq!(page.reply.status, 400);
    proxy.told(Step::Callback, Reason::Browser);
    assert_eq!(proxy.provider.count(Kind::Token), 0, "nothing was redeemed");
    let back = browser.open(&callback).await.left();
    assert!(query_param(&back, "code").is_some(), "{back}");
}

#[tokio::test]
async fn a_callback_without_an_approval_has_nothing_to_match() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let url = client.authorize(&Pkce::new(), "s").url();
    browser.open(&url).await.page();
    let form = browser.form();
    // A peer's hole: the id in the form was the state.
    for (_, value) in &form.hidden {
        let url = format!(
            "{}/oauth/callback?code=UPSTREAM-CODE-1&state={value}",
            proxy.base
        );
        let page = browser.open(&url).await.page();
        assert_eq!(page.reply.status, 400);
    }
    assert_eq!(proxy.provider.count(Kind::Token), 0);
}

#[tokio::test]
async fn a_callback_is_used_once() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (mut browser, callback) = before_callback(&proxy, &client).await;
    let mut twin = browser.clone();
    browser.open(&callback).await.left();
    let page = twin.open(&callback).await.page();
    assert_eq!(page.reply.status, 400);
    assert_eq!(proxy.provider.count_grant("authorization_code"), 1);
}

#[tokio::test]
async fn concurrent_callbacks_send_the_providers_code_once() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (browser, callback) = before_callback(&proxy, &client).await;
    let opened = (0..10).map(|_| {
        let (mut browser, callback) = (browser.clone(), callback.clone());
        tokio::spawn(async move { browser.open(&callback).await })
    });
    let opened: Vec<_> = opened.collect();
    let mut left = 0;
    for landing in opened {
        if let testkit::Landing::Left(url) = landing.await.unwrap() {
            assert!(query_param(&url, "code").is_some(), "{url}");
            left += 1;
        }
    }
    assert_eq!(left, 1);
    assert_eq!(proxy.provider.count_grant("authorization_code"), 1);
}

/// Another configuration of the same proxy, or a neighbour with the same secret.
#[tokio::test]
async fn a_login_that_went_to_another_provider_is_refused_like_an_unknown_one() {
    use testkit::proxy::{BASE, builder_from};
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (mut browser, callback) = before_callback(&proxy, &client).await;
    let google = tower_oauth_proxy::provider::google("upstream-app", "another secret");
    let provider = Arc::clone(&proxy.provider);
    let other = Proxy::built(
        provider,
        proxy.clock.clone(),
        BASE,
        builder_from(google, BASE),
    );
    let path = callback.strip_prefix(BASE).unwrap();
    let cookies = browser.jar.all().into_iter();
    let cookies: Vec<_> = cookies.map(|c| format!("{}={}", c.name, c.value)).collect();
    let cookies = cookies.join("; ");
    let reply = other.wire.get(path, &[("cookie", &cookies)]).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    assert_eq!(reply.header("location"), None, "{reply:?}");
    other.told(Step::Callback, Reason::Browser);
    let events = other.events();
    let detail = events.iter().rev().find_map(|event| event.detail.clone());
    assert_eq!(detail.unwrap(), "the login went to the provider `oauth`");
    assert_eq!(proxy.provider.count(Kind::Token), 0, "nothing was redeemed");
    // At the right one the same cookies are good.
    let back = browser.open(&callback).await.left();
    assert!(query_param(&back, "code").is_some(), "{back}");
}

#[tokio::test]
async fn a_changed_state_is_refused() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (mut browser, callback) = before_callback(&proxy, &client).await;
    for forged in [
        callback.replace("state=", "state=x"),
        callback.replace("state=", "other="),
        format!("{callback}&state=x"),
    ] {
        let page = browser.open(&forged).await.page();
        assert_eq!(page.reply.status, 400, "{forged}");
    }
    browser.open(&callback).await.left();
}

#[tokio::test]
async fn a_login_cookie_that_was_changed_does_not_open() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (browser, callback) = before_callback(&proxy, &client).await;
    for cookie in browser.jar.all() {
        let mut forged = browser.clone();
        let flipped = match cookie.value.strip_suffix('A') {
            Some(rest) => format!("{rest}B"),
            None => format!("{}A", &cookie.value[..cookie.value.len() - 1]),
        };
        forged.jar.tamper(&cookie.name, &flipped);
        let middle = cookie.value.len() / 2;
        let mut flipped = cookie.value.clone();
        let new = if flipped.as_bytes()[middle] == b'x' {
            "y"
        } else {
            "x"
        };
        flipped.replace_range(middle..=middle, new);
        forged.jar.tamper(&cookie.name, &flipped);
        let opened = forged.open(&callback).await;
        if let testkit::Landing::Left(url) = opened {
            // That was a cookie which the callback does not need.
            assert!(query_param(&url, "code").is_some());
            return;
        }
    }
}

#[tokio::test]
async fn a_login_that_took_too_long_is_over() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (mut browser, callback) = before_callback(&proxy, &client).await;
    let cookies: Vec<_> = browser.jar.all().into_iter().cloned().collect();
    proxy.clock.advance_secs(601);
    for mut cookie in cookies {
        cookie.expires = None;
        browser.jar.plant(cookie);
    }
    let page = browser.open(&callback).await.page();
    assert_eq!(page.reply.status, 400);
}

#[tokio::test]
async fn what_the_provider_says_no_to_the_client_learns() {
    let proxy = Proxy::start().await;
    for (said, told) in [
        ("access_denied", "access_denied"),
        ("login_required", "access_denied"),
        ("interaction_required", "access_denied"),
        ("consent_required", "access_denied"),
        ("account_selection_required", "access_denied"),
        ("user_cancelled_login", "access_denied"),
        ("user_cancelled_authorize", "access_denied"),
        ("user_denied", "access_denied"),
        ("temporarily_unavailable", "temporarily_unavailable"),
        ("server_error", "server_error"),
        ("invalid_scope", "server_error"),
        ("<script>", "server_error"),
    ] {
        proxy.provider.next_authorize(AuthorizeAnswer::Deny(said));
        assert_eq!(failure(&proxy).await, told, "{said}");
        proxy.told(Step::Callback, Reason::ProviderDenied);
        let events = proxy.events();
        let detail = events.iter().rev().find_map(|event| event.detail.clone());
        assert!(detail.unwrap().contains(said), "{said}");
    }
    assert_eq!(proxy.provider.count(Kind::Token), 0);
}

/// Whatever bytes the provider's words hold, the client hears that it is over.
#[tokio::test]
async fn an_error_in_any_bytes_reaches_the_client() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let long = format!("&error_description={}", "%C3%A4".repeat(6_000));
    for odd in [
        "&error_description=%FF%FEnicht%20erlaubt",
        "&error_description=Zugriff%20verweigert%zz%",
        "&error_description=a&error_description=b",
        "&error=other&error_uri=x&error_uri=y",
        "&x=1&x=2&%ff=%ff&=",
        "&error_description=%0d%0aLocation:%20https://evil.example",
        &long,
    ] {
        let (mut browser, callback) = before_callback(&proxy, &client).await;
        let (before, _) = callback.split_once("code=").unwrap();
        let state = query_param(&callback, "state").unwrap();
        let said = format!("{before}error=access_denied{odd}&state={state}");
        let back = browser.open(&said).await.left();
        let error = query_param(&back, "error");
        assert_eq!(error.as_deref(), Some("access_denied"), "{odd}: {back}");
        assert!(
            !back.contains("evil") && !back.contains("Zugriff"),
            "{back}"
        );
        proxy.told(Step::Callback, Reason::ProviderDenied);
    }
    // Without the right state it stays a page.
    let page = proxy
        .browser()
        .open("https://proxy.example/oauth/callback?error=%FF&error=x")
        .await;
    assert_eq!(page.page().reply.status, 400);
}

/// Two codes are none: nobody knows which one is the person's.
#[tokio::test]
async fn an_answer_that_says_two_things_is_told_to_the_client_and_spends_nothing() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    for odd in ["&code=UPSTREAM-CODE-0", "&iss=a&iss=b", "&code=%ff"] {
        let (mut browser, callback) = before_callback(&proxy, &client).await;
        let back = browser.open(&format!("{callback}{odd}")).await.left();
        assert_eq!(
            query_param(&back, "error").as_deref(),
            Some("server_error"),
            "{odd}"
        );
        proxy.told(Step::Callback, Reason::ProviderMalformed);
    }
    assert_eq!(proxy.provider.count(Kind::Token), 0);
}

#[tokio::test]
async fn a_callback_with_neither_code_nor_error_is_the_providers_fault() {
    let proxy = Proxy::start().await;
    let state = ("state", "{state}".to_owned());
    proxy
        .provider
        .next_authorize(AuthorizeAnswer::Params(vec![state]));
    assert_eq!(failure(&proxy).await, "server_error");
    proxy.told(Step::Callback, Reason::ProviderMalformed);
}

#[tokio::test]
async fn a_failed_exchange_goes_back_to_the_client_never_as_a_bare_500() {
    let proxy = Proxy::with(|b| b.upstream_request_timeout(Duration::from_millis(500))).await;
    let raw = |status, kind, body: &str| Answer::Raw(status, kind, body.to_owned());
    let json = "application/json";
    for (answer, code, reason) in [
        (
            Answer::Error(400, "invalid_grant"),
            "server_error",
            Reason::ProviderRejected,
        ),
        (
            Answer::Error(401, "invalid_client"),
            "server_error",
            Reason::ProviderRejected,
        ),
        (
            Answer::Error(200, "bad_verification_code"),
            "server_error",
            Reason::ProviderRejected,
        ),
        (
            Answer::Status(500),
            "temporarily_unavailable",
            Reason::ProviderUnavailable,
        ),
        (
            Answer::Status(503),
            "temporarily_unavailable",
            Reason::ProviderUnavailable,
        ),
        (
            Answer::Status(429),
            "temporarily_unavailable",
            Reason::ProviderUnavailable,
        ),
        (
            Answer::Hang,
            "temporarily_unavailable",
            Reason::ProviderUnavailable,
        ),
        (
            Answer::Lost,
            "temporarily_unavailable",
            Reason::ProviderUnavailable,
        ),
        (
            raw(200, json, "{"),
            "server_error",
            Reason::ProviderMalformed,
        ),
        (
            raw(200, json, "[]"),
            "server_error",
            Reason::ProviderMalformed,
        ),
        (
            raw(200, json, ""),
            "server_error",
            Reason::ProviderMalformed,
        ),
        (
            raw(200, "text/html", "<h1>x</h1>"),
            "server_error",
            Reason::ProviderMalformed,
        ),
        (
            Answer::Without(&["access_token"]),
            "server_error",
            Reason::ProviderMalformed,
        ),
        (
            Answer::Padded(3 << 20),
            "server_error",
            Reason::ProviderMalformed,
        ),
        (
            Answer::Redirect("https://evil.example/".into()),
            "temporarily_unavailable",
            Reason::ProviderUnavailable,
        ),
    ] {
        let said = format!("{answer:?}");
        proxy.provider.next_token(answer);
        assert_eq!(
            failure(&proxy).await,
            code,
            "{}",
            &said[..said.len().min(80)]
        );
        proxy.told(Step::Callback, reason);
    }
}

#[tokio::test]
async fn answers_of_other_forms_are_understood() {
    let proxy = Proxy::start().await;
    for answer in [
        Answer::Form,
        Answer::Without(&["expires_in"]),
        Answer::Without(&["refresh_token"]),
        Answer::Without(&["scope"]),
        Answer::Without(&["refresh_token", "expires_in", "scope"]),
        Answer::With(json!({ "token_type": "bearer" })),
        Answer::With(json!({ "expires_in": "3600" })),
        Answer::With(json!({ "unknown": { "nested": [1, 2, 3] } })),
    ] {
        let client = proxy.client().await;
        proxy.provider.next_token(answer.clone());
        let tokens = proxy.journey(&client).await;
        proxy.session(&client, &tokens.access).await;
        assert!(tokens.refresh.is_some(), "{answer:?}");
    }
}

#[tokio::test]
async fn an_id_token_that_breaks_a_rule_lets_nobody_in() {
    let proxy = Proxy::start().await;
    let now = proxy.clock.unix();
    for claims in [
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "aud": "another-app" }),
        json!({ "aud": null }),
        json!({ "aud": ["upstream-app", "another"], "azp": "another" }),
        json!({ "exp": now - 3600 }),
        json!({ "exp": null }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
    ] {
        let changed = claims.as_object().unwrap().clone();
        proxy
            .provider
            .configure(|settings| settings.id_token = changed);
        assert_eq!(failure(&proxy).await, "server_error", "{claims}");
        proxy.told(Step::Callback, Reason::IdToken);
    }
}

#[tokio::test]
async fn the_redirects_issuer_is_checked_when_it_is_known() {
    use testkit::{
        FakeClock, Provider,
        proxy::{BASE, builder_from, upstream},
    };
    let clock = FakeClock::default();
    let provider = Arc::new(Provider::start(clock.clone()).await);
    let issuer = provider.origin.clone();
    let builder = builder_from(upstream(&provider).issuer(issuer), BASE);
    let proxy = Proxy::built(provider, clock, BASE, builder);
    let client = proxy.client().await;
    proxy.journey(&client).await;
    proxy
        .provider
        .configure(|settings| settings.name_issuer = true);
    proxy.journey(&client).await;
    let forged = vec![
        ("code", "UPSTREAM-CODE-1".to_owned()),
        ("state", "{state}".to_owned()),
        ("iss", "https://evil.example".to_owned()),
    ];
    proxy
        .provider
        .configure(|settings| settings.name_issuer = false);
    let before = proxy.provider.count(Kind::Token);
    proxy
        .provider
        .next_authorize(AuthorizeAnswer::Params(forged));
    assert_eq!(failure(&proxy).await, "server_error");
    assert_eq!(
        proxy.provider.count(Kind::Token),
        before,
        "no code to a mixed-up provider"
    );
}

#[tokio::test]
async fn allow_lists_let_in_only_verified_people() {
    let emails = Proxy::with(|b| b.allowed_emails(["ADA@example.com"])).await;
    let domains = Proxy::with(|b| b.allowed_domains(["example.com"])).await;
    for proxy in [emails, domains] {
        let client = proxy.client().await;
        proxy.journey(&client).await;
        for claims in [
            json!({ "email": "eve@evil.example" }),
            json!({ "email": "ada@example.com@evil.example" }),
            json!({ "email": "ada@example.com.evil.example" }),
            json!({ "email": "ada@sub.example.com" }),
            json!({ "email_verified": false }),
            json!({ "email_verified": null }),
            json!({ "email": null }),
        ] {
            let claims = claims.as_object().unwrap().clone();
            let said = format!("{claims:?}");
            proxy
                .provider
                .configure(|settings| settings.id_token = claims);
            assert_eq!(failure(&proxy).await, "access_denied", "{said}");
            proxy.told(Step::Callback, Reason::NotAllowed);
        }
    }
}

#[tokio::test]
async fn the_login_hook_sees_the_person_and_may_refuse() {
    let proxy = Proxy::with(|builder| {
        builder.on_login(async |request: tower_oauth_proxy::LoginRequest| {
            match request.person.subject.as_deref() {
                Some("person-1") => Ok(()),
                _ => Err(Veto::new("members only")),
            }
        })
    })
    .await;
    let client = proxy.client().await;
    proxy.journey(&client).await;
    let stranger = json!({ "sub": "stranger" });
    proxy
        .provider
        .configure(|settings| settings.id_token = stranger.as_object().unwrap().clone());
    assert_eq!(failure(&proxy).await, "access_denied");
    proxy.told(Step::Callback, Reason::HookDenied);
}

#[tokio::test]
async fn extra_parameters_are_added_and_never_override_the_protocols_own() {
    let proxy = Proxy::with(|builder| {
        builder
            .extra_authorization_params([("prompt", "consent"), ("state", "x"), ("client_id", "x")])
            .extra_token_params([("audience", "api"), ("grant_type", "x"), ("code", "x")])
    })
    .await;
    let client = proxy.client().await;
    proxy.journey(&client).await;
    let asked = proxy.provider.last(Kind::Authorize);
    assert_eq!(asked.param("prompt"), Some("consent"));
    assert_ne!(asked.param("state"), Some("x"));
    assert_eq!(asked.param("client_id"), Some("upstream-app"));
    let exchange = proxy.provider.last(Kind::Token);
    assert_eq!(exchange.param("audience"), Some("api"));
    assert_eq!(exchange.param("grant_type"), Some("authorization_code"));
    assert_ne!(exchange.param("code"), Some("x"));
}

#[tokio::test]
async fn a_provider_without_pkce_gets_none_and_a_forwarded_resource_arrives() {
    let proxy = Proxy::with(|b| b.upstream_pkce(false).forward_resource(true)).await;
    let client = proxy.client().await;
    proxy.journey(&client).await;
    let asked = proxy.provider.last(Kind::Authorize);
    assert_eq!(asked.param("code_challenge"), None);
    assert_eq!(asked.param("resource"), Some("https://proxy.example/mcp"));
    let exchange = proxy.provider.last(Kind::Token);
    assert_eq!(exchange.param("code_verifier"), None);
}
