//! Who may log in.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tower_oauth_proxy::{
    LoginRequest, OAuthProxyConfig, OAuthProxyConfigBuilder, Reason, Step, Veto, provider,
};

use crate::inside::failed_login;
use testkit::{
    FakeClock, Kind, Pkce, Provider, Proxy,
    proxy::{BASE, secret},
    wire::query_param,
};

/// The person's claims, in ID token and userinfo.
pub(crate) fn person(proxy: &Proxy, claims: &Value) {
    proxy.provider.configure(|settings| {
        for (name, value) in claims.as_object().unwrap() {
            match value {
                Value::Null => drop(settings.person.remove(name)),
                value => drop(settings.person.insert(name.clone(), value.clone())),
            }
        }
    });
}

fn lists(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    builder
        .allowed_emails(["guest@other.example"])
        .allowed_domains(["Example.com"])
}

#[tokio::test]
async fn either_list_lets_in_and_no_other_address_does() {
    let proxy = Proxy::with(lists).await;
    for (email, verified, is_in) in [
        (json!("ada@example.com"), json!(true), true),
        (json!("ADA@EXAMPLE.COM"), json!(true), true),
        (json!("guest@other.example"), json!(true), true),
        (json!("ada@example.com"), json!("true"), true), // Cognito
        (json!("ada@example.com"), json!(false), false),
        (json!("ada@example.com"), json!("false"), false),
        (json!("ada@example.com"), json!(1), false),
        (json!("ada@example.com"), Value::Null, false),
        (json!("host@other.example"), json!(true), false),
        (Value::Null, json!(true), false),
        (json!(""), json!(true), false),
        (json!(["ada@example.com"]), json!(true), false),
        (json!("@example.com"), json!(true), false),
        (json!("example.com"), json!(true), false),
        (json!("ada@evil.example@example.com"), json!(true), false),
        (json!("ada@example.com@evil.example"), json!(true), false),
        (json!("ada@example.com\n"), json!(true), false),
        (json!("ada@notexample.com"), json!(true), false),
        (json!("ada@example.com.evil.example"), json!(true), false),
    ] {
        person(
            &proxy,
            &json!({ "email": email, "email_verified": verified }),
        );
        if is_in {
            let client = proxy.client().await;
            proxy.journey(&client).await;
        } else {
            let (error, _) = failed_login(&proxy).await;
            assert_eq!(error, "access_denied", "{email} {verified}");
            proxy.told(Step::Callback, Reason::NotAllowed);
        }
    }
}

#[tokio::test]
async fn addresses_from_userinfo_are_judged_the_same() {
    let proxy = Proxy::with(lists).await;
    proxy
        .provider
        .configure(|settings| settings.issue_id_token = false);
    let client = proxy.client().await;
    proxy.journey(&client).await;
    for claims in [
        json!({ "email_verified": false }),
        json!({ "email_verified": true, "email": "eve@evil.example" }),
    ] {
        person(&proxy, &claims);
        assert_eq!(failed_login(&proxy).await.0, "access_denied");
    }
    assert!(proxy.provider.count(Kind::UserInfo) >= 3);
}

/// A client asks for what it needs; the list needs an address all the same.
#[tokio::test]
async fn with_a_list_the_provider_is_asked_for_the_address_whatever_the_client_asks_for() {
    let clock = FakeClock::default();
    let idp = Arc::new(Provider::start(clock.clone()).await);
    for (listed, asked) in [(true, "repo user:email"), (false, "repo")] {
        let change = |builder: OAuthProxyConfigBuilder| match listed {
            true => lists(builder),
            false => builder,
        };
        let builder = OAuthProxyConfig::builder(
            provider::github("app", "a-client-secret").authority(&idp.url("")),
            BASE,
        )
        .secret_key(secret(1))
        .scopes(["repo", "read:user"]);
        let proxy = Proxy::built(idp.clone(), clock.clone(), BASE, change(builder));
        let client = proxy.client().await;
        let mut browser = proxy.browser();
        let url = client
            .authorize(&Pkce::new(), "s")
            .with("scope", "repo")
            .url();
        browser.open(&url).await.page();
        let at_provider = browser.press("approve").await.page().url;
        assert_eq!(query_param(&at_provider, "scope").as_deref(), Some(asked));
    }
}

