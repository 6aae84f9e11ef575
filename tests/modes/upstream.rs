//! How the provider is spoken to, and how the browser is.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use sha2::{Digest, Sha256};

use crate::inside::{before_callback, tokens_of};
use testkit::{Kind, Landing, Pkce, Proxy, Tokens, client::CALLBACK, wire::query_param};

const AT_AUTHORIZE: [&str; 11] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
];

const AT_TOKEN: [&str; 8] = [
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "client_id",
    "client_secret",
    "token",
];

#[tokio::test]
async fn no_extra_parameter_overrides_repeats_or_sneaks_in_one_of_the_protocol() {
    for pkce in [true, false] {
        let proxy = Proxy::with(|builder| {
            builder
                .upstream_pkce(pkce)
                .extra_authorization_params(AT_AUTHORIZE.map(|name| (name, "evil")))
                .extra_token_params(AT_TOKEN.map(|name| (name, "evil")))
        })
        .await;
        let client = proxy.client().await;
        let tokens = proxy.journey(&client).await;
        client.refresh(tokens.refresh()).await.expect(200);
        // Renews at the provider too.
        proxy.clock.advance_secs(3590);
        let requests = proxy.provider.requests();
        assert!(requests.len() >= 2);
        for request in &requests {
            for (name, value) in &request.params {
                assert_ne!(value, "evil", "{name}: {request:?}");
                request.param(name); // stands once
            }
        }
        let asked = proxy.provider.last(Kind::Authorize);
        let callback = format!("{}/oauth/callback", proxy.base);
        assert_eq!(asked.param("redirect_uri"), Some(&*callback));
        assert_eq!(asked.param("response_type"), Some("code"));
        assert_eq!(asked.param("code_challenge").is_some(), pkce);
    }
}

#[tokio::test]
async fn extra_token_parameters_go_with_each_refresh_too() {
    let proxy = Proxy::with(|builder| {
        builder
            .extra_token_params([("audience", "api"), ("refresh_token", "evil")])
            .access_token_ttl(std::time::Duration::from_secs(60))
    })
    .await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy.clock.advance_secs(3600);
    client.refresh(tokens.refresh()).await.expect(200);
    let asked = proxy.provider.last(Kind::Token);
    assert_eq!(asked.param("grant_type"), Some("refresh_token"));
    assert_eq!(asked.param("audience"), Some("api"));
    assert!(
        asked
            .param("refresh_token")
            .unwrap()
            .starts_with("UPSTREAM-REFRESH-")
    );
}

#[tokio::test]
async fn the_provider_gets_a_pkce_pair_of_the_proxys_own_unless_it_knows_none() {
    let proxy = Proxy::start().await;
    proxy
        .provider
        .configure(|settings| settings.require_pkce = true);
    let client = proxy.client().await;
    let pkce = Pkce::new();
    let mut browser = proxy.browser();
    let callback = proxy.login(&mut browser, &client, &pkce).await;
    client.redeem(&callback, &pkce).await.expect(200);
    let asked = proxy.provider.last(Kind::Authorize);
    let sent = proxy.provider.last(Kind::Token);
    let (challenge, verifier) = (asked.param("code_challenge"), sent.param("code_verifier"));
    let expected = B64.encode(Sha256::digest(verifier.unwrap()));
    assert_eq!(challenge, Some(&*expected));
    assert_eq!(asked.param("code_challenge_method"), Some("S256"));
    assert_ne!(challenge, Some(&*pkce.challenge), "not the client's");

    let proxy = Proxy::with(|b| b.upstream_pkce(false)).await;
    let client = proxy.client().await;
    proxy.journey(&client).await;
    let (asked, sent) = (
        proxy.provider.last(Kind::Authorize),
        proxy.provider.last(Kind::Token),
    );
    for name in ["code_challenge", "code_challenge_method", "code_verifier"] {
        assert_eq!((asked.param(name), sent.param(name)), (None, None));
    }
    // The client still needs its own.
    let url = client
        .authorize(&Pkce::new(), "s")
        .without("code_challenge");
    let back = proxy.browser().open(&url.url()).await.left();
    assert_eq!(query_param(&back, "error").unwrap(), "invalid_request");
}

