//! A denial as an MCP server says it inside of a message.

use serde_json::{Value, json};

use crate::guard::Denied;

/// A denial as a JSON-RPC error, for a tool that checks by itself: the parts of `ErrorData` of rmcp, and of any other
/// server's error.
///
/// A client does not bring its person back for more scopes on this: for that it has to see HTTP 403, as
/// [`Denied::response`] gives it. So say this of roles, and of what is known only inside of the tool.
///
/// ```
/// use rmcp::{ErrorData, model::ErrorCode};
/// use tower_oauth_proxy::guard::{Denied, mcp::McpError};
///
/// fn error_data(denied: &Denied) -> ErrorData {
///     let McpError { code, message, data, .. } = denied.into();
///     ErrorData::new(ErrorCode(code), message, Some(data))
/// }
/// assert_eq!(error_data(&Denied::Forbidden).code, ErrorCode(403));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct McpError {
    /// What HTTP would say: 401 without a session, 403 otherwise. MCP 2026-07-28 leaves the integers outside of
    /// JSON-RPC's own range to applications.
    pub code: i32,
    /// What is missing, in a sentence.
    pub message: String,
    /// `error` as in a challenge, and `scope` with all scopes that are needed, where scopes are missing.
    pub data: Value,
}

impl From<&Denied> for McpError {
    fn from(denied: &Denied) -> Self {
        let (code, data) = match denied {
            Denied::NoSession => (401, json!({"error": "invalid_token"})),
            Denied::Scopes(needed) => (
                403,
                json!({"error": "insufficient_scope", "scope": needed.to_string()}),
            ),
            Denied::Forbidden => (403, json!({"error": "access_denied"})),
        };
        Self {
            code,
            message: denied.to_string(),
            data,
        }
    }
}

impl From<Denied> for McpError {
    fn from(denied: Denied) -> Self {
        (&denied).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::ScopeSet;

    #[test]
    fn each_denial_says_its_code_and_what_would_help() {
        let needed = Denied::Scopes(ScopeSet::parse("read write").unwrap());
        for (denied, code, data) in [
            (Denied::NoSession, 401, json!({"error": "invalid_token"})),
            (
                needed,
                403,
                json!({"error": "insufficient_scope", "scope": "read write"}),
            ),
            (Denied::Forbidden, 403, json!({"error": "access_denied"})),
        ] {
            let error = McpError::from(&denied);
            assert_eq!((error.code, &error.data), (code, &data));
            assert_eq!(error.message, denied.to_string());
        }
    }
}
