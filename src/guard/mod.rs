//! Guards: who may do this, as a rule on a session.
//!
//! A [`Guard`] is checked inside a handler (a tool that only admins may call) or put before routes
//! with a [`RequireLayer`]. [`mcp`] has rules by tool, before a whole MCP server.
//!
//! ```
//! use tower_oauth_proxy::{
//!     AuthSession,
//!     guard::{Guard, require_all, require_any, require_auth, require_role, require_scopes},
//! };
//!
//! let staff = require_all([
//!     require_scopes(["reports:read"])?,
//!     require_any([require_role("admin"), require_role("moderator")]),
//! ]);
//!
//! fn tool(staff: &Guard, session: Option<&AuthSession>) -> Result<&'static str, String> {
//!     staff.check(session).map_err(|denied| denied.to_string())?;
//!     Ok("the report")
//! }
//! assert_eq!(tool(&staff, None).unwrap_err(), "a session is required");
//! assert_eq!(tool(&require_auth(), None).unwrap_err(), "a session is required");
//! # Ok::<(), tower_oauth_proxy::InvalidScope>(())
//! ```

mod denied_answer;
mod layer;
pub mod mcp;
mod rule;

#[cfg(feature = "axum")]
pub(crate) use layer::refuse;
pub use layer::{RequireFuture, RequireLayer, RequireService};
pub use rule::{
    Denied, Guard, deny, require, require_all, require_any, require_auth, require_role,
    require_scopes,
};
