//! A configuration that was checked, as everything after it reads it.

use std::{fmt, sync::Arc};

use super::{
    bearer_sources::BearerSources,
    builder::OAuthProxyConfigBuilder,
    options::Options,
    remarks::Remarks,
    secrets::{KeyOption, Secrets},
    trusted_issuers::TrustedIssuers,
};
use crate::{
    client::Clients,
    clock::Clock,
    event::Events,
    provider::{Provider, Providers},
    token::{TokenKeys, TokenVerifier},
    vault::Vault,
};

/// A checked configuration; give it to [`OAuthProxyLayer::new`](crate::OAuthProxyLayer::new).
///
/// Two layers made from clones of one configuration are like two instances of a deployment: they share
/// the store and every key, and neither sees the other's cache. Clone the layer to share all of it.
#[derive(Clone)]
#[must_use = "a configuration does nothing until a layer is made of it"]
pub struct OAuthProxyConfig {
    pub(crate) options: Arc<Options>,
    /// Checks the provider's access tokens, where clients hold those.
    pub(crate) verifier: Option<Arc<dyn TokenVerifier>>,
    /// What else is good as a bearer token.
    pub(crate) sources: BearerSources,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Arc<Events>,
    pub(crate) remarks: Arc<Remarks>,
    /// Of the authorization server; `None` where the provider is that itself.
    pub(crate) server: Option<ServerConfig>,
}

/// What only an authorization server needs.
#[derive(Clone)]
pub(crate) struct ServerConfig {
    pub(crate) providers: Providers,
    pub(crate) trusted_issuers: TrustedIssuers,
    pub(crate) clients: Arc<Clients>,
    /// Encrypts, unless the operator said otherwise.
    pub(crate) vault: Arc<Vault>,
    /// The name of the store's type.
    pub(crate) storage_name: String,
    pub(crate) secrets: Secrets,
    pub(crate) signing_keys: KeyOption,
    pub(crate) token_keys: TokenKeys,
    pub(crate) is_passthrough: bool,
    /// Checks the provider's token behind a session of a token of ours.
    pub(crate) upstream_verifier: Option<Arc<dyn TokenVerifier>>,
}

impl OAuthProxyConfig {
    /// Starts a configuration from the two things that have no default: the provider, and the URL
    /// at which the world reaches this server.
    ///
    /// `base_url` is used byte for byte as the issuer (one trailing slash is dropped). It is never
    /// guessed from a request: behind a TLS-terminating proxy, `Host` and the scheme lie. It may
    /// have a path; the layer must then see that path in its requests.
    ///
    /// ```
    /// use tower_oauth_proxy::{OAuthProxyConfig, provider};
    ///
    /// let provider = provider::github("client-id", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8");
    /// let config = OAuthProxyConfig::builder(provider, "https://mcp.example.com").build()?;
    /// # let _ = config;
    /// # Ok::<(), tower_oauth_proxy::ConfigError>(())
    /// ```
    pub fn builder(provider: Provider, base_url: impl Into<String>) -> OAuthProxyConfigBuilder {
        OAuthProxyConfigBuilder::new(provider, base_url.into())
    }
}

impl fmt::Debug for OAuthProxyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthProxyConfig")
            .field("base_url", &self.options.base.as_str())
            .finish_non_exhaustive()
    }
}
