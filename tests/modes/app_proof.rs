//! How the proxy proves to its provider that it is the registered app, in other ways than a secret.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};
use tower_oauth_proxy::{
    BoxError, OAuthProxyConfig, Provider as Upstream, Reason, Step,
    provider::{self, ClientCredential, ClientKey},
};

use crate::oidc::{refused, why};
use testkit::{
    Answer, FakeClock, Kind, Provider, Proxy,
    provider::{ClientAuth, Settings},
    proxy::{BASE, builder_from},
};

const P256: &str = include_str!("../../src/jose/vectors/p256.pkcs8.pem");
const RSA: &str = include_str!("../../src/jose/vectors/rsa.pkcs8.pem");
const EXCHANGES: usize = 3;

fn key(pem: &str) -> ClientKey {
    ClientKey::from_pem(pem).unwrap()
}

/// The public half of a key, as another implementation wrote it.
pub(crate) fn jwk(kind: &str, algorithm: &str) -> Value {
    let made = include_str!("../../src/jose/vectors/made.json");
    let made: Vec<Value> = serde_json::from_str(made).unwrap();
    let mut made = made.into_iter();
    let known = made.find(|it| it["jwk"]["kid"] == kind).unwrap();
    let mut jwk = known["jwk"].clone();
    jwk["kid"] = known["thumbprint"].clone();
    jwk["alg"] = json!(algorithm);
    jwk
}

/// Before a provider of this kind, whose app proves itself in this way.
async fn with(
    configure: impl FnOnce(&mut Settings),
    prove: impl FnOnce(Upstream, &str) -> Upstream,
) -> Proxy {
    let clock = FakeClock::default();
    let idp = Arc::new(Provider::start(clock.clone()).await);
    idp.configure(|settings| settings.client_auth = ClientAuth::Assertion);
    idp.configure(configure);
    let (settings, origin) = (idp.settings(), idp.origin.clone());
    let known = provider::generic(
        idp.url("/authorize"),
        idp.url("/token"),
        settings.client_id,
        "",
    )
    .issuer(settings.issuer)
    .userinfo_url(idp.url("/userinfo"))
    .revocation_url(idp.url("/revoke"));
    Proxy::built(idp, clock, BASE, builder_from(prove(known, &origin), BASE))
}

/// Login, renewal and revocation: three requests that need the proof.
async fn goes_through(proxy: &Proxy) {
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy.clock.advance_secs(3_590);
    let tokens = testkit::Tokens::read(&client.refresh(tokens.refresh()).await);
    client.revoke(tokens.refresh()).await.expect(200);
    let asked = proxy.provider.count(Kind::Token) + proxy.provider.count(Kind::Revoke);
    assert_eq!(asked, EXCHANGES);
    assert_eq!(proxy.provider.objections(), [""; 0]);
    assert_eq!(proxy.provider.live_refresh_tokens(), 0);
}

#[tokio::test]
async fn a_key_signs_for_each_request_what_a_strict_provider_wants() {
    for (pem, kind, algorithm) in [
        (P256, "p256", "ES256"),
        (RSA, "rsa", "RS256"),
        (RSA, "rsa", "PS256"),
    ] {
        let known = jwk(kind, algorithm);
        let proxy = with(
            |settings| settings.client_keys = vec![known],
            |upstream, _| upstream.private_key_jwt(key(pem).algorithm(algorithm).unwrap()),
        );
        let proxy = proxy.await;
        goes_through(&proxy).await;
        let sent = proxy.provider.requests_of(Kind::Token).remove(0);
        assert_eq!(sent.param("client_id"), Some("upstream-app"));
        assert_eq!(sent.param("client_secret"), None);
        assert_eq!(sent.header("authorization"), None);
    }
}