#[tokio::test]
async fn plain_pkce_is_for_clients_only_where_allowed_and_still_proves_something() {
    let changes = |pkce: &Pkce| -> [(&str, String); 2] {
        [
            ("code_challenge", pkce.verifier.clone()),
            ("code_challenge_method", "plain".to_owned()),
        ]
    };
    let strict = Proxy::start().await;
    let open = Proxy::with(|b| b.allow_plain_pkce(true)).await;
    for (proxy, advertised) in [(&strict, false), (&open, true)] {
        let metadata = "/.well-known/oauth-authorization-server";
        let metadata = proxy.wire.get(metadata, &[]).await.json();
        let methods = metadata["code_challenge_methods_supported"].as_array();
        let methods = methods.unwrap();
        assert!(methods.contains(&"S256".into()));
        assert_eq!(methods.contains(&"plain".into()), advertised);
    }
    let client = strict.client().await;
    let pkce = Pkce::new();
    let [challenge, method] = changes(&pkce);
    let asked = client
        .authorize(&pkce, "s")
        .with(challenge.0, &challenge.1)
        .with(method.0, &method.1);
    for asked in [asked.clone(), asked.without("code_challenge_method")] {
        let back = strict.browser().open(&asked.url()).await.left();
        assert_eq!(query_param(&back, "error").unwrap(), "invalid_request");
    }

    let client = open.client().await;
    for without_method in [false, true] {
        let mut asked = client
            .authorize(&pkce, "s")
            .with(challenge.0, &challenge.1)
            .with(method.0, &method.1);
        if without_method {
            asked = asked.without("code_challenge_method");
        }
        let mut browser = open.browser();
        let callback = open.approve(&mut browser, &asked.url()).await.left();
        let reply = client.redeem(&callback, &Pkce::new()).await;
        reply.refused(400, "invalid_grant");
        client.redeem(&callback, &pkce).await.expect(200);
    }
    // S256 stays what it is: its challenge is no verifier.
    let mut browser = open.browser();
    let callback = open.login(&mut browser, &client, &pkce).await;
    let confused = Pkce {
        verifier: pkce.challenge.clone(),
        ..pkce.clone()
    };
    let reply = client.redeem(&callback, &confused).await;
    reply.refused(400, "invalid_grant");
}

#[tokio::test]
async fn the_provider_hears_of_the_resource_only_where_the_operator_says_so() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    proxy.journey(&client).await;
    for kind in [Kind::Authorize, Kind::Token] {
        assert_eq!(proxy.provider.last(kind).param("resource"), None);
    }
    let proxy = Proxy::with(|b| {
        b.forward_resource(true)
            .extra_authorization_params([("resource", "evil")])
    })
    .await;
    let client = proxy.client().await;
    for resource in [proxy.base.clone(), format!("{}/mcp/x", proxy.base)] {
        tokens_of(&proxy, &client, &[("resource", &resource)]).await;
        for kind in [Kind::Authorize, Kind::Token] {
            let asked = proxy.provider.last(kind);
            assert_eq!(asked.param("resource"), Some(&*resource), "{kind:?}");
        }
    }
}

#[tokio::test]
async fn the_providers_callback_can_be_another_path_and_is_then_the_only_one() {
    for base in ["https://proxy.example", "https://proxy.example/api"] {
        let proxy = Proxy::at(base, |b| b.redirect_path("/auth/done")).await;
        let client = proxy.client().await;
        let (mut browser, callback) = before_callback(&proxy, &client, &Pkce::new()).await;
        assert!(
            callback.starts_with(&format!("{base}/auth/done?")),
            "{callback}"
        );
        // The usual place is nothing special any more.
        let usual = callback.replace("/auth/done", "/oauth/callback");
        let page = browser.open(&usual).await.page();
        assert_eq!(page.reply.status, 401);
        let back = browser.open(&callback).await.left();
        assert!(back.starts_with(CALLBACK), "{back}");
        assert!(query_param(&back, "code").is_some(), "{back}");
        let sent = proxy.provider.last(Kind::Token);
        let expected = format!("{base}/auth/done");
        assert_eq!(sent.param("redirect_uri"), Some(&*expected));
    }
}

/// The names of all cookies that a whole login sets, and their attributes.
async fn cookies(proxy: &Proxy) -> Vec<String> {
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let pkce = Pkce::new();
    let url = client.authorize(&pkce, "state").url();
    let callback = match proxy.approve(&mut browser, &url).await {
        Landing::Left(callback) => callback,
        // Where cookies can be planted, the person is shown the account first.
        Landing::Page(_) => browser.press("approve").await.left(),
    };
    let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
    proxy.session(&client, &tokens.access).await;
    let replies = browser.history.iter().map(|visit| &visit.reply);
    let lines = replies.flat_map(|reply| reply.headers.get_all("set-cookie"));
    lines
        .map(|line| line.to_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn cookies_are_host_cookies_on_https_unless_the_operator_names_another_prefix() {
    let https = "https://proxy.example";
    for (base, prefix, starts) in [
        (https, None, "__Host-oauth-"),
        ("https://proxy.example/api", None, "__Host-oauth-"),
        ("http://127.0.0.1:8000", None, "oauth-"),
        (https, Some("__Secure-"), "__Secure-oauth-"),
        (https, Some(""), "oauth-"),
        (https, Some("my_app."), "my_app.oauth-"),
    ] {
        let proxy = Proxy::at(base, |builder| match prefix {
            Some(prefix) => builder.cookie_prefix(prefix),
            None => builder,
        })
        .await;
        let cookies = cookies(&proxy).await;
        assert!(cookies.len() >= 2, "{cookies:?}");
        for cookie in cookies {
            assert!(cookie.starts_with(starts), "{prefix:?}: {cookie}");
            assert!(cookie.contains("; HttpOnly"), "{cookie}");
            assert!(cookie.contains("; SameSite=Lax"), "{cookie}");
            let is_secure = cookie.contains("; Secure");
            assert_eq!(is_secure, base.starts_with("https"), "{cookie}");
            assert!(!cookie.contains("Domain="), "{cookie}");
        }
    }
}
