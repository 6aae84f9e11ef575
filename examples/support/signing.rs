//! `SIGNING_KEY_FILE`: keys that other services verify access tokens by.

use tower_oauth_proxy::{OAuthProxyConfigBuilder, TokenKey};

use super::env::{Env, Refusal};

const VARIABLE: &str = "SIGNING_KEY_FILE";

impl Env {
    /// The first file's key signs; those of the others are published beside it.
    pub(super) fn signing(
        &self,
        builder: OAuthProxyConfigBuilder,
    ) -> Result<OAuthProxyConfigBuilder, Refusal> {
        let keys = self.files(VARIABLE)?.into_iter().map(|(path, pem)| {
            let refused = |error| Refusal(format!("{VARIABLE}: {path}: {error}"));
            TokenKey::from_pem(pem).map_err(refused)
        });
        let mut keys = keys.collect::<Result<Vec<_>, _>>()?.into_iter();
        Ok(match keys.next() {
            Some(first) => builder.token_key(first).published_token_keys(keys),
            None => builder,
        })
    }
}
