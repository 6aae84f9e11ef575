//! Rules by tool: who may call which tool, prompt, resource and method of an MCP server.
//!
//! A [`McpRulesLayer`] stands before an MCP server, **inside** the [`OAuthProxyLayer`](crate::OAuthProxyLayer). It
//! reads which call a request makes, and lets it through if the [`Guard`](super::Guard) of that call admits the
//! session. A call that needs more scopes is answered 403 `insufficient_scope`, which makes clients bring the person
//! back for more. [The chapter on tools](crate::docs::tools) has the whole.
//!
//! ```
//! use tower_oauth_proxy::guard::{
//!     mcp::{McpRules, McpRulesLayer},
//!     require_auth, require_role, require_scopes,
//! };
//!
//! # fn rules() -> Result<McpRulesLayer, Box<dyn std::error::Error>> {
//! let rules = McpRules::new()
//!     .tool("report", require_scopes(["reports:read"])?)
//!     .tool("delete_*", require_role("admin"))
//!     .resource("file:///reports/*", require_scopes(["reports:read"])?)
//!     .default(require_auth());
//! assert!(rules.check_tool("delete_everything", None).is_err());
//! let layer = McpRulesLayer::new(rules)?;
//! # Ok(layer) }
//! # assert!(rules().is_ok());
//! ```

mod answer_body;
mod call_headers;
mod event_filter;
mod held_body;
mod judging;
mod list_filter;
mod listed;
mod listing;
mod mcp_error;
mod names;
mod reader;
mod refused_call;
mod rules;
mod rules_future;
mod rules_layer;
mod spelling;

pub use answer_body::McpAnswer;
pub use held_body::McpBody;
pub use listed::Listed;
pub use mcp_error::McpError;
pub use rules::McpRules;
pub use rules_future::McpRulesFuture;
pub use rules_layer::{McpRulesLayer, McpRulesService};
