//! The provider's token behind a session, checked whenever the session is seen first (`upstream_verifier`).

use std::sync::Arc;

use serde_json::{Value, json};
use tower_oauth_proxy::{
    IntrospectionVerifier, OAuthProxyConfigBuilder, Reason, Step, provider::generic,
};

use crate::{inside::session, people::person};
use testkit::{
    Answer, FakeClock, Kind, Provider, Proxy,
    provider::Gate,
    proxy::{BASE, builder_from, upstream},
};

fn introspection(provider: &Arc<Provider>) -> IntrospectionVerifier {
    let settings = provider.settings();
    IntrospectionVerifier::new(
        provider.url("/introspect"),
        &settings.client_id,
        &settings.client_secret,
    )
    .without_audience()
    .client(settings.client_id)
}

/// Every verdict is asked for anew, so that each answer here counts.
async fn start() -> Proxy {
    let clock = FakeClock::default();
    let provider = Arc::new(Provider::start(clock.clone()).await);
    let zero = std::time::Duration::ZERO;
    let verifier = introspection(&provider)
        .cache_ttl(zero)
        .refused_cache_ttl(zero);
    Proxy::before(provider, clock, BASE, |builder| {
        builder.upstream_verifier(verifier).session_cache_ttl(zero)
    })
}

fn says(proxy: &Proxy, members: &Value) {
    let said = Answer::Raw(200, "application/json", members.to_string());
    proxy.provider.next(Kind::Introspect, said);
}

#[tokio::test]
async fn the_providers_token_is_asked_for_at_each_first_sight_and_the_clients_never() {
    let proxy = start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    assert_eq!(proxy.provider.count(Kind::Introspect), 0);
    let session = proxy.session(&client, &tokens.access).await;
    assert_eq!(session["subject"], "person-1");
    client.call("/mcp", &tokens.access).await.expect(200);
    assert_eq!(proxy.provider.count(Kind::Introspect), 2);
    let asked = proxy.provider.last(Kind::Introspect);
    assert_ne!(asked.param("token"), Some(&*tokens.access));
    // The provider's own token opens nothing here.
    let upstream = asked.param("token").unwrap().to_owned();
    client.call("/mcp", &upstream).await.expect(401);
    assert_eq!(proxy.provider.count(Kind::Introspect), 2);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_new_one_counts() {
    let proxy = start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let before = proxy.provider.count(Kind::Token);
    says(&proxy, &json!({"active": false}));
    client.call("/mcp", &tokens.access).await.expect(200);
    assert_eq!(proxy.provider.count(Kind::Token), before + 1);
    let asked = proxy.provider.requests_of(Kind::Introspect);
    let asked: Vec<_> = asked.iter().map(|request| request.param("token")).collect();
    assert_eq!(asked.len(), 2);
    assert_ne!(asked[0], asked[1]);
    // From now on the new one stands behind the session.
    client.call("/mcp", &tokens.access).await.expect(200);
    assert_eq!(proxy.provider.count(Kind::Token), before + 1);
}

#[tokio::test]
async fn what_is_refused_again_is_401_and_ends_no_grant() {
    let proxy = start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    says(&proxy, &json!({"active": false}));
    says(&proxy, &json!({"active": false}));
    client.call("/mcp", &tokens.access).await.expect(401);
    proxy.told(Step::Bearer, Reason::InvalidToken);
    // Renewed just now: no other is to be had, and this one is refused.
    says(&proxy, &json!({"active": false}));
    client.call("/mcp", &tokens.access).await.expect(401);
    proxy.told(Step::Bearer, Reason::InvalidToken);
    client.call("/mcp", &tokens.access).await.expect(200);
}

#[tokio::test]
async fn a_role_that_the_renewal_takes_away_is_gone_with_this_request() {
    let proxy = start().await;
    person(&proxy, &json!({ "roles": ["admin"] }));
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let seen = session(&proxy, &tokens.access).await;
    assert_eq!(seen.roles(), ["admin"]);
    person(&proxy, &json!({ "roles": [] }));
    says(&proxy, &json!({"active": false}));
    let seen = session(&proxy, &tokens.access).await;
    assert!(seen.roles().is_empty());
}

#[tokio::test]
async fn a_grant_that_is_revoked_while_the_verifier_is_asked_lets_no_one_in() {
    let proxy = Arc::new(start().await);
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let gate = Gate::default();
    proxy
        .provider
        .next(Kind::Introspect, Answer::Held(gate.clone()));
    let (wire, access) = (client.clone(), tokens.access.clone());
    let asked = tokio::spawn(async move { wire.call("/mcp", &access).await });
    while proxy.provider.count(Kind::Introspect) == 0 {
        tokio::task::yield_now().await;
    }
    client.revoke(tokens.refresh()).await.expect(200);
    gate.open();
    asked.await.unwrap().expect(401);
    proxy.told(Step::Bearer, Reason::GrantEnded);
}

#[tokio::test]
async fn a_refused_token_that_cannot_be_renewed_is_401() {
    let proxy = start().await;
    proxy
        .provider
        .configure(|settings| settings.issue_refresh = false);
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    says(&proxy, &json!({"active": false}));
    client.call("/mcp", &tokens.access).await.expect(401);
    assert_eq!(proxy.provider.count(Kind::Introspect), 1);
    client.call("/mcp", &tokens.access).await.expect(200);
}

#[tokio::test]
async fn a_verifier_that_cannot_ask_is_503_and_never_401() {
    let proxy = start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    for trouble in [
        Answer::Status(500),
        Answer::Status(429),
        Answer::Status(401),
    ] {
        proxy.provider.next(Kind::Introspect, trouble);
        client.call("/mcp", &tokens.access).await.expect(503);
        proxy.told(Step::Bearer, Reason::ProviderUnavailable);
    }
    client.call("/mcp", &tokens.access).await.expect(200);
}

#[tokio::test]
async fn where_the_provider_refuses_the_renewal_too_the_grant_ends() {
    let proxy = start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy.provider.remove_app();
    client.call("/mcp", &tokens.access).await.expect(401);
    proxy.told(Step::Bearer, Reason::GrantEnded);
    let refresh = client.refresh(tokens.refresh()).await;
    assert_eq!(refresh.expect(400).json()["error"], "invalid_grant");
}

#[tokio::test]
async fn it_stands_neither_beside_passthrough_nor_before_several_providers() {
    let provider = Arc::new(Provider::start(FakeClock::default()).await);
    let builder =
        || builder_from(upstream(&provider), BASE).upstream_verifier(introspection(&provider));
    let refused = |builder: OAuthProxyConfigBuilder| builder.build().unwrap_err();
    let beside = refused(builder().passthrough(introspection(&provider)));
    assert_eq!(beside.option(), "upstream_verifier");
    assert!(beside.to_string().contains("passthrough"), "{beside}");
    let url = |path: &str| format!("https://b.example/{path}");
    let second = generic(
        url("authorize"),
        url("token"),
        "app",
        "c1f4a96e2b7d58033e9d6ab84f7520ce",
    );
    let several = refused(builder().also_provider(second.id("b").name("B")));
    assert_eq!(several.option(), "upstream_verifier");
    assert!(several.to_string().contains("also_provider"), "{several}");
    assert!(builder().build().is_ok());
}
