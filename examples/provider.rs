//! Any of the presets as the identity provider, configured by environment.
//!
//! ```text
//! LISTEN=127.0.0.1:8080 BASE_URL=http://127.0.0.1:8080 \
//! PROVIDER=google PROVIDER_CLIENT_ID=... PROVIDER_CLIENT_SECRET=... \
//! cargo run --example provider
//! ```
//!
//! Register `{BASE_URL}/oauth/callback` as the redirect URI at the provider. The docs of each preset in
//! `tower_oauth_proxy::provider` say where that is, and what to click.
//!
//! | `PROVIDER` | needs besides |
//! |---|---|
//! | `google`, `github`, `github-app`, `atlassian`, `discord`, `hugging-face`, `linkedin`, `notion`, `salesforce`, `slack` | |
//! | `gitlab` | `PROVIDER_DOMAIN`, the instance, where it is not gitlab.com |
//! | `azure` | `PROVIDER_TENANT` |
//! | `azure-external` | `PROVIDER_DOMAIN`, the tenant's name, and `PROVIDER_TENANT`, its id |
//! | `azure-b2c` | the same, and `PROVIDER_POLICY` |
//! | `auth0`, `okta`, `workos` | `PROVIDER_DOMAIN` |
//! | `keycloak` | `PROVIDER_DOMAIN` and `PROVIDER_REALM` |
//! | `authentik` | `PROVIDER_DOMAIN` and `PROVIDER_SLUG` |
//! | `cognito` | `PROVIDER_POOL`, the user pool's id |
//! | `oidc` | `PROVIDER_ISSUER` |
//!
//! Optional: `ALLOWED_ORGANIZATIONS`, whose people may log in (Google: Workspace domains; GitHub: `acme`, or a team
//! `acme/platform`; Entra ID: tenant ids), `SCOPES`, `REQUIRED_SCOPES`, `ALLOWED_REDIRECT_URIS`, `SECRET_KEY`, `CONSENT`, `STORAGE` and the others of
//! `custom_provider`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example")]

mod support;

use std::process::ExitCode;

use axum::{Extension, Router, routing::any};
use support::env::{self, Env, Refusal};
use tower_oauth_proxy::{AuthSession, OAuthProxyConfig, OAuthProxyLayer};

#[tokio::main]
async fn main() -> ExitCode {
    env::run(start).await
}

async fn start(env: Env) -> Result<(), Refusal> {
    let builder = OAuthProxyConfig::builder(env.preset()?, env.required("BASE_URL")?);
    let config = env.options(builder).await?.build()?;
    env::tell(&config);

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
