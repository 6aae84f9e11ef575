//! What the configuration says of one provider, beside its preset.

use crate::oauth::ScopeSet;

/// On which terms the proxy asks one provider.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    /// The redirect URI that the provider knows.
    pub(crate) callback_url: String,
    /// What it may be asked for.
    pub(crate) offered: ScopeSet,
    pub(crate) uses_pkce: bool,
    pub(crate) forwards_resource: bool,
    /// Added to the authorization URL.
    pub(crate) authorization_params: Vec<(String, String)>,
    /// Added to each request at the token endpoint.
    pub(crate) token_params: Vec<(String, String)>,
}
