//! Bearer tokens that are neither the proxy's own nor the provider's in passthrough mode.

use std::sync::Arc;

use super::said::OAuthProxyConfigBuilder;
use crate::{api_key::ApiKey, token::TokenVerifier};

/// # Other bearer tokens
///
/// A bearer token on a protected path is tried in this order: as one of this proxy, as an [API key](Self::api_key),
/// as one of a [trusted issuer](crate::TrustedIssuer::access_tokens), by [introspection](Self::introspection), and
/// in [passthrough mode](Self::passthrough) as the provider's. Each source says whether the token is its own: a
/// token that one source knows and refuses is not tried at the next. [`AuthSession::source`] says where it came
/// from.
///
/// [`AuthSession::source`]: crate::AuthSession::source
impl OAuthProxyConfigBuilder {
    /// A key that a program may present as its bearer token; up to 10,000. Default: none.
    ///
    /// With keys, a bearer token that begins with `topkey_` is a key or is refused. A person whose subject begins
    /// with `key|` does not come in: they could not be told from a key.
    ///
    /// A key that you take out of the configuration is refused once the process has restarted with the new one.
    pub fn api_key(mut self, key: ApiKey) -> Self {
        self.sources.api_keys.push(key);
        self
    }

    /// The same of many, as [`ApiKey::parse_all`] reads them from a file.
    pub fn api_keys<I: IntoIterator<Item = ApiKey>>(mut self, keys: I) -> Self {
        self.sources.api_keys.extend(keys);
        self
    }

    /// Asks this verifier about tokens that no source before it knows; mostly an
    /// [`IntrospectionVerifier`](crate::IntrospectionVerifier). Default: they are refused.
    ///
    /// `id` names the server that issues them: 1 to 32 of `a-z`, `0-9` and `-`. That of a provider says that its
    /// people are those of the provider: the same subjects as at a login. With any other id they are called
    /// `{id}|{sub}`.
    ///
    /// **The allow lists are asked** about each token: [`allowed_emails`](Self::allowed_emails),
    /// [`allowed_domains`](Self::allowed_domains), [`allowed_groups`](Self::allowed_groups),
    /// [`allowed_claim`](Self::allowed_claim), with a provider's id those of that
    /// [`Provider`](crate::Provider), and [`on_login`](Self::on_login) with
    /// [`Occasion::AccessToken`](crate::Occasion::AccessToken). They judge by what is said of the token, at its
    /// first sight and again in each [`session_cache_ttl`](Self::session_cache_ttl). What it does not say is a no.
    ///
    /// Strangers can make up tokens: each new one is a question to that server. A token that the server does not
    /// know ([`VerifyError::Unknown`](crate::VerifyError::Unknown)) goes on to the provider's verifier in
    /// passthrough mode; one that it knows and that is not good here ends there.
    ///
    /// ```
    /// use tower_oauth_proxy::{IntrospectionVerifier, OAuthProxyConfigBuilder};
    ///
    /// fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    ///     let secret = "4x7Qm2Lr9vTzB1kWn8Jd3HsYc6Pf";
    ///     let verifier = IntrospectionVerifier::new("https://idp.example/introspect", "mcp-server", secret);
    ///     builder.introspection("legacy", verifier)
    /// }
    /// ```
    pub fn introspection(mut self, id: impl Into<String>, verifier: impl TokenVerifier) -> Self {
        self.sources.introspection = Some((id.into(), Arc::new(verifier)));
        self
    }

    /// Tokens of [`introspection`](Self::introspection) come in for every person: neither the allow lists nor
    /// [`on_login`](Self::on_login) are asked. Default: they are asked.
    ///
    /// For a server whose tokens are of machines, of which no list knows anything.
    pub fn introspection_without_allow_lists(mut self) -> Self {
        self.sources.introspection_unlisted = true;
        self
    }
}
