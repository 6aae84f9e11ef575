//! What was true at login does not stay true for ever.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tower_oauth_proxy::{LoginRequest, OAuthProxyConfigBuilder, Occasion, Reason, Step, Veto};

use crate::inside::session;
use testkit::{Answer, Client, Kind, Proxy, Tokens};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn person(proxy: &Proxy, claims: &Value) {
    proxy.provider.configure(|settings| {
        settings.person.extend(claims.as_object().unwrap().clone());
    });
}

/// A provider that gives no refresh tokens and access tokens of ten years.
pub(crate) fn without_renewals(proxy: &Proxy) {
    proxy.provider.configure(|settings| {
        settings.expires_in = Some(3650 * DAY);
        settings.issue_refresh = false;
    });
}

pub(crate) async fn logged_in(proxy: &Proxy) -> (Client, Tokens) {
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    (client, tokens)
}

/// The grant is over, for the client and for the service inside, and the provider heard of it.
pub(crate) async fn is_over(proxy: &Proxy, client: &Client, tokens: &Tokens, reason: Reason) {
    let reply = client.refresh(tokens.refresh()).await.expect(400).json();
    assert_eq!(reply["error"], "invalid_grant");
    client.call("/mcp", &tokens.access).await.expect(401);
    let left = proxy.layer.admin().drain(Duration::from_secs(20)).await;
    assert_eq!(left, 0, "the provider is told");
    let events = proxy.events();
    let why = events.iter().find(|event| event.reason == Some(reason));
    let why = why.unwrap_or_else(|| panic!("no {reason:?} in {events:#?}"));
    assert!(why.grant.is_some(), "{why:?}");
}

#[tokio::test]
async fn a_role_or_claim_that_a_renewal_takes_away_is_gone_with_the_next_request() {
    let proxy = Proxy::with(|b| b.access_token_ttl(Duration::from_secs(DAY))).await;
    person(
        &proxy,
        &json!({ "roles": ["admin"], "department": "finance" }),
    );
    let (_, tokens) = logged_in(&proxy).await;
    let seen = session(&proxy, &tokens.access).await;
    assert_eq!(seen.roles(), ["admin"]);
    assert_eq!(seen.claims()["department"], "finance");
    person(&proxy, &json!({ "roles": [], "department": "none" }));
    proxy.clock.advance_secs(HOUR);
    let seen = session(&proxy, &tokens.access).await;
    assert!(seen.roles().is_empty());
    assert_eq!(seen.claims()["department"], "none");
}

#[tokio::test]
async fn roles_of_a_renewed_access_token_that_is_for_this_app_replace_the_old_ones() {
    let proxy = Proxy::with(|b| b.access_token_ttl(Duration::from_secs(DAY))).await;
    let access = |proxy: &Proxy, roles: Value| {
        proxy.provider.configure(|settings| {
            settings.jwt_access = true;
            settings.access_claims =
                json!({ "aud": "upstream-app", "sub": "person-1", "roles": roles })
                    .as_object()
                    .unwrap()
                    .clone();
        });
    };
    access(&proxy, json!(["admin"]));
    let (_, tokens) = logged_in(&proxy).await;
    assert_eq!(session(&proxy, &tokens.access).await.roles(), ["admin"]);
    access(&proxy, json!([]));
    proxy.clock.advance_secs(HOUR);
    assert!(session(&proxy, &tokens.access).await.roles().is_empty());
}

#[tokio::test]
async fn a_session_in_the_cache_has_the_new_claims_at_once_here_and_elsewhere_within_its_life() {
    let options = |b: OAuthProxyConfigBuilder| {
        b.identity_max_age(Duration::from_secs(HOUR))
            .access_token_ttl(Duration::from_secs(DAY))
            .session_cache_ttl(Duration::from_secs(60))
    };
    let (here, store) = Proxy::with_store(options).await;
    let elsewhere = here.sibling(|b| options(b).token_storage(store.clone()));
    without_renewals(&here);
    person(&here, &json!({ "roles": ["admin"] }));
    let (client, tokens) = logged_in(&here).await;
    here.clock.advance_secs(HOUR + 1);
    for proxy in [&here, &elsewhere] {
        assert_eq!(session(proxy, &tokens.access).await.roles(), ["admin"]);
    }
    person(&here, &json!({ "roles": ["reader"] }));
    Tokens::read(&client.refresh(tokens.refresh()).await);
    assert_eq!(session(&here, &tokens.access).await.roles(), ["reader"]);
    here.clock.advance_secs(61);
    assert_eq!(
        session(&elsewhere, &tokens.access).await.roles(),
        ["reader"]
    );
}

