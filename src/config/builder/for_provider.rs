//! The provider: what is sent to it beyond its preset.

use super::said::OAuthProxyConfigBuilder;
use crate::config::choices::PassOn;

/// # The provider
impl OAuthProxyConfigBuilder {
    /// The path of the callback, below the base URL. The provider has to know it as the redirect URI.
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
