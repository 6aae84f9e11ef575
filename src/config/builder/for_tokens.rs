//! Tokens and their lifetimes: whose tokens clients hold, and how long they are good.

use std::{sync::Arc, time::Duration};

use super::said::OAuthProxyConfigBuilder;
use crate::{grant::RefreshGrace, token::TokenVerifier};

/// # Tokens and their lifetimes
///
/// The defaults fit most services: an hour for access tokens, 30 days for a login that is not used, and ten seconds
/// until other instances see a revocation.
///
/// ```
/// use std::time::Duration;
/// use tower_oauth_proxy::OAuthProxyConfigBuilder;
///
/// fn stricter(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
///     builder
///         .access_token_ttl(Duration::from_secs(10 * 60))
///         .refresh_token_ttl(Duration::from_secs(24 * 60 * 60))
///         .session_cache_ttl(Duration::ZERO)
/// }
/// # let _ = stricter;
/// ```
impl OAuthProxyConfigBuilder {
    /// Passthrough mode: clients hold the provider's own access token, and this verifier checks it
    /// when it is first seen. Default: off; clients hold tokens of this proxy, and the provider's
    /// never leave the server.
    ///
    /// It weakens security: a stolen token works at the provider too. Nothing is kept of such a
    /// grant. So only the provider can forgive a lost answer, or two processes of a client that
    /// refresh at once; a provider that takes reuse for theft ends the login.
    ///
    /// ```
    /// use tower_oauth_proxy::{OAuthProxyConfig, TokenVerifier, provider};
    ///
    /// # fn of(verifier: impl TokenVerifier) -> Result<(), tower_oauth_proxy::ConfigError> {
    /// let provider = provider::google("id.apps.googleusercontent.com", "GOCSPX-of-the-console-0123456789");
    /// let config = OAuthProxyConfig::builder(provider, "https://mcp.example.com")
    ///     .passthrough(verifier)
    ///     .build()?;
    /// # let _ = config;
    /// # Ok(()) }
    /// ```
    #[doc(alias = "token_swap")]
    #[doc(alias = "token_verifier")]
    pub fn passthrough(mut self, verifier: impl TokenVerifier) -> Self {
        self.passthrough = Some(Arc::new(verifier));
        self
    }

    /// Checks the provider's own access token whenever a session of a client is first seen, and again each
    /// [`session_cache_ttl`](Self::session_cache_ttl): for a provider that takes tokens back before they end,
    /// by [`IntrospectionVerifier`](crate::IntrospectionVerifier) say. Default: off; the provider is believed
    /// until its token ends.
    ///
    /// A token that it refuses is renewed at the provider, once. If that is not possible, or the new token is
    /// refused too, the request is answered 401, with an event; the grant does not end by it. A verifier that
    /// cannot ask is 503. Each first sight then takes as long as the verifier does.
    ///
    /// ```
    /// use tower_oauth_proxy::{IntrospectionVerifier, OAuthProxyConfig, provider};
    ///
    /// # fn main() -> Result<(), tower_oauth_proxy::ConfigError> {
    /// let secret = "kT9v-of-the-console-Qm3xW7zR1";
    /// let sso = provider::oidc("https://sso.example", "client-id", secret);
    /// let introspection =
    ///     IntrospectionVerifier::new("https://sso.example/introspect", "client-id", secret)
    ///         .without_audience()
    ///         .client("client-id");
    /// let config = OAuthProxyConfig::builder(sso, "https://mcp.example.com")
    ///     .upstream_verifier(introspection)
    ///     .build()?;
    /// # let _ = config;
    /// # Ok(()) }
    /// ```
    ///
    /// Not with [`passthrough`](Self::passthrough), which checks them anyway, nor with several providers.
    pub fn upstream_verifier(mut self, verifier: impl TokenVerifier) -> Self {
        self.upstream_verifier = Some(Arc::new(verifier));
        self
    }

    /// An access token's life, from one second to a year. Default: 1 hour, also where the provider's own
    /// lives ten minutes or ten years.
    ///
    /// This token may outlive the provider's, which is renewed meanwhile. Only where the provider's token ends
    /// and cannot be renewed does this one end with it.
    pub fn access_token_ttl(mut self, ttl: Duration) -> Self {
        self.plain.access_token_ttl = ttl;
        self
    }

    /// How long an access token lives that was made of an assertion, of a person or of a workload: a minute to an
    /// hour. Default: 15 minutes. There is no refresh token: the client brings another assertion.
    ///
    /// The issuer of the assertions is not asked about the person or the workload until then. What ends it before
    /// is [`revoke_subject`](crate::OAuthProxyAdmin::revoke_subject) and the like.
    pub fn assertion_token_ttl(mut self, ttl: Duration) -> Self {
        self.plain.assertion_token_ttl = ttl;
        self
    }

    /// The life of a token that a [machine](crate::StaticClient::machine) gets, from one minute to one hour.
    /// Default: 15 minutes.
    ///
    /// No refresh token comes with it: the machine asks again. Between two looks at the store
    /// ([`session_cache_ttl`](Self::session_cache_ttl)) a token is good without one, so a machine that is
    /// denied, or whose token is revoked, is refused by all instances within that time and not only then.
    pub fn machine_token_ttl(mut self, ttl: Duration) -> Self {
        self.plain.machine_token_ttl = ttl;
        self
    }

    /// How long an unused grant lives, from one second to ten years; each refresh starts it again.
    /// Default: 30 days.
    pub fn refresh_token_ttl(mut self, ttl: Duration) -> Self {
        self.plain.refresh_token_ttl = ttl;
        self
    }

    /// How long a refresh token that was exchanged is still answered with its successor: for a time of up
    /// to 24 hours, or [until the successor is used](RefreshGrace::UntilUsed). Default: 60 seconds.
    ///
    /// A longer grace forgives an answer that was lost, and processes of one client that share a token file.
    /// It costs the same time in which a stolen token goes unseen: see [`RefreshGrace`]. The clocks of all
    /// instances have to agree within a fraction of it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tower_oauth_proxy::{OAuthProxyConfigBuilder, RefreshGrace};
    /// # fn both(builder: OAuthProxyConfigBuilder, other: OAuthProxyConfigBuilder) {
    /// builder.refresh_token_grace(Duration::from_secs(5 * 60));
    /// other.refresh_token_grace(RefreshGrace::UntilUsed);
    /// # }
    /// ```
    pub fn refresh_token_grace(mut self, grace: impl Into<RefreshGrace>) -> Self {
        self.plain.refresh_token_grace = grace.into();
        self
    }

    /// An authorization code's life, from one second to one hour. Default: 5 minutes.
    pub fn authorization_code_ttl(mut self, ttl: Duration) -> Self {
        self.plain.authorization_code_ttl = ttl;
        self
    }

    /// How long a validated session is served from memory, in whole seconds up to an hour; less than one
    /// turns the cache off. It is the longest time that a revocation on another instance can go unseen.
    /// Default: 10 seconds.
    pub fn session_cache_ttl(mut self, ttl: Duration) -> Self {
        self.plain.session_cache_ttl = ttl;
        self
    }
}
