//! Who is asking: client authentication at the token and revocation endpoints (RFC 6749 section 2.3).

use http::Method;
use serde_json::{Value, json};
use tower_oauth_proxy::{Reason, Step};

use testkit::{
    Auth, Client, Proxy, Reply, Tokens,
    client::{CALLBACK, basic, native_metadata},
};

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
        let (code, pkce) = proxy.code(&client).await;
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
    for header in ["Basic", "Basic !!!", "Basic eA==", "Basic Og=="] {
        let reply = proxy
            .wire
            .form("/oauth/token", &fields, &[("authorization", header)])
            .await;
        reply.refused(401, "invalid_client");
        proxy.told(Step::Refresh, Reason::ClientAuthentication);
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
    reply.refused(400, "invalid_request");
    let nobody = proxy.wire.form("/oauth/token", &fields, &[]).await;
    nobody.refused(401, "invalid_client");
}

/// A client that says nothing of how it will authenticate.
async fn unnamed(proxy: &Proxy) -> Client {
    let mut metadata = native_metadata(CALLBACK);
    metadata["token_endpoint_auth_method"] = Value::Null;
    let client = proxy.register(&metadata).await;
    assert_eq!(client.auth, Auth::Basic, "what it is told");
    client
}

#[tokio::test]
async fn a_client_that_named_no_method_authenticates_by_header_or_body_and_not_without_its_secret()
{
    let proxy = Proxy::start().await;
    for auth in [Auth::Basic, Auth::Post] {
        let client = Client {
            auth,
            ..unnamed(&proxy).await
        };
        let (code, pkce) = proxy.code(&client).await;
        for wrong in [
            Client {
                auth: Auth::None,
                ..client.clone()
            },
            Client {
                secret: Some("guess".to_owned()),
                ..client.clone()
            },
            Client {
                secret: Some(String::new()),
                ..client.clone()
            },
        ] {
            let reply = wrong.redeem_code(&code, &pkce).await;
            reply.refused(401, "invalid_client");
            wrong.revoke(&code).await.refused(401, "invalid_client");
        }
        let tokens = Tokens::read(&client.redeem_code(&code, &pkce).await);
        let next = Tokens::read(&client.refresh(tokens.refresh()).await);
        client.revoke(next.refresh()).await.expect(200);
        assert_eq!(client.call("/mcp", &next.access).await.status, 401);
    }
}

/// Headers that a client's transport sends along, and that say nothing of the client.
const STRAY: [&str; 6] = [
    "Bearer something",
    "bearer",
    "Negotiate YIIabc",
    "Digest username=x",
    "Token abc",
    "",
];

/// A form of this client's, with a header beside it.
async fn with_header(client: &Client, path: &str, fields: &[(&str, &str)], header: &str) -> Reply {
    let mut fields = [fields, &[("client_id", &*client.id)]].concat();
    if client.auth == Auth::Post {
        fields.push(("client_secret", client.secret.as_deref().unwrap()));
    }
    let headers = [("authorization", header)];
    client.wire.form(path, &fields, &headers).await
}

#[tokio::test]
async fn a_header_of_another_scheme_is_ignored_where_the_body_names_the_client() {
    let proxy = Proxy::start().await;
    for client in [
        proxy.client().await,
        confidential(&proxy, "client_secret_post").await,
    ] {
        let own = proxy.journey(&client).await;
        let own = format!("Bearer {}", own.access);
        for header in STRAY.into_iter().chain([&*own]) {
            let (code, pkce) = proxy.code(&client).await;
            let redeem = [
                ("grant_type", "authorization_code"),
                ("code", &*code),
                ("redirect_uri", CALLBACK),
                ("code_verifier", &*pkce.verifier),
            ];
            let reply = with_header(&client, "/oauth/token", &redeem, header).await;
            let tokens = Tokens::read(&reply);
            let refresh = [
                ("grant_type", "refresh_token"),
                ("refresh_token", tokens.refresh()),
            ];
            let reply = with_header(&client, "/oauth/token", &refresh, header).await;
            let tokens = Tokens::read(&reply);
            let revoke = [("token", tokens.refresh())];
            let reply = with_header(&client, "/oauth/revoke", &revoke, header).await;
            reply.expect(200);
            assert_eq!(client.call("/mcp", &tokens.access).await.status, 401);
        }
    }
}

#[tokio::test]
async fn a_header_of_another_scheme_proves_nothing() {
    let proxy = Proxy::start().await;
    let client = confidential(&proxy, "client_secret_post").await;
    let tokens = proxy.journey(&client).await;
    let public = Client {
        auth: Auth::None,
        ..client.clone()
    };
    let own = format!("Bearer {}", tokens.access);
    let secret = format!("Bearer {}", client.secret.as_deref().unwrap());
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh()),
    ];
    for header in STRAY.into_iter().chain([&*own, &*secret]) {
        // No secret, or nobody at all.
        let reply = with_header(&public, "/oauth/token", &fields, header).await;
        reply.refused(401, "invalid_client");
        assert_eq!(reply.header("www-authenticate"), None, "{header}");
        let headers = [("authorization", header)];
        let reply = proxy.wire.form("/oauth/token", &fields, &headers).await;
        reply.refused(401, "invalid_client");
        let token = [("token", tokens.refresh())];
        let reply = with_header(&public, "/oauth/revoke", &token, header).await;
        reply.refused(401, "invalid_client");
        proxy.told(Step::Revoke, Reason::ClientAuthentication);
    }
    proxy.session(&client, &tokens.access).await;
    Tokens::read(&client.refresh(tokens.refresh()).await);
}

