//! A client that the operator configures: no registration, and an id that is only a name. What one may do
//! without a person stands in `machine`; all of them are `configured_clients`.

use super::machine::{Machine, MachineWords};
use crate::{
    client::{
        auth::{AuthRule, ClientAuthMethod, OwnSecret, PublicKeys},
        identified::{Client, ClientKind},
        redirect::RedirectUri,
    },
    error::ConfigError,
    limits::MAX_CONFIGURED_ID,
    oauth::{ScopeSet, describable},
};

pub(super) const OPTION: &str = "static_clients";

/// A client known from configuration: an app that people log in with, or a machine that works in its own
/// name, or both.
///
/// The redirect policy does not apply to its redirect URIs: the operator named them.
///
/// ```
/// use tower_oauth_proxy::StaticClient;
///
/// let client = StaticClient::confidential("intranet", "r7Kq2ZtV9wLx4MbY")
///     .redirect_uri("https://intranet.example.com/callback")?
///     .name("Intranet");
/// assert!(!format!("{client:?}").contains("r7Kq2ZtV"));
/// # Ok::<(), tower_oauth_proxy::ConfigError>(())
/// ```
///
/// A machine needs no redirect URI. It asks the token endpoint with `grant_type=client_credentials` (RFC 6749
/// section 4.4; the MCP extension `io.modelcontextprotocol/oauth-client-credentials`).
///
/// ```
/// use tower_oauth_proxy::StaticClient;
///
/// let client = StaticClient::machine("nightly-report", "q8Wn3TzK5vRx2LcYb7Hd")
///     .scopes(["reports:read"])
///     .roles(["reader"]);
/// # let _ = client;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a client counts once it is given to `static_client`"]
pub struct StaticClient {
    id: String,
    secret: Option<OwnSecret>,
    keys: Option<PublicKeys>,
    auth: AuthRule,
    redirect_uris: Vec<RedirectUri>,
    name: Option<String>,
    scope: Option<ScopeSet>,
    /// What it stands for at the introspection endpoint, as it was given.
    introspects: Vec<String>,
    machine: MachineWords,
}

