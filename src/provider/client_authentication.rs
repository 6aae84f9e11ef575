//! How the registered app proves itself, as an operator says it.

use std::{future::Future, sync::Arc};

use super::{
    client_key::{self, ClientKey},
    credential::{self, ClientCredential, Credential, CredentialRequest},
    discovery_error::DiscoveryError,
    provider::Provider,
};
use crate::error::BoxError;

/// # Authentication of the app
impl Provider {
    /// For an app that is registered as a public client: no secret is sent, PKCE stays. The proxy
    /// then needs a secret key of its own.
    #[must_use]
    pub fn without_client_secret(mut self) -> Self {
        self.credential = Credential::None;
        self
    }

    /// A client secret that your code supplies, for one that changes while the server runs: from a
    /// vault, or signed anew. Replaces the constructor's, which is best given empty. The proxy then
    /// needs a secret key of its own.
    ///
    /// The callback is asked before a request to the provider, and where it supplies
    /// [`ClientCredential::until`], only when that nears its end, or when the provider answers
    /// `invalid_client`. It may take 10 seconds. An error, a timeout, and what no secret can be (empty,
    /// over 16 KiB, with a line break) count as trouble of this server's: people come again later, and
    /// no grant ends.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use tower_oauth_proxy::provider::{self, ClientCredential};
    ///
    /// let google = provider::google("client-id", "").client_secret_from(|_| async {
    ///     let secret = tokio::fs::read_to_string("/run/secrets/google").await?;
    ///     let end = SystemTime::now() + Duration::from_secs(300);
    ///     Ok(ClientCredential::until(secret.trim_end(), end))
    /// });
    /// assert!(google.check().is_ok());
    /// ```
    #[must_use]
    pub fn client_secret_from<F, Fut>(mut self, callback: F) -> Self
    where
        F: Fn(CredentialRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ClientCredential, BoxError>> + Send + 'static,
    {
        self.credential = Credential::MadeSecret(credential::supply(callback));
        self
    }

    /// Signs an assertion for each request to the provider, in place of a client secret
    /// (`private_key_jwt`: RFC 7523 section 2.2, OpenID Connect Core section 9). Replaces the constructor's
    /// secret, which is best given empty. The proxy then needs a secret key of its own.
    ///
    /// Register the public key, or its certificate, at the provider. An assertion lives for two minutes, has
    /// a random `jti`, and goes to the token, revocation and introspection endpoints. Its `aud` is told by
    /// [`assertion_audience`](Self::assertion_audience).
    #[must_use]
    pub fn private_key_jwt(mut self, key: ClientKey) -> Self {
        let key = key.in_the_way_of(self.dialect.key_way());
        self.credential = Credential::Assertion {
            public_key: Some(key.public_jwk()),
            supply: Arc::new(client_key::assertions(key)),
        };
        self
    }

    /// An assertion that your code supplies in place of a client secret (RFC 7523 section 2.2): the
    /// token of a managed identity or of a workload (a Kubernetes service account, a CI job, another
    /// cloud), which the provider was told to trust, or a JWT signed in a key vault. Replaces the
    /// constructor's secret, which is best given empty. The proxy then needs a secret key of its own.
    ///
    /// Asked for, kept and bounded as in [`client_secret_from`](Self::client_secret_from).
    ///
    /// ```
    /// use tower_oauth_proxy::provider::{self, ClientCredential};
    ///
    /// let entra = provider::azure("contoso.onmicrosoft.com", "client-id", "").client_assertion(
    ///     |_| async {
    ///         let file = std::env::var("AZURE_FEDERATED_TOKEN_FILE")?;
    ///         let token = tokio::fs::read_to_string(file).await?;
    ///         Ok(ClientCredential::once(token.trim_end()))
    ///     },
    /// );
    /// assert!(entra.check().is_ok());
    /// ```
    #[must_use]
    pub fn client_assertion<F, Fut>(mut self, callback: F) -> Self
    where
        F: Fn(CredentialRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ClientCredential, BoxError>> + Send + 'static,
    {
        self.credential = Credential::Assertion {
            supply: credential::supply(callback),
            public_key: None,
        };
        self
    }

    /// The `aud` of assertions, for a provider that wants another than the default.
    ///
    /// Default: the [`issuer`](Self::issuer) where it is known, as RFC 10070 wants it, else the URL of
    /// the token endpoint, as OpenID Connect Core section 9 has it. A preset knows its provider's way:
    /// Entra ID wants the token endpoint.
    #[must_use]
    pub fn assertion_audience(mut self, audience: impl Into<String>) -> Self {
        self.assertion_audience = Some(audience.into());
        self
    }

    /// One value and not a list: servers that follow RFC 10070 refuse a list.
    pub(crate) fn audience_of_assertions(&self) -> Result<&str, DiscoveryError> {
        let issuer = self.issuer.as_deref();
        let issuer = issuer.filter(|_| !self.dialect.key_way().audience_is_token_endpoint);
        match self.assertion_audience.as_deref().or(issuer) {
            Some(chosen) => Ok(chosen),
            None => self.endpoints.token(),
        }
    }

    /// For a provider that takes the URL of a document as client id (client ID metadata documents:
    /// Hugging Face, WorkOS, Auth0 and Keycloak where they are told to). The proxy then serves a document
    /// about itself at `{base_url}/oauth/client.json`, and its client id is that URL: nothing has to be
    /// registered. Give the constructor an empty client id and an empty secret.
    ///
    /// The app is a public one; with [`private_key_jwt`](Self::private_key_jwt) it proves itself by a key
    /// whose public half stands in the document. The base URL has to be https, and the provider has to
    /// reach it. The proxy needs a secret key of its own.
    ///
    /// ```
    /// use tower_oauth_proxy::{OAuthProxyConfig, SecretKey, provider};
    ///
    /// # fn key() -> String { "VnQzdFk4c0xyMVpwSzZ3WGIwTmZVZTdKbUdoMkRjNUE".into() }
    /// let provider = provider::oidc("https://sso.example", "", "").client_metadata_document();
    /// let config = OAuthProxyConfig::builder(provider, "https://mcp.example.com")
    ///     .secret_key(SecretKey::from_bytes(key())?)
    ///     .build()?;
    /// # let _ = config;
    /// # Ok::<(), tower_oauth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn client_metadata_document(mut self) -> Self {
        self.has_document = true;
        if self.credential.secret().is_some_and(str::is_empty) {
            self.credential = Credential::None;
        }
        self
    }
}
