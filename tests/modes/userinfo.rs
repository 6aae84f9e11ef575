//! Tokens that are verified by using them at their provider, by `UserInfoVerifier`.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tower_oauth_proxy::{
    ConfigError, OAuthProxyConfig, Provider, Reason, Step, UserInfoVerifier,
    provider::{discord, generic, github, github_app, google},
};

use testkit::{
    Answer, Kind, Resource,
    provider::{Gate, MARK},
    proxy::{BASE, upstream},
};

/// Without an API that says to which app a token was issued.
async fn for_anyone() -> Resource {
    Resource::with(|provider| {
        UserInfoVerifier::new(upstream(provider))
            .without_audience()
            .scopes(["read"])
    })
    .await
}

/// A server of one's own that speaks as the public one does; what it says is scripted.
async fn proven() -> Resource {
    let at = |provider: &Arc<testkit::Provider>| {
        let of_app = github("upstream-app", "UPSTREAM-SECRET-8f2c71d05be946a3c1780e59d4");
        UserInfoVerifier::new(of_app.authority(&provider.url("")))
    };
    Resource::with(at).await
}

fn json_of(status: u16, body: &Value) -> Answer {
    Answer::Raw(status, "application/json", body.to_string())
}

/// What the server says next: of the token's app, of the person, and of their addresses.
fn script(at: &Resource, app: &str) {
    let checked = json!({"app": {"client_id": app}, "scopes": ["repo"], "user": {"id": 7}});
    for answer in [checked, json!({"id": 7, "login": "ada"}), json!([])] {
        at.provider.next(Kind::Other, json_of(200, &answer));
    }
}

#[tokio::test]
async fn a_token_is_used_at_userinfo_and_the_session_is_that_person() {
    let at = for_anyone().await;
    let token = at.token("https://another.example", "email").await;
    let session = at.session(&token).await;
    assert_eq!(session["subject"], "person-1");
    assert_eq!(session["claims"]["email"], "ada@example.com");
    assert_eq!(session["scopes"], json!(["read"]));
    assert_eq!(session["resource"], BASE);
    assert_eq!(session["client_id"], "");
    let asked = at.provider.last(Kind::UserInfo);
    assert_eq!(
        asked.header("authorization"),
        Some(&*format!("Bearer {token}"))
    );
    at.clock.advance_secs(30);
    at.session(&token).await;
    assert_eq!(at.provider.count(Kind::UserInfo), 1);
    at.call("/mcp", "made-up").await.expect(401);
    at.told(Step::Bearer, Reason::InvalidToken);
    at.provider.remove_app();
    at.clock.advance_secs(61);
    at.call("/mcp", &token).await.expect(401);
    let weak = |event: &&tower_oauth_proxy::Event| event.reason == Some(Reason::WeakOption);
    assert_eq!(at.events().iter().filter(weak).count(), 1);
}

