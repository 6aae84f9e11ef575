//! What the operator has said so far.

use std::{fmt, sync::Arc};

use crate::{
    client::{RedirectPolicy, StaticClient},
    clock::{Clock, SystemClock},
    config::{
        bearer_sources::SaidSources, options::Plain, page_languages::SaidLanguages,
        secrets::KeyOption, trusted_issuer::TrustedIssuer,
    },
    event::EventCallback,
    provider::Provider,
    storage::TokenStorage,
    token::{TokenKeys, TokenVerifier},
};

/// Collects the configuration; see each method. Made by
/// [`OAuthProxyConfig::builder`](crate::OAuthProxyConfig::builder), and checked as a whole by
/// [`build`](Self::build).
#[must_use = "a builder does nothing until `build`"]
pub struct OAuthProxyConfigBuilder {
    /// What is used as it is given.
    pub(crate) plain: Plain,
    // Everything below is parsed, derived from or put together by `build`.
    pub(crate) provider: Provider,
    pub(crate) further_providers: Vec<Provider>,
    pub(crate) base_url: String,
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) required_scopes: Vec<String>,
    /// A scope, and what it implies.
    pub(crate) scopes_imply: Vec<(String, Vec<String>)>,
    pub(crate) redirect_policy: RedirectPolicy,
    pub(crate) redirect_patterns: Vec<String>,
    pub(crate) static_clients: Vec<StaticClient>,
    pub(crate) trusted_issuers: Vec<TrustedIssuer>,
    pub(crate) sources: SaidSources,
    pub(crate) cookie_prefix: Option<String>,
    pub(crate) languages: SaidLanguages,
    pub(crate) upstream_pkce: Option<bool>,
    pub(crate) forward_resource: Option<bool>,
    pub(crate) extra_authorization_params: Vec<(String, String)>,
    pub(crate) extra_token_params: Vec<(String, String)>,
    pub(crate) secret_keys: KeyOption,
    pub(crate) signing_keys: KeyOption,
    pub(crate) token_keys: TokenKeys,
    pub(crate) encryption_keys: KeyOption,
    pub(crate) storage: Option<Arc<dyn TokenStorage>>,
    /// The name of its type.
    pub(crate) storage_name: Option<String>,
    pub(crate) passthrough: Option<Arc<dyn TokenVerifier>>,
    pub(crate) upstream_verifier: Option<Arc<dyn TokenVerifier>>,
    pub(crate) on_event: Option<EventCallback>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl OAuthProxyConfigBuilder {
    pub(crate) fn new(provider: Provider, base_url: String) -> Self {
        Self {
            plain: Plain::default(),
            provider,
            further_providers: Vec::new(),
            base_url,
            scopes: None,
            required_scopes: Vec::new(),
            scopes_imply: Vec::new(),
            redirect_policy: RedirectPolicy::default(),
            redirect_patterns: Vec::new(),
            static_clients: Vec::new(),
            trusted_issuers: Vec::new(),
            sources: SaidSources::default(),
            cookie_prefix: None,
            languages: SaidLanguages::default(),
            upstream_pkce: None,
            forward_resource: None,
            extra_authorization_params: Vec::new(),
            extra_token_params: Vec::new(),
            secret_keys: KeyOption::default(),
            signing_keys: KeyOption::default(),
            token_keys: TokenKeys::default(),
            encryption_keys: KeyOption::default(),
            storage: None,
            storage_name: None,
            passthrough: None,
            upstream_verifier: None,
            on_event: None,
            clock: Arc::new(SystemClock),
        }
    }
}

impl fmt::Debug for OAuthProxyConfigBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthProxyConfigBuilder")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}
