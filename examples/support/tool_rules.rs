//! Rules by tool, as the environment says them.

use tower_oauth_proxy::guard::{mcp::McpRules, require_all, require_role, require_scopes};

use super::env::{Env, Refusal};

impl Env {
    /// `delete_*=notes:admin audit=role:auditor`: what each tool needs, all of it where it comes several times.
    /// A tool that is not named needs a session.
    pub fn tool_rules(&self) -> Result<McpRules, Refusal> {
        let mut rules = McpRules::new();
        for (tool, needs) in self.pairs("TOOL_RULES", self.list("TOOL_RULES")?)? {
            let guard = |need: &&str| match need.strip_prefix("role:") {
                Some(role) => Ok(require_role(role)),
                None => require_scopes([need])
                    .map_err(|error| Refusal(format!("TOOL_RULES: `{need}`: {error}"))),
            };
            let guards = needs.iter().map(guard).collect::<Result<Vec<_>, _>>()?;
            rules = rules.tool(tool, require_all(guards));
        }
        Ok(rules)
    }
}