#[tokio::test]
async fn the_audience_is_the_issuer_unless_another_is_named_or_none_is_known() {
    let signing = |upstream: Upstream, _: &str| upstream.private_key_jwt(key(P256));
    // A provider of the old school, and one that wants its own word.
    let old = |settings: &mut Settings| {
        settings.client_keys = vec![jwk("p256", "ES256")];
        settings.assertion_audience = Some(format!("{}/token", settings.issuer));
    };
    let proxy = with(old, |upstream, origin| {
        signing(upstream, origin).assertion_audience(format!("{origin}/token"))
    })
    .await;
    goes_through(&proxy).await;
    // The issuer where a token endpoint is wanted: the operator hears it, the client does not.
    let proxy = with(old, signing).await;
    let client = proxy.client().await;
    assert_eq!(refused(&proxy, &client).await, "server_error");
    let words = why(&proxy, Step::Callback, Reason::ProviderRejected);
    assert!(words.contains("invalid_client"), "{words}");
    assert_eq!(proxy.provider.objections(), ["for another server"]);
}

#[tokio::test]
async fn a_key_that_the_provider_does_not_know_says_nothing_about_people() {
    let proxy = with(
        |settings| settings.client_keys = vec![jwk("p256", "ES256")],
        |upstream, _| upstream.private_key_jwt(key(P256)),
    )
    .await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy
        .provider
        .configure(|settings| settings.client_keys.clear());
    proxy.clock.advance_secs(3_601);
    let reply = client.refresh(tokens.refresh()).await.expect(503);
    assert_eq!(reply.json()["error"], "temporarily_unavailable");
    proxy
        .provider
        .configure(|settings| settings.client_keys = vec![jwk("p256", "ES256")]);
    proxy.clock.advance_secs(30);
    client.refresh(tokens.refresh()).await.expect(200);
}

#[tokio::test]
async fn an_assertion_that_is_supplied_is_asked_for_with_its_audience_and_goes_everywhere() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = asked.clone();
    let proxy = with(
        |settings| settings.client_token = Some("UPSTREAM-WORKLOAD-token".to_owned()),
        |upstream, _| {
            upstream.client_assertion(move |request| {
                kept.lock()
                    .unwrap()
                    .push((request.client_id, request.audience));
                async { Ok(ClientCredential::once("UPSTREAM-WORKLOAD-token")) }
            })
        },
    )
    .await;
    goes_through(&proxy).await;
    let issuer = proxy.provider.settings().issuer;
    let each = ("upstream-app".to_owned(), issuer);
    assert_eq!(*asked.lock().unwrap(), vec![each; EXCHANGES]);
}

#[tokio::test]
async fn a_credential_that_cannot_be_had_is_later_and_ends_no_grant() {
    let is_down = Arc::new(AtomicBool::new(false));
    let down = is_down.clone();
    let proxy = with(
        |settings| settings.client_token = Some("UPSTREAM-WORKLOAD-token".to_owned()),
        |upstream, _| {
            upstream.client_assertion(move |_| {
                let is_down = down.load(Relaxed);
                async move {
                    match is_down {
                        true => Err(BoxError::from("the metadata server says 500")),
                        false => Ok(ClientCredential::once("UPSTREAM-WORKLOAD-token")),
                    }
                }
            })
        },
    )
    .await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    is_down.store(true, Relaxed);
    let asked = proxy.provider.count(Kind::Token);
    assert_eq!(refused(&proxy, &client).await, "temporarily_unavailable");
    let words = why(&proxy, Step::Callback, Reason::ClientCredential);
    assert!(words.contains("the metadata server says 500"), "{words}");
    // The provider's token ends, a day passes, and more: still nothing is decided.
    for _ in 0..3 {
        proxy.clock.advance_secs(100_000);
        client.refresh(tokens.refresh()).await.expect(503);
    }
    let told = proxy.refusals();
    assert!(
        told.contains(&(Step::UpstreamRefresh, Reason::ClientCredential)),
        "{told:?}"
    );
    assert_eq!(proxy.provider.count(Kind::Token), asked, "it was not asked");
    is_down.store(false, Relaxed);
    proxy.clock.advance_secs(60);
    client.refresh(tokens.refresh()).await.expect(200);
}

