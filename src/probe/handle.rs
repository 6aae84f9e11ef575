//! What the operator holds of a running proxy to watch it.

use std::{fmt, sync::Arc};

use super::{flight::Probing, outcome::Probe};
use crate::resource_server::ResourceServer;

/// Watches a running proxy and changes nothing; made by
/// [`OAuthProxyLayer::handle`](crate::OAuthProxyLayer::handle). Clones are the same.
///
/// It is apart from [`OAuthProxyAdmin`](crate::OAuthProxyAdmin) so that what serves a readiness endpoint, which
/// anyone may ask, holds nothing that ends grants.
#[derive(Clone)]
pub struct OAuthProxyHandle(Arc<Probing>);

impl OAuthProxyHandle {
    pub(crate) fn new(server: &Arc<ResourceServer>) -> Self {
        Self(Arc::new(Probing::new(server)))
    }

    /// Asks the live parts whether they work:
    ///
    /// - **the store**: a record is written, read and removed, under a name of its own;
    /// - **each provider**, and each trusted issuer: its document about itself and its keys, as a login would
    ///   read them; where it has neither, whether its token endpoint answers;
    /// - **the clock**, where a provider's answer says the time (`Date`): more than a minute apart breaks tokens. The
    ///   verbs of a store do not say the time, so its clock is not compared.
    ///
    /// A verifier is not asked: it takes tokens, and there is none. So at a resource server without a trusted issuer
    /// there is nothing to ask.
    ///
    /// It can be asked as often as anyone likes. One probe runs at a time, for all who ask; it goes on when they
    /// leave, and what it found is told for 5 seconds. A provider that answered is not asked again for a minute, one
    /// that did not for 10 seconds. Each part has 5 seconds; this returns within a few more, whatever happens.
    ///
    /// A part that stops working, or works again, is an event of [`Step::Probe`](crate::Step::Probe).
    ///
    /// ```
    /// # fn app(config: tower_oauth_proxy::OAuthProxyConfig) -> axum::Router {
    /// use axum::{Router, http::StatusCode, routing::get};
    /// use tower_oauth_proxy::OAuthProxyLayer;
    ///
    /// // With `public_paths(["/ready"])`.
    /// let layer = OAuthProxyLayer::new(config);
    /// let handle = layer.handle();
    /// let ready = async move || match handle.probe().await.is_ready() {
    ///     true => StatusCode::NO_CONTENT,
    ///     false => StatusCode::SERVICE_UNAVAILABLE,
    /// };
    /// Router::new().route("/ready", get(ready)).layer(layer)
    /// # }
    /// ```
    pub async fn probe(&self) -> Probe {
        self.0.probe().await
    }
}

impl fmt::Debug for OAuthProxyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthProxyHandle").finish_non_exhaustive()
    }
}
