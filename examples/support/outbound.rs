//! The way out: which certificates count, and which private networks documents may come from.

use tower_oauth_proxy::OAuthProxyConfigBuilder;

use super::env::{Env, Refusal};

impl Env {
    pub(super) fn outbound(
        &self,
        mut builder: OAuthProxyConfigBuilder,
    ) -> Result<OAuthProxyConfigBuilder, Refusal> {
        let roots = self.files("ROOT_CERTIFICATES_FILE")?;
        builder = builder.outbound_root_certificates(roots.into_iter().map(|(_, pem)| pem));
        if let Some(networks) = self.list("PRIVATE_NETWORKS")? {
            builder = builder.outbound_private_networks(networks);
        }
        Ok(builder)
    }
}
