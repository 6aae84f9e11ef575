//! What the configuration says of one provider, beside its preset.

use crate::oauth::ScopeSet;

/// On which terms the proxy asks one provider.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    /// The redirect URI that the provider knows: no other provider has the same.
    pub(crate) callback_url: String,
    /// Its path, as a request has it.
    pub(crate) callback_path: String,
    /// What clients may be granted there.
    pub(crate) scopes: ScopeSet,
    /// What it may be asked for: the same, and its own defaults.
    pub(crate) offered: ScopeSet,
    pub(crate) uses_pkce: bool,
    pub(crate) forwards_resource: bool,
    /// Added to the authorization URL.
    pub(crate) authorization_params: Vec<(String, String)>,
    /// Added to each request at the token endpoint.
    pub(crate) token_params: Vec<(String, String)>,
}

impl Terms {
    /// Those of the requested scopes that can be granted there. `offline_access` is the proxy's to grant.
    pub(crate) fn grantable(&self, requested: &ScopeSet) -> ScopeSet {
        requested.retain(|scope| scope == "offline_access" || self.scopes.contains(scope))
    }
}