/// Spring says "Bad client credentials: " and what came.
#[tokio::test]
async fn what_a_provider_echoes_of_a_supplied_credential_is_in_no_event_and_no_answer() {
    let echo = json!({
        "error": "invalid_client",
        "error_description": "cannot read UPSTREAM-WORKLOAD-token, sorry",
    });
    for secret in [true, false] {
        let proxy = with(
            |settings| settings.client_token = Some("UPSTREAM-WORKLOAD-token".to_owned()),
            |upstream, _| match secret {
                true => upstream.client_secret_from(|_| async {
                    Ok(ClientCredential::once("UPSTREAM-WORKLOAD-token"))
                }),
                false => upstream.client_assertion(|_| async {
                    Ok(ClientCredential::once("UPSTREAM-WORKLOAD-token"))
                }),
            },
        )
        .await;
        let client = proxy.client().await;
        let answer = Answer::Raw(401, "application/json", echo.to_string());
        proxy.provider.next_token(answer);
        assert_eq!(refused(&proxy, &client).await, "server_error");
        let words = why(&proxy, Step::Callback, Reason::ProviderRejected);
        assert!(words.contains("cannot read [redacted]"), "{words}");
    }
}

#[tokio::test]
async fn a_secret_that_is_supplied_is_kept_and_made_anew_when_it_is_refused_or_nears_its_end() {
    let (made, clock) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(Mutex::new(None::<FakeClock>)),
    );
    let (count, time) = (made.clone(), clock.clone());
    let proxy = with(
        |settings| {
            settings.client_auth = ClientAuth::Basic;
            settings.client_secret = "UPSTREAM-SECRET-0".to_owned();
        },
        |upstream, _| {
            upstream.client_secret_from(move |_| {
                let secret = format!("UPSTREAM-SECRET-{}", count.fetch_add(1, Relaxed));
                let now = time.lock().unwrap().as_ref().unwrap().unix();
                let end = SystemTime::UNIX_EPOCH + Duration::from_secs(now + 600);
                async move { Ok(ClientCredential::until(secret, end)) }
            })
        },
    )
    .await;
    *clock.lock().unwrap() = Some(proxy.clock.clone());
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy.journey(&client).await;
    assert_eq!(made.load(Relaxed), 1);
    // It nears its end.
    proxy.clock.advance_secs(550);
    proxy
        .provider
        .configure(|settings| settings.client_secret = "UPSTREAM-SECRET-1".to_owned());
    proxy.journey(&client).await;
    assert_eq!(made.load(Relaxed), 2);
    // Rotated at the provider: the one that was refused is not shown again.
    proxy
        .provider
        .configure(|settings| settings.client_secret = "UPSTREAM-SECRET-2".to_owned());
    proxy.clock.advance_secs(3_100);
    proxy
        .provider
        .configure(|settings| settings.client_secret = "UPSTREAM-SECRET-3".to_owned());
    client.refresh(tokens.refresh()).await.expect(503);
    assert_eq!(made.load(Relaxed), 3);
    proxy.clock.advance_secs(30);
    client.refresh(tokens.refresh()).await.expect(200);
    assert_eq!(made.load(Relaxed), 4);
}

#[test]
fn without_a_secret_of_the_providers_one_of_the_proxys_own_is_needed() {
    let supplied = |_| async { Ok(ClientCredential::once("a")) };
    let google = || provider::google("id", "");
    for upstream in [
        google().client_secret_from(supplied),
        google().client_assertion(supplied),
        google().private_key_jwt(key(P256)),
        provider::oidc("https://idp.example", "", "").client_metadata_document(),
    ] {
        assert!(upstream.check().is_ok());
        let error = OAuthProxyConfig::builder(upstream, BASE)
            .build()
            .unwrap_err();
        assert_eq!(error.option(), "secret_key", "{error}");
    }
    // An empty secret that nothing replaces is a slip.
    let error = google().check().unwrap_err().to_string();
    assert!(error.contains("client_assertion"), "{error}");
}

