//! An MCP server (rmcp) for interoperability tests; configured by the environment of `custom_provider`, and by
//! `TOOL_RULES`: what a tool needs, as `delete_*=notes:admin audit=role:auditor`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example")]

mod support;

use std::{collections::BTreeMap, process::ExitCode};

use axum::{Router, extract::Query, http::StatusCode, routing::get};
use rmcp::{
    ServerHandler,
    handler::server::{router::tool::ToolRouter, tool::Extension},
    model::{ServerCapabilities, ServerConfig},
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::json;
use support::env::{self, Env, Refusal};
use tower::Layer;
use tower_oauth_proxy::{
    AuthSession, OAuthProxyConfig, OAuthProxyLayer, TokenTarget, guard::mcp::McpRulesLayer,
};

#[tokio::main]
async fn main() -> ExitCode {
    env::run(start).await
}

async fn start(env: Env) -> Result<(), Refusal> {
    let base_url = env.required("BASE_URL")?;
    let builder = OAuthProxyConfig::builder(env.custom_provider()?, base_url);
    let builder = env.token_swap(builder)?;
    let config = env.options(builder).await?.build()?;
    env::tell(&config);

    let mcp = StreamableHttpService::new(
        || Ok(Tools::new()),
        LocalSessionManager::default().into(),
        // The layer has proven the caller by a token, which no DNS rebinding can forge.
        StreamableHttpServerConfig::default().disable_allowed_hosts(),
    );
    let mcp = McpRulesLayer::new(env.tool_rules()?)?.layer(mcp);
    let layer = OAuthProxyLayer::new(config);
    let admin = layer.admin();
    let app = Router::new()
        .route_service(&env.protected_path()?, mcp)
        .route("/who", get(who))
        .route("/on-behalf-of", get(on_behalf_of))
        .layer(layer);
    env::serve(&env, app, admin).await
}

/// The session as plain JSON.
async fn who(session: axum::Extension<AuthSession>) -> axum::Json<serde_json::Value> {
    axum::Json(told(&session))
}

fn told(session: &AuthSession) -> serde_json::Value {
    json!({
        "subject": session.subject(),
        "scopes": session.scopes().iter().collect::<Vec<_>>(),
        "client": session.client_id(),
        "source": session.source().as_str(),
        "person": session.is_person(),
    })
}

/// Asks the provider for a token for the audience of the query.
async fn on_behalf_of(
    session: axum::Extension<AuthSession>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<String, (StatusCode, String)> {
    let audience = asked
        .get("audience")
        .map(String::as_str)
        .unwrap_or_default();
    match session.token_for(TokenTarget::audience(audience)).await {
        Ok(_) => Ok(format!("a token for {audience}")),
        Err(error) => Err((StatusCode::BAD_GATEWAY, error.to_string())),
    }
}

/// All tools say the same: who called.
fn answer(parts: &http::request::Parts) -> String {
    let session = AuthSession::from_extensions(&parts.extensions);
    session.map(told).unwrap_or_default().to_string()
}

#[derive(Clone)]
struct Tools {
    tool_router: ToolRouter<Self>,
}

#[tool_router]
impl Tools {
    fn new() -> Self {
        Self {
            tool_router: Self::tool_router(),
        }
    }

    #[tool(description = "Says who is logged in, with which client and which scopes")]
    async fn whoami(&self, Extension(parts): Extension<http::request::Parts>) -> String {
        answer(&parts)
    }

    #[tool(description = "Needs a scope to read, where TOOL_RULES says so")]
    async fn list_notes(&self, Extension(parts): Extension<http::request::Parts>) -> String {
        answer(&parts)
    }

    #[tool(description = "Needs a scope to write, where TOOL_RULES says so")]
    async fn write_note(&self, Extension(parts): Extension<http::request::Parts>) -> String {
        answer(&parts)
    }

    #[tool(description = "Needs the largest scope, where TOOL_RULES says so")]
    async fn delete_notes(&self, Extension(parts): Extension<http::request::Parts>) -> String {
        answer(&parts)
    }

    #[tool(description = "Needs a role, where TOOL_RULES says so")]
    async fn audit(&self, Extension(parts): Extension<http::request::Parts>) -> String {
        answer(&parts)
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}
