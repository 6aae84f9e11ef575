//! Which of the requested scopes a person and their provider really granted.

use crate::{
    oauth::{ScopeImplications, ScopeSet},
    provider::IDENTITY_SCOPES,
};

/// The requested scopes that the provider granted, by our names for them.
///
/// `None`: the provider did not say, so it granted what was asked (RFC 6749 section 5.1). A scope
/// that the provider withheld must not appear here: guards trust it.
///
/// Identity scopes count as granted: providers honour them and often leave them out of their answers
/// (Entra ID never names `offline_access`). So do scopes that others of the provider's answer imply: some
/// providers name the larger one alone, where it and a smaller one were asked for.
pub(crate) fn granted(
    requested: &ScopeSet,
    by_provider: Option<&ScopeSet>,
    implications: &ScopeImplications,
) -> ScopeSet {
    let Some(by_provider) = by_provider else {
        return requested.clone();
    };
    let by_provider = implications.extend(by_provider);
    requested.retain(|scope| IDENTITY_SCOPES.contains(&scope) || by_provider.contains(scope))
}

/// The scopes of a refresh: some of the granted ones, never more (RFC 6749 section 6: "MUST NOT
/// include any scope not originally granted"). `None` when the client asks for more.
///
/// Clients repeat the list that they once sent to authorize, and what was dropped there is dropped
/// here. Only a scope that is offered, and was not granted, is asked for in earnest.
pub(crate) fn narrowed(
    asked: &ScopeSet,
    granted: &ScopeSet,
    offered: &ScopeSet,
) -> Option<ScopeSet> {
    let is_wider = |scope: &str| {
        !granted.contains(scope) && offered.contains(scope) && scope != "offline_access"
    };
    let kept = asked.retain(|scope| granted.contains(scope));
    // Only unknown scopes: authorize would not have accepted this list either.
    let is_unknown = kept.is_empty() && !granted.is_empty();
    (!is_unknown && !asked.iter().any(is_wider)).then_some(kept)
}

/// The scopes of a token that is made of an assertion: what is asked for, of what the assertion names and what is
/// offered here. `None` when nothing is left of it.
///
/// RFC 6749 section 3.3: "If the client omits the scope parameter when requesting authorization, the authorization
/// server MUST either process the request using a pre-defined default value, or fail". It is what the assertion
/// names, and where that does not speak of scopes it is what a login's would be. There is no `offline_access`:
/// no refresh token is given.
pub(crate) fn asserted(
    asked: Option<&ScopeSet>,
    named: Option<&ScopeSet>,
    default: Option<&ScopeSet>,
    offered: &ScopeSet,
) -> Option<ScopeSet> {
    let may = |scope: &str| {
        scope != "offline_access"
            && offered.contains(scope)
            && named.is_none_or(|named| named.contains(scope))
    };
    let default = || {
        let default = default.map(|scopes| scopes.retain(may));
        default.filter(|scopes| !scopes.is_empty())
    };
    match asked.or(named) {
        Some(wanted) => {
            let kept = wanted.retain(may);
            let is_lost = kept.is_empty() && !wanted.is_empty() && !offered.is_empty();
            (!is_lost).then_some(kept)
        }
        None => Some(default().unwrap_or_else(|| offered.retain(may))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_keeps_what_was_granted_drops_what_is_unknown_and_never_widens() {
        let set = |scopes: &str| ScopeSet::parse(scopes).unwrap();
        let offered = set("openid read write offline_access");
        let narrowed = |asked: &str, granted: &str| {
            narrowed(&set(asked), &set(granted), &offered).map(|kept| kept.to_string())
        };
        let kept = |scopes: &str| Some(scopes.to_owned());
        assert_eq!(narrowed("read", "openid read"), kept("read"));
        assert_eq!(
            narrowed("claudeai read openid", "openid read"),
            kept("read openid")
        );
        assert_eq!(narrowed("read offline_access", "read"), kept("read"));
        assert_eq!(narrowed("read write", "read"), None);
        assert_eq!(narrowed("write", "read"), None);
        assert_eq!(narrowed("claudeai", "read"), None);
        // Granted, and taken out of the configuration since.
        assert_eq!(narrowed("read gone", "read gone"), kept("read gone"));
        assert_eq!(narrowed("claudeai", ""), kept(""));
    }

    #[test]
    fn a_scope_that_the_provider_withheld_is_not_granted() {
        let requested = ScopeSet::parse("openid offline_access read admin").unwrap();
        let by_provider = ScopeSet::parse("read other").unwrap();
        let rules = ScopeImplications::default();
        let granted_now = granted(&requested, Some(&by_provider), &rules);
        assert_eq!(granted_now.to_string(), "openid offline_access read");
        assert_eq!(granted(&requested, None, &rules), requested);
    }

    #[test]
    fn what_the_provider_granted_contains_what_that_implies_and_nothing_else_that_was_asked_for() {
        let set = |scopes: &str| ScopeSet::parse(scopes).unwrap();
        let rules = [("user".to_owned(), set("user:email read:user"))];
        let rules = ScopeImplications::new(&rules).unwrap();
        for (requested, by_provider, expected) in [
            ("user user:email gist", "user", "user user:email"),
            ("user:email", "user", "user:email"),
            // Never upwards.
            ("user user:email", "user:email", "user:email"),
        ] {
            let granted = granted(&set(requested), Some(&set(by_provider)), &rules);
            assert_eq!(granted.to_string(), expected);
        }
    }

    #[test]
    fn an_assertions_token_has_what_is_asked_for_and_named_and_offered() {
        let set = |scopes: &str| ScopeSet::parse(scopes).unwrap();
        let offered = set("read write offline_access");
        let of = |asked: Option<&str>, named: Option<&str>, default: Option<&str>| {
            let [asked, named, default] = [asked, named, default].map(|it| it.map(set));
            let scopes = asserted(asked.as_ref(), named.as_ref(), default.as_ref(), &offered);
            scopes.map(|scopes| scopes.to_string())
        };
        let kept = |scopes: &str| Some(scopes.to_owned());
        assert_eq!(of(Some("read"), Some("read write"), None), kept("read"));
        assert_eq!(of(Some("read write"), Some("read"), None), kept("read"));
        assert_eq!(of(None, Some("read gone"), Some("write")), kept("read"));
        assert_eq!(of(Some("write"), None, None), kept("write"));
        assert_eq!(of(None, None, Some("write gone")), kept("write"));
        assert_eq!(of(None, None, Some("gone")), kept("read write"));
        assert_eq!(of(None, None, None), kept("read write"));
        assert_eq!(of(None, Some(""), None), kept(""));
        assert_eq!(of(Some("write"), Some("read"), None), None);
        assert_eq!(of(Some("write"), Some(""), None), None);
        assert_eq!(of(None, Some("gone"), None), None);
        let none = ScopeSet::default();
        assert_eq!(
            asserted(Some(&set("x")), None, None, &none),
            Some(none.clone())
        );
    }
}
