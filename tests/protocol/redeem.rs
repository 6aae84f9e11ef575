//! `grant_type=authorization_code`.

use http::Method;
use serde_json::json;
use tower_oauth_proxy::{Reason, Step};

use crate::common::{
    Auth, Client, Pkce, Proxy, Tokens,
    client::{CALLBACK, basic, native_metadata},
    wire::query_param,
};

/// A code, and the pair that it needs.
async fn code(proxy: &Proxy, client: &Client) -> (String, Pkce) {
    let pkce = Pkce::new();
    let callback = proxy.login(&mut proxy.browser(), client, &pkce).await;
    (query_param(&callback, "code").unwrap(), pkce)
}

#[tokio::test]
async fn a_token_answer_is_for_nobodys_cache() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (code, pkce) = code(&proxy, &client).await;
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
    let (code, pkce) = code(&proxy, &client).await;
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
    let (code, pkce) = code(&proxy, &client).await;
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
async fn a_replay_that_does_not_match_revokes_nothing() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let other = proxy
        .register(&native_metadata("http://127.0.0.1/other"))
        .await;
    let (code, pkce) = code(&proxy, &client).await;
    let tokens = Tokens::read(&client.redeem_code(&code, &pkce).await);
    other
        .redeem_code(&code, &pkce)
        .await
        .refused(400, "invalid_grant");
    let mut forged = code.clone();
    let last = if forged.pop() == Some('A') { 'B' } else { 'A' };
    forged.push(last);
    client
        .redeem_code(&forged, &pkce)
        .await
        .refused(400, "invalid_grant");
    proxy.session(&client, &tokens.access).await;
    Tokens::read(&client.refresh(tokens.refresh()).await);
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
    let (code, pkce) = code(&proxy, &client).await;
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
    let (first, pkce) = code(&proxy, &client).await;
    proxy.clock.advance_secs(299);
    client.redeem_code(&first, &pkce).await.expect(200);
    let (second, pkce) = code(&proxy, &client).await;
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

async fn confidential(proxy: &Proxy, method: &str) -> Client {
    let mut metadata = native_metadata(CALLBACK);
    metadata["token_endpoint_auth_method"] = json!(method);
    proxy.register(&metadata).await
}

#[tokio::test]
async fn a_client_authenticates_as_it_registered_and_not_otherwise() {
    let proxy = Proxy::start().await;
    for (method, registered) in [
        ("none", Auth::None),
        ("client_secret_basic", Auth::Basic),
        ("client_secret_post", Auth::Post),
    ] {
        let client = confidential(&proxy, method).await;
        let (code, pkce) = code(&proxy, &client).await;
        for auth in [Auth::None, Auth::Basic, Auth::Post] {
            if auth == registered {
                continue;
            }
            let wrong = Client {
                auth,
                secret: client.secret.clone().or(Some("guess".to_owned())),
                ..client.clone()
            };
            let reply = wrong.redeem_code(&code, &pkce).await;
            reply.refused(401, "invalid_client");
            if auth == Auth::Basic {
                let challenge = reply.header("www-authenticate").unwrap_or_default();
                assert!(challenge.starts_with("Basic"), "{challenge}");
            }
        }
        let guess = client.secret.as_ref().map(|_| "guess".to_owned());
        if guess.is_some() {
            let wrong = Client {
                secret: guess,
                ..client.clone()
            };
            wrong
                .redeem_code(&code, &pkce)
                .await
                .refused(401, "invalid_client");
        }
        client.redeem_code(&code, &pkce).await.expect(200);
    }
}

#[tokio::test]
async fn one_clients_secret_is_not_anothers() {
    let proxy = Proxy::start().await;
    let first = confidential(&proxy, "client_secret_post").await;
    proxy.clock.advance_secs(1);
    let second = confidential(&proxy, "client_secret_post").await;
    let swapped = Client {
        secret: second.secret.clone(),
        ..first.clone()
    };
    swapped.refresh("x").await.refused(401, "invalid_client");
}

#[tokio::test]
async fn malformed_or_doubled_credentials_are_refused() {
    let proxy = Proxy::start().await;
    let client = confidential(&proxy, "client_secret_basic").await;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    for header in [
        "Basic",
        "Basic !!!",
        "Basic eA==",
        "Basic Og==",
        "Bearer x",
        "Digest x",
        "",
    ] {
        let reply = proxy
            .wire
            .form("/oauth/token", &fields, &[("authorization", header)])
            .await;
        assert!(
            [400, 401].contains(&reply.status.as_u16()),
            "{header}: {reply:?}"
        );
        assert!(
            ["invalid_client", "invalid_request"].contains(&&*reply.error()),
            "{header}"
        );
    }
    let right = basic(&client.id, client.secret.as_deref().unwrap());
    let both = [&fields[..], &[("client_secret", "x")]].concat();
    let reply = proxy
        .wire
        .form("/oauth/token", &both, &[("authorization", &right)])
        .await;
    reply.refused(400, "invalid_request");
    let other = [&fields[..], &[("client_id", "x")]].concat();
    let reply = proxy
        .wire
        .form("/oauth/token", &other, &[("authorization", &right)])
        .await;
    assert!(reply.status.is_client_error(), "{reply:?}");
    let reply = proxy.wire.form("/oauth/token", &fields, &[]).await;
    assert!(reply.status.is_client_error(), "nobody at all: {reply:?}");
}

#[tokio::test]
async fn a_parameter_given_twice_is_refused() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (code, pkce) = code(&proxy, &client).await;
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

#[tokio::test]
async fn credentials_in_the_query_are_not_read() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let path = format!("/oauth/token?client_id={}", client.id);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    let reply = proxy.wire.form(&path, &fields, &[]).await;
    assert_ne!(
        reply.error(),
        "invalid_grant",
        "the client was taken from the query"
    );
}
