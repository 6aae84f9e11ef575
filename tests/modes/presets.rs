//! Presets before a provider of that layout: whole journeys, over HTTP.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tower_oauth_proxy::{OAuthProxyConfigBuilder, provider};

use crate::inside::session;
use testkit::{
    Answer, FakeClock, Kind, Provider, Proxy, Tokens,
    provider::SigningKey,
    proxy::{BASE, builder_from},
};

const HOUR: u64 = 3600;
const ORG: &str = "00Dx0000000BV7z";
const USER: &str = "005x00000012Q9P";

/// A provider that signs, whose issuer has this path.
async fn idp(path: &str) -> (Arc<Provider>, FakeClock) {
    let clock = FakeClock::default();
    let idp = Arc::new(Provider::start(clock.clone()).await);
    idp.signs(&SigningKey::es256("key-1"));
    idp.configure(|settings| settings.issuer += path);
    (idp, clock)
}

fn before(
    idp: &Arc<Provider>,
    clock: FakeClock,
    preset: tower_oauth_proxy::Provider,
    change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> Proxy {
    let builder = change(builder_from(preset, BASE));
    Proxy::built(Arc::clone(idp), clock, BASE, builder)
}

fn says(idp: &Provider, person: &Value, id_token: &Value) {
    idp.configure(|settings| {
        settings.person.extend(person.as_object().unwrap().clone());
        settings.id_token = id_token.as_object().unwrap().clone();
    });
}

async fn salesforce(
    change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> (Arc<Provider>, Proxy) {
    let (idp, clock) = idp("").await;
    let settings = idp.settings();
    let url = |host: &str| format!("https://{host}/id/{ORG}/{USER}");
    says(
        &idp,
        &json!({"sub": url("login.salesforce.com"), "urls": {"rest": "https://acme.example/"}}),
        &json!({"sub": url("acme.my.salesforce.com")}),
    );
    idp.configure(|settings| settings.expires_in = None);
    let preset =
        provider::salesforce(settings.client_id, settings.client_secret).authority(&idp.url(""));
    let proxy = before(&idp, clock, preset, change);
    (idp, proxy)
}

#[tokio::test]
async fn a_subject_that_is_put_together_is_the_same_at_login_renewal_and_userinfo() {
    let (idp, proxy) = salesforce(|b| b.access_token_ttl(Duration::from_secs(24 * HOUR))).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let name = format!("{ORG}/{USER}");
    assert_eq!(session(&proxy, &tokens.access).await.subject(), name);
    assert_eq!(idp.count(Kind::UserInfo), 1, "the ID token says little");
    let asked = idp.last(Kind::Authorize);
    assert!(asked.param("scope").unwrap().contains("refresh_token"));
    // A token without a known end is renewed all the same, and its ID token comes from a third host.
    let elsewhere = format!("https://test.salesforce.com/id/{ORG}/{USER}");
    says(&idp, &json!({}), &json!({ "sub": elsewhere }));
    proxy.clock.advance_secs(2 * HOUR);
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    assert_eq!(idp.count_grant("refresh_token"), 1);
    assert_eq!(session(&proxy, &tokens.access).await.subject(), name);
    // Another user of the same organization is another person.
    let eve = format!("https://login.salesforce.com/id/{ORG}/005x00000099Q9P");
    says(&idp, &json!({ "sub": eve }), &json!({ "sub": eve }));
    proxy.clock.advance_secs(2 * HOUR);
    let reply = client.refresh(tokens.refresh()).await.expect(400);
    assert_eq!(reply.json()["error"], "invalid_grant");
}

/// The grant's ID token has the provider's own `sub`, and so has userinfo.
#[tokio::test]
async fn userinfo_alone_proves_that_a_person_with_such_a_subject_is_still_there() {
    let (idp, proxy) = salesforce(|b| b.identity_max_age(Duration::from_secs(HOUR))).await;
    idp.configure(|settings| {
        settings.expires_in = Some(3650 * 24 * HOUR);
        settings.issue_refresh = false;
    });
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let before = idp.count(Kind::UserInfo);
    proxy.clock.advance_secs(2 * HOUR);
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    assert_eq!(idp.count(Kind::UserInfo), before + 1);
    idp.always(
        Kind::UserInfo,
        Answer::With(json!({"sub": "https://login.salesforce.com/id/x/y"})),
    );
    proxy.clock.advance_secs(2 * HOUR);
    client.refresh(tokens.refresh()).await.expect(400);
}

#[tokio::test]
async fn roles_of_one_client_are_read_from_below_its_name() {
    let (idp, clock) = idp("/realms/acme").await;
    let settings = idp.settings();
    let access = json!({
        "upstream-app": {"roles": ["writer"]}, "payroll": {"roles": ["admin"]},
    });
    says(
        &idp,
        &json!({"resource_access": access, "realm_access": {"roles": ["staff"]}}),
        &json!({}),
    );
    let preset = provider::keycloak(
        &idp.url(""),
        "acme",
        settings.client_id,
        settings.client_secret,
    );
    let proxy = before(&idp, clock, preset, |b| {
        b.role_claims(["realm_access", "/resource_access/upstream-app/roles"])
    });
    let tokens = proxy.journey(&proxy.client().await).await;
    let roles = session(&proxy, &tokens.access).await.roles().to_vec();
    assert_eq!(roles, ["staff", "writer"]);
    let asked = idp.last(Kind::Authorize);
    assert!(asked.param("scope").unwrap().ends_with("offline_access"));
}

#[tokio::test]
async fn an_issuer_with_a_slash_and_an_audience_goes_with_all_three_requests() {
    let (idp, clock) = idp("/").await;
    let settings = idp.settings();
    let preset = provider::auth0(&idp.url(""), settings.client_id, settings.client_secret)
        .audience("https://api.acme.example");
    let proxy = before(&idp, clock, preset, |b| b);
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let audience = |kind: Kind| idp.last(kind).param("audience").map(str::to_owned);
    assert_eq!(
        audience(Kind::Authorize).as_deref(),
        Some("https://api.acme.example")
    );
    assert_eq!(
        audience(Kind::Token).as_deref(),
        Some("https://api.acme.example")
    );
    proxy.clock.advance_secs(HOUR);
    client.refresh(tokens.refresh()).await.expect(200);
    assert_eq!(idp.count_grant("refresh_token"), 1);
    assert_eq!(
        audience(Kind::Token).as_deref(),
        Some("https://api.acme.example")
    );
}

#[tokio::test]
async fn a_nonce_is_sent_without_openid_to_a_provider_that_wants_one() {
    let (idp, clock) = idp("").await;
    let settings = idp.settings();
    let preset = provider::workos(&idp.url(""), settings.client_id, settings.client_secret)
        .scopes(["read", "write"]);
    let proxy = before(&idp, clock, preset, |b| b.scopes(["read", "write"]));
    let tokens = proxy.journey(&proxy.client().await).await;
    let asked = idp.last(Kind::Authorize);
    assert!(!asked.param("scope").unwrap().contains("openid"));
    assert!(asked.param("nonce").is_some_and(|nonce| nonce.len() > 20));
    assert_eq!(session(&proxy, &tokens.access).await.subject(), "person-1");
}
