//! Access tokens of trusted issuers.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tower_oauth_proxy::{
    AuthSession, LoginRequest, OAuthProxyConfig, OAuthProxyConfigBuilder, Occasion, Reason, Step,
    TokenForError, TokenSource, TrustedIssuer, Veto, Workload,
};

use super::{AUDIENCE, At, CORP, at_once, corp, introspection, seen_by, start};
use crate::mistakes::{fault_showing, good};
use testkit::{
    Answer, Kind, Resource,
    provider::{Gate, SigningKey},
    proxy::BASE,
};

async fn trusting() -> At {
    start(|builder, idp| builder.trusted_issuer(corp(idp))).await
}

/// With a change to the issuer, and one to the builder.
async fn with(
    issuer: impl FnOnce(TrustedIssuer) -> TrustedIssuer,
    change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> At {
    start(|builder, idp| change(builder.trusted_issuer(issuer(corp(idp))))).await
}

#[tokio::test]
async fn a_token_of_a_trusted_issuer_is_a_session_of_its_person() {
    let at = trusting().await;
    let session: AuthSession = at.session(&at.token(json!({}))).await;
    assert_eq!(session.source(), TokenSource::TrustedIssuer);
    assert_eq!(session.subject(), "corp|7");
    assert_eq!(session.provider_subject(), Some("7"));
    assert_eq!(session.provider(), None);
    assert_eq!(session.client_id(), "corp-app");
    assert_eq!(session.scopes().to_string(), "openid read");
    assert_eq!(session.roles(), ["admin"]);
    assert_eq!(session.claims()["iss"], CORP);
    assert_eq!(session.resource(), AUDIENCE);
    assert_eq!((session.is_person(), session.grant_id()), (true, None));
    // It is for this service: no handler sends it to another.
    assert!(!session.has_upstream());
    let none = session.token_for("api://billing").await.unwrap_err();
    assert!(matches!(&none, TokenForError::NotOffered(why) if why.contains("trusted_issuer")));
    // An app's own token says so.
    let machine = at.token(json!({"sub": "corp-app"}));
    assert!(!at.session(&machine).await.is_person());
}

#[tokio::test]
async fn a_token_that_its_issuer_vouches_for_and_that_is_not_good_is_tried_nowhere_else() {
    let at = start(|builder, idp| {
        let builder = builder.trusted_issuer(corp(idp));
        let builder = builder.introspection("legacy", introspection(idp));
        builder.passthrough(introspection(idp))
    })
    .await;
    // Both would believe anything.
    at.introspects(json!({"active": true, "sub": "eve", "aud": BASE}));
    let now = at.proxy.clock.unix();
    for (changes, words) in [
        (json!({"aud": "another"}), "its `aud`"),
        (json!({"aud": null}), "its `aud`"),
        (json!({"exp": now - 61}), "it expired"),
        (json!({"exp": null}), "it has no `exp`"),
        (json!({"sub": null}), "its subject"),
        (json!({"nonce": "n", "scope": null}), "ID token"),
        (json!({"at_hash": "x"}), "ID token"),
        (json!({"cnf": {"jkt": "x"}}), "bound to a key"),
    ] {
        let told = at
            .refused(&at.token(changes.clone()), Reason::InvalidToken)
            .await;
        assert!(told.starts_with("trusted issuer `corp`: "), "{told}");
        assert!(told.contains(words), "{changes}: {told}");
    }
    let claims = at.claims(json!({}));
    for typ in ["id+jwt", "oauth-id-jag+jwt", "logout+jwt", "dpop+jwt"] {
        let header = json!({"alg": "ES256", "kid": "corp-1", "typ": typ});
        let token = at.key.sign_with(&header, &claims);
        assert!(
            at.refused(&token, Reason::InvalidToken)
                .await
                .contains("`typ`")
        );
    }
    for typ in ["at+jwt", "application/at+jwt", "JWT"] {
        let header = json!({"alg": "ES256", "kid": "corp-1", "typ": typ});
        at.call(&at.key.sign_with(&header, &claims))
            .await
            .expect(200);
    }
    let forged = SigningKey::es256("corp-1").sign(&claims);
    at.refused(&forged, Reason::InvalidToken).await;
    assert_eq!(at.asked(Kind::Introspect), 0);
    // Of another issuer, to the byte: not its own.
    let other = at.token(json!({"iss": "https://corp.example/"}));
    assert_eq!(at.session(&other).await.subject(), "legacy|eve");
    let none = at.token(json!({"iss": null}));
    assert_eq!(at.session(&none).await.subject(), "legacy|eve");
}

#[tokio::test]
async fn while_the_issuers_keys_cannot_be_had_its_tokens_get_503_and_never_401() {
    let at = trusting().await;
    at.proxy.provider.always(Kind::Keys, Answer::Status(500));
    let token = at.token(json!({}));
    let told = at.unavailable(&token, Reason::ProviderUnavailable).await;
    assert!(told.starts_with("trusted issuer `corp`: "), "{told}");
    at.proxy.provider.always(Kind::Keys, Answer::Normal);
    at.proxy.clock.advance(std::time::Duration::from_secs(60));
    at.call(&token).await.expect(200);
}

#[tokio::test]
async fn a_key_that_is_new_between_two_tokens_is_fetched() {
    let mut at = trusting().await;
    at.call(&at.token(json!({}))).await.expect(200);
    let newer = SigningKey::es256("corp-2");
    at.proxy
        .provider
        .configure(|settings| settings.published = vec![newer.clone()]);
    at.key = newer;
    at.proxy.clock.advance(std::time::Duration::from_secs(60));
    at.call(&at.token(json!({}))).await.expect(200);
    assert_eq!(at.asked(Kind::Keys), 2);
}

#[tokio::test]
async fn first_sights_at_once_fetch_the_keys_once() {
    let at = trusting().await;
    let gate = Gate::default();
    at.proxy
        .provider
        .always(Kind::Keys, Answer::Held(gate.clone()));
    let tokens: Vec<_> = (0..20).map(|n| at.token(json!({"jti": n % 5}))).collect();
    let calls = tokens.iter().map(|token| at.call(token));
    let (replies, ()) = tokio::join!(at_once(calls), async {
        while at.asked(Kind::Keys) == 0 {
            tokio::task::yield_now().await;
        }
        gate.open();
    });
    assert!(replies.iter().all(|reply| reply.status == 200));
    assert_eq!(at.asked(Kind::Keys), 1);
}

#[tokio::test]
async fn people_of_a_provider_are_those_who_log_in_there() {
    let at = with(|issuer| issuer.people_of("oauth"), |builder| builder).await;
    let client = at.proxy.client().await;
    let tokens = at.proxy.journey(&client).await;
    let by_login = at.session(&tokens.access).await;
    let by_token = at.session(&at.token(json!({"sub": "person-1"}))).await;
    assert_eq!(by_login.subject(), by_token.subject());
    assert_eq!(by_login.provider(), by_token.provider());
    assert_eq!(by_login.provider_subject(), by_token.provider_subject());
    assert_eq!(
        (by_login.source(), by_token.source()),
        (TokenSource::Login, TokenSource::TrustedIssuer)
    );
    // No name of ours, and none of another's.
    for taken in ["grant:1", "corp|7"] {
        let token = at.token(json!({"sub": taken}));
        let told = at.refused(&token, Reason::InvalidToken).await;
        assert!(told.contains("cannot be told"), "{told}");
    }
    at.proxy
        .provider
        .configure(|settings| settings.person["sub"] = json!("corp|7"));
    crate::inside::failed_login(&at.proxy).await;
}

#[tokio::test]
async fn who_may_not_log_in_does_not_come_in_by_a_token_either() {
    for people in [None, Some("oauth")] {
        let issuer = |issuer: TrustedIssuer| match people {
            Some(provider) => issuer.people_of(provider),
            None => issuer,
        };
        let at = with(issuer, |builder| {
            builder
                .allowed_domains(["example.com"])
                .allowed_groups(["staff"])
        })
        .await;
        let token = |changes: Value| at.token(changes);
        at.call(&token(json!({"groups": ["staff"]})))
            .await
            .expect(200);
        for (changes, option) in [
            (json!({"groups": ["guests"]}), "allowed_groups"),
            (json!({}), "allowed_groups"),
            (
                json!({"groups": ["staff"], "email": "eve@evil.example"}),
                "allowed_domains",
            ),
            (
                json!({"groups": ["staff"], "email_verified": false}),
                "allowed_domains",
            ),
            (
                json!({"groups": ["staff"], "email": null}),
                "allowed_domains",
            ),
        ] {
            let told = at.refused(&token(changes), Reason::NotAllowed).await;
            assert!(told.contains(option), "{told}");
        }
        assert!(!weak(&at).contains("access_tokens_without_allow_lists"));
        // Where the operator says so, it comes in, and the weakness is reported.
        let at = with(
            |it| issuer(it).access_tokens_without_allow_lists(),
            |builder| builder.allowed_domains(["example.com"]),
        )
        .await;
        at.call(&at.token(json!({"email": null}))).await.expect(200);
        assert!(weak(&at).contains("access_tokens_without_allow_lists"));
    }
}

fn weak(at: &At) -> String {
    let events = at.proxy.events().into_iter();
    let weak = events.filter(|event| event.reason == Some(Reason::WeakOption));
    weak.filter_map(|event| event.detail).collect()
}

#[tokio::test]
async fn the_hook_is_asked_at_each_first_sight_and_no_answer_is_not_a_no() {
    let asked: Arc<Mutex<Vec<LoginRequest>>> = Arc::default();
    let seen = asked.clone();
    let at = with(
        |issuer| issuer.people_of("oauth"),
        move |builder| {
            builder.on_login(move |request: LoginRequest| {
                seen.lock().unwrap().push(request.clone());
                async move {
                    match request.person.subject.as_deref() {
                        Some("panics") => panic!("a hook of the operator"),
                        Some("eve") => Err(Veto::new("not eve")),
                        _ => Ok(()),
                    }
                }
            })
        },
    )
    .await;
    let token = at.token(json!({}));
    for _ in 0..3 {
        at.call(&token).await.expect(200);
    }
    let requests = std::mem::take(&mut *asked.lock().unwrap());
    let [request] = &requests[..] else {
        panic!("{requests:?}")
    };
    assert_eq!(request.occasion, Occasion::AccessToken);
    assert_eq!((&*request.subject, &*request.provider), ("7", "oauth"));
    assert_eq!(
        (&*request.client_id, &*request.resource),
        ("corp-app", AUDIENCE)
    );
    assert_eq!(request.person.verified_email(), Some("ada@example.com"));
    let told = at
        .refused(&at.token(json!({"sub": "eve"})), Reason::HookDenied)
        .await;
    assert!(told.contains("not eve"), "{told}");
    let told = at
        .unavailable(&at.token(json!({"sub": "panics"})), Reason::HookDenied)
        .await;
    assert!(told.contains("panicked"), "{told}");
    // Nobody is asked about a token that is not good.
    asked.lock().unwrap().clear();
    at.refused(&at.token(json!({"aud": "another"})), Reason::InvalidToken)
        .await;
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_session_covers_what_the_tokens_audience_names() {
    let at = trusting().await;
    let token = at.token(json!({}));
    super::call(&at.proxy, "/mcp/tools", &token)
        .await
        .expect(200);
    super::call(&at.proxy, "/other", &token).await.expect(401);
    at.proxy.told(Step::Bearer, Reason::WrongAudience);
}

#[tokio::test]
async fn a_resource_server_trusts_issuers_beside_its_verifier() {
    let key = SigningKey::es256("corp-1");
    let at = Resource::at(BASE, introspection, |builder| {
        builder.trusted_issuer(
            TrustedIssuer::new("corp", CORP)
                .jwks_url(KEYS.get().unwrap())
                .access_tokens([AUDIENCE]),
        )
    });
    // The provider's port is known only once it runs, so the issuer's keys are served by one that runs before.
    let idp = testkit::Provider::start(testkit::FakeClock::default()).await;
    idp.signs(&key);
    KEYS.set(idp.url("/keys")).unwrap();
    let at = at.await;
    let now = at.clock.unix();
    let claims =
        json!({"iss": CORP, "aud": AUDIENCE, "sub": "7", "exp": now + 300, "scope": "read"});
    let session = seen_by(&at.layer, &key.sign(claims.as_object().unwrap())).await;
    assert_eq!(
        (session.subject(), session.source()),
        ("corp|7", TokenSource::TrustedIssuer)
    );
    assert_eq!(at.provider.count(Kind::Introspect), 0);
    // The verifier's own tokens are as they were, unless they could be someone else's.
    let token = at.token(AUDIENCE, "read").await;
    let session = seen_by(&at.layer, &token).await;
    assert_eq!(
        (session.subject(), session.source()),
        ("person-1", TokenSource::Provider)
    );
    let said = json!({"active": true, "sub": "corp|7", "aud": BASE}).to_string();
    at.provider
        .always(Kind::Introspect, Answer::Raw(200, "application/json", said));
    at.call("/mcp", "another").await.expect(401);
    let told = at.told(Step::Bearer, Reason::InvalidToken);
    assert!(told.contains("could be that of an API key"), "{told}");
}

static KEYS: std::sync::OnceLock<String> = std::sync::OnceLock::new();

#[test]
fn an_issuer_that_could_not_work_builds_no_configuration() {
    let issuer = || TrustedIssuer::new("corp", CORP);
    let fault = |issuer: TrustedIssuer, words: &str| {
        let option = fault_showing(good().trusted_issuer(issuer), words);
        assert_eq!(option, "trusted_issuer");
    };
    let tokens = || issuer().access_tokens([AUDIENCE]);
    good().trusted_issuer(tokens()).build().map(drop).unwrap();
    fault(
        issuer().assertions().access_tokens_without_allow_lists(),
        "has no access tokens",
    );
    fault(
        TrustedIssuer::new("key", CORP).access_tokens([AUDIENCE]),
        "reserved",
    );
    fault(issuer().access_tokens([""]), "empty entry");
    let deploys = || issuer().workload(Workload::subject("deploys"));
    let elsewhere = deploys().access_tokens([AUDIENCE]);
    good().trusted_issuer(elsewhere).build().map(drop).unwrap();
    for ours in [BASE.to_owned(), format!("{BASE}/oauth/token")] {
        fault(deploys().access_tokens([ours]), "let them all in");
    }
    // A resource server has no token endpoint.
    let at_resource = |issuer: TrustedIssuer| {
        let verifier =
            tower_oauth_proxy::JwksVerifier::for_issuer("https://idp.example").audience(AUDIENCE);
        let builder = OAuthProxyConfig::resource_server(BASE, verifier);
        let builder = builder.authorization_server("https://idp.example");
        builder
            .trusted_issuer(issuer)
            .build()
            .map(drop)
            .map_err(|it| it.to_string())
    };
    assert_eq!(at_resource(tokens()), Ok(()));
    let error = at_resource(tokens().assertions()).unwrap_err();
    assert!(error.contains("no token endpoint"), "{error}");
    let error = at_resource(tokens().people_of("oauth")).unwrap_err();
    assert!(error.contains("no provider's id"), "{error}");
}
