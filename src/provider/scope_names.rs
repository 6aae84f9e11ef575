//! One permission, two names: what the operator writes and what the provider writes.

use super::provider::Provider;
use crate::{limits::MAX_UPSTREAM_SCOPES, oauth::ScopeSet};

/// The scopes of OpenID Connect Core sections 3.1.2.1, 5.4 and 11: they concern who the person is,
/// and have the same names everywhere.
pub(crate) const IDENTITY_SCOPES: &[&str] = &[
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "offline_access",
];

impl Provider {
    /// The URI of the operator's own API, where scopes are written behind it.
    pub(crate) fn identifier_uri_of_scopes(&self) -> Option<String> {
        self.scope_prefix.clone()
    }

    fn theirs(&self, scope: &str) -> String {
        match &self.scope_prefix {
            Some(prefix) if !IDENTITY_SCOPES.contains(&scope) && !scope.contains("://") => {
                format!("{prefix}{scope}")
            }
            _ => scope.to_owned(),
        }
    }

    pub(super) fn ours<'a>(&self, scope: &'a str) -> &'a str {
        let prefix = self.scope_prefix.as_deref();
        let ours = match prefix.and_then(|prefix| scope.strip_prefix(prefix)) {
            // An empty rest, or one that would not be prefixed again, is not a scope of ours.
            Some(ours) if !ours.is_empty() && self.theirs(ours) == scope => ours,
            _ => scope,
        };
        self.dialect.scope_in(ours)
    }

    /// The `scope` parameter that asks the provider for these scopes of a client's.
    pub(crate) fn scope_param(&self, requested: &ScopeSet, offered: &ScopeSet) -> String {
        self.scopes_to_upstream(requested, offered).join(" ")
    }

    /// What to ask the provider for: each scope by the provider's name, and those that are always
    /// asked for. No duplicates.
    ///
    /// `offline_access` only where it is offered: else it is ours to grant, and some providers
    /// refuse what they do not know. Nothing at all for a provider that knows no scopes.
    pub(crate) fn scopes_to_upstream(
        &self,
        requested: &ScopeSet,
        offered: &ScopeSet,
    ) -> Vec<String> {
        let mut upstream = Vec::new();
        if !self.dialect.has_scopes() {
            return upstream;
        }
        let asked = requested
            .iter()
            .filter(|scope| *scope != "offline_access" || offered.contains(scope))
            .map(|scope| self.theirs(scope));
        let own = self.upstream_scopes.iter().cloned();
        let own = own.chain(self.membership_scope().map(str::to_owned));
        for scope in asked.chain(own) {
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
            .take(MAX_UPSTREAM_SCOPES)
        {
            let ours = self.ours(theirs);
            let Ok(one) = ScopeSet::new([ours]) else {
                continue;
            };
            scopes = scopes.union(&one);
            if let Ok(narrower) = ScopeSet::new(self.dialect.scopes_within(ours)) {
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

    use crate::{
        oauth::ScopeSet,
        provider::{Provider, generic},
    };

    fn prefixed() -> Provider {
        generic("https://a.example", "https://a.example", "id", "s").identifier_uri("api://app")
    }

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
        for scope in ["api://app/openid", "api://app/"] {
            assert_eq!(prefixed().scopes_from_upstream(scope).to_string(), scope);
        }
    }

    #[test]
    fn a_provider_hears_of_offline_access_only_where_that_is_offered() {
        let set = |scopes: &str| ScopeSet::parse(scopes).unwrap();
        let provider = generic("https://a.example", "https://a.example", "id", "s");
        let heard = |provider: &Provider, offered: &str| {
            provider.scope_param(&set("read offline_access"), &set(offered))
        };
        assert_eq!(heard(&provider, "read"), "read");
        assert_eq!(
            heard(&provider, "read offline_access"),
            "read offline_access"
        );
        let always = provider.upstream_scopes(["offline_access", "read"]);
        assert_eq!(heard(&always, "read"), "read offline_access");
    }

    proptest! {
        #[test]
        fn a_scope_that_goes_up_comes_back_the_same(scope in "[!#-+\\--\\[\\]-~]{1,40}") {
            let upstream = prefixed().theirs(&scope);
            prop_assert_eq!(prefixed().ours(&upstream), scope);
        }
    }
}
