//! The provider, and others beside it: what is sent to them beyond their presets.

use std::sync::Arc;

use super::said::OAuthProxyConfigBuilder;
use crate::{
    config::{
        choices::PassOn,
        choose_provider::{ProviderChoice, ProviderRequest},
        trusted_issuer::TrustedIssuer,
    },
    provider::Provider,
};

/// # The provider
///
/// With [several](OAuthProxyConfigBuilder::also_provider), what is said here of the provider is said of the
/// first.
///
/// What a provider is like is said on the [`Provider`](crate::Provider); here, how it is used.
///
/// ```
/// use std::time::Duration;
/// use tower_oauth_proxy::{OAuthProxyConfigBuilder, PassOn, provider};
///
/// fn providers(builder: OAuthProxyConfigBuilder, secret: &str) -> OAuthProxyConfigBuilder {
///     builder
///         .also_provider(provider::google("id.apps.googleusercontent.com", secret))
///         .pass_on([PassOn::LoginHint])
///         .upstream_request_timeout(Duration::from_secs(5))
/// }
/// # let _ = providers;
/// ```
impl OAuthProxyConfigBuilder {
    /// An issuer that is trusted beside the providers, with what is said on it; up to 32. Default: none.
    ///
    /// Each has an id and a URL of its own, and no provider's id. People and workloads come in by way of it
    /// without a browser: see [`TrustedIssuer`].
    pub fn trusted_issuer(mut self, issuer: TrustedIssuer) -> Self {
        self.trusted_issuers.push(issuer);
        self
    }

    /// Another provider at which people can log in; up to 32 in all. Default: only the one that the builder
    /// began with.
    ///
    /// People choose on the consent page. A grant belongs to the provider where its person logged in, which
    /// [`AuthSession::provider`](crate::AuthSession::provider) names.
    ///
    /// - **Its callback** is `{base URL}/oauth/return/{id}`: register that redirect URI there, to the byte.
    ///   Each provider has one of its own, so that none can pass off another's answer as its own (RFC 9700
    ///   section 4.4.2.2). The first keeps [`redirect_path`](Self::redirect_path).
    /// - **Its scopes** are those that it names itself ([`Provider::scopes`]). They are offered to clients
    ///   beside [`scopes`](Self::scopes), which speak of the first provider. A login asks a provider for those
    ///   of the client's scopes that it knows, and grants no others.
    /// - **Its other settings**, too, are made on the [`Provider`]: [`upstream_pkce`](Self::upstream_pkce),
    ///   [`forward_resource`](Self::forward_resource),
    ///   [`extra_authorization_params`](Self::extra_authorization_params) and
    ///   [`extra_token_params`](Self::extra_token_params) speak of the first alone. All others hold for each,
    ///   the allow lists among them: so each has to be trusted with the addresses that it vouches for.
    ///
    /// Ids and names must differ: two of one preset need another [`id`](Provider::id) and
    /// [`name`](Provider::name). Without a [`secret_key`](Self::secret_key) every key comes from the client
    /// secret of the **first** provider: adding and removing others logs no one out, putting another first
    /// does. A provider that is removed takes its people's grants with it; they live again when it comes back
    /// before they expire. [Passthrough mode](Self::passthrough) has one provider.
    ///
    /// ```
    /// use tower_oauth_proxy::{OAuthProxyConfig, SecretKey, provider};
    ///
    /// # let secret = "fkN2wT9xQ7dYb4sLr1ZpK6vXh0NjUe8JmGc3Da5B";
    /// let staff = provider::google("id.apps.googleusercontent.com", "GOCSPX-of-the-console-0123456789");
    /// let guests = provider::github("client-id", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8");
    /// let config = OAuthProxyConfig::builder(staff, "https://mcp.example.com")
    ///     .also_provider(guests.name("GitHub, for guests"))
    ///     .secret_key(SecretKey::from_bytes(secret)?)
    ///     .build()?;
    /// # let _ = config;
    /// # Ok::<(), tower_oauth_proxy::ConfigError>(())
    /// ```
    pub fn also_provider(mut self, provider: Provider) -> Self {
        self.further_providers.push(provider);
        self
    }