#[tokio::test]
async fn the_app_asks_whether_the_token_is_its_own_before_it_asks_for_the_person() {
    let at = proven().await;
    script(&at, "upstream-app");
    let session = at.session("gho_token").await;
    assert_eq!(session["subject"], "7");
    assert_eq!(session["client_id"], "upstream-app");
    assert_eq!(session["scopes"], json!(["repo"]));
    let asked = at.provider.requests_of(Kind::Other);
    let paths: Vec<_> = asked
        .iter()
        .map(|it| (it.method.as_str(), &*it.path))
        .collect();
    assert_eq!(
        paths,
        [
            ("POST", "/api/v3/applications/upstream-app/token"),
            ("GET", "/api/v3/user"),
            ("GET", "/api/v3/user/emails"),
        ]
    );
    assert_eq!(asked[0].body, r#"{"access_token":"gho_token"}"#);
    assert!(
        asked[0]
            .header("authorization")
            .unwrap()
            .starts_with("Basic ")
    );
    let weak = |event: &tower_oauth_proxy::Event| event.reason == Some(Reason::WeakOption);
    assert!(!at.events().iter().any(weak));

    // A good token of another app.
    script(&at, "another-app");
    at.call("/mcp", "gho_foreign").await.expect(401);
    let words = at.told(Step::Bearer, Reason::InvalidToken);
    assert!(words.contains("another-app"), "{words}");
    assert_eq!(
        at.provider.count(Kind::Other),
        4,
        "the person was not asked for"
    );
}

#[tokio::test]
async fn only_the_providers_own_refusal_of_the_token_is_401() {
    let at = proven().await;
    let said = json!({"message": "no"});
    for (status, expected) in [
        // Its words for a token that it does not know.
        (404, 401),
        (422, 401),
        // The app's own credentials, or its server.
        (401, 503),
        (403, 503),
        (429, 503),
        (500, 503),
        (503, 503),
        (302, 503),
    ] {
        at.provider.next(Kind::Other, json_of(status, &said));
        let reply = at.call("/mcp", &format!("token-{status}")).await;
        assert_eq!(reply.status, expected, "{status}: {reply:?}");
    }
    for answer in [
        Answer::Status(200),
        Answer::Lost,
        json_of(200, &json!([])),
        json_of(200, &json!("yes")),
    ] {
        let shown = format!("{answer:?}");
        at.provider.next(Kind::Other, answer);
        let reply = at.call("/mcp", "gho_same").await;
        assert_eq!(reply.status, 503, "{shown}: {reply:?}");
        let told = at.told(Step::Bearer, Reason::ProviderUnavailable);
        assert!(!told.contains(MARK) && !told.contains("gho_same"), "{told}");
    }
    // An answer that names no app names not ours.
    at.provider
        .next(Kind::Other, json_of(200, &json!({"app": null})));
    at.call("/mcp", "gho_nameless").await.expect(401);
}

#[tokio::test]
async fn userinfo_that_is_down_or_asks_for_patience_is_503_and_is_asked_again() {
    let at = for_anyone().await;
    let token = at.token(BASE, "email").await;
    let said = |words: &str| json!({ "message": words });
    for (answer, expected) in [
        (json_of(429, &said("slow down")), 503),
        (json_of(500, &said("oops")), 503),
        (Answer::Status(502), 503),
        (Answer::Status(403), 503),
        (
            json_of(403, &said("API rate limit exceeded for user ID 1.")),
            503,
        ),
        (
            json_of(403, &said("You have exceeded a secondary rate limit.")),
            503,
        ),
        (json_of(404, &said("not here")), 503),
        (json_of(200, &json!([])), 503),
        (json_of(200, &json!({"name": "nobody"})), 503),
        (Answer::Padded(2 << 20), 503),
        (
            Answer::Redirect("https://elsewhere.example".to_owned()),
            503,
        ),
        (Answer::Normal, 200),
    ] {
        let shown: String = format!("{answer:?}").chars().take(80).collect();
        at.provider.next(Kind::UserInfo, answer);
        let reply = at.call("/mcp", &token).await;
        assert_eq!(reply.status, expected, "{shown}: {reply:?}");
    }
    // A plain 403 is a word on the credentials.
    let plain = json!({"error": "insufficient_scope"});
    at.provider.next(Kind::UserInfo, json_of(403, &plain));
    at.call("/mcp", "another-token").await.expect(401);
}

#[tokio::test]
async fn a_hundred_requests_with_one_new_token_use_it_once() {
    let at = Arc::new(for_anyone().await);
    let token = at.token(BASE, "email").await;
    let gate = Gate::default();
    at.provider.next(Kind::UserInfo, Answer::Held(gate.clone()));
    let all: Vec<_> = (0..100)
        .map(|_| {
            let (at, token) = (at.clone(), token.clone());
            tokio::spawn(async move { at.call("/mcp", &token).await.status.as_u16() })
        })
        .collect();
    while at.provider.count(Kind::UserInfo) == 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..500 {
        tokio::task::yield_now().await;
    }
    gate.open();
    for one in all {
        assert_eq!(one.await.unwrap(), 200);
    }
    assert_eq!(at.provider.count(Kind::UserInfo), 1);
}

#[test]
fn a_provider_that_proves_no_audience_has_to_be_accepted_in_so_many_words() {
    let built = |verifier: UserInfoVerifier| -> Result<(), ConfigError> {
        let server = OAuthProxyConfig::resource_server(BASE, verifier);
        server
            .authorization_server("https://idp.example")
            .build()
            .map(drop)
    };
    let plain = || {
        generic(
            "https://a.example/a",
            "https://a.example/t",
            "id",
            "hunter2-secret",
        )
    };
    let with_url = || plain().userinfo_url("https://a.example/userinfo");
    let hour = Duration::from_secs(3_601);
    for (verifier, words) in [
        (UserInfoVerifier::new(with_url()), "without_audience"),
        (
            UserInfoVerifier::new(plain()).without_audience(),
            "userinfo_url",
        ),
        (
            UserInfoVerifier::new(github("id", "s").without_client_secret()),
            "client secret",
        ),
        (
            UserInfoVerifier::new(github("id", "s")).scopes(["a b"]),
            "scopes",
        ),
        (
            UserInfoVerifier::new(github("id", "s")).cache_ttl(hour),
            "an hour",
        ),
        (UserInfoVerifier::new(github("", "s")), "client id"),
    ] {
        let printed = format!("{verifier:?}");
        assert!(!printed.contains("hunter2"), "{printed}");
        let error = built(verifier).unwrap_err().to_string();
        assert!(
            error.contains(words) && !error.contains("hunter2"),
            "{error}"
        );
    }
    built(UserInfoVerifier::new(with_url()).without_audience()).unwrap();
    let proving: [Provider; 4] = [
        github("id", "s"),
        github_app("id", "s"),
        google("id", "s"),
        discord("1", "s"),
    ];
    for provider in proving {
        built(UserInfoVerifier::new(provider)).unwrap();
    }
}