#[tokio::test]
async fn who_is_taken_off_the_allow_list_is_out_with_the_next_renewal() {
    let (proxy, store) = Proxy::with_store(|b| b.allowed_domains(["example.com"])).await;
    let (client, tokens) = logged_in(&proxy).await;
    // The operator changes the list and restarts.
    let restarted = proxy.sibling(|b| b.allowed_domains(["other.example"]).token_storage(store));
    let client = Client {
        wire: restarted.wire.clone(),
        ..client
    };
    client.call("/mcp", &tokens.access).await.expect(200);
    proxy.clock.advance_secs(HOUR);
    is_over(&restarted, &client, &tokens, Reason::NotAllowed).await;
    let events = restarted.events();
    let why = events
        .iter()
        .find(|event| event.reason == Some(Reason::NotAllowed))
        .unwrap();
    assert_eq!(why.subject.as_deref(), Some("person-1"));
    let detail = why.detail.as_ref().unwrap();
    assert!(detail.contains("ada@example.com"), "{detail}");
    assert_eq!(
        proxy.provider.live_refresh_tokens(),
        0,
        "the provider is told"
    );
}

#[tokio::test]
async fn an_address_that_is_no_longer_verified_is_out_with_the_next_renewal() {
    for issue_id_token in [true, false] {
        let proxy = Proxy::with(|b| b.allowed_domains(["example.com"])).await;
        proxy
            .provider
            .configure(|settings| settings.issue_id_token = issue_id_token);
        let (client, tokens) = logged_in(&proxy).await;
        person(&proxy, &json!({ "email_verified": false }));
        proxy.clock.advance_secs(HOUR);
        is_over(&proxy, &client, &tokens, Reason::NotAllowed).await;
    }
}

#[tokio::test]
async fn a_renewed_id_token_without_an_address_puts_nobody_out_whom_userinfo_still_vouches_for() {
    let proxy = Proxy::with(|b| b.allowed_domains(["example.com"])).await;
    let (client, tokens) = logged_in(&proxy).await;
    proxy.provider.configure(|settings| {
        for name in ["email", "email_verified"] {
            settings.id_token.insert(name.into(), Value::Null);
        }
    });
    proxy.clock.advance_secs(HOUR);
    client.call("/mcp", &tokens.access).await.expect(401);
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    client.call("/mcp", &tokens.access).await.expect(200);
    person(&proxy, &json!({ "email": "ada@other.example" }));
    proxy.clock.advance_secs(HOUR);
    is_over(&proxy, &client, &tokens, Reason::NotAllowed).await;
}

#[tokio::test]
async fn the_hook_is_asked_at_login_and_at_each_later_look_and_its_no_ends_the_grant() {
    let (asked, admits) = (
        Arc::new(Mutex::new(Vec::new())),
        Arc::new(AtomicBool::new(true)),
    );
    let (keep, says) = (asked.clone(), admits.clone());
    let proxy = Proxy::with(|b| {
        b.on_login(move |request: LoginRequest| {
            keep.lock().unwrap().push(request);
            let admits = says.load(Ordering::SeqCst);
            async move {
                match admits {
                    true => Ok(()),
                    false => Err(Veto::new("left the company")),
                }
            }
        })
    })
    .await;
    let (client, tokens) = logged_in(&proxy).await;
    proxy.clock.advance_secs(HOUR);
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    let seen = std::mem::take(&mut *asked.lock().unwrap());
    let occasions: Vec<_> = seen.iter().map(|request| request.occasion).collect();
    assert_eq!(occasions, [Occasion::Login, Occasion::Recheck]);
    for request in &seen {
        assert_eq!(request.client_id, client.id);
        assert_eq!(request.person.subject.as_deref(), Some("person-1"));
        assert_eq!(request.person.verified_email(), Some("ada@example.com"));
        assert!(request.scopes.contains("read"));
        assert_eq!(request.resource, "https://proxy.example/mcp");
    }
    admits.store(false, Ordering::SeqCst);
    proxy.clock.advance_secs(HOUR);
    is_over(&proxy, &client, &tokens, Reason::HookDenied).await;
    assert_eq!(proxy.provider.live_refresh_tokens(), 0);
}

#[tokio::test]
async fn a_renewed_id_token_that_breaks_a_rule_is_never_handed_to_a_handler() {
    for changes in [
        json!({ "sub": "somebody-else", "aud": "another-app", "exp": 1 }),
        json!({ "aud": "another-app" }),
        json!({ "exp": 1 }),
        json!({ "nonce": "of another login" }),
        json!({ "iss": "https://evil.example" }),
    ] {
        let proxy = Proxy::with(|b| b.access_token_ttl(Duration::from_secs(DAY))).await;
        let (_, tokens) = logged_in(&proxy).await;
        let at_login = session(&proxy, &tokens.access).await;
        proxy
            .provider
            .configure(|settings| settings.id_token = changes.as_object().unwrap().clone());
        proxy.clock.advance_secs(HOUR);
        let seen = session(&proxy, &tokens.access).await;
        assert_eq!(
            seen.upstream().id_token(),
            at_login.upstream().id_token(),
            "{changes}"
        );
        assert_ne!(
            seen.upstream().access_token(),
            at_login.upstream().access_token()
        );
        assert_eq!(seen.subject(), "person-1");
        assert!(
            proxy
                .refusals()
                .contains(&(Step::UpstreamRefresh, Reason::IdToken))
        );
    }
}