impl StaticClient {
    /// A client without a secret, such as an app on people's computers.
    pub fn public(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: None,
            keys: None,
            auth: AuthRule::Exactly(ClientAuthMethod::None),
            redirect_uris: Vec::new(),
            name: None,
            scope: None,
            introspects: Vec::new(),
            machine: MachineWords::default(),
        }
    }

    /// A client with a secret of 16 to 1024 bytes, sent in the `Authorization` header or in the body
    /// unless [`auth_method`](Self::auth_method) says which.
    ///
    /// Letters and digits are safest: RFC 6749 section 2.3.1 has clients form-encode the secret in
    /// the header, which some forget, so that a `+` or `%` would arrive as something else.
    pub fn confidential(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            secret: Some(OwnSecret::Plain(secret.into().into())),
            auth: AuthRule::AnySecret,
            ..Self::public(id)
        }
    }

    /// The same by the hash of its secret: `sha256:` and 64 hexadecimal digits, so that a file of clients holds
    /// no secret.
    ///
    /// The secret has to be random, as one that [`ApiKey::generate`](crate::ApiKey::generate) makes, or
    /// `openssl rand -hex 32`: anyone who sees the hash of one that a person chose can guess it. Nothing here can
    /// tell, but that one of under 16 bytes is always refused.
    ///
    /// ```
    /// use tower_oauth_proxy::{ApiKey, StaticClient};
    ///
    /// let secret = ApiKey::generate();
    /// let client = StaticClient::confidential_by_hash("nightly-report", secret.hash()).as_machine();
    /// println!("shown once: {}", secret.reveal());
    /// # let _ = client;
    /// ```
    pub fn confidential_by_hash(id: impl Into<String>, hash: impl Into<String>) -> Self {
        Self {
            secret: Some(OwnSecret::Hash(hash.into().into())),
            auth: AuthRule::AnySecret,
            ..Self::public(id)
        }
    }

    /// A client that proves itself with a private key of its own (`private_key_jwt`, RFC 7523): this server
    /// holds no secret of it, and each proof counts once.
    ///
    /// ```
    /// use tower_oauth_proxy::{PublicKeys, StaticClient};
    ///
    /// let keys = PublicKeys::at("https://billing.example.com/jwks.json")?;
    /// let client = StaticClient::with_keys("billing", keys)
    ///     .redirect_uri("https://billing.example.com/callback")?;
    /// # let _ = client;
    /// # Ok::<(), tower_oauth_proxy::ConfigError>(())
    /// ```
    pub fn with_keys(id: impl Into<String>, keys: PublicKeys) -> Self {
        Self {
            keys: Some(keys),
            auth: AuthRule::Exactly(ClientAuthMethod::PrivateKeyJwt),
            ..Self::public(id)
        }
    }

    /// A machine: a client with a secret, as of [`confidential`](Self::confidential), that gets tokens in its
    /// own name. Without a redirect URI it cannot log people in.
    ///
    /// Its tokens live for [`machine_token_ttl`](crate::OAuthProxyConfigBuilder::machine_token_ttl), and no
    /// refresh token comes with them. In its sessions the subject is its id,
    /// [`source`](crate::AuthSession::source) is
    /// [`ClientCredentials`](crate::TokenSource::ClientCredentials), and no person and no token of a provider
    /// stands behind them. A person who would have the same subject does not come in (RFC 9068 section 5).
    pub fn machine(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::confidential(id, secret).as_machine()
    }

    /// Lets a client that authenticates, by a secret or a key, get tokens in its own name too; see
    /// [`machine`](Self::machine). One that is to log people in as well keeps its redirect URIs.
    pub fn as_machine(mut self) -> Self {
        self.machine.is_machine = true;
        self
    }

    /// The most that a machine's own tokens may, in place of those given before; each has to be one of the
    /// configured `scopes`. Default: none. Logins by the same client are not bound by it.
    ///
    /// What is taken away here is gone from tokens that are out already, when they are next looked up.
    pub fn scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.machine.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The roles of a machine's own sessions, for [guards](crate::guard), in place of those given before: at
    /// most 64 of at most 256 bytes. Default: none.
    pub fn roles<I: IntoIterator<Item: Into<String>>>(mut self, roles: I) -> Self {
        self.machine.roles = roles.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a redirect URI.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when it is not absolute, is over 1024 bytes, has a fragment, user information or
    /// another `@`, dot segments or a host with several spellings, is http to another computer, or has
    /// a scheme such as `javascript`.
    pub fn redirect_uri(mut self, uri: &str) -> Result<Self, ConfigError> {
        let parsed = RedirectUri::parse(uri)
            .map_err(|why| ConfigError::new(OPTION, format!("the redirect URI `{uri}` {why}")))?;
        self.redirect_uris.push(parsed);
        Ok(self)
    }

    /// The name on the consent page, 1 to 100 visible characters; the id when not set.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How a confidential client has to send its secret. Unset, both ways are accepted.
    ///
    /// The configuration of the moment counts: a client whose method changes during a login
    /// authenticates by the new one.
    pub fn auth_method(mut self, method: ClientAuthMethod) -> Self {
        self.auth = AuthRule::Exactly(method);
        self
    }

    /// The scopes of an authorization request that names none.
    pub fn default_scope(mut self, scope: ScopeSet) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Lets the client ask about access tokens for this resource, the base URL or a URL below it, and for
    /// what is below that, at `{base}/oauth/introspect` (RFC 7662). Default: it may ask about none.
    ///
    /// It is for a service behind the proxy that gets the access token and cannot verify it. The answer is
    /// what the store says at that moment, so a login that was ended is not active at once. No provider is
    /// asked and nothing is renewed. A token for the base URL itself is for everything below it: a service
    /// that has to hear of those stands for the base URL.
    ///
    /// Such a client needs a secret or a key, and no redirect URI. [`docs::services`](crate::docs::services) has more.
    pub fn introspects(mut self, resource: impl Into<String>) -> Self {
        self.introspects.push(resource.into());
        self
    }

    /// The resources that it may ask about.
    pub(crate) fn introspected(&self) -> &[String] {
        &self.introspects
    }

    /// Whether it may authenticate in this way.
    pub(crate) fn admits(&self, method: ClientAuthMethod) -> bool {
        self.auth.admits(method)
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Whether it gets tokens in its own name.
    pub(crate) fn is_machine(&self) -> bool {
        self.machine.is_machine
    }

    /// The most that those may.
    pub(crate) fn machine_scopes(&self) -> &[String] {
        &self.machine.scopes
    }

    /// The scopes of a request that names none.
    pub(crate) fn default_scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.iter().flat_map(ScopeSet::iter)
    }

    /// The name on the consent page, where it is not the id.
    pub(crate) fn name_on_page(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The id, safe to print.
    pub(crate) fn shown_id(&self) -> String {
        describable(&self.id)
    }

    /// The client, as every kind of client is known.
    pub(super) fn client(&self) -> Client {
        Client {
            id: self.id.clone(),
            name: self.name.clone(),
            redirect_uris: self.redirect_uris.clone(),
            auth: self.auth,
            keys: self.keys.as_ref().map(|keys| keys.keys().clone()),
            scope: self.scope.clone(),
            kind: ClientKind::Configured,
        }
    }

    pub(super) fn has_secret(&self, presented: &str) -> bool {
        self.secret.as_ref().is_some_and(|own| own.is(presented))
    }

    /// Refuses a client that cannot work, and says what it may in its own name.
    pub(super) fn check(&self) -> Result<Option<Machine>, ConfigError> {
        let id = &self.id;
        // `client_id = *VSCHAR`: RFC 6749 appendix A.1.
        if id.is_empty()
            || id.len() > MAX_CONFIGURED_ID
            || !id.bytes().all(|b| (0x20..=0x7e).contains(&b))
        {
            let id = describable(id);
            let why = format!("`{id}`: a client id has 1 to 256 printable ASCII characters");
            return Err(ConfigError::new(OPTION, why));
        }
        let refused = |why: &str| {
            let id = self.shown_id();
            ConfigError::new(OPTION, format!("client `{id}` {why}"))
        };
        if self.redirect_uris.is_empty() && !self.is_machine() && self.introspects.is_empty() {
            return Err(refused(
                "has no redirect URI, is no machine and introspects no tokens",
            ));
        }
        // RFC 7662 section 2.1: "To prevent token scanning attacks, the endpoint MUST also require some form
        // of authorization to access this endpoint".
        if !self.introspects.is_empty() && self.auth.admits(ClientAuthMethod::None) {
            return Err(refused(
                "introspects tokens, and has neither a secret nor a key to prove itself by",
            ));
        }
        if self.auth.has_keys() != self.keys.is_some() {
            return Err(refused(
                "has keys and another authentication method, or that method and no keys: use \
                 StaticClient::with_keys alone",
            ));
        }
        let machine = self.machine.checked(id, self.auth);
        let machine = machine.map_err(|why| refused(&why))?;
        match self.secret_fault() {
            Some(why) => Err(refused(&why)),
            None => Ok(machine),
        }
    }

    /// What is wrong with its secret, or the lack of one.
    fn secret_fault(&self) -> Option<String> {
        let Some(secret) = &self.secret else {
            let lacks =
                "has no secret for its authentication method: use StaticClient::confidential";
            return self.auth.has_secret().then(|| lacks.to_owned());
        };
        match self.auth.has_secret() {
            true => secret.fault(),
            false => {
                Some("has a secret that its authentication method would never check".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public() -> StaticClient {
        StaticClient::public("app")
            .redirect_uri("app://cb/")
            .unwrap()
    }

    fn keyed() -> StaticClient {
        let keys = PublicKeys::at("https://app.example/jwks").unwrap();
        let client = StaticClient::with_keys("app", keys);
        client.redirect_uri("app://cb/").unwrap()
    }

    fn confidential(secret: &str) -> StaticClient {
        StaticClient::confidential("web", secret)
            .redirect_uri("https://web.example/cb")
            .unwrap()
    }

    #[test]
    fn a_client_that_cannot_work_or_would_not_be_checked_is_refused() {
        assert!(public().check().is_ok());
        assert!(confidential("r7Kq2ZtV9wLx4MbY").check().is_ok());
        let long = "x".repeat(257);
        for (bad, says) in [
            (StaticClient::public("app"), "redirect URI"),
            (
                StaticClient {
                    id: String::new(),
                    ..public()
                },
                "client id",
            ),
            (
                StaticClient {
                    id: long,
                    ..public()
                },
                "client id",
            ),
            (
                StaticClient {
                    id: "a\nb".to_owned(),
                    ..public()
                },
                "client id",
            ),
            (
                public().auth_method(ClientAuthMethod::ClientSecretPost),
                "no secret",
            ),
            (
                confidential(&"s".repeat(16)).auth_method(ClientAuthMethod::None),
                "never check",
            ),
            (
                public().auth_method(ClientAuthMethod::PrivateKeyJwt),
                "with_keys",
            ),
            (
                keyed().auth_method(ClientAuthMethod::None),
                "with_keys alone",
            ),
            (
                keyed().auth_method(ClientAuthMethod::ClientSecretPost),
                "with_keys alone",
            ),
            (confidential("short"), "16 to 1024"),
            (confidential("changeme-changeme"), "well-known"),
            (confidential(&"s".repeat(16)), "repeats"),
            (confidential(&"s".repeat(1025)), "16 to 1024"),
        ] {
            let error = bad.check().unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
        assert!(
            StaticClient::public("a")
                .redirect_uri("javascript:x")
                .is_err()
        );
    }

    #[test]
    fn debug_prints_no_secret() {
        assert!(!format!("{:?}", confidential("sixteen-letters!")).contains("sixteen"));
    }

    #[test]
    fn a_client_that_only_asks_about_tokens_needs_a_secret_and_no_redirect_uri() {
        let base = "https://mcp.example";
        let asks = StaticClient::public("api").introspects(base);
        let error = asks.clone().check().unwrap_err().to_string();
        assert!(error.contains("neither a secret nor a key"), "{error}");
        let hash = format!("sha256:{}", "a1".repeat(32));
        let asks = StaticClient::confidential_by_hash("api", hash).introspects(base);
        assert!(asks.check().is_ok());
    }
}
