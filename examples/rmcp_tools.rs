//! An MCP server (rmcp) whose tools need different things, and clients that are given more on the way.
//!
//! `cargo run --example rmcp_tools` starts it with a small identity provider beside it, where Ada (an admin) and Bob
//! (not one) log in by a button, and prints how to connect a client. The first login is for `openid` alone; a tool that
//! needs more is answered by 403 `insufficient_scope`, and the client brings its person back for more.
//!
//! | tool | needs |
//! |---|---|
//! | `whoami` | a login |
//! | `list_notes` | the scope `notes:read` |
//! | `write_note` | the scope `notes:write`, which implies `notes:read` |
//! | `delete_notes` | the scope `notes:admin`, which implies `notes:write` |
//! | `list_people` | the role `admin`, which no new login can give |
//!
//! The part that you would write yourself is `rules`, `build` and the tools.

#![allow(
    unreachable_pub,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example"
)]

pub(crate) mod support;

use std::{
    error::Error,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use axum::Router;
use http::request::Parts;
use rmcp::{
    ErrorData, ServerHandler,
    handler::server::{
        router::tool::ToolRouter,
        tool::Extension,
        wrapper::{Json, Parameters},
    },
    model::{ServerCapabilities, ServerConfig},
    schemars, tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde::{Deserialize, Serialize};
use support::{
    idp::{IdentityProvider, people::PEOPLE},
    log,
    serve::{self, Limits},
};
use tokio::net::TcpListener;
use tower::Layer;
use tower_oauth_proxy::{
    AuthSession, InvalidScope, OAuthProxyAdmin, OAuthProxyConfig, OAuthProxyLayer, SecretKey,
    guard::{
        mcp::{McpRules, McpRulesLayer},
        require_role, require_scopes,
    },
    provider,
};
use tracing_subscriber::filter::LevelFilter;

/// What each tool needs. A tool that is not named needs a session; `default(deny())` would refuse it.
fn rules() -> Result<McpRules, InvalidScope> {
    Ok(McpRules::new()
        .tool("list_notes", require_scopes(["notes:read"])?)
        .tool("write_note", require_scopes(["notes:write"])?)
        .tool("delete_*", require_scopes(["notes:admin"])?)
        .tool("list_people", require_role("admin")))
}

/// The MCP server with its layers.
///
/// # Errors
///
/// An option that cannot work, by its name.
pub(crate) fn build(
    base_url: &str,
    idp: &IdentityProvider,
) -> Result<(Router, OAuthProxyAdmin), Box<dyn Error>> {
    let upstream = provider::oidc(&idp.issuer, &idp.app.id, &idp.app.secret)
        .name("the example's identity provider");
    let config = OAuthProxyConfig::builder(upstream, base_url)
        // A real server keeps its secret: with a new one, clients have to register again.
        .secret_key(SecretKey::from_bytes(rand::random::<[u8; 32]>())?)
        .scopes(["openid", "notes:read", "notes:write", "notes:admin"])
        // Without this, clients ask for all scopes at their first login, and never have to ask again.
        .required_scopes(["openid"])
        .scopes_imply("notes:admin", ["notes:write"])
        .scopes_imply("notes:write", ["notes:read"])
        .cors_on_protected_paths(true)
        .build()?;

    let notes = Notes::default();
    let server = StreamableHttpService::new(
        move || Ok(Tools::new(notes.clone())),
        LocalSessionManager::default().into(),
        StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true),
    );
    let layer = OAuthProxyLayer::new(config);
    let admin = layer.admin();
    let app = Router::new()
        .route_service("/mcp", McpRulesLayer::new(rules()?)?.layer(server))
        .layer(layer);
    Ok((app, admin))
}

/// Everybody's notes; a real server has a database.
type Notes = Arc<Mutex<Vec<Note>>>;

#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
struct Note {
    by: String,
    text: String,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct AllNotes {
    notes: Vec<Note>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct NewNote {
    text: String,
}

#[derive(Clone)]
struct Tools {
    notes: Notes,
    tool_router: ToolRouter<Self>,
}

#[tool_router]
impl Tools {
    fn new(notes: Notes) -> Self {
        Self {
            notes,
            tool_router: Self::tool_router(),
        }
    }

    #[tool(description = "Says who is logged in, and which scopes the client holds")]
    async fn whoami(&self, Extension(parts): Extension<Parts>) -> Result<String, ErrorData> {
        let session = session(&parts)?;
        Ok(format!("{}, {}", session.subject(), session.scopes()))
    }

    #[tool(description = "Lists all notes. Needs the scope notes:read.")]
    async fn list_notes(&self) -> Json<AllNotes> {
        let notes = self.with_notes(|notes| notes.clone());
        Json(AllNotes { notes })
    }

    #[tool(description = "Writes a note. Needs the scope notes:write.")]
    async fn write_note(
        &self,
        Extension(parts): Extension<Parts>,
        Parameters(NewNote { text }): Parameters<NewNote>,
    ) -> Result<String, ErrorData> {
        const MOST: usize = 100;
        let by = session(&parts)?.subject().to_owned();
        let number = self.with_notes(|notes| {
            if notes.len() < MOST {
                notes.push(Note { by, text });
            }
            notes.len()
        });
        Ok(format!("{number} of at most {MOST} notes"))
    }

    #[tool(description = "Deletes all notes. Needs the scope notes:admin.")]
    async fn delete_notes(&self) -> String {
        let gone = self.with_notes(|notes| notes.drain(..).count());
        format!("{gone} notes are gone")
    }

    #[tool(description = "Lists all people who can log in. For admins only.")]
    async fn list_people(&self) -> String {
        let names: Vec<_> = PEOPLE.iter().map(|person| person.name).collect();
        names.join(", ")
    }

    fn with_notes<T>(&self, act: impl FnOnce(&mut Vec<Note>) -> T) -> T {
        act(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_instructions("Notes of everybody. list_people is for admins.")
    }
}

/// Never missing: the layer refuses requests without a session.
fn session(parts: &Parts) -> Result<&AuthSession, ErrorData> {
    let session = AuthSession::from_extensions(&parts.extensions);
    session.ok_or_else(|| ErrorData::internal_error("no session", None))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    log::start(LevelFilter::WARN).map_err(|refusal| refusal.to_string())?;
    let stop = serve::stop_signals()?;
    let server = TcpListener::bind("127.0.0.1:8080").await?;
    let base_url = format!("http://{}", server.local_addr()?);
    let idp = TcpListener::bind("127.0.0.1:8081").await?;
    let idp = IdentityProvider::start(idp, format!("{base_url}/oauth/callback"))?;
    let (app, admin) = build(&base_url, &idp)?;
    println!(
        "Give your MCP client the URL {base_url}/mcp, for example

    claude mcp add --transport http notes {base_url}/mcp

ask it for your notes, to write one, and to delete them all, and see what it asks you for. Ctrl-C ends everything."
    );
    serve::serve(server, app, Limits::default(), stop.clone()).await;
    serve::drain(&[admin], stop).await;
    Ok(())
}
