//! Tokens that no other source knows, and an introspection endpoint does.

use serde_json::json;
use tower_oauth_proxy::{Reason, TokenSource, TrustedIssuer};

use super::{AUDIENCE, At, CORP, at_once, introspection, start};
use crate::mistakes::{fault_showing, good};
use testkit::{Answer, Kind, Resource, provider::Gate, proxy::BASE};

async fn asking() -> At {
    start(|builder, idp| builder.introspection("legacy", introspection(idp))).await
}

fn ada() -> serde_json::Value {
    json!({"active": true, "sub": "ada", "aud": BASE, "client_id": "cli", "scope": "read",
        "roles": ["admin"], "email": "ada@example.com", "email_verified": true})
}

#[tokio::test]
async fn a_token_that_the_server_knows_is_a_session_of_its_person() {
    let at = asking().await;
    at.introspects(ada());
    let session = at.session("opaque").await;
    assert_eq!(session.source(), TokenSource::Introspection);
    assert_eq!(
        (session.subject(), session.provider_subject()),
        ("legacy|ada", Some("ada"))
    );
    assert_eq!((session.provider(), session.client_id()), (None, "cli"));
    assert_eq!(
        (session.scopes().to_string(), session.roles()),
        ("read".to_owned(), &["admin".to_owned()][..])
    );
    assert!(session.is_person() && !session.has_upstream());
    assert!(session.token_for("api://x").await.is_err());
}

#[tokio::test]
async fn with_a_providers_id_its_people_are_those_who_log_in_there() {
    let at = start(|builder, idp| builder.introspection("oauth", introspection(idp))).await;
    at.introspects(json!({"active": true, "sub": "person-1", "aud": BASE}));
    let client = at.proxy.client().await;
    let tokens = at.proxy.journey(&client).await;
    let (by_login, by_token) = (at.session(&tokens.access).await, at.session("opaque").await);
    assert_eq!(by_login.subject(), by_token.subject());
    assert_eq!(by_login.provider(), by_token.provider());
    assert_eq!(
        at.asked(Kind::Introspect),
        1,
        "our own token is not asked for"
    );
}

#[tokio::test]
async fn a_token_that_it_does_not_know_is_refused_and_asked_for_once() {
    let at = asking().await;
    at.introspects(json!({"active": false}));
    for _ in 0..3 {
        let told = at.refused("made-up", Reason::InvalidToken).await;
        assert!(told.contains("introspection `legacy`"), "{told}");
        assert!(told.contains("not active"), "{told}");
    }
    assert_eq!(at.asked(Kind::Introspect), 1);
    for (said, words) in [
        (
            json!({"active": true, "sub": "ada", "aud": "another"}),
            "names no place here",
        ),
        (json!({"active": true, "aud": BASE}), "it names no person"),
        (
            json!({"active": true, "sub": "ada", "aud": BASE, "exp": 1}),
            "it has expired",
        ),
    ] {
        at.introspects(said);
        let token = format!("token-{}", words.len());
        let told = at.refused(&token, Reason::InvalidToken).await;
        assert!(told.contains(words), "{told}");
    }
}

#[tokio::test]
async fn what_cannot_be_a_token_and_what_claims_to_be_ours_is_not_asked_for() {
    let at = asking().await;
    at.introspects(ada());
    at.refused("a,b", Reason::Malformed).await;
    let forged = at.token(json!({"iss": BASE}));
    let told = at.refused(&forged, Reason::InvalidToken).await;
    assert!(told.contains("names this proxy as its issuer"), "{told}");
    let client = at.proxy.client().await;
    let refresh = at.proxy.journey(&client).await.refresh.unwrap();
    let told = at.refused(&refresh, Reason::InvalidToken).await;
    assert!(told.contains("a refresh token of this proxy"), "{told}");
    assert_eq!(at.asked(Kind::Introspect), 0);
}

#[tokio::test]
async fn trouble_at_the_server_is_503_and_never_401() {
    let at = asking().await;
    for trouble in [Answer::Status(500), Answer::Error(401, "invalid_client")] {
        at.proxy.provider.always(Kind::Introspect, trouble);
        let told = at.unavailable("opaque", Reason::ProviderUnavailable).await;
        assert!(told.starts_with("introspection `legacy`: "), "{told}");
    }
    at.introspects(ada());
    at.call("opaque").await.expect(200);
}

