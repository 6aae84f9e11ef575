//! People log in with Microsoft Entra ID.
//!
//! Register an app in Entra ID with a web redirect URI `{BASE_URL}/oauth/callback` and a client
//! secret, then:
//!
//! ```text
//! LISTEN=127.0.0.1:8080 BASE_URL=http://localhost:8080 AZURE_TENANT=... \
//! AZURE_CLIENT_ID=... AZURE_CLIENT_SECRET=... cargo run --example azure
//! ```
//!
//! `AZURE_AUTHORITY` names another cloud, such as `https://login.microsoftonline.us`.
//!
//! Optional: `SCOPES`, `REQUIRED_SCOPES`, `ALLOWED_REDIRECT_URIS`, `SECRET_KEY`, `CONSENT` and
//! `ACCESS_TOKEN_TTL`, as in `custom_provider`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example")]

mod support;

use std::process::ExitCode;

use axum::{Extension, Router, routing::any};
use support::env::{self, Env, Refusal};
use tower_oauth_proxy::{AuthSession, OAuthProxyConfig, OAuthProxyLayer, provider};

#[tokio::main]
async fn main() -> ExitCode {
    env::run(start).await
}

async fn start(env: Env) -> Result<(), Refusal> {
    let mut provider = provider::azure(
        env.required("AZURE_TENANT")?,
        env.required("AZURE_CLIENT_ID")?,
        env.required("AZURE_CLIENT_SECRET")?,
    );
    if let Some(authority) = env.optional("AZURE_AUTHORITY") {
        provider = provider.authority(authority);
    }
    let builder = OAuthProxyConfig::builder(provider, env.required("BASE_URL")?);
    let config = env.options(builder).await?.build()?;

    let layer = OAuthProxyLayer::new(config);
    let admin = layer.admin();
    let app = Router::new()
        .route(&env.protected_path()?, any(hello))
        .layer(layer);
    env::serve(&env, app, admin).await
}

async fn hello(Extension(session): Extension<AuthSession>) -> String {
    format!("Hello, {}!\n", session.subject())
}
