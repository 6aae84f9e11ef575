//! The MCP server: one tool for every user, one for admins.

use http::request::Parts;
use rmcp::{
    ErrorData, ServerHandler,
    handler::server::{router::tool::ToolRouter, tool::Extension},
    model::{CallToolResult, ContentBlock, ServerCapabilities, ServerConfig},
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::json;
use tower_oauth_proxy::{AuthSession, guard::require_role};

use crate::support::idp::people::PEOPLE;

/// The tools, as an HTTP service.
pub(crate) fn service() -> StreamableHttpService<Tools, LocalSessionManager> {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    StreamableHttpService::new(
        || Ok(Tools::new()),
        LocalSessionManager::default().into(),
        config,
    )
}

#[derive(Clone)]
pub(crate) struct Tools {
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
    async fn whoami(
        &self,
        Extension(parts): Extension<Parts>,
    ) -> Result<CallToolResult, ErrorData> {
        let session = session(&parts)?;
        let who = json!({
            "subject": session.subject(),
            "scopes": session.scopes().iter().collect::<Vec<_>>(),
            "client": session.client_id(),
            "roles": session.claims().get("roles"),
        });
        Ok(CallToolResult::success(vec![ContentBlock::text(
            who.to_string(),
        )]))
    }

    #[tool(description = "Lists all people who can log in. For admins only.")]
    async fn list_people(
        &self,
        Extension(parts): Extension<Parts>,
    ) -> Result<CallToolResult, ErrorData> {
        if let Err(denied) = require_role("admin").check(session(&parts)?) {
            return Ok(CallToolResult::error(vec![ContentBlock::text(
                denied.to_string(),
            )]));
        }
        let names: Vec<_> = PEOPLE.iter().map(|person| person.name).collect();
        Ok(CallToolResult::success(vec![ContentBlock::text(
            names.join(", "),
        )]))
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_instructions("whoami says who you are; list_people is for admins")
    }
}

/// Never missing: the layer refuses requests without a session.
fn session(parts: &Parts) -> Result<&AuthSession, ErrorData> {
    let session = AuthSession::from_extensions(&parts.extensions);
    session.ok_or_else(|| ErrorData::internal_error("no session", None))
}
