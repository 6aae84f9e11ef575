//! Tokens that are asked for at the server that issued them, by `IntrospectionVerifier`.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tower_oauth_proxy::{
    ConfigError, IntrospectionVerifier, OAuthProxyConfig, Reason, ResourceServerBuilder, Step,
};

use testkit::{
    Answer, Kind, Provider, Proxy, Resource,
    provider::{ClientAuth, Gate, MARK},
    proxy::BASE,
};

fn verifier(provider: &Arc<Provider>) -> IntrospectionVerifier {
    let settings = provider.settings();
    let endpoint = provider.url("/introspect");
    IntrospectionVerifier::new(endpoint, settings.client_id, settings.client_secret)
}

async fn configured(
    change: impl FnOnce(IntrospectionVerifier) -> IntrospectionVerifier,
) -> Resource {
    Resource::with(|provider| change(verifier(provider))).await
}

async fn start() -> Resource {
    configured(|verifier| verifier).await
}

#[tokio::test]
async fn an_opaque_token_is_asked_for_with_this_services_own_credentials() {
    for (how, change) in [
        (
            ClientAuth::Basic,
            (|verifier| verifier) as fn(IntrospectionVerifier) -> IntrospectionVerifier,
        ),
        (ClientAuth::Post, IntrospectionVerifier::credentials_in_body),
    ] {
        let at = configured(change).await;
        let token = at.token("https://proxy.example/mcp", "read write").await;
        at.provider.configure(|settings| settings.client_auth = how);
        let session = at.session(&token).await;
        assert_eq!(session["subject"], "person-1");
        assert_eq!(session["client_id"], "upstream-app");
        assert_eq!(session["scopes"], json!(["read", "write"]));
        assert_eq!(session["resource"], "https://proxy.example/mcp");
        assert_eq!(session["claims"]["username"], "Ada Example");
        let asked = at.provider.last(Kind::Introspect);
        assert_eq!(asked.header("accept"), Some("application/json"));
        assert_eq!(asked.param("token"), Some(&*token));
        assert_eq!(asked.param("token_type_hint"), Some("access_token"));
        assert_eq!(
            asked.param("client_secret").is_some(),
            how == ClientAuth::Post
        );
    }
}

#[tokio::test]
async fn a_service_may_prove_itself_by_a_token_of_its_own() {
    let at = Resource::with(|provider| {
        let endpoint = provider.url("/introspect");
        IntrospectionVerifier::with_bearer_token(endpoint, "service-token")
    })
    .await;
    let said = json!({"active": true, "sub": "ada", "aud": BASE}).to_string();
    let said = Answer::Raw(200, "application/json", said);
    at.provider.always(Kind::Introspect, said);
    assert_eq!(at.session("some-token").await["subject"], "ada");
    let asked = at.provider.last(Kind::Introspect);
    assert_eq!(asked.header("authorization"), Some("Bearer service-token"));
}

#[tokio::test]
async fn it_guards_passthrough_mode_as_well() {
    let clock = testkit::FakeClock::default();
    let provider = Arc::new(Provider::start(clock.clone()).await);
    let verifier = verifier(&provider)
        .without_audience()
        .client("upstream-app");
    let proxy = Proxy::before(provider, clock, BASE, |builder| {
        builder.passthrough(verifier)
    });
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let session = proxy.session(&client, &tokens.access).await;
    assert_eq!(session["subject"], "person-1");
    assert_eq!(proxy.provider.count(Kind::Introspect), 1);
}

#[tokio::test]
async fn a_revoked_token_ends_within_the_caches_life_and_a_good_one_is_asked_for_once_in_it() {
    let at = start().await;
    let token = at.token(BASE, "read").await;
    for _ in 0..6 {
        at.session(&token).await;
        // Beyond the layer's own memory of sessions, within the verifier's.
        at.clock.advance_secs(9);
    }
    assert_eq!(at.provider.count(Kind::Introspect), 1);
    at.provider.remove_app();
    at.call("/mcp", &token).await.expect(200);
    at.clock.advance_secs(61);
    at.call("/mcp", &token).await.expect(401);
    let words = at.told(Step::Bearer, Reason::InvalidToken);
    assert!(words.contains("not active"), "{words}");
    // And so is the refusal believed, for ten seconds.
    at.call("/mcp", &token).await.expect(401);
    assert_eq!(at.provider.count(Kind::Introspect), 2);
    at.clock.advance_secs(11);
    at.call("/mcp", &token).await.expect(401);
    assert_eq!(at.provider.count(Kind::Introspect), 3);
}

#[tokio::test]
async fn a_token_is_believed_no_longer_than_it_lives_however_long_the_cache() {
    let hour = Duration::from_secs(3_600);
    let at = configured(|verifier| verifier.cache_ttl(hour)).await;
    at.provider
        .configure(|settings| settings.expires_in = Some(20));
    let token = at.token(BASE, "read").await;
    at.session(&token).await;
    at.clock.advance_secs(19);
    at.session(&token).await;
    assert_eq!(at.provider.count(Kind::Introspect), 1);
    at.clock.advance_secs(1);
    at.call("/mcp", &token).await.expect(401);
}