#[tokio::test]
async fn a_valid_id_token_about_another_person_ends_the_grant() {
    let proxy = Proxy::with(|b| b.access_token_ttl(Duration::from_secs(DAY))).await;
    let (client, tokens) = logged_in(&proxy).await;
    person(&proxy, &json!({ "sub": "person-2" }));
    proxy.clock.advance_secs(HOUR);
    client.call("/mcp", &tokens.access).await.expect(401);
    is_over(&proxy, &client, &tokens, Reason::IdToken).await;
}

#[tokio::test]
async fn where_nothing_is_renewed_userinfo_is_asked_once_the_last_proof_is_too_old() {
    let proxy = Proxy::with(|b| b.identity_max_age(Duration::from_secs(2 * HOUR))).await;
    without_renewals(&proxy);
    person(&proxy, &json!({ "roles": ["admin"] }));
    let (client, tokens) = logged_in(&proxy).await;
    let asked = || proxy.provider.count(Kind::UserInfo);
    let before = asked();
    proxy.clock.advance_secs(2 * HOUR - 1);
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    assert_eq!(asked(), before, "the proof is young enough");
    person(&proxy, &json!({ "roles": ["reader"] }));
    proxy.clock.advance_secs(1);
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    assert_eq!(asked(), before + 1);
    assert_eq!(session(&proxy, &tokens.access).await.roles(), ["reader"]);
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    assert_eq!(asked(), before + 1, "proven a moment ago");
    proxy.provider.remove_app();
    proxy.clock.advance_secs(2 * HOUR);
    is_over(&proxy, &client, &tokens, Reason::ProviderRejected).await;
}

#[tokio::test]
async fn trouble_at_userinfo_is_no_answer_for_twice_the_age_and_then_503() {
    for trouble in [
        Answer::Status(500),
        Answer::Status(429),
        Answer::Status(403),
        Answer::Lost,
    ] {
        let proxy = Proxy::with(|b| b.identity_max_age(Duration::from_secs(HOUR))).await;
        without_renewals(&proxy);
        let (client, tokens) = logged_in(&proxy).await;
        proxy.provider.always(Kind::UserInfo, trouble);
        proxy.clock.advance_secs(2 * HOUR - 1);
        let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
        proxy.clock.advance_secs(60);
        let reply = client.refresh(tokens.refresh()).await.expect(503);
        assert_eq!(reply.json()["error"], "temporarily_unavailable");
        proxy.provider.always(Kind::UserInfo, Answer::Normal);
        proxy.clock.advance_secs(60);
        Tokens::read(&client.refresh(tokens.refresh()).await);
    }
}

#[tokio::test]
async fn many_clients_that_refresh_at_once_on_two_instances_ask_userinfo_once() {
    let options = |b: OAuthProxyConfigBuilder| b.identity_max_age(Duration::from_secs(HOUR));
    let (proxy, store) = Proxy::with_store(options).await;
    let other = proxy.sibling(|b| options(b).token_storage(store));
    without_renewals(&proxy);
    let (client, tokens) = logged_in(&proxy).await;
    proxy.clock.advance_secs(HOUR);
    let before = proxy.provider.count(Kind::UserInfo);
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let wire = if n % 2 == 0 { &proxy.wire } else { &other.wire };
            let client = Client {
                wire: wire.clone(),
                ..client.clone()
            };
            let token = tokens.refresh().to_owned();
            tokio::spawn(async move { client.refresh(&token).await.status })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
    assert_eq!(proxy.provider.count(Kind::UserInfo), before + 1);
}

#[tokio::test]
async fn a_grant_has_a_last_day_where_the_operator_sets_one() {
    for renews in [true, false] {
        let proxy = Proxy::with(|b| b.grant_max_age(Duration::from_secs(10 * DAY))).await;
        if !renews {
            without_renewals(&proxy);
        }
        let (client, mut tokens) = logged_in(&proxy).await;
        for _ in 0..9 {
            proxy.clock.advance_secs(DAY);
            tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
        }
        proxy.clock.advance_secs(DAY - 100);
        tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
        assert!(tokens.expires_in <= 100, "no token outlives its grant");
        proxy.clock.advance_secs(100);
        is_over(&proxy, &client, &tokens, Reason::Expired).await;
    }
}

#[tokio::test]
async fn where_nobody_can_be_asked_a_grant_ends_after_thirty_days() {
    let clock = testkit::FakeClock::default();
    let provider = Arc::new(testkit::Provider::start(clock.clone()).await);
    let plain = tower_oauth_proxy::provider::generic(
        provider.url("/authorize"),
        provider.url("/token"),
        provider.settings().client_id,
        provider.settings().client_secret,
    );
    let builder = testkit::proxy::builder_from(plain, testkit::proxy::BASE);
    let proxy = Proxy::built(provider, clock, testkit::proxy::BASE, builder);
    without_renewals(&proxy);
    let (client, mut tokens) = logged_in(&proxy).await;
    for _ in 0..29 {
        proxy.clock.advance_secs(DAY);
        tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    }
    proxy.clock.advance_secs(DAY);
    is_over(&proxy, &client, &tokens, Reason::Expired).await;
}
