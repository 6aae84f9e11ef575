//! `[tools]`, `[prompts]`, `[resources]`, `[methods]` and `[rules]`: who may call what.

use tower_oauth_proxy::guard::{
    Guard, deny,
    mcp::{Listed, McpRules, McpRulesLayer},
    require_all, require_any, require_auth, require_role, require_scopes,
};

use crate::{
    settings::RuleSettings,
    words::{
        key::{Key, Kind, key},
        refusal::{Refusal, words_of},
        table::Table,
    },
};

/// What a call needs.
const RULE: &[Key] = &[
    key(
        "scopes",
        Kind::Scopes,
        "none",
        "[\"reports:read\"]",
        "scopes, all of which the session needs; a client that lacks one is sent back for them",
    ),
    key(
        "roles",
        Kind::Words,
        "none",
        "[\"admin\", \"analyst\"]",
        "roles, one of which the person needs",
    ),
    key("deny", Kind::Switch, "`false`", "true", "nobody may"),
];

/// The keys of the root that are about calls.
pub(crate) const TOOLS: Key = key(
    "tools",
    Kind::Named(RULE),
    "none",
    "{ \"delete_*\" = { roles = [\"admin\"] } }",
    "who may call a tool, by its name or its beginning and `*`: `\"delete_*\" = { roles = [\"admin\"] }`. The most exact name wins. A rule that says nothing needs a session",
);
pub(crate) const PROMPTS: Key = key(
    "prompts",
    Kind::Named(RULE),
    "none",
    "{ \"internal_*\" = { roles = [\"staff\"] } }",
    "the same of prompts",
);
pub(crate) const RESOURCES: Key = key(
    "resources",
    Kind::Named(RULE),
    "none",
    "{ \"file:///reports/*\" = { scopes = [\"reports:read\"] } }",
    "the same of resources, by their URI",
);
pub(crate) const METHODS: Key = key(
    "methods",
    Kind::Named(RULE),
    "none",
    "{ \"resources/*\" = { scopes = [\"read\"] } }",
    "the same of methods of MCP, for what has no rule by name",
);
pub(crate) const RULES_TABLE: Key =
    key("rules", Kind::Table(RULES), "", "", "how calls are judged");

/// The keys of `[rules]`.
const RULES: &[Key] = &[
    key(
        "default",
        Kind::Table(RULE),
        "any session",
        "",
        "what a call needs that no rule names; `deny = true` for nothing but what is named",
    ),
    key(
        "list",
        Kind::Choice(&["all", "reachable", "callable"]),
        "`all`",
        "\"reachable\"",
        "what clients see of the server's lists of tools, prompts and resources: everything; what they may call, or could after \
         a step-up; what they may call as they are",
    ),
    key(
        "headers_are_checked_behind",
        Kind::Switch,
        "`false`",
        "false",
        "the server behind refuses a request whose `Mcp-Method` and `Mcp-Name` disagree with its body: then these headers decide, and no body is read",
    ),
    key(
        "except_paths",
        Kind::Words,
        "none",
        "[\"/upload\"]",
        "paths that no rule is about, compared exactly, as `paths.public` are: what is judged has to be a call of MCP",
    ),
    key(
        "hold_back",
        Kind::Size,
        "64 KiB",
        "\"64KiB\"",
        "how much of a body is held back until its method and name are known",
    ),
];

/// The rules, where any are said.
pub(crate) fn rules(said: Table<'_>) -> Result<Option<RuleSettings>, Refusal> {
    let how = said.table("rules")?;
    let how = how.table();
    let default = how.table("default")?;
    let kinds = ["tools", "prompts", "resources", "methods"];
    if !how.is_said() && !kinds.into_iter().any(|kind| said.has(kind)) {
        return Ok(None);
    }
    let mut rules = McpRules::new();
    for kind in kinds {
        for rule in said.named(kind)? {
            let guard = guard(rule.table())?;
            let with = |rules: McpRules| {
                let (pattern, guard) = (&rule.name, guard.clone());
                match kind {
                    "tools" => rules.tool(pattern, guard),
                    "prompts" => rules.prompt(pattern, guard),
                    "resources" => rules.resource(pattern, guard),
                    _ => rules.method(pattern, guard),
                }
            };
            // Alone first: then it is known which of them cannot be meant.
            let _ = McpRulesLayer::new(with(McpRules::new()))
                .map_err(|error| rule.refuse(words_of(&error)))?;
            rules = with(rules);
        }
    }
    if default.table().is_said() {
        rules = rules.default(guard(default.table())?);
    }
    match how.text("list")? {
        Some("reachable") => rules = rules.list(Listed::Reachable),
        Some("callable") => rules = rules.list(Listed::Callable),
        _ => {}
    }
    if how.is_on("headers_are_checked_behind")? {
        rules = rules.headers_are_checked_behind();
    }
    if let Some(bytes) = how.size("hold_back")? {
        rules = rules.hold_back_at_most(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
    let paths = said.table("paths")?;
    let public = paths.table().words("public")?;
    let mut except: Vec<String> = Vec::new();
    for path in how
        .words("except_paths")?
        .into_iter()
        .chain(public)
        .flatten()
    {
        if !path.starts_with('/') {
            return Err(how.refuse("except_paths", "has a path that does not begin with /"));
        }
        except.push(path.to_owned());
    }
    let layer = McpRulesLayer::new(rules);
    let layer = layer.map_err(|error| Refusal::new(format!("[tools] and [rules]: {error}")))?;
    Ok(Some(RuleSettings { layer, except }))
}

fn guard(said: Table<'_>) -> Result<Guard, Refusal> {
    let (scopes, roles) = (said.words("scopes")?, said.words("roles")?);
    if said.is_on("deny")? {
        return match scopes.is_some() || roles.is_some() {
            true => Err(said.refuse("deny", "is said besides what a call needs: say one of both")),
            false => Ok(deny()),
        };
    }
    let mut all = vec![require_auth()];
    if let Some(scopes) = scopes {
        if scopes.is_empty() {
            return Err(said.refuse("scopes", "names none: leave the key out for any session"));
        }
        let refused = |error| said.refuse("scopes", error);
        all.push(require_scopes(scopes).map_err(refused)?);
    }
    if let Some(roles) = roles {
        if roles.is_empty() {
            return Err(said.refuse("roles", "names none: leave the key out for any session"));
        }
        all.push(require_any(roles.into_iter().map(require_role)));
    }
    Ok(require_all(all))
}