#[tokio::test]
async fn a_basic_header_counts_beside_others_and_whatever_it_holds() {
    let proxy = Proxy::start().await;
    let public = proxy.client().await;
    let client = confidential(&proxy, "client_secret_basic").await;
    let tokens = proxy.journey(&client).await;
    let right = basic(&client.id, client.secret.as_deref().unwrap());
    let fields = [("token", "x")];
    let ask = async |headers: &[(&str, &str)], fields: &[(&str, &str)]| {
        proxy.wire.form("/oauth/revoke", fields, headers).await
    };
    let bearer = ("authorization", "Bearer x");
    ask(&[bearer, ("authorization", &right)], &fields)
        .await
        .expect(200);
    ask(&[("authorization", &right), bearer], &fields)
        .await
        .expect(200);
    let two = [("authorization", &*right), ("authorization", &*right)];
    ask(&two, &fields).await.refused(400, "invalid_request");
    // A broken one is a failed authentication, though the body names a client that needs none.
    let named = [("token", "x"), ("client_id", &*public.id)];
    for broken in ["Basic", "basic !!!", "BASIC eA==", "Basic\teDp5"] {
        let reply = ask(&[("authorization", broken)], &named).await;
        reply.refused(401, "invalid_client");
        let challenge = reply.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Basic"), "{challenge}");
    }
    proxy.session(&client, &tokens.access).await;
}

#[tokio::test]
async fn a_public_client_may_name_itself_in_a_basic_header_without_a_secret() {
    let proxy = Proxy::start().await;
    let public = Client {
        auth: Auth::Basic,
        ..proxy.client().await
    };
    assert_eq!(public.secret, None);
    let tokens = proxy.journey(&public).await;
    Tokens::read(&public.refresh(tokens.refresh()).await);
    for method in ["client_secret_basic", "client_secret_post"] {
        let nameless = Client {
            auth: Auth::Basic,
            secret: None,
            ..confidential(&proxy, method).await
        };
        nameless.refresh("x").await.refused(401, "invalid_client");
    }
}

#[tokio::test]
async fn forms_that_real_clients_send_are_read_and_their_likes_are_not() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let (id, token) = (&client.id, tokens.refresh());
    let post = async |content_type: &str, body: String| {
        let headers = [("content-type", content_type)];
        let path = "/oauth/token";
        proxy
            .wire
            .request(Method::POST, path, &headers, body.into())
            .await
    };
    let form = "application/x-www-form-urlencoded";
    let right = format!("grant_type=refresh_token&refresh_token={token}&client_id={id}");
    for content_type in [
        form,
        "Application/X-WWW-Form-URLEncoded",
        "application/x-www-form-urlencoded; charset=utf-8",
        "application/x-www-form-urlencoded ;charset=ISO-8859-1",
    ] {
        Tokens::read(&post(content_type, right.clone()).await);
    }
    for body in [
        format!("{right}&"),
        format!("&&{right}"),
        format!("{right}&scope=&resource=&client_secret=&client_assertion="),
        format!("{right}&audience=x&unknown"),
    ] {
        Tokens::read(&post(form, body).await);
    }
    for (body, status, error) in [
        (
            right.replace("refresh_token&", "REFRESH_TOKEN&"),
            400,
            "unsupported_grant_type",
        ),
        (
            right.replace("refresh_token&", "refresh_token+&"),
            400,
            "unsupported_grant_type",
        ),
        (
            right.replace("client_id", "Client_ID"),
            401,
            "invalid_client",
        ),
        (
            right.replace("grant_type", "GRANT_TYPE"),
            400,
            "invalid_request",
        ),
        (format!("{right}&client_id={id}"), 400, "invalid_request"),
        (format!("{right}+"), 401, "invalid_client"),
        (right.replace("token=", "token=+"), 400, "invalid_grant"),
        (format!("\u{feff}{right}"), 400, "invalid_request"),
    ] {
        post(form, body.clone()).await.refused(status, error);
    }
    for content_type in ["text/plain", "multipart/form-data", "application/json", ""] {
        let reply = post(content_type, right.clone()).await;
        reply.refused(415, "invalid_request");
    }
    Tokens::read(&post(form, right).await);
}

#[tokio::test]
async fn a_resource_may_repeat_in_a_token_request_and_different_ones_are_no_target() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (code, pkce) = proxy.code(&client).await;
    let (mcp, other) = ("https://proxy.example/mcp", "https://proxy.example/mcp/x");
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", &*pkce.verifier),
        ("resource", mcp),
    ];
    let different = [&redeem[..], &[("resource", other)]].concat();
    client
        .token(&different)
        .await
        .refused(400, "invalid_target");
    let twice = [&redeem[..], &[("resource", mcp)]].concat();
    let tokens = Tokens::read(&client.token(&twice).await);
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh()),
        ("resource", other),
    ];
    let different = [&refresh[..], &[("resource", mcp)]].concat();
    client
        .token(&different)
        .await
        .refused(400, "invalid_target");
    let twice = [&refresh[..], &[("resource", other)]].concat();
    let next = Tokens::read(&client.token(&twice).await);
    assert_eq!(client.call("/mcp/x", &next.access).await.status, 200);
    assert_eq!(client.call("/mcp", &next.access).await.status, 401);
}

#[tokio::test]
async fn credentials_in_the_query_are_not_read() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let path = format!("/oauth/token?client_id={}", client.id);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    let reply = proxy.wire.form(&path, &fields, &[]).await;
    reply.refused(401, "invalid_client");
}
