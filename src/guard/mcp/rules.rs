//! Who may call what: the operator's words, and the verdict on one call.

use std::{fmt, sync::Arc};

use super::{
    listed::Listed,
    names::Names,
    spelling::{
        Kind, OTHER_CAPITALS, is_hello, is_known, is_plain, is_written_plainly, may_be_met,
    },
};
use crate::{
    error::ConfigError,
    guard::{Denied, Guard, require_auth},
    limits::{HELD_BACK, MAX_HELD_BACK, MIN_HELD_BACK},
    oauth::ScopeSet,
    session::AuthSession,
};

/// Who may call which tool, prompt, resource and method of an MCP server. Cheap to clone.
///
/// One rule decides a call, the **most exact** one:
///
/// 1. the rule of the tool, prompt or resource: by its whole name, else by the longest beginning
///    (`delete_*`),
/// 2. the rule of the method: by its whole name, else by the longest beginning (`resources/*`),
/// 3. [`default`](Self::default), which is any session unless you say otherwise.
///
/// Names are compared byte for byte. What says hello and calls nothing needs a session alone, whatever the
/// default, unless a method's rule names it: `initialize`, `server/discover`, `ping`, notifications, and what a
/// client answers to the server's questions.
///
/// ```
/// use tower_oauth_proxy::guard::{deny, mcp::McpRules, require_auth, require_scopes};
///
/// // Nothing but these.
/// let rules = McpRules::new()
///     .method("tools/list", require_auth())
///     .tool("search", require_auth())
///     .tool("publish", require_scopes(["write"])?)
///     .default(deny());
/// # assert!(rules.check_tool("search", None).is_err());
/// # Ok::<(), tower_oauth_proxy::InvalidScope>(())
/// ```
#[derive(Clone)]
#[must_use = "rules decide nothing until they are asked, or put into a `McpRulesLayer`"]
pub struct McpRules(Arc<Words>);

