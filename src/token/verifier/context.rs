//! What the layer lends to a verifier.

use std::{fmt, sync::Arc};

use crate::{
    clock::Clock,
    event::{Event, Events, Reason, Step},
    oauth::BaseUrl,
    outbound::{NamedBy, Outbound},
    provider::{Lookups, Provider, ProviderClient},
    time::Unix,
};

/// What the layer lends to its verifier, when the configuration is built: the clock, and the way to other
/// servers with the operator's
/// [root certificates](crate::OAuthProxyConfigBuilder::outbound_root_certificates) and
/// [proxy](crate::OAuthProxyConfigBuilder::outbound_proxy). The verifiers of this crate use it; others can only
/// hand it on. See [`TokenVerifier::connect`](crate::TokenVerifier::connect).
#[derive(Clone)]
pub struct VerifierContext {
    outbound: Outbound,
    lookups: Lookups,
    clock: Arc<dyn Clock>,
    base: BaseUrl,
    events: Arc<Events>,
}

impl VerifierContext {
    pub(crate) fn new(
        outbound: &Outbound,
        lookups: &Lookups,
        clock: &Arc<dyn Clock>,
        base: &BaseUrl,
        events: &Arc<Events>,
    ) -> Self {
        Self {
            outbound: outbound.clone(),
            lookups: lookups.clone(),
            clock: Arc::clone(clock),
            base: base.clone(),
            events: Arc::clone(events),
        }
    }

    pub(crate) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    pub(super) fn lookups(&self) -> &Lookups {
        &self.lookups
    }

    /// A way to ask this provider.
    pub(super) fn client_of(&self, provider: &Arc<Provider>) -> ProviderClient {
        let timeout = self.outbound.patience(NamedBy::Operator);
        let (about, clock) = (Arc::clone(provider), Arc::clone(&self.clock));
        ProviderClient::new(about, &self.outbound, &self.lookups, timeout, clock)
    }

    /// Where the world reaches this service.
    pub(super) fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// Reports an option that weakens security, at start.
    pub(super) fn report_weak(&self, words: &str) {
        let weak = Event::refused(Step::Configuration, Reason::WeakOption);
        self.events.emit(&weak.detail(words));
    }

    pub(crate) fn now(&self) -> Unix {
        Unix::from(self.clock.now())
    }
}

impl fmt::Debug for VerifierContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifierContext").finish_non_exhaustive()
    }
}
