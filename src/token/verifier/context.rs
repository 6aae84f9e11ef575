//! What the layer lends to a verifier.

use std::{fmt, sync::Arc};

use crate::{clock::Clock, outbound::Outbound, provider::KeySets, time::Unix};

/// What the layer lends to its verifier, when the configuration is built: the clock, and the way to other
/// servers with the operator's
/// [root certificates](crate::OAuthProxyConfigBuilder::outbound_root_certificates) and
/// [proxy](crate::OAuthProxyConfigBuilder::outbound_proxy). The verifiers of this crate use it; others can only
/// hand it on. See [`TokenVerifier::connect`](crate::TokenVerifier::connect).
#[derive(Clone)]
pub struct VerifierContext {
    outbound: Outbound,
    key_sets: KeySets,
    clock: Arc<dyn Clock>,
}

impl VerifierContext {
    pub(crate) fn new(outbound: &Outbound, key_sets: &KeySets, clock: &Arc<dyn Clock>) -> Self {
        Self {
            outbound: outbound.clone(),
            key_sets: key_sets.clone(),
            clock: Arc::clone(clock),
        }
    }

    #[allow(dead_code, reason = "for verifiers that ask for each token")]
    pub(crate) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    pub(super) fn key_sets(&self) -> &KeySets {
        &self.key_sets
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
