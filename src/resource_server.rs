//! The resource server: what stands before every protected path, whoever issues the tokens.
//!
//! Mostly the authorization server stands beside it, as [`Proxy`]. Where a provider registers clients
//! itself, there is none here, and a verifier checks that provider's tokens.

mod voucher;

use std::sync::Arc;

use crate::{
    challenge::Challenges,
    clock::Clock,
    config::{BearerSources, OAuthProxyConfig, Options},
    documents::Documents,
    event::{Event, Events},
    grant::Revocations,
    metrics::BearerChecks,
    proxy::Proxy,
    route::{Endpoint, Routes},
    session::SessionCache,
    time::Unix,
    token::TokenVerifier,
};

pub(crate) use voucher::{Voucher, Vouchers};

/// What the layer and the bearer check work with.
pub(crate) struct ResourceServer {
    pub(crate) options: Arc<Options>,
    pub(crate) routes: Routes,
    pub(crate) documents: Documents,
    pub(crate) challenges: Challenges,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Arc<Events>,
    pub(crate) sessions: Arc<SessionCache>,
    pub(crate) checks: BearerChecks,
    pub(crate) sources: BearerSources,
    /// Other servers whose tokens are good here.
    pub(crate) vouchers: Vouchers,
    /// Checks the provider's access tokens, where clients hold those.
    pub(crate) verifier: Option<Arc<dyn TokenVerifier>>,
    /// The authorization server; `None` where the provider is that itself.
    pub(crate) proxy: Option<Arc<Proxy>>,
}

impl ResourceServer {
    pub(crate) fn new(config: OAuthProxyConfig) -> Self {
        let routes = routes(&config);
        let OAuthProxyConfig {
            options,
            verifier,
            sources,
            clock,
            events,
            remarks: _,
            server,
        } = config;
        let base = &options.base;
        let challenges = Challenges::new(
            base,
            &options.required_scopes,
            &options.scope_implications,
            Arc::clone(&events),
        );
        let proxy = server
            .map(|server| Arc::new(Proxy::new(server, &options, &challenges, &clock, &events)));
        let sessions = match &proxy {
            Some(proxy) => Arc::clone(&proxy.sessions),
            // No grant stands behind these sessions, so none is revoked.
            None => Arc::new(SessionCache::new(
                options.session_cache_ttl,
                Arc::new(Revocations::new()),
            )),
        };
        Self {
            documents: Documents::new(&options, &routes),
            routes,
            challenges,
            clock,
            events,
            sessions,
            checks: BearerChecks::new(),
            vouchers: Vouchers::new(&sources, &options, proxy.as_ref()),
            sources,
            verifier,
            proxy,
            options,
        }
    }

    pub(crate) fn now(&self) -> Unix {
        Unix::from(self.clock.now())
    }

    pub(crate) fn emit(&self, event: &Event) {
        self.events.emit(event);
    }
}

/// The URLs of a configuration that are ours.
pub(crate) fn routes(config: &OAuthProxyConfig) -> Routes {
    let options = &config.options;
    let Some(server) = &config.server else {
        return Routes::of_resource(
            &options.base,
            options.redirects_metadata,
            &options.public_paths,
        );
    };
    let further = server.providers.iter().skip(1);
    Routes::new(&options.base, &options.redirect_path, &options.public_paths)
        .with(Endpoint::ClientDocument, options.client_document.is_some())
        .with(Endpoint::Register, options.dynamic_registration)
        .with(Endpoint::Introspect, options.introspection.is_served())
        .with(Endpoint::KeySet, options.key_set.is_some())
        .returning_from(further.map(|of| of.about().id.as_str()))
}