#[derive(Clone)]
struct Words {
    tools: Names,
    prompts: Names,
    resources: Names,
    methods: Names,
    default: Guard,
    session: Guard,
    are_headers_checked_behind: bool,
    held_back: usize,
    listed: Listed,
    /// The first thing that cannot be meant: the method of this type, and words.
    fault: Option<(&'static str, String)>,
}

/// Why a call cannot be let through.
#[derive(Debug)]
pub(super) enum No<'a> {
    /// The guard of this call says no.
    Denied(Denied, Option<&'a Guard>),
    /// No guard can be asked: a server could read the call as another one than we do.
    Odd(&'static str),
}

impl McpRules {
    /// Rules that let every session make every call, to be narrowed.
    #[expect(clippy::new_without_default, reason = "`default` is a rule here")]
    pub fn new() -> Self {
        Self(Arc::new(Words {
            tools: Names::default(),
            prompts: Names::default(),
            resources: Names::default(),
            methods: Names::default(),
            default: require_auth(),
            session: require_auth(),
            are_headers_checked_behind: false,
            held_back: HELD_BACK,
            listed: Listed::All,
            fault: None,
        }))
    }

    /// Who may call (`tools/call`) this tool, or the tools whose names begin so: `delete_*`. `*` is every tool.
    pub fn tool(self, pattern: impl AsRef<str>, guard: Guard) -> Self {
        self.with("tool", pattern.as_ref(), guard, |words| &mut words.tools)
    }

    /// Who may get (`prompts/get`) this prompt, or those that begin so.
    pub fn prompt(self, pattern: impl AsRef<str>, guard: Guard) -> Self {
        self.with("prompt", pattern.as_ref(), guard, |words| {
            &mut words.prompts
        })
    }

    /// Who may read the resource with this URI, or those whose URIs begin so, and subscribe to it
    /// (`resources/read`, `resources/subscribe`, `resources/unsubscribe`).
    ///
    /// URIs are compared as they are written. As soon as there is one such rule, a URI that could be written
    /// otherwise is refused, so that none slips past it: with dot segments or empty ones, a backslash, a letter that is
    /// encoded for nothing, capitals in its scheme, or another form than the URL Standard's (`file:/a`).
    pub fn resource(self, pattern: impl AsRef<str>, guard: Guard) -> Self {
        let pattern = pattern.as_ref();
        let mut rules = self.with("resource", pattern, guard, |words| &mut words.resources);
        if !may_be_met(pattern) {
            let fault =
                format!("`{pattern}` can be written otherwise: no call of such a URI passes");
            let words = Arc::make_mut(&mut rules.0);
            words.fault.get_or_insert(("resource", fault));
        }
        rules
    }

    /// Who may use this JSON-RPC method, or those that begin so (`resources/*`). For a call that has a rule of its
    /// own by its tool, prompt or resource, that rule decides alone.
    pub fn method(self, pattern: impl AsRef<str>, guard: Guard) -> Self {
        self.with("method", pattern.as_ref(), guard, |words| {
            &mut words.methods
        })
    }

    /// Who may make a call that no rule names. Any session, unless said; [`deny`](crate::guard::deny) for nobody.
    pub fn default(mut self, guard: Guard) -> Self {
        Arc::make_mut(&mut self.0).default = guard;
        self
    }

    /// The server behind refuses a request whose headers say another call than its body, as MCP 2026-07-28 demands:
    /// so the headers decide alone, and their bodies are not read.
    ///
    /// That holds for requests with `MCP-Protocol-Version: 2026-07-28` or later, whose `Mcp-Method` and `Mcp-Name`
    /// say all. All others are read. rmcp checks since 3.11. **Say this of no server that you have not tried**:
    /// where it does not check, a client's header would be all that protects a tool.
    pub fn headers_are_checked_behind(mut self) -> Self {
        Arc::make_mut(&mut self.0).are_headers_checked_behind = true;
        self
    }

    /// How many bytes of a body are held back while it has not said its method and name: 64 KiB unless set, 1 KiB
    /// to 16 MiB. A body that says them later is answered 413; a batch is held back whole. The rest of a body
    /// streams on and is not kept.
    pub fn hold_back_at_most(mut self, bytes: usize) -> Self {
        let words = Arc::make_mut(&mut self.0);
        words.held_back = bytes;
        if !(MIN_HELD_BACK..=MAX_HELD_BACK).contains(&bytes) {
            let fault = format!(
                "{bytes} bytes: choose from {MIN_HELD_BACK} (no name would fit into less) to {MAX_HELD_BACK} (each \
                 request at work may take so much)"
            );
            words.fault.get_or_insert(("hold_back_at_most", fault));
        }
        self
    }

    /// What clients see of the server's lists of tools, prompts and resources: everything unless set. What a list does
    /// not show is refused all the same; a list that cannot be read is answered 502, or ends in an error.
    pub fn list(mut self, listed: Listed) -> Self {
        Arc::make_mut(&mut self.0).listed = listed;
        self
    }

    /// Whether this session may call the tool: for a check inside of a handler, and for what is listed.
    ///
    /// ```
    /// use tower_oauth_proxy::{AuthSession, guard::{Denied, mcp::{McpError, McpRules}, require_role}};
    ///
    /// fn call(rules: &McpRules, name: &str, session: Option<&AuthSession>) -> Result<(), McpError> {
    ///     Ok(rules.check_tool(name, session)?)
    /// }
    /// let rules = McpRules::new().tool("delete_*", require_role("admin"));
    /// assert_eq!(rules.check_tool("delete_all", None), Err(Denied::NoSession));
    /// assert_eq!(call(&rules, "delete_all", None).unwrap_err().code, 401);
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] says what is missing. With a rule that cannot be meant, which [`McpRulesLayer::new`] reports,
    /// everything is denied.
    ///
    /// [`McpRulesLayer::new`]: super::McpRulesLayer::new
    pub fn check_tool<'a>(
        &self,
        name: &str,
        session: impl Into<Option<&'a AuthSession>>,
    ) -> Result<(), Denied> {
        self.check("tools/call", name, session.into())
    }