    /// Asks this rule, at the start of each login, which of several providers it goes to. Default: the person
    /// chooses on the consent page.
    ///
    /// Where it names a provider, the page shows that one and offers no other. Where it leaves the choice to
    /// the person and [`consent`](Self::consent) shows no page, a page asks for the provider alone; a
    /// remembered approval remembers the provider too. An id that is not configured ends the login with
    /// `server_error` and an event of [`Reason::UnknownProvider`](crate::Reason::UnknownProvider). A provider
    /// that knows none of the requested scopes is not offered.
    ///
    /// It sends people to the right place and keeps no one out: who may come in is for
    /// [`on_login`](Self::on_login), which is told the provider, and for guards, by
    /// [`AuthSession::provider`](crate::AuthSession::provider).
    ///
    /// ```
    /// # use tower_oauth_proxy::{OAuthProxyConfigBuilder, ProviderChoice};
    /// # fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// builder.choose_provider(|request| {
    ///     let hint = request.login_hint.as_deref().unwrap_or_default();
    ///     match (request.path.as_str(), hint.rsplit_once('@')) {
    ///         ("/staff/mcp", _) | (_, Some((_, "example.com"))) => ProviderChoice::of("google"),
    ///         _ => ProviderChoice::Person,
    ///     }
    /// })
    /// # }
    /// ```
    pub fn choose_provider(
        mut self,
        rule: impl Fn(&ProviderRequest) -> ProviderChoice + Send + Sync + 'static,
    ) -> Self {
        self.plain.choose_provider = Some(Arc::new(rule));
        self
    }

    /// The path of the first provider's callback, below the base URL. The provider has to know it as the redirect URI.
    /// Default: `/oauth/callback`.
    pub fn redirect_path(mut self, path: impl Into<String>) -> Self {
        self.plain.redirect_path = path.into();
        self
    }

    /// Whether the proxy uses PKCE with the provider. Turn it off only for a provider that does not know
    /// PKCE. Default: as the provider's preset says.
    ///
    /// Weak when it is off: the provider's code is not bound to the login.
    pub fn upstream_pkce(mut self, on: bool) -> Self {
        self.upstream_pkce = Some(on);
        self
    }

    /// Whether the provider gets the `resource` (RFC 8707). Default: as the provider's preset says, mostly
    /// `false`: Entra ID rejects the parameter.
    pub fn forward_resource(mut self, on: bool) -> Self {
        self.forward_resource = Some(on);
        self
    }

    /// Which parameters of a client's authorization request go on to the provider (OpenID Connect Core
    /// section 3.1.2.1), so that people can change accounts, for example. Default: none.
    ///
    /// What is configured stays, here and in the provider's preset: the words of `prompt` are joined (Google's
    /// preset asks for `consent`), and a configured value of the others wins. Words that the provider does not
    /// know are left out, as are a `login_hint` over 320 bytes and `ui_locales` over 100. `prompt=none` is
    /// answered with `interaction_required`, because a person is asked here. With `prompt=consent` a remembered
    /// approval does not count. The proxy asks the provider for `max_age` and does not check the answer's
    /// `auth_time`.
    ///
    /// ```
    /// use tower_oauth_proxy::{OAuthProxyConfig, PassOn, provider};
    ///
    /// let provider = provider::google("id.apps.googleusercontent.com", "GOCSPX-of-the-console-0123456789");
    /// let config = OAuthProxyConfig::builder(provider, "https://mcp.example.com")
    ///     .pass_on([PassOn::Prompt, PassOn::LoginHint])
    ///     .build()?;
    /// # let _ = config;
    /// # Ok::<(), tower_oauth_proxy::ConfigError>(())
    /// ```
    pub fn pass_on(mut self, params: impl IntoIterator<Item = PassOn>) -> Self {
        self.plain.pass_on = params.into_iter().collect();
        self
    }

    /// Parameters added to the provider's authorization URL. The protocol's own (`client_id`, `state`, …)
    /// cannot be overridden: they are dropped, and reported at start. Default: none.
    pub fn extra_authorization_params<I, K, V>(mut self, params: I) -> Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: Into<String>,
        V: Into<String>,
    {
        self.extra_authorization_params = pairs(params);
        self
    }

    /// Parameters added to every request at the provider's token endpoint. The protocol's own cannot be
    /// overridden: they are dropped, and reported at start. Default: none.
    pub fn extra_token_params<I, K, V>(mut self, params: I) -> Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: Into<String>,
        V: Into<String>,
    {
        self.extra_token_params = pairs(params);
        self
    }
}

fn pairs<K: Into<String>, V: Into<String>>(
    params: impl IntoIterator<Item = (K, V)>,
) -> Vec<(String, String)> {
    params
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}
