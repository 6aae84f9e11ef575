//! The assembled proxy: configuration, keys, store and provider, behind one `Arc`.

mod build;
mod check;
mod paths;
mod secrets;
mod weak;

use std::{fmt, sync::Arc};

use tokio::sync::Semaphore;

use crate::{
    challenge::Challenges,
    client::Clients,
    clock::{Clock, unix_now},
    config::{OAuthProxyConfigBuilder, Options},
    documents::Documents,
    event::{Event, Events},
    grant::{Freshness, Grants},
    key::{Rotating, SealKey},
    login::admission::Admission,
    login::{Completion, Cookies},
    provider::Provider,
    provider::ProviderClient,
    route::Routes,
    session::SessionCache,
    tasks::Tasks,
    token::{AccessTokens, TokenVerifier},
};

/// A checked configuration; give it to [`OAuthProxyLayer::new`](crate::OAuthProxyLayer::new).
#[derive(Clone)]
pub struct OAuthProxyConfig {
    pub(crate) proxy: Arc<Proxy>,
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
            .field("base_url", &self.proxy.options.base.as_str())
            .finish_non_exhaustive()
    }
}

/// What every endpoint and the bearer check work with.
pub(crate) struct Proxy {
    pub(crate) options: Arc<Options>,
    pub(crate) routes: Routes,
    pub(crate) documents: Documents,
    pub(crate) challenges: Challenges,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Arc<Events>,
    pub(crate) clients: Clients,
    pub(crate) cookies: Cookies,
    pub(crate) grants: Arc<Grants>,
    pub(crate) freshness: Arc<Freshness>,
    pub(crate) access_tokens: AccessTokens,
    pub(crate) provider: Arc<ProviderClient>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) sessions: SessionCache,
    /// Present exactly when `token_swap` is off.
    pub(crate) verifier: Option<Arc<dyn TokenVerifier>>,
    /// Seals the provider's refresh token for the client in passthrough mode.
    pub(crate) passthrough: Rotating<SealKey>,
    /// Turns at the provider for revocations of passthrough mode.
    pub(crate) revoking: Semaphore,
    pub(crate) completion: Arc<Completion>,
    /// Work that goes on when the request that began it is gone.
    pub(crate) tasks: Tasks,
}

impl Proxy {
    /// Seconds since the Unix epoch.
    pub(crate) fn now(&self) -> u64 {
        unix_now(&*self.clock)
    }

    pub(crate) fn emit(&self, event: &Event) {
        self.events.emit(event);
    }

    /// The name that people read.
    pub(crate) fn service_name(&self) -> &str {
        let host = || {
            self.options
                .base
                .origin()
                .split_once("://")
                .map(|(_, host)| host)
        };
        self.options
            .service_name
            .as_deref()
            .or_else(host)
            .unwrap_or_default()
    }
}
