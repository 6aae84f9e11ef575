//! The presets, with what the real clients send.

use serde_json::{Value, json};
use tower_oauth_proxy::{KnownClient, RedirectPolicy};

use crate::inside::tokens_of;
use testkit::{Client, Pkce, Proxy, Tokens, wire::query_param};

/// What each client registers.
fn metadata(client: KnownClient) -> Vec<Value> {
    let with = |name: &str, method: &str, uris: &[&str]| {
        json!({
            "client_name": name,
            "redirect_uris": uris,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": method,
        })
    };
    match client {
        KnownClient::Claude => {
            let mut desktop = with(
                "Claude",
                "none",
                &["https://claude.ai/api/mcp/auth_callback"],
            );
            desktop["scope"] = json!("claudeai");
            let com = "https://claude.com/api/mcp/auth_callback";
            vec![desktop, with("Claude", "none", &[com])]
        }
        KnownClient::ChatGpt => vec![
            with(
                "ChatGPT",
                "none",
                &["https://chatgpt.com/connector/oauth/AbC-1_2"],
            ),
            with(
                "ChatGPT",
                "client_secret_post",
                &["https://chatgpt.com/connector_platform_oauth_redirect"],
            ),
        ],
        KnownClient::Cursor => vec![with(
            "Cursor",
            "none",
            &["cursor://anysphere.cursor-mcp/oauth/callback"],
        )],
        KnownClient::VsCode => {
            let mut code = with(
                "Visual Studio Code",
                "none",
                &[
                    "http://127.0.0.1/",
                    "http://127.0.0.1:33418/",
                    "https://vscode.dev/redirect",
                ],
            );
            code["application_type"] = json!("native");
            vec![code]
        }
        KnownClient::CopilotStudio => vec![with(
            "Copilot Studio",
            "client_secret_post",
            &["https://global.consent.azure-apim.net/redirect/cr1a2-5ftool-5f0123456789"],
        )],
        KnownClient::Gemini => {
            let hosts = [
                "oauth-redirect",
                "oauth-redirect-test",
                "oauth-redirect-sandbox",
            ];
            let uris = hosts.map(|host| {
                ["r", "a"].map(|path| {
                    let account = "user_bound_custom-mcp-1-mcp_example";
                    format!("https://{host}.googleusercontent.com/{path}/{account}")
                })
            });
            let mut gemini = with("Gemini", "client_secret_post", &[]);
            gemini["redirect_uris"] = json!(uris.concat());
            vec![gemini]
        }
        KnownClient::GeminiEnterprise => vec![with(
            "Gemini Enterprise",
            "client_secret_post",
            &["https://vertexaisearch.cloud.google.com/oauth-redirect"],
        )],
        KnownClient::Grok => vec![with(
            "Grok",
            "none",
            &["https://grok.com/connectors-oauth-exchange-code/"],
        )],
        other => panic!("what does {other:?} register?"),
    }
}

#[tokio::test]
async fn each_preset_takes_its_real_client_through_the_whole_journey() {
    for known in KnownClient::all() {
        // The preset alone: not even loopback is permitted besides.
        let proxy = Proxy::with(|builder| {
            builder
                .redirect_policy(RedirectPolicy::none())
                .allow_client(*known)
        })
        .await;
        for metadata in metadata(*known) {
            let client = proxy.register(&metadata).await;
            for uri in metadata["redirect_uris"].as_array().unwrap() {
                let client = Client {
                    redirect_uri: uri.as_str().unwrap().to_owned(),
                    ..client.clone()
                };
                let pkce = Pkce::new();
                let mut browser = proxy.browser();
                let callback = proxy.login(&mut browser, &client, &pkce).await;
                assert!(callback.starts_with(&client.redirect_uri), "{callback}");
                let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
                proxy.session(&client, &tokens.access).await;
                client.refresh(tokens.refresh()).await.expect(200);
            }
        }
    }
}

#[tokio::test]
async fn without_its_preset_a_client_from_elsewhere_is_refused() {
    let proxy = Proxy::start().await;
    for known in KnownClient::all() {
        for metadata in metadata(*known) {
            let reply = Client::try_register(&proxy.wire, "", &metadata).await;
            reply.refused(400, "invalid_redirect_uri");
        }
        // Nor does another client's preset help.
        for other in KnownClient::all().iter().filter(|other| *other != known) {
            let proxy = proxy.sibling(|builder| builder.allow_client(*other));
            for metadata in metadata(*known) {
                let reply = Client::try_register(&proxy.wire, "", &metadata).await;
                reply.refused(400, "invalid_redirect_uri");
            }
        }
    }
}

#[tokio::test]
async fn presets_add_up_with_patterns_and_loopback() {
    let proxy = Proxy::with(|builder| {
        builder
            .allow_client(KnownClient::Claude)
            .allowed_redirect_uri_patterns(["https://*.example.com/cb"])
            .allow_client(KnownClient::Cursor)
    })
    .await;
    let claude = metadata(KnownClient::Claude).remove(0);
    let cursor = metadata(KnownClient::Cursor).remove(0);
    let own = testkit::client::native_metadata("https://a.example.com/cb");
    let loopback = testkit::client::native_metadata("http://localhost:1234/cb");
    for metadata in [claude, cursor, own, loopback] {
        let client = proxy.register(&metadata).await;
        proxy.journey(&client).await;
    }
}

#[tokio::test]
async fn vs_codes_and_claude_codes_ephemeral_ports_and_offline_access_work() {
    let proxy = Proxy::with(|builder| builder.allow_client(KnownClient::VsCode)).await;
    let metadata = metadata(KnownClient::VsCode).remove(0);
    let client = Client {
        redirect_uri: "http://127.0.0.1:51234/".to_owned(),
        ..proxy.register(&metadata).await
    };
    let tokens = tokens_of(
        &proxy,
        &client,
        &[("scope", "openid read write offline_access")],
    )
    .await;
    assert_eq!(tokens.scope, "openid read write offline_access");
    // A registered path is not any path.
    let wrong = client.authorize(&Pkce::new(), "s");
    let wrong = wrong.with("redirect_uri", "http://127.0.0.1:51234/other");
    let page = proxy.browser().open(&wrong.url()).await.page();
    assert_eq!(page.reply.status, 400);
}

#[tokio::test]
async fn claudes_unknown_scope_is_dropped_at_registration_and_at_authorize() {
    let proxy = Proxy::with(|builder| builder.allow_client(KnownClient::Claude)).await;
    let client = proxy
        .register(&metadata(KnownClient::Claude).remove(0))
        .await;
    let tokens = proxy.journey(&client).await;
    assert_eq!(tokens.scope, "openid read write");
    let tokens = tokens_of(&proxy, &client, &[("scope", "claudeai read")]).await;
    assert_eq!(tokens.scope, "read");
    let only = client
        .authorize(&Pkce::new(), "s")
        .with("scope", "claudeai");
    let back = proxy.browser().open(&only.url()).await.left();
    assert_eq!(query_param(&back, "error").unwrap(), "invalid_scope");
}
