//! One permission, two names: what the operator writes and what the provider writes.

use super::Provider;
use crate::oauth::ScopeSet;

/// The scopes of OpenID Connect Core sections 3.1.2.1, 5.4 and 11, the same everywhere.
const OPENID_SCOPES: &[&str] = &[
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "offline_access",
];

/// More names than this in one answer are dropped: a bound against a provider gone wrong.
const MAX_SCOPES: usize = 256;

/// How the two sides' names differ.
#[derive(Debug, Clone)]
pub(crate) enum ScopeRule {
    /// Not at all.
    Same,
    /// The provider answers with other names than it is asked with: (ours, theirs).
    Aliases(&'static [(&'static str, &'static str)]),
    /// The provider answers with the broadest only: what a scope includes.
    Implies(fn(&str) -> &'static [&'static str]),
    /// The provider wants this before the scopes of one's own API.
    Prefix(String),
}

impl ScopeRule {
    /// The rule for `{uri}/{scope}`.
    pub(crate) fn prefixed(uri: &str) -> Self {
        Self::Prefix(format!("{}/", uri.strip_suffix('/').unwrap_or(uri)))
    }

    fn theirs(&self, scope: &str) -> String {
        match self {
            Self::Prefix(prefix) if !OPENID_SCOPES.contains(&scope) && !scope.contains("://") => {
                format!("{prefix}{scope}")
            }
            _ => scope.to_owned(),
        }
    }

    pub(super) fn ours<'a>(&self, scope: &'a str) -> &'a str {
        match self {
            Self::Aliases(aliases) => aliases
                .iter()
                .find(|(_, theirs)| *theirs == scope)
                .map_or(scope, |(ours, _)| ours),
            // An empty rest, or one that would be prefixed no second time, is no scope of ours.
            Self::Prefix(prefix) => match scope.strip_prefix(prefix.as_str()) {
                Some(ours) if !ours.is_empty() && self.theirs(ours) == scope => ours,
                _ => scope,
            },
            Self::Same | Self::Implies(_) => scope,
        }
    }
}

impl Provider {
    /// The URI of the operator's own API, where scopes are written behind it.
    pub(crate) fn identifier_uri_of_scopes(&self) -> Option<String> {
        match &self.scope_rule {
            ScopeRule::Prefix(prefix) => Some(prefix.clone()),
            ScopeRule::Same | ScopeRule::Aliases(_) | ScopeRule::Implies(_) => None,
        }
    }

    /// What to ask the provider for: each scope by the provider's name, and those that are always
    /// asked for. No duplicates.
    pub(crate) fn scopes_to_upstream<I>(&self, scopes: I) -> Vec<String>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let mut upstream = Vec::new();
        let asked = scopes
            .into_iter()
            .map(|scope| self.scope_rule.theirs(scope.as_ref()));
        for scope in asked.chain(self.upstream_scopes.iter().cloned()) {
            push_new(&mut upstream, scope);
        }
        upstream
    }

    /// What the provider granted, by the operator's names: its `scope` is separated by spaces
    /// (RFC 6749 section 3.3) or by commas (GitHub, Slack). A name that the grammar forbids is
    /// dropped: no client could ask for it.
    pub(crate) fn scopes_from_upstream(&self, granted: &str) -> ScopeSet {
        let mut scopes = ScopeSet::default();
        for theirs in granted
            .split([' ', ',', '\t', '\r', '\n'])
            .filter(|scope| !scope.is_empty())
            .take(MAX_SCOPES)
        {
            let ours = self.scope_rule.ours(theirs);
            let Ok(one) = ScopeSet::new([ours]) else {
                continue;
            };
            scopes = scopes.union(&one);
            if let ScopeRule::Implies(implied) = &self.scope_rule
                && let Ok(narrower) = ScopeSet::new(implied(ours))
            {
                scopes = scopes.union(&narrower);
            }
        }
        scopes
    }
}

fn push_new(scopes: &mut Vec<String>, scope: String) {
    if !scopes.contains(&scope) {
        scopes.push(scope);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::provider::{azure, generic};

    #[test]
    fn an_answer_may_be_separated_by_commas_and_holds_no_duplicates() {
        let provider = generic("https://a.example", "https://a.example", "id", "s");
        assert_eq!(
            provider
                .scopes_from_upstream(" users:read,channels:read  users:read, b\\d")
                .to_string(),
            "users:read channels:read"
        );
        assert!(provider.scopes_from_upstream("").is_empty());
    }

    #[test]
    fn a_prefixed_oidc_scope_is_not_taken_for_the_oidc_scope() {
        let entra = azure("common", "app", "s");
        assert_eq!(
            entra.scopes_from_upstream("api://app/openid").to_string(),
            "api://app/openid"
        );
        assert_eq!(
            entra.scopes_from_upstream("api://app/").to_string(),
            "api://app/"
        );
    }

    proptest! {
        #[test]
        fn a_scope_that_goes_up_comes_back_the_same(scope in "[!#-+\\--\\[\\]-~]{1,40}") {
            let entra = azure("common", "app", "s");
            let upstream = entra.scope_rule.theirs(&scope);
            prop_assert_eq!(entra.scope_rule.ours(&upstream), scope);
        }
    }
}
