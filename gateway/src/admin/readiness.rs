//! Whether this instance can serve.

use serde_json::{Value, json};
use tower_oauth_proxy::OAuthProxyHandle;

use crate::{forward::Forward, shutdown::Phases};

/// What readiness depends on.
#[derive(Clone)]
pub(super) struct Readiness {
    pub(super) handle: OAuthProxyHandle,
    pub(super) forward: Forward,
    pub(super) phases: Phases,
}

impl Readiness {
    /// Ready or not, and the parts: the proxy's own, and the server behind.
    pub(super) async fn look(&self) -> (bool, Value) {
        let (probe, behind) = tokio::join!(self.handle.probe(), self.forward.probe());
        let is_stopping = self.phases.is_stopping();
        let is_ready = probe.is_ready() && behind.is_ok() && !is_stopping;
        let told = json!({
            "is_ready": is_ready,
            "is_stopping": is_stopping,
            "server_behind": {
                "is_well": behind.is_ok(),
                "fault": behind.err(),
            },
            "proxy": probe.to_json(),
        });
        (is_ready, told)
    }
}