    /// The same for a prompt.
    ///
    /// # Errors
    ///
    /// As [`check_tool`](Self::check_tool).
    pub fn check_prompt<'a>(
        &self,
        name: &str,
        session: impl Into<Option<&'a AuthSession>>,
    ) -> Result<(), Denied> {
        self.check("prompts/get", name, session.into())
    }

    /// The same for a resource, by its URI.
    ///
    /// # Errors
    ///
    /// As [`check_tool`](Self::check_tool).
    pub fn check_resource<'a>(
        &self,
        uri: &str,
        session: impl Into<Option<&'a AuthSession>>,
    ) -> Result<(), Denied> {
        self.check("resources/read", uri, session.into())
    }

    fn check(&self, method: &str, name: &str, session: Option<&AuthSession>) -> Result<(), Denied> {
        match self.judge(Some(method), Some(name), session) {
            Ok(_) => Ok(()),
            Err(No::Denied(denied, _)) => Err(denied),
            Err(No::Odd(_)) => Err(Denied::Forbidden),
        }
    }

    /// Whether the session may make this call, and by which scopes. Without a method it is an answer to the server.
    pub(super) fn judge(
        &self,
        method: Option<&str>,
        name: Option<&str>,
        session: Option<&AuthSession>,
    ) -> Result<ScopeSet, No<'_>> {
        let guard = self.guard(method, name)?;
        guard
            .admit(session)
            .map_err(|denied| No::Denied(denied, Some(guard)))
    }

    fn guard(&self, method: Option<&str>, name: Option<&str>) -> Result<&Guard, No<'_>> {
        let words = &*self.0;
        if words.fault.is_some() {
            return Err(No::Denied(Denied::Forbidden, None));
        }
        let Some(method) = method else {
            return Ok(&words.session);
        };
        let by_name = match Kind::of(method).map_err(No::Odd)? {
            None => None,
            Some(kind) => {
                let name = name.filter(|name| !name.is_empty());
                let name = name.ok_or(No::Odd("the call does not name what it calls"))?;
                if !is_plain(name) {
                    return Err(No::Odd("a name has spaces around it or control characters"));
                }
                match kind {
                    Kind::Tool => words.tools.find(name),
                    Kind::Prompt => words.prompts.find(name),
                    Kind::Resource if words.resources.is_empty() => None,
                    Kind::Resource if !is_written_plainly(name) => {
                        return Err(No::Odd("the resource's URI can be written otherwise"));
                    }
                    Kind::Resource => words.resources.find(name),
                }
            }
        };
        if !is_known(method) && words.methods.has_in_other_capitals(method) {
            return Err(No::Odd(OTHER_CAPITALS));
        }
        Ok(by_name
            .or_else(|| words.methods.find(method))
            .or_else(|| is_hello(method).then_some(&words.session))
            .unwrap_or(&words.default))
    }

    pub(super) fn are_headers_checked_behind(&self) -> bool {
        self.0.are_headers_checked_behind
    }

    pub(super) fn listed(&self) -> Listed {
        self.0.listed
    }

    pub(super) fn held_back(&self) -> usize {
        self.0.held_back
    }

    /// Whether all can be meant that was said.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        match &self.0.fault {
            None => Ok(()),
            Some((method, words)) => Err(ConfigError::new(method, words.clone())),
        }
    }

    fn with(
        mut self,
        method: &'static str,
        pattern: &str,
        guard: Guard,
        names: impl FnOnce(&mut Words) -> &mut Names,
    ) -> Self {
        let words = Arc::make_mut(&mut self.0);
        if let Err(fault) = names(words).add(pattern, guard) {
            words.fault.get_or_insert((method, fault));
        }
        self
    }
}

impl fmt::Debug for McpRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpRules")
            .field("tools", &self.0.tools)
            .field("prompts", &self.0.prompts)
            .field("resources", &self.0.resources)
            .field("methods", &self.0.methods)
            .field("default", &self.0.default)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
