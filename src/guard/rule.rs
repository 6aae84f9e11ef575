//! The rules, and what a denial says.

use std::{fmt, sync::Arc};

use crate::{
    oauth::{InvalidScope, ScopeSet},
    session::AuthSession,
};

/// A rule on a session. Cheap to clone.
#[derive(Clone)]
#[must_use = "a guard admits and denies nothing until it is checked, or put into a `RequireLayer`"]
pub struct Guard(Arc<Rule>);

enum Rule {
    Nobody,
    Session,
    Scopes(ScopeSet),
    Role(Box<str>),
    Custom(Box<dyn Fn(&AuthSession) -> bool + Send + Sync>),
    All(Box<[Guard]>),
    Any(Box<[Guard]>),
}

/// Why a guard said no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// The request has no session: 401.
    #[error("a session is required")]
    NoSession,
    /// More scopes would help: 403 `insufficient_scope`, naming all that are needed at once, so
    /// that one step-up is enough.
    #[error("more scopes are required: {0}")]
    Scopes(ScopeSet),
    /// Another login would not help: the rule is about a role, or your own. 403.
    #[error("this session is not allowed to do this")]
    Forbidden,
}

/// No session at all: 403 for everybody. For what is closed, such as the default of
/// [`McpRules`](super::mcp::McpRules).
pub fn deny() -> Guard {
    Guard(Arc::new(Rule::Nobody))
}

/// Any session.
pub fn require_auth() -> Guard {
    Guard(Arc::new(Rule::Session))
}

/// A session whose token has all these scopes, or others that imply them
/// ([`scopes_imply`](crate::OAuthProxyConfigBuilder::scopes_imply)).
///
/// # Errors
///
/// [`InvalidScope`] when a scope cannot be one.
pub fn require_scopes<I>(scopes: I) -> Result<Guard, InvalidScope>
where
    I: IntoIterator<Item: AsRef<str>>,
{
    Ok(Guard(Arc::new(Rule::Scopes(ScopeSet::new(scopes)?))))
}

/// A session of a person with this role; see [`AuthSession::roles`]. Case matters.
pub fn require_role(role: impl Into<String>) -> Guard {
    Guard(Arc::new(Rule::Role(role.into().into())))
}

/// A session that your own rule admits.
///
/// ```
/// use tower_oauth_proxy::guard::require;
///
/// let own_tenant = require(|session| session.claims().get("tid").is_some_and(|tid| tid == "t1"));
/// assert!(own_tenant.check(None).is_err());
/// ```
pub fn require(rule: impl Fn(&AuthSession) -> bool + Send + Sync + 'static) -> Guard {
    Guard(Arc::new(Rule::Custom(Box::new(rule))))
}

/// A session that passes every guard. Without guards: any session.
pub fn require_all(guards: impl IntoIterator<Item = Guard>) -> Guard {
    Guard(Arc::new(Rule::All(guards.into_iter().collect())))
}

/// A session that passes at least one guard. Without guards: no session.
pub fn require_any(guards: impl IntoIterator<Item = Guard>) -> Guard {
    Guard(Arc::new(Rule::Any(guards.into_iter().collect())))
}