#[tokio::test]
async fn a_document_about_the_proxy_is_served_and_is_its_client_id() {
    let document = format!("{BASE}/oauth/client.json");
    let clock = FakeClock::default();
    let idp = Arc::new(Provider::start(clock.clone()).await);
    let known = provider::oidc(idp.settings().issuer, "", "")
        .client_metadata_document()
        .private_key_jwt(key(P256).id("k1"));
    let builder = builder_from(known, BASE).service_name("Acme");
    let proxy = Proxy::built(idp, clock, BASE, builder);
    let reply = proxy
        .wire
        .get("/oauth/client.json", &[("origin", "https://any.example")]);
    let reply = reply.await.expect(200);
    for (name, expected) in [
        ("content-type", "application/json"),
        ("cache-control", "public, max-age=300"),
        ("access-control-allow-origin", "*"),
    ] {
        assert_eq!(reply.header(name), Some(expected), "{name}");
    }
    let about = reply.json();
    assert_eq!(about["client_id"], document);
    assert_eq!(about["client_name"], "Acme");
    assert_eq!(
        about["redirect_uris"],
        json!([format!("{BASE}/oauth/callback")])
    );
    assert_eq!(about["token_endpoint_auth_method"], "private_key_jwt");

    // A provider that knows the app by nothing else.
    proxy.provider.configure(|settings| {
        settings.client_id = document;
        settings.client_auth = ClientAuth::Assertion;
        settings.client_keys = about["jwks"]["keys"].as_array().unwrap().clone();
        settings.issue_id_token = false;
    });
    goes_through(&proxy).await;
}

#[tokio::test]
async fn a_public_app_is_known_by_its_document_alone() {
    let clock = FakeClock::default();
    let idp = Arc::new(Provider::start(clock.clone()).await);
    idp.configure(|settings| {
        settings.client_id = format!("{BASE}/oauth/client.json");
        settings.client_auth = ClientAuth::Public;
        settings.issue_id_token = false;
    });
    let known = provider::oidc(idp.settings().issuer, "", "").client_metadata_document();
    let proxy = Proxy::built(idp, clock, BASE, builder_from(known, BASE));
    let about = proxy.wire.get("/oauth/client.json", &[]).await.expect(200);
    assert_eq!(about.json()["token_endpoint_auth_method"], "none");
    goes_through(&proxy).await;
}

#[tokio::test]
async fn the_document_is_not_there_unless_it_was_asked_for() {
    let proxy = Proxy::start().await;
    proxy.wire.get("/oauth/client.json", &[]).await.expect(401);
    // Its path is free for a document of the operator's own, and not for the callback.
    let own = Proxy::with(|builder| builder.public_paths(["/oauth/client.json"])).await;
    let reply = own.wire.get("/oauth/client.json", &[]).await.expect(200);
    assert_eq!(reply.header(testkit::proxy::INSIDE), Some("yes"));
    let known = || provider::oidc("https://idp.example", "", "").client_metadata_document();
    let fault = |base, path: Option<&str>, public: Option<&str>| {
        let mut builder = builder_from(known(), base);
        builder = path.into_iter().fold(
            builder,
            tower_oauth_proxy::OAuthProxyConfigBuilder::redirect_path,
        );
        let error = builder.public_paths(public).build().unwrap_err();
        error.option()
    };
    let path = Some("/oauth/client.json");
    assert_eq!(fault(BASE, path, None), "redirect_path");
    assert_eq!(fault(BASE, None, path), "public_paths");
    assert_eq!(fault("http://localhost:8080", None, None), "provider");
}
