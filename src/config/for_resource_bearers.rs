//! Bearer tokens at a resource server, beside those of its verifier.

use std::sync::Arc;

use super::{for_resource_server::ResourceServerBuilder, trusted_issuer::TrustedIssuer};
use crate::{api_key::ApiKey, token::TokenVerifier};

/// # Other bearer tokens
///
/// They are tried in this order: as an [API key](Self::api_key), as a token of a
/// [trusted issuer](Self::trusted_issuer), by [introspection](Self::introspection), and by the verifier. A token
/// that one of these knows and refuses is not tried at the next.
impl ResourceServerBuilder {
    /// A key that a program may present as its bearer token, as
    /// [`OAuthProxyConfigBuilder::api_key`](crate::OAuthProxyConfigBuilder::api_key): it is known by its form, and
    /// never reaches the verifier. Neither does any other token that begins with `topkey_`.
    pub fn api_key(mut self, key: ApiKey) -> Self {
        self.sources.api_keys.push(key);
        self
    }

    /// The same of many, as [`ApiKey::parse_all`] reads them from a file.
    pub fn api_keys<I: IntoIterator<Item = ApiKey>>(mut self, keys: I) -> Self {
        self.sources.api_keys.extend(keys);
        self
    }

    /// An issuer whose [access tokens](TrustedIssuer::access_tokens) are good here, beside those that the verifier
    /// accepts. Its people are called `{id}|{sub}`. A token with its `iss` never reaches the verifier.
    pub fn trusted_issuer(mut self, issuer: TrustedIssuer) -> Self {
        self.trusted_issuers.push(issuer);
        self
    }

    /// Asks this verifier too, before the other one, about tokens that no other source knows: as
    /// [`OAuthProxyConfigBuilder::introspection`](crate::OAuthProxyConfigBuilder::introspection). Its people are
    /// called `{id}|{sub}`.
    pub fn introspection(mut self, id: impl Into<String>, verifier: impl TokenVerifier) -> Self {
        self.sources.introspection = Some((id.into(), Arc::new(verifier)));
        self
    }
}