#[tokio::test]
async fn the_lists_are_asked_unless_the_operator_says_otherwise() {
    let at = start(|builder, idp| {
        let builder = builder.introspection("legacy", introspection(idp));
        builder.allowed_emails(["ada@example.com"])
    })
    .await;
    at.introspects(ada());
    at.call("ada").await.expect(200);
    at.introspects(json!({"active": true, "sub": "machine", "aud": BASE}));
    let told = at.refused("a-made-up-token", Reason::NotAllowed).await;
    assert!(told.contains("allowed_emails"), "{told}");
    let at = start(|builder, idp| {
        let builder = builder.introspection("legacy", introspection(idp));
        let builder = builder.introspection_without_allow_lists();
        builder.allowed_emails(["ada@example.com"])
    })
    .await;
    let weak = at
        .proxy
        .events()
        .into_iter()
        .filter_map(|event| event.detail);
    assert!(
        weak.into_iter()
            .any(|words| words.starts_with("introspection_without_allow_lists"))
    );
    at.introspects(json!({"active": true, "sub": "machine", "aud": BASE}));
    at.call("a-made-up-token").await.expect(200);
}

#[tokio::test]
async fn in_passthrough_mode_what_it_does_not_know_is_for_the_providers_verifier() {
    // Both ask the same endpoint here, each with its own memory.
    let at = start(|builder, idp| {
        let elsewhere = introspection(idp).issuer("https://legacy.example");
        let builder = builder.introspection("legacy", elsewhere);
        builder.passthrough(introspection(idp))
    })
    .await;
    let inactive = Answer::Raw(
        200,
        "application/json",
        json!({"active": false}).to_string(),
    );
    at.introspects(ada());
    at.proxy.provider.next(Kind::Introspect, inactive);
    let session = at.session("of-the-provider").await;
    assert_eq!(
        (session.subject(), session.source()),
        ("ada", TokenSource::Provider)
    );
    assert_eq!(session.upstream().access_token(), "of-the-provider");
    assert_eq!(at.asked(Kind::Introspect), 2);
    // Known there, and not good here: it ends there.
    let told = at.refused("of-another-issuer", Reason::InvalidToken).await;
    assert!(
        told.contains("introspection `legacy`") && told.contains("its `iss`"),
        "{told}"
    );
    assert_eq!(at.asked(Kind::Introspect), 3);
}

#[tokio::test]
async fn a_resource_server_asks_it_before_its_own_verifier() {
    let idp = std::sync::Arc::new(testkit::Provider::start(testkit::FakeClock::default()).await);
    let at = Resource::at(BASE, introspection, |builder| {
        builder.introspection("legacy", introspection(&idp))
    })
    .await;
    let answer = |said: serde_json::Value| Answer::Raw(200, "application/json", said.to_string());
    idp.always(Kind::Introspect, answer(ada()));
    let session = super::seen_by(&at.layer, "opaque").await;
    assert_eq!(session.subject(), "legacy|ada");
    idp.always(Kind::Introspect, answer(json!({"active": false})));
    let token = at.token(AUDIENCE, "read").await;
    assert_eq!(
        super::seen_by(&at.layer, &token).await.subject(),
        "person-1"
    );
}

#[tokio::test]
async fn first_sights_at_once_are_one_question() {
    let at = asking().await;
    at.introspects(ada());
    let gate = Gate::default();
    let client = at.proxy.client().await;
    // One of the provider's own answers is held, so that all are on their way.
    at.proxy
        .provider
        .always(Kind::Introspect, Answer::Held(gate.clone()));
    let calls = (0..20).map(|_| client.call("/mcp", "opaque"));
    let (replies, ()) = tokio::join!(at_once(calls), async {
        while at.asked(Kind::Introspect) == 0 {
            tokio::task::yield_now().await;
        }
        gate.open();
    });
    // The provider knows no such token.
    assert!(replies.iter().all(|reply| reply.status == 401));
    assert_eq!(at.asked(Kind::Introspect), 1);
}

#[test]
fn an_introspection_that_could_not_work_builds_no_configuration() {
    let verifier = || {
        let secret = "4x7Qm2Lr9vTzB1kWn8Jd3HsYc6Pf";
        tower_oauth_proxy::IntrospectionVerifier::new("https://idp.example/i", "app", secret)
    };
    for (id, words) in [
        ("", "is no id"),
        ("A", "is no id"),
        ("a|b", "is no id"),
        ("key", "reserved"),
    ] {
        let option = fault_showing(good().introspection(id, verifier()), words);
        assert_eq!(option, "introspection");
    }
    let both = good().trusted_issuer(TrustedIssuer::new("corp", CORP).access_tokens([AUDIENCE]));
    let option = fault_showing(both.introspection("corp", verifier()), "trusted issuer");
    assert_eq!(option, "introspection");
    let none = good().introspection_without_allow_lists();
    assert_eq!(
        fault_showing(none, "there is no introspection"),
        "introspection_without_allow_lists"
    );
}