#[tokio::test]
async fn a_hundred_requests_with_one_new_token_cause_one_question() {
    let at = Arc::new(start().await);
    let token = at.token(BASE, "read").await;
    for (answer, status) in [(None, 200), (Some("unknown-token"), 401)] {
        let token = answer.unwrap_or(&token).to_owned();
        let before = at.provider.count(Kind::Introspect);
        let gate = Gate::default();
        at.provider
            .next(Kind::Introspect, Answer::Held(gate.clone()));
        let all: Vec<_> = (0..100)
            .map(|_| {
                let (at, token) = (at.clone(), token.clone());
                tokio::spawn(async move { at.call("/mcp", &token).await.status.as_u16() })
            })
            .collect();
        while at.provider.count(Kind::Introspect) == before {
            tokio::task::yield_now().await;
        }
        // Every request has reached the verifier, and waits.
        for _ in 0..500 {
            tokio::task::yield_now().await;
        }
        gate.open();
        for one in all {
            assert_eq!(one.await.unwrap(), status);
        }
        assert_eq!(at.provider.count(Kind::Introspect), before + 1);
    }
}

#[tokio::test]
async fn a_request_that_is_given_up_leaves_the_question_to_the_next() {
    let at = Arc::new(start().await);
    let token = at.token(BASE, "read").await;
    at.provider.next(Kind::Introspect, Answer::Hang);
    let first = {
        let (at, token) = (at.clone(), token.clone());
        tokio::spawn(async move { at.call("/mcp", &token).await })
    };
    while at.provider.count(Kind::Introspect) == 0 {
        tokio::task::yield_now().await;
    }
    first.abort();
    at.session(&token).await;
    assert_eq!(at.provider.count(Kind::Introspect), 2);
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_asked_is_503_and_never_401_and_is_asked_again() {
    let at = Resource::at(BASE, verifier, |builder| {
        builder.upstream_request_timeout(Duration::from_millis(300))
    })
    .await;
    let token = at.token(BASE, "read").await;
    let json = |status, body: &str| Answer::Raw(status, "application/json", body.to_owned());
    let large = format!(r#"{{"active":true,"sub":"{}"}}"#, "x".repeat(70_000));
    for (answer, words) in [
        (Answer::Error(401, "invalid_client"), "own credentials"),
        (Answer::Error(429, "slow_down"), "status 429"),
        (Answer::Status(502), "status 502"),
        (
            Answer::Redirect("https://elsewhere.example".to_owned()),
            "status 302",
        ),
        (Answer::Lost, "could not be reached"),
        (Answer::Drip, "in time"),
        (Answer::Hang, "in time"),
        (Answer::Padded(70_000), "larger than"),
        (json(200, &large), "larger than"),
        (json(200, r#"{"active":"true"}"#), "`active`"),
        (json(200, r#"[{"active":true}]"#), "JSON object"),
        (Answer::Form, "JSON object"),
        (
            Answer::Raw(
                200,
                "application/token-introspection+jwt",
                "e30.e30.".to_owned(),
            ),
            "RFC 9701",
        ),
    ] {
        let shown = format!("{answer:?}");
        at.provider.next(Kind::Introspect, answer);
        let refused = at.call("/mcp", &token).await;
        assert_eq!(refused.status, 503, "{shown}: {refused:?}");
        assert!(refused.header("retry-after").is_some());
        assert!(refused.header("www-authenticate").is_none());
        let told = at.told(Step::Bearer, Reason::ProviderUnavailable);
        // The layer's own patience may end first, and then there is no more to say.
        let is_timeout = words == "in time" && told.is_empty();
        assert!(told.contains(words) || is_timeout, "{shown}: {told}");
        assert!(!told.contains(MARK), "{told}");
        assert!(!refused.text().contains("introspection"), "{refused:?}");
    }
    at.session(&token).await;
}

#[tokio::test]
async fn what_the_server_says_of_other_tokens_is_refused() {
    let at = configured(|verifier| {
        verifier
            .audience("api://here")
            .issuer("https://idp.example")
    })
    .await;
    let token = at.token("https://other.example/mcp", "read").await;
    let issuer = json!({"iss": "https://idp.example"});
    for (changes, status) in [
        (json!({}), 401),
        (json!({"aud": "api://here"}), 200),
        (json!({"aud": ["api://there", "api://here"]}), 200),
        (json!({"aud": "api://there"}), 401),
        (
            json!({"aud": BASE, "iss": "https://idp.example/other"}),
            401,
        ),
        (json!({"aud": BASE, "token_type": "refresh_token"}), 401),
        (json!({"aud": BASE, "cnf": {"jkt": "x"}}), 401),
        (json!({"aud": BASE, "sub": null}), 401),
        (json!({"aud": BASE, "active": false}), 401),
    ] {
        let mut said = issuer.as_object().unwrap().clone();
        said.extend(changes.as_object().unwrap().clone());
        at.provider
            .next(Kind::Introspect, Answer::With(said.into()));
        assert_eq!(at.call("/mcp", &token).await.status, status, "{changes}");
        at.clock.advance_secs(100);
    }
}

#[tokio::test]
async fn a_token_for_one_path_is_refused_at_another_and_the_next_request_is_not_asked_about() {
    let at = start().await;
    let token = at.token("https://proxy.example/mcp", "read").await;
    at.call("/admin", &token).await.expect(401);
    at.told(Step::Bearer, Reason::WrongAudience);
    at.call("/mcp", &token).await.expect(200);
    assert_eq!(at.provider.count(Kind::Introspect), 1);
}

#[tokio::test]
async fn garbage_without_number_is_asked_for_once_each_and_leaves_good_tokens_alone() {
    let at = start().await;
    let token = at.token(BASE, "read").await;
    at.session(&token).await;
    for number in 0..300 {
        at.call("/mcp", &format!("garbage-{number}"))
            .await
            .expect(401);
    }
    assert_eq!(at.provider.count(Kind::Introspect), 301);
    at.clock.advance_secs(11);
    at.session(&token).await;
    assert_eq!(at.provider.count(Kind::Introspect), 301);
    // What is no token at all goes nowhere.
    for odd in ["a b", "a\"b", "\u{e9}"] {
        let value = format!("Bearer {odd}");
        at.wire
            .get("/mcp", &[("authorization", &value)])
            .await
            .expect(401);
    }
    assert_eq!(at.provider.count(Kind::Introspect), 301);
}

#[test]
fn a_verifier_that_cannot_work_says_so_when_the_configuration_is_built() {
    let at = |endpoint: &str| IntrospectionVerifier::new(endpoint, "id", "hunter2-secret");
    let good = || at("https://idp.example/introspect");
    let built = |verifier: IntrospectionVerifier| -> Result<(), ConfigError> {
        let server: ResourceServerBuilder = OAuthProxyConfig::resource_server(BASE, verifier);
        let server = server.authorization_server("https://idp.example");
        server.build().map(drop)
    };
    built(good()).unwrap();
    let endless = Duration::from_secs(3_601);
    for (verifier, words) in [
        (at(""), "cannot be parsed"),
        (at("http://idp.example/introspect"), "https"),
        (at("https://u:hunter2-secret@idp.example/i"), "password"),
        (at("https://idp.example/i#x"), "fragment"),
        (
            IntrospectionVerifier::new("https://idp.example/i", "", "s"),
            "empty credentials",
        ),
        (
            IntrospectionVerifier::new("https://idp.example/i", "id", ""),
            "empty credentials",
        ),
        (
            IntrospectionVerifier::new("https://idp.example/i", "id", "s\n"),
            "line break",
        ),
        (
            IntrospectionVerifier::with_bearer_token("https://idp.example/i", ""),
            "empty credentials",
        ),
        (good().audience(""), "empty audience"),
        (good().issuer(" "), "empty audience, issuer or client"),
        (good().client(""), "empty audience, issuer or client"),
        (good().cache_ttl(endless), "an hour"),
        (good().refused_cache_ttl(endless), "an hour"),
    ] {
        let printed = format!("{verifier:?}");
        assert!(!printed.contains("hunter2"), "{printed}");
        let error = built(verifier).unwrap_err();
        assert_eq!(error.option(), "verifier");
        let error = error.to_string();
        assert!(
            error.contains(words) && !error.contains("hunter2"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_audience_that_is_not_asked_for_is_reported_unless_a_client_is_named() {
    for (at, weak) in [
        (configured(IntrospectionVerifier::without_audience).await, 1),
        (
            configured(|verifier| verifier.without_audience().client("app")).await,
            0,
        ),
        (start().await, 0),
    ] {
        let events = at.events();
        let found = events
            .iter()
            .filter(|event| event.reason == Some(Reason::WeakOption));
        assert_eq!(found.count(), weak);
    }
    let any = configured(IntrospectionVerifier::without_audience).await;
    let token = any.token("https://other.example", "read").await;
    assert_eq!(any.session(&token).await["resource"], BASE);
}

#[tokio::test]
async fn a_verifier_without_a_layer_says_why_it_cannot_answer() {
    use tower_oauth_proxy::{TokenVerifier, VerifyError, VerifyRequest};

    let alone = IntrospectionVerifier::new("https://idp.example/i", "id", "secret");
    let error = alone.verify(VerifyRequest::new("t")).await.unwrap_err();
    assert!(matches!(error, VerifyError::Unavailable(why) if why.to_string().contains("connect")));
}
