//! The operator's word on what the server's lists show.

/// What clients see of the server's lists (`tools/list`, `prompts/list`, `resources/list`), for
/// [`McpRules::list`](super::McpRules::list).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Listed {
    /// Everything, as the server says it. Answers are not touched.
    #[default]
    All,
    /// What the session may call, and what it could call once its person has consented to more scopes: clients still
    /// find what they can step up for.
    Reachable,
    /// What the session may call as it is. A client that does not see a tool does not ask for its scopes either.
    Callable,
}
