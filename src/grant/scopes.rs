//! Which of the requested scopes a person and their provider really granted.

use crate::oauth::ScopeSet;

/// Scopes that concern who the person is. Providers honour them and often leave them out of their
/// answers (Entra ID never names `offline_access`), so their absence says nothing.
const IDENTITY_SCOPES: [&str; 6] = [
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "offline_access",
];

/// The requested scopes that the provider granted, by our names for them.
///
/// `None`: the provider did not say, so it granted what was asked (RFC 6749 section 5.1). A scope
/// that the provider withheld must not appear here: guards trust it.
pub(crate) fn granted(requested: &ScopeSet, by_provider: Option<&ScopeSet>) -> ScopeSet {
    let Some(by_provider) = by_provider else {
        return requested.clone();
    };
    requested.retain(|scope| IDENTITY_SCOPES.contains(&scope) || by_provider.contains(scope))
}

/// What of a request's scopes the provider hears: all but `offline_access` where it is not offered,
/// because that one is ours to grant, and some providers refuse what they do not know.
pub(crate) fn for_provider(requested: &ScopeSet, offered: &ScopeSet) -> ScopeSet {
    requested.retain(|scope| scope != "offline_access" || offered.contains(scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_that_the_provider_withheld_is_not_granted() {
        let requested = ScopeSet::parse("openid offline_access read admin").unwrap();
        let by_provider = ScopeSet::parse("read other").unwrap();
        let granted_now = granted(&requested, Some(&by_provider));
        assert_eq!(granted_now.to_string(), "openid offline_access read");
        assert_eq!(granted(&requested, None), requested);
    }
}