impl Guard {
    /// Whether this session may go on.
    ///
    /// # Errors
    ///
    /// [`Denied`] says what is missing.
    pub fn check<'a>(&self, session: impl Into<Option<&'a AuthSession>>) -> Result<(), Denied> {
        match session.into() {
            None => Err(Denied::NoSession),
            Some(session) => self.judge(session).map(drop),
        }
    }

    /// As [`check`](Self::check), and returns the scopes by which the session was admitted.
    pub(super) fn admit(&self, session: Option<&AuthSession>) -> Result<ScopeSet, Denied> {
        session.map_or(Err(Denied::NoSession), |session| self.judge(session))
    }

    fn judge(&self, session: &AuthSession) -> Result<ScopeSet, Denied> {
        let admitted = |yes: bool| match yes {
            true => Ok(ScopeSet::default()),
            false => Err(Denied::Forbidden),
        };
        match &*self.0 {
            Rule::Nobody => admitted(false),
            Rule::Session => admitted(true),
            Rule::Scopes(needed) if session.covers_scopes(needed) => Ok(needed.clone()),
            Rule::Scopes(needed) => Err(Denied::Scopes(needed.clone())),
            Rule::Role(role) => admitted(session.roles().iter().any(|held| **held == **role)),
            Rule::Custom(rule) => admitted(rule(session)),
            Rule::All(guards) => Self::judge_all(guards, session),
            Rule::Any(guards) => {
                let mut best = Denied::Forbidden;
                for guard in guards {
                    match guard.judge(session) {
                        Ok(scopes) => return Ok(scopes),
                        Err(denied) if best == Denied::Forbidden => best = denied,
                        Err(_) => {}
                    }
                }
                Err(best)
            }
        }
    }

    /// A denial that no scope can mend comes first. Otherwise all scopes of all guards are named, even
    /// those that the session has: a token for the missing ones alone would not pass either.
    fn judge_all(guards: &[Self], session: &AuthSession) -> Result<ScopeSet, Denied> {
        let mut needed = ScopeSet::default();
        let mut is_short = false;
        for guard in guards {
            match guard.judge(session) {
                Ok(scopes) => needed = needed.union(&scopes),
                Err(Denied::Scopes(scopes)) => {
                    is_short = true;
                    needed = needed.union(&scopes);
                }
                Err(denied) => return Err(denied),
            }
        }
        match is_short {
            true => Err(Denied::Scopes(needed)),
            false => Ok(needed),
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Rule::Nobody => f.write_str("deny"),
            Rule::Session => f.write_str("require_auth"),
            Rule::Scopes(scopes) => write!(f, "require_scopes({scopes})"),
            Rule::Role(role) => write!(f, "require_role({role})"),
            Rule::Custom(_) => f.write_str("require(..)"),
            Rule::All(guards) => f.debug_tuple("require_all").field(guards).finish(),
            Rule::Any(guards) => f.debug_tuple("require_any").field(guards).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::session;

    fn scopes(scopes: &str) -> Guard {
        require_scopes(scopes.split(' ')).unwrap()
    }

    fn needed(scopes: &str) -> Result<(), Denied> {
        Err(Denied::Scopes(ScopeSet::parse(scopes).unwrap()))
    }

    #[test]
    fn each_rule_admits_and_denies() {
        let ada = session("read", &["admin"]);
        for (guard, expected) in [
            (deny(), Err(Denied::Forbidden)),
            (require_any([deny(), require_auth()]), Ok(())),
            (require_auth(), Ok(())),
            (scopes("read"), Ok(())),
            (scopes("read write"), needed("read write")),
            (require_role("admin"), Ok(())),
            (require_role("Admin"), Err(Denied::Forbidden)),
            (require(|s| s.subject() == "ada"), Ok(())),
            (require(|_| false), Err(Denied::Forbidden)),
            (require_all([]), Ok(())),
            (require_any([]), Err(Denied::Forbidden)),
            (
                require_all([scopes("read"), require_role("x")]),
                Err(Denied::Forbidden),
            ),
            (
                require_any([require_role("x"), scopes("write")]),
                needed("write"),
            ),
            (
                require_any([scopes("write"), require_role("admin")]),
                Ok(()),
            ),
        ] {
            assert_eq!(guard.check(&ada), expected, "{guard:?}");
            assert_eq!(guard.check(None), Err(Denied::NoSession), "{guard:?}");
        }
    }

    #[test]
    fn a_denial_names_all_scopes_that_are_needed_at_once() {
        let ada = session("read", &[]);
        let both = require_all([scopes("read"), scopes("write")]);
        assert_eq!(both.check(&ada), needed("read write"));
        let nested = require_all([require_all([scopes("read")]), scopes("write admin")]);
        assert_eq!(nested.check(&ada), needed("read write admin"));
        // What one guard was passed by is still needed for the step to another.
        let either = require_all([
            require_any([require_role("x"), scopes("read"), scopes("read openid")]),
            scopes("write"),
        ]);
        assert_eq!(either.check(&ada), needed("read write"));
        let by_role = require_all([
            require_any([require_role("staff"), scopes("read")]),
            scopes("write"),
        ]);
        assert_eq!(by_role.check(&session("read", &["staff"])), needed("write"));
        // A role that is missing cannot be had by another login: no step-up is offered.
        let mixed = require_all([scopes("write"), require_role("admin")]);
        assert_eq!(mixed.check(&ada), Err(Denied::Forbidden));
    }
}
