//! `grant_type=authorization_code`.

use http::Method;
use serde_json::json;
use tower_oauth_proxy::{Reason, Step};

use testkit::{
    Pkce, Proxy, Tokens,
    client::{CALLBACK, native_metadata},
    wire::query_param,
};

#[tokio::test]
async fn a_token_answer_is_for_nobodys_cache() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (code, pkce) = proxy.code(&client).await;
    let reply = client.redeem_code(&code, &pkce).await.expect(200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert!(reply.header("cache-control").unwrap().contains("no-store"));
    let tokens = Tokens::read(&reply);
    assert_eq!(tokens.expires_in, 3600);
    assert_eq!(tokens.scope, "openid read write");
    assert_eq!(tokens.access.split('.').count(), 3, "a JWT");
    assert!(!tokens.refresh().contains('.'), "opaque");
}

#[tokio::test]
async fn fifty_concurrent_redemptions_of_one_code_give_one_success() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (code, pkce) = proxy.code(&client).await;
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (client, code, pkce) = (client.clone(), code.clone(), pkce.clone());
            tokio::spawn(async move { client.redeem_code(&code, &pkce).await })
        })
        .collect();
    let mut successes = 0;
    for task in tasks {
        let reply = task.await.unwrap();
        if reply.status == 200 {
            successes += 1;
        } else {
            reply.refused(400, "invalid_grant");
        }
    }
    assert_eq!(successes, 1);
}

#[tokio::test]
async fn a_replayed_code_revokes_what_it_gave() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (code, pkce) = proxy.code(&client).await;
    let tokens = Tokens::read(&client.redeem_code(&code, &pkce).await);
    client
        .redeem_code(&code, &pkce)
        .await
        .refused(400, "invalid_grant");
    proxy.told(Step::Redeem, Reason::Replayed);
    assert_eq!(client.call("/mcp", &tokens.access).await.status, 401);
    client
        .refresh(tokens.refresh())
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn what_does_not_match_is_refused_and_does_not_use_up_the_code() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut other = proxy
        .register(&native_metadata("http://127.0.0.1/other"))
        .await;
    // Everything right but who is asking.
    other.redirect_uri = CALLBACK.to_owned();
    let (code, pkce) = proxy.code(&client).await;
    let right = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", &*pkce.verifier),
    ];
    let with = |name: &str, value: &'static str| {
        let mut fields = right.to_vec();
        fields.retain(|(key, _)| *key != name);
        (
            name.to_owned(),
            [fields, vec![(name.to_owned().leak() as &str, value)]].concat(),
        )
    };
    for ((name, fields), error) in [
        (with("code_verifier", "x"), "invalid_grant"),
        (
            with(
                "code_verifier",
                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            ),
            "invalid_grant",
        ),
        (with("code_verifier", ""), "invalid_request"),
        (
            with("redirect_uri", "http://127.0.0.1:9001/callback"),
            "invalid_grant",
        ),
        (
            with("redirect_uri", "https://evil.example/"),
            "invalid_grant",
        ),
        (with("resource", "https://other.example/"), "invalid_target"),
        (
            with("resource", "https://proxy.example/other"),
            "invalid_target",
        ),
        (with("resource", "https://proxy.example/"), "invalid_target"),
        (with("code", "x"), "invalid_grant"),
        (with("code", ""), "invalid_request"),
        (with("grant_type", ""), "invalid_request"),
        (with("grant_type", "password"), "unsupported_grant_type"),
        (
            with("grant_type", "client_credentials"),
            "unsupported_grant_type",
        ),
    ] {
        let reply = client.token(&fields).await;
        assert_eq!(
            (reply.status.as_u16(), &*reply.error()),
            (400, error),
            "{name}: {reply:?}"
        );
    }
    other
        .redeem_code(&code, &pkce)
        .await
        .refused(400, "invalid_grant");
    proxy.told(Step::Redeem, Reason::ForeignClient);
    client.redeem_code(&code, &pkce).await.expect(200);
}

#[tokio::test]
async fn a_code_is_over_after_five_minutes() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (first, pkce) = proxy.code(&client).await;
    proxy.clock.advance_secs(299);
    client.redeem_code(&first, &pkce).await.expect(200);
    let (second, pkce) = proxy.code(&client).await;
    proxy.clock.advance_secs(300);
    client
        .redeem_code(&second, &pkce)
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_token_may_be_for_less_than_was_granted() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let pkce = Pkce::new();
    let url = client.authorize(&pkce, "s").without("resource").url();
    let callback = proxy.approve(&mut proxy.browser(), &url).await.left();
    let code = query_param(&callback, "code").unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", &*pkce.verifier),
        ("resource", "https://proxy.example/mcp"),
    ];
    let tokens = Tokens::read(&client.token(&fields).await);
    let session = proxy.session(&client, &tokens.access).await;
    assert_eq!(session["resource"], "https://proxy.example/mcp");
    assert_eq!(client.call("/other", &tokens.access).await.status, 401);
}

#[tokio::test]
async fn a_parameter_given_twice_is_refused() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (code, pkce) = proxy.code(&client).await;
    let right = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", &*pkce.verifier),
    ];
    for name in [
        "grant_type",
        "code",
        "code_verifier",
        "client_id",
        "unknown",
    ] {
        let twice = [&right[..], &[(name, "x")], &[(name, "x")]].concat();
        client.token(&twice).await.refused(400, "invalid_request");
    }
    client.token(&right).await.expect(200);
}

#[tokio::test]
async fn only_a_form_is_read_and_only_a_small_one() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let body = json!({ "grant_type": "authorization_code", "client_id": client.id });
    let reply = proxy.wire.json("/oauth/token", &body, &[]).await;
    assert_eq!(reply.status, 415);
    reply.error();
    let large = "x".repeat(200_000);
    let reply = client
        .token(&[("grant_type", "authorization_code"), ("code", &large)])
        .await;
    assert_eq!(reply.status, 413);
    reply.error();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for broken in ["grant_type=%zz", "grant_type=%ff%fe", "a=1&&&&=&="] {
        let reply = proxy
            .wire
            .request(Method::POST, "/oauth/token", &form, broken.into())
            .await;
        assert_eq!(reply.status, 400, "{broken}: {reply:?}");
        reply.error();
    }
    // A charset does not make it another type.
    let headers = [(
        "content-type",
        "application/x-www-form-urlencoded;charset=UTF-8",
    )];
    let reply = proxy
        .wire
        .request(
            Method::POST,
            "/oauth/token",
            &headers,
            "grant_type=x&client_id=y".into(),
        )
        .await;
    assert_eq!(reply.status, 401, "{reply:?}");
}
