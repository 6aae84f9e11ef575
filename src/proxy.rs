//! The assembled proxy: configuration, keys, store and provider, behind one `Arc`.

use std::sync::Arc;

use moka::sync::Cache;

use crate::{
    bearer::{Challenges, SessionCache},
    client::Clients,
    clock::{Clock, unix_now},
    config::Settings,
    endpoint::Documents,
    event::{Event, Events},
    grant::{Freshness, Grants},
    key::{Rotating, SealKey},
    login::Cookies,
    route::Routes,
    token::{AccessTokens, TokenVerifier},
    upstream::UpstreamClient,
};

/// What every endpoint and the bearer check work with.
pub(crate) struct Proxy {
    pub(crate) settings: Settings,
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
    pub(crate) upstream: Arc<UpstreamClient>,
    pub(crate) sessions: SessionCache,
    /// Present exactly when `token_swap` is off.
    pub(crate) verifier: Option<Arc<dyn TokenVerifier>>,
    /// Seals the provider's refresh token for the client in passthrough mode.
    pub(crate) passthrough: Rotating<SealKey>,
    /// Callbacks that this process has begun to answer: the provider's single-use code is sent
    /// once, whatever the browser does. The store holds those that succeeded.
    pub(crate) callbacks: Cache<[u8; 32], ()>,
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
            self.settings
                .base
                .origin()
                .split_once("://")
                .map(|(_, host)| host)
        };
        self.settings
            .service_name
            .as_deref()
            .or_else(host)
            .unwrap_or_default()
    }
}
