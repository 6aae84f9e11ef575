//! Clients: which apps may register, and where their codes are sent.

use std::future::Future;

use super::said::OAuthProxyConfigBuilder;
use crate::{
    client::{KnownClient, MetadataDocuments, RedirectPolicy, StaticClient},
    config::hooks::{RegistrationRequest, Veto, hook},
};

/// # Clients
///
/// Clients on loopback come in without a line. Hosted ones, and those that you configure, are a line each:
/// [`docs::clients`](crate::docs::clients).
///
/// ```
/// use tower_oauth_proxy::{ConfigError, KnownClient, OAuthProxyConfigBuilder, StaticClient};
///
/// fn clients(builder: OAuthProxyConfigBuilder) -> Result<OAuthProxyConfigBuilder, ConfigError> {
///     let desk = StaticClient::public("desk").redirect_uri("http://127.0.0.1/callback")?;
///     Ok(builder
///         .allow_client(KnownClient::Claude)
///         .allowed_redirect_uri_patterns(["https://agents.example.com/oauth/callback"])
///         .static_client(desk))
/// }
/// # let _ = clients;
/// ```
impl OAuthProxyConfigBuilder {
    /// Where registered clients may have their codes sent. Default: loopback only. A policy that permits
    /// nothing needs a static client beside it.
    pub fn redirect_policy(mut self, policy: RedirectPolicy) -> Self {
        self.redirect_policy = policy;
        self
    }

    /// Adds patterns to the redirect policy; see [`RedirectPolicy::allow`]. Default: none.
    ///
    /// ```
    /// # use tower_oauth_proxy::OAuthProxyConfigBuilder;
    /// # fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// builder.allowed_redirect_uri_patterns(["https://*.example.com/callback/*"])
    /// # }
    /// ```
    pub fn allowed_redirect_uri_patterns<I>(mut self, patterns: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.redirect_patterns
            .extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Adds a well-known client's callbacks to the redirect policy. Default: none.
    pub fn allow_client(mut self, client: KnownClient) -> Self {
        self.redirect_policy = self.redirect_policy.allow_client(client);
        self
    }

    /// Which clients may be known by the URL of a document about themselves (client ID metadata documents, which
    /// MCP prefers to registration). Default: [`MetadataDocuments::on`], those of every public host.
    ///
    /// The document is fetched when its client sends a person here, and kept for as long as its server says, an
    /// hour at most. Its own origin vouches for redirect URIs on it: the consent page shows that host. What it
    /// names elsewhere, the redirect policy has to permit, loopback as always. Where consent is
    /// [`External`](crate::Consent::External) or [`Disabled`](crate::Consent::Disabled), no one is shown that
    /// host, so there the origin vouches only with [`MetadataDocuments::only_hosts`].
    ///
    /// [`on_register`](Self::on_register) is asked about these clients as well, at each login.
    ///
    /// ```
    /// # use tower_oauth_proxy::{MetadataDocuments, OAuthProxyConfigBuilder};
    /// # fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// builder.metadata_documents(MetadataDocuments::only_hosts(["claude.ai", "chatgpt.com"]))
    /// # }
    /// ```
    pub fn metadata_documents(mut self, documents: MetadataDocuments) -> Self {
        self.plain.metadata_documents = documents;
        self
    }

    /// Whether clients can register themselves (RFC 7591). Default: `true`.
    ///
    /// With `false` there is no such endpoint, the metadata names none, and a client that registered before
    /// begins no login any more. What such a client holds goes on until it ends: deny the client, or revoke its
    /// grants, to end it now.
    pub fn dynamic_registration(mut self, on: bool) -> Self {
        self.plain.dynamic_registration = on;
        self
    }

    /// Adds a client that does not register itself. Default: none.
    pub fn static_client(mut self, client: StaticClient) -> Self {
        self.static_clients.push(client);
        self
    }

    /// Accepts PKCE with `plain`, or without a method. Default: `false`, S256 only.
    ///
    /// Weak: anyone who sees the authorization request can redeem the code.
    pub fn allow_plain_pkce(mut self, allow: bool) -> Self {
        self.plain.allow_plain_pkce = allow;
        self
    }

    /// Asks this closure about each registration that passed every rule, and about each client with a metadata
    /// document whenever it begins a login. It may take 10 seconds. Default: each is accepted.
    ///
    /// ```
    /// # use tower_oauth_proxy::{OAuthProxyConfigBuilder, Veto};
    /// # fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// builder.on_register(async |request| match request.client_name {
    ///     Some(_) => Ok(()),
    ///     None => Err(Veto::new("give a client_name")),
    /// })
    /// # }
    /// ```
    pub fn on_register<F, Fut>(mut self, closure: F) -> Self
    where
        F: Fn(RegistrationRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Veto>> + Send + 'static,
    {
        self.plain.on_register = Some(hook(closure));
        self
    }
}
