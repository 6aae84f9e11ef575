//! A provider that is named by its issuer alone, and what its document may say.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tower_oauth_proxy::{OAuthProxyConfigBuilder, Reason, Step, provider};

use testkit::{
    Answer, Client, FakeClock, Kind, Pkce, Provider, Proxy,
    provider::{ClientAuth, MetadataAt, SigningKey},
    proxy::{BASE, builder_from},
    wire::query_param,
};

/// How long a document lives at most, and a failure or a cooldown.
const LIFE: u64 = 3600;
const MOMENT: u64 = 11;

/// A provider that signs, and a proxy that knows its issuer alone.
pub(crate) async fn by_issuer(
    path: &str,
    change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> Proxy {
    let clock = FakeClock::default();
    let idp = Arc::new(Provider::start(clock.clone()).await);
    idp.signs(&SigningKey::es256("key-1"));
    idp.configure(|settings| settings.issuer += path);
    before(idp, clock, change)
}

fn before(
    idp: Arc<Provider>,
    clock: FakeClock,
    change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> Proxy {
    let settings = idp.settings();
    let known = provider::oidc(settings.issuer, settings.client_id, settings.client_secret);
    Proxy::built(idp, clock, BASE, change(builder_from(known, BASE)))
}

async fn plain() -> Proxy {
    by_issuer("", |builder| builder).await
}

fn says(proxy: &Proxy, members: Value) {
    let Value::Object(members) = members else {
        panic!("members")
    };
    let configure = |settings: &mut testkit::provider::Settings| settings.metadata = members;
    proxy.provider.configure(configure);
}

/// A login that comes to nothing: the error that the client hears.
pub(crate) async fn refused(proxy: &Proxy, client: &Client) -> String {
    let url = client.authorize(&Pkce::new(), "client-state").url();
    let back = proxy.approve(&mut proxy.browser(), &url).await.left();
    let state = query_param(&back, "state");
    assert_eq!(state.as_deref(), Some("client-state"), "{back}");
    assert_eq!(query_param(&back, "code"), None, "{back}");
    query_param(&back, "error").unwrap_or_else(|| panic!("no error in {back}"))
}

/// The last refusal, in words.
#[track_caller]
pub(crate) fn why(proxy: &Proxy, step: Step, reason: Reason) -> String {
    proxy.told(step, reason);
    let events = proxy.events();
    let last = events.iter().rfind(|event| event.reason.is_some()).unwrap();
    assert!(!format!("{events:?}").contains("UPSTREAM-"), "{events:#?}");
    last.detail.clone().unwrap()
}

#[tokio::test]
async fn an_issuer_is_enough_for_logins_renewals_and_revocations() {
    for path in ["", "/", "/realms/acme", "/o/slug/"] {
        for place in [MetadataAt::OpenId, MetadataAt::OAuth] {
            let proxy = by_issuer(path, |builder| builder).await;
            proxy
                .provider
                .configure(|settings| settings.metadata_at = place);
            let client = proxy.client().await;
            assert_eq!(
                proxy.provider.requests().len(),
                0,
                "nothing is asked at start"
            );
            let tokens = proxy.journey(&client).await;
            assert_eq!(
                proxy.session(&client, &tokens.access).await["subject"],
                "person-1"
            );
            proxy.clock.advance_secs(LIFE - 10);
            client.refresh(tokens.refresh()).await.expect(200);
            assert_eq!(
                proxy.provider.count_grant("refresh_token"),
                1,
                "{path} {place:?}"
            );
            client.revoke(&tokens.access).await.expect(200);
            proxy.layer.admin().drain(Duration::from_secs(20)).await;
            assert_eq!(proxy.provider.count(Kind::Revoke), 1);
        }
    }
}

#[tokio::test]
async fn a_document_and_its_keys_are_read_once_for_many_logins() {
    let proxy = plain().await;
    let client = proxy.client().await;
    for _ in 0..3 {
        proxy.journey(&client).await;
    }
    assert_eq!(proxy.provider.count(Kind::Discovery), 1);
    assert_eq!(proxy.provider.count(Kind::Keys), 1);
}

#[tokio::test]
async fn a_provider_that_is_down_at_start_delays_its_logins_alone() {
    let proxy = plain().await;
    proxy.provider.always(Kind::Discovery, Answer::Status(503));
    let metadata = "/.well-known/oauth-authorization-server";
    proxy.wire.get(metadata, &[]).await.expect(200);
    let client = proxy.client().await;
    assert_eq!(refused(&proxy, &client).await, "temporarily_unavailable");
    let words = why(&proxy, Step::Authorize, Reason::ProviderUnavailable);
    let asked = proxy.provider.url("/.well-known/openid-configuration");
    assert!(words.contains(&asked) && words.contains("503"), "{words}");
    // Up again.
    proxy.provider.always(Kind::Discovery, Answer::Normal);
    proxy.clock.advance_secs(MOMENT);
    proxy.journey(&client).await;
}

#[tokio::test]
async fn a_provider_without_a_document_says_both_places_that_were_asked() {
    let proxy = by_issuer("/realms/acme", |builder| builder).await;
    proxy
        .provider
        .configure(|settings| settings.metadata_at = MetadataAt::Nowhere);
    let client = proxy.client().await;
    assert_eq!(refused(&proxy, &client).await, "temporarily_unavailable");
    let words = why(&proxy, Step::Authorize, Reason::ProviderUnavailable);
    for place in [
        "/realms/acme/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/realms/acme",
    ] {
        assert!(words.contains(place) && words.contains("404"), "{words}");
    }
    proxy
        .provider
        .configure(|settings| settings.metadata_at = MetadataAt::OpenId);
    proxy.clock.advance_secs(MOMENT);
    proxy.journey(&client).await;
}

#[tokio::test]
async fn a_slow_a_huge_and_an_unreadable_document_are_refused_within_bounds() {
    for (answer, heard, reason, words) in [
        (
            Answer::Hang,
            "temporarily_unavailable",
            Reason::ProviderUnavailable,
            "in time",
        ),
        (
            Answer::Drip,
            "temporarily_unavailable",
            Reason::ProviderUnavailable,
            "in time",
        ),
        (
            Answer::Lost,
            "temporarily_unavailable",
            Reason::ProviderUnavailable,
            "reached",
        ),
        (
            Answer::Padded(10 << 20),
            "server_error",
            Reason::ProviderMalformed,
            "larger than",
        ),
        (
            Answer::Raw(200, "text/html", "<h1>Sign in</h1>".to_owned()),
            "server_error",
            Reason::ProviderMalformed,
            "not a JSON object",
        ),
        (
            Answer::Raw(200, "application/json", "{}".to_owned()),
            "server_error",
            Reason::ProviderMalformed,
            "names no `issuer`",
        ),
        (
            Answer::Redirect("https://evil.example/".to_owned()),
            "temporarily_unavailable",
            Reason::ProviderUnavailable,
            "redirects are not followed",
        ),
    ] {
        let proxy = by_issuer("", |builder| {
            builder.upstream_request_timeout(Duration::from_secs(3))
        })
        .await;
        proxy.provider.always(Kind::Discovery, answer.clone());
        let client = proxy.client().await;
        assert_eq!(refused(&proxy, &client).await, heard, "{answer:?}");
        let said = why(&proxy, Step::Authorize, reason);
        assert!(said.contains(words), "{answer:?}: {said}");
        assert_eq!(proxy.provider.count(Kind::Authorize), 0);
        assert_eq!(proxy.provider.count(Kind::Token), 0);
    }
}

#[tokio::test]
async fn a_document_that_lies_is_refused_and_one_that_was_mended_is_seen_soon() {
    for (lie, words) in [
        (
            json!({"issuer": "https://evil.example"}),
            "https://evil.example",
        ),
        (
            json!({"token_endpoint": "http://evil.example/token"}),
            "must be https",
        ),
        (
            json!({"jwks_uri": "https://u:p@evil.example/k"}),
            "user name or password",
        ),
        (
            json!({"authorization_endpoint": null}),
            "authorization_endpoint",
        ),
        (json!({"token_endpoint": null}), "token_endpoint"),
        (json!({"token_endpoint": 7}), "token_endpoint"),
        (
            json!({"token_endpoint": "https://169.254.169.254/token"}),
            "metadata service",
        ),
        (
            json!({"userinfo_endpoint": "https://[fd00:ec2::254]/latest"}),
            "metadata service",
        ),
        (
            json!({"id_token_signing_alg_values_supported": ["HS256"]}),
            "HS256",
        ),
        (
            json!({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}),
            "private_key_jwt",
        ),
    ] {
        let proxy = plain().await;
        says(&proxy, lie.clone());
        let client = proxy.client().await;
        assert_eq!(refused(&proxy, &client).await, "server_error", "{lie}");
        let said = why(&proxy, Step::Authorize, Reason::ProviderMalformed);
        assert!(said.contains(words), "{lie}: {said}");
        if lie.get("issuer").is_some() {
            assert!(
                said.contains(&proxy.provider.origin),
                "both are named: {said}"
            );
        }
        assert_eq!(proxy.provider.count(Kind::Authorize), 0);
        says(&proxy, json!({}));
        proxy.clock.advance_secs(MOMENT);
        proxy.journey(&client).await;
    }
}

#[tokio::test]
async fn an_old_document_serves_while_the_provider_hides_it() {
    let proxy = by_issuer("", |b| b.access_token_ttl(Duration::from_secs(24 * LIFE))).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    for answer in [
        Answer::Status(503),
        Answer::Status(404),
        Answer::Padded(10 << 20),
    ] {
        proxy.provider.always(Kind::Discovery, answer.clone());
        proxy.clock.advance_secs(2 * LIFE);
        proxy.journey(&client).await;
        let seen = proxy.session(&client, &tokens.access).await;
        assert_eq!(seen["subject"], "person-1", "{answer:?}");
    }
    assert!(proxy.provider.count_grant("refresh_token") >= 3);
}

/// A new process knows no document. What it cannot ask is later, and never over.
#[tokio::test]
async fn a_renewal_without_a_document_is_later_and_ends_no_grant() {
    let clock = FakeClock::default();
    let idp = Arc::new(Provider::start(clock.clone()).await);
    idp.signs(&SigningKey::es256("key-1"));
    let store = testkit::Store::new(&clock);
    let start = || {
        before(idp.clone(), clock.clone(), |b| {
            b.token_storage(store.clone())
        })
    };
    let first = start();
    let client = first.client().await;
    let tokens = first.journey(&client).await;
    clock.advance_secs(LIFE);
    let second = start();
    let client = Client {
        wire: second.wire.clone(),
        ..client
    };
    for answer in [
        Answer::Status(503),
        Answer::With(json!({"issuer": "https://evil.example"})),
    ] {
        idp.always(Kind::Discovery, answer);
        let reply = client.refresh(tokens.refresh()).await.expect(503);
        assert_eq!(reply.json()["error"], "temporarily_unavailable");
        clock.advance_secs(60);
    }
    assert_eq!(idp.count_grant("refresh_token"), 0);
    idp.always(Kind::Discovery, Answer::Normal);
    client.refresh(tokens.refresh()).await.expect(200);
    assert_eq!(idp.count_grant("refresh_token"), 1);
}

#[tokio::test]
async fn a_callback_without_an_issuer_is_refused_where_the_document_promises_one() {
    let proxy = plain().await;
    let client = proxy.client().await;
    let name = "authorization_response_iss_parameter_supported";
    proxy
        .provider
        .configure(|settings| settings.name_issuer = true);
    proxy.journey(&client).await;
    proxy
        .provider
        .configure(|settings| settings.name_issuer = false);
    says(&proxy, json!({ name: true }));
    assert_eq!(refused(&proxy, &client).await, "server_error");
    let words = why(&proxy, Step::Callback, Reason::ProviderDenied);
    assert!(words.contains("iss"), "{words}");
    assert_eq!(
        proxy.provider.count(Kind::Token),
        1,
        "the code is not spent"
    );
    let other = plain().await;
    says(&other, json!({ name: false }));
    other.journey(&other.client().await).await;
}

#[tokio::test]
async fn the_way_to_authenticate_is_the_documents() {
    for (listed, expected) in [
        (Value::Null, ClientAuth::Basic),
        (json!(["client_secret_post"]), ClientAuth::Post),
        (
            json!(["client_secret_basic", "client_secret_post"]),
            ClientAuth::Basic,
        ),
    ] {
        let proxy = plain().await;
        proxy
            .provider
            .configure(|settings| settings.client_auth = expected);
        says(
            &proxy,
            json!({"token_endpoint_auth_methods_supported": listed}),
        );
        let client = proxy.client().await;
        let tokens = proxy.journey(&client).await;
        client.revoke(tokens.refresh()).await.expect(200);
    }
}

#[tokio::test]
async fn offline_access_is_asked_for_where_the_document_lists_it() {
    for (listed, is_asked) in [
        (json!(["openid", "offline_access"]), true),
        (json!(["openid"]), false),
        (Value::Null, false),
    ] {
        let proxy = plain().await;
        says(&proxy, json!({ "scopes_supported": listed }));
        proxy.journey(&proxy.client().await).await;
        let asked = proxy.provider.last(Kind::Authorize);
        let scope = asked.param("scope").unwrap();
        assert_eq!(scope.contains("offline_access"), is_asked, "{scope}");
        assert!(asked.param("code_challenge").is_some(), "PKCE in any case");
    }
}

#[tokio::test]
async fn many_logins_at_once_ask_for_the_document_once() {
    let proxy = Arc::new(plain().await);
    let gate = testkit::provider::Gate::default();
    proxy
        .provider
        .always(Kind::Discovery, Answer::Held(gate.clone()));
    let client = Arc::new(proxy.client().await);
    let logins: Vec<_> = (0..5)
        .map(|_| {
            let (proxy, client) = (proxy.clone(), client.clone());
            tokio::spawn(async move { proxy.journey(&client).await })
        })
        .collect();
    while proxy.provider.count(Kind::Discovery) == 0 {
        tokio::task::yield_now().await;
    }
    gate.open();
    for login in logins {
        login.await.unwrap();
    }
    assert_eq!(proxy.provider.count(Kind::Discovery), 1);
}

/// A new process takes it that the provider has userinfo, until it has read the document.
#[tokio::test]
async fn a_person_is_not_taken_for_proven_where_the_document_turns_out_to_name_no_userinfo() {
    let clock = FakeClock::default();
    let idp = Arc::new(Provider::start(clock.clone()).await);
    idp.signs(&SigningKey::es256("key-1"));
    idp.configure(|settings| {
        settings.expires_in = Some(30 * 24 * LIFE);
        settings
            .metadata
            .insert("userinfo_endpoint".to_owned(), Value::Null);
        settings.person.insert("roles".to_owned(), json!(["admin"]));
    });
    let store = testkit::Store::new(&clock);
    let day = Duration::from_secs(24 * LIFE);
    let start = || {
        before(idp.clone(), clock.clone(), |builder| {
            let builder = builder.token_storage(store.clone());
            builder.access_token_ttl(10 * day).identity_max_age(day)
        })
    };
    let first = start();
    let client = first.client().await;
    let tokens = first.journey(&client).await;
    clock.advance(2 * day);
    let second = start();
    let client = Client {
        wire: second.wire.clone(),
        ..client
    };
    client.refresh(tokens.refresh()).await.expect(503);
    let events = second.events();
    let mut words = events.iter().filter_map(|event| event.detail.as_deref());
    assert!(
        words.any(|words| words.contains("names no userinfo")),
        "{events:#?}"
    );
    clock.advance_secs(60);
    client.refresh(tokens.refresh()).await.expect(200);
    assert_eq!(idp.count_grant("refresh_token"), 1, "renewed");
    assert_eq!(idp.count(Kind::UserInfo), 0);
}
