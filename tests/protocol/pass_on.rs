//! What of a client's request the provider is told, where the operator lets it through (OpenID
//! Connect Core section 3.1.2.1).

use tower_oauth_proxy::{Consent, PassOn, Reason, Step};

use testkit::{Kind, Pkce, Proxy, client::Authorize, provider::Recorded, wire::query_param};

const ALL: [PassOn; 4] = [
    PassOn::Prompt,
    PassOn::LoginHint,
    PassOn::MaxAge,
    PassOn::UiLocales,
];

fn wishing(request: Authorize) -> Authorize {
    request
        .and("prompt", "select_account")
        .and("login_hint", "ada@example.com")
        .and("max_age", "300")
        .and("ui_locales", "de-AT de")
}

async fn asked(proxy: &Proxy) -> Recorded {
    let client = proxy.client().await;
    let url = wishing(client.authorize(&Pkce::new(), "s")).url();
    proxy.approve(&mut proxy.browser(), &url).await.left();
    proxy.provider.last(Kind::Authorize)
}

#[tokio::test]
async fn nothing_is_passed_on_by_default() {
    let proxy = Proxy::start().await;
    let asked = asked(&proxy).await;
    for name in ["prompt", "login_hint", "max_age", "ui_locales"] {
        assert_eq!(asked.param(name), None, "{name}");
    }
}

#[tokio::test]
async fn what_the_operator_names_reaches_the_provider() {
    let proxy = Proxy::with(|builder| builder.pass_on(ALL)).await;
    let all = asked(&proxy).await;
    assert_eq!(all.param("prompt"), Some("select_account"));
    assert_eq!(all.param("login_hint"), Some("ada@example.com"));
    assert_eq!(all.param("max_age"), Some("300"));
    assert_eq!(all.param("ui_locales"), Some("de-AT de"));
    let proxy = Proxy::with(|builder| builder.pass_on([PassOn::LoginHint])).await;
    let one = asked(&proxy).await;
    assert_eq!(one.param("login_hint"), Some("ada@example.com"));
    assert_eq!(one.param("prompt"), None);
}

#[tokio::test]
async fn what_the_operator_configured_stays_and_prompts_are_joined() {
    let proxy = Proxy::with(|builder| {
        let extra = [("prompt", "consent"), ("max_age", "60")];
        builder.pass_on(ALL).extra_authorization_params(extra)
    })
    .await;
    let asked = asked(&proxy).await;
    assert_eq!(asked.param("prompt"), Some("consent select_account"));
    assert_eq!(asked.param("max_age"), Some("60"));
}

#[tokio::test]
async fn a_request_that_wants_nobody_to_be_asked_is_refused() {
    let proxy = Proxy::with(|builder| builder.pass_on(ALL)).await;
    let client = proxy.client().await;
    for (name, value, code) in [
        ("prompt", "none", "interaction_required"),
        ("prompt", "login none", "interaction_required"),
        ("max_age", "soon", "invalid_request"),
    ] {
        let request = client.authorize(&Pkce::new(), "s").and(name, value);
        let back = proxy.browser().open(&request.url()).await.left();
        assert_eq!(
            query_param(&back, "error").as_deref(),
            Some(code),
            "{value}"
        );
        proxy.told(Step::Authorize, Reason::UnsupportedType);
    }
    // Where it is not passed on, nobody reads it.
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let request = client.authorize(&Pkce::new(), "s").and("prompt", "none");
    proxy.browser().open(&request.url()).await.page();
}

#[tokio::test]
async fn a_client_that_wants_consent_gets_it_although_one_is_remembered() {
    let proxy = Proxy::with(|builder| builder.pass_on(ALL).consent(Consent::Remember)).await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let request = client.authorize(&Pkce::new(), "s");
    proxy.approve(&mut browser, &request.url()).await.left();
    browser
        .open(&request.clone().and("prompt", "login").url())
        .await
        .left();
    browser
        .open(&request.and("prompt", "consent").url())
        .await
        .page();
}