#[tokio::test]
async fn unverified_addresses_count_only_where_the_operator_trusts_them() {
    let proxy = Proxy::with(|b| lists(b).insecure_trust_unverified_emails()).await;
    person(&proxy, &json!({ "email_verified": null }));
    let client = proxy.client().await;
    proxy.journey(&client).await;
    person(&proxy, &json!({ "email": "eve@evil.example" }));
    assert_eq!(failed_login(&proxy).await.0, "access_denied");
    let weak = proxy.events();
    let weak = weak.iter().find(|event| event.step == Step::Configuration);
    let weak = weak.expect("a warning");
    assert_eq!(weak.reason, Some(Reason::WeakOption));
    assert!(weak.detail.as_ref().unwrap().contains("unverified"));
}

#[tokio::test]
async fn without_lists_everybody_that_the_provider_lets_in_is_in() {
    let proxy = Proxy::start().await;
    person(&proxy, &json!({ "email": null, "email_verified": null }));
    let client = proxy.client().await;
    proxy.journey(&client).await;
}

#[tokio::test]
async fn the_login_hook_sees_whom_the_lists_admit_and_its_words_reach_the_client() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let (proxy, store) = Proxy::with_store(|builder| {
        lists(builder).on_login(move |request: LoginRequest| {
            count.fetch_add(1, Ordering::SeqCst);
            async move {
                let person = request.person;
                assert_eq!(person.verified_email(), person.email.as_deref());
                assert_eq!(person.email_domain(), Some("example.com"));
                match person.claims["team"].as_str() {
                    Some("blue") => Ok(()),
                    team => Err(Veto::new(format!("team {team:?} may not\u{7} play"))),
                }
            }
        })
    })
    .await;
    person(&proxy, &json!({ "team": "blue" }));
    let client = proxy.client().await;
    proxy.journey(&client).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);

    person(&proxy, &json!({ "team": "red" }));
    let before = store.records();
    let (error, words) = failed_login(&proxy).await;
    assert_eq!(error, "access_denied");
    assert!(words.contains("may not"), "{words}");
    // RFC 6749 section 4.1.2.1: neither quotes, backslashes nor controls.
    let allowed = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    assert!(words.bytes().all(allowed), "{words:?}");
    proxy.told(Step::Callback, Reason::HookDenied);
    // The mark of the used callback, and nothing else.
    assert_eq!(store.records(), before + 1);

    person(&proxy, &json!({ "email": "eve@evil.example" }));
    let (error, words) = failed_login(&proxy).await;
    assert_eq!(error, "access_denied");
    assert!(!words.contains("evil.example"), "{words}");
    assert_eq!(asked.load(Ordering::SeqCst), 2, "the lists come first");
}

/// The client's time to redeem begins when the browser brings it the code.
#[tokio::test]
async fn a_login_hook_that_takes_its_time_takes_none_of_the_codes() {
    let clock = FakeClock::default();
    let provider = Arc::new(Provider::start(clock.clone()).await);
    let slow = clock.clone();
    let proxy = Proxy::before(provider, clock, BASE, |builder| {
        builder
            .authorization_code_ttl(Duration::from_secs(5))
            .on_login(move |_: LoginRequest| {
                slow.advance_secs(9);
                std::future::ready(Ok(()))
            })
    });
    let client = proxy.client().await;
    let (code, pkce) = proxy.code(&client).await;
    proxy.clock.advance_secs(4);
    client.redeem_code(&code, &pkce).await.expect(200);
}

#[tokio::test]
async fn a_login_hook_that_hangs_lets_nobody_in() {
    let (proxy, store) = Proxy::with_store(|builder| {
        builder.on_login(async |_: LoginRequest| {
            // From here on nothing but the limit can wake anybody.
            tokio::time::pause();
            std::future::pending::<()>().await;
            Ok(())
        })
    })
    .await;
    let start = tokio::time::Instant::now();
    let (error, _) = failed_login(&proxy).await;
    assert_eq!(error, "temporarily_unavailable");
    assert_eq!(start.elapsed().as_secs(), 10);
    proxy.told(Step::Callback, Reason::HookDenied);
    assert_eq!(store.records(), 1, "the callback's mark");
}
