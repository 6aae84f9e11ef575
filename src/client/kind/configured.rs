//! Clients that the operator configures: no registration, and an id that is only a name.

use std::{collections::HashMap, fmt};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    client::{
        auth::{AuthRule, ClientAuthMethod, is_same},
        identified::{Client, ClientKind},
        redirect::RedirectUri,
    },
    error::ConfigError,
    key::{constant_time_eq, sha256, weakness},
    limits::{MAX_CLIENT_SECRET, MAX_CONFIGURED_ID, MIN_CLIENT_SECRET},
    oauth::{ScopeSet, describable},
};

const OPTION: &str = "static_clients";

/// A client known from configuration.
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
#[derive(Clone, Debug)]
#[must_use = "a client counts once it is given to `static_client`"]
pub struct StaticClient {
    id: String,
    secret: Option<Secret>,
    auth: AuthRule,
    redirect_uris: Vec<RedirectUri>,
    name: Option<String>,
    scope: Option<ScopeSet>,
    /// What it stands for at the introspection endpoint, as it was given.
    introspects: Vec<String>,
}

impl StaticClient {
    /// A client without a secret, such as an app on people's computers.
    pub fn public(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: None,
            auth: AuthRule::Exactly(ClientAuthMethod::None),
            redirect_uris: Vec::new(),
            name: None,
            scope: None,
            introspects: Vec::new(),
        }
    }

    /// A client with a secret of 16 to 1024 bytes, sent in the `Authorization` header or in the body
    /// unless [`auth_method`](Self::auth_method) says which.
    ///
    /// Letters and digits are safest: RFC 6749 section 2.3.1 has clients form-encode the secret in
    /// the header, which some forget, so that a `+` or `%` would arrive as something else.
    pub fn confidential(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            secret: Some(Secret::Known(secret.into().into())),
            auth: AuthRule::AnySecret,
            ..Self::public(id)
        }
    }

    /// Gives the client a secret of which only this hash is known here: SHA-256, of the secret's bytes. It is
    /// sent and checked like that of [`confidential`](Self::confidential).
    ///
    /// Only for a secret that was made at random, of 32 characters or more. One that people made up can be
    /// found from its hash, and here nothing can tell.
    ///
    /// ```
    /// use sha2::{Digest, Sha256};
    /// use tower_oauth_proxy::StaticClient;
    ///
    /// // What stands in the configuration: `printf %s "$SECRET" | sha256sum`.
    /// let hash: [u8; 32] = Sha256::digest("JcD6vTq0Zb1kYw8mXn3sRf5hUo7aPe2g").into();
    /// let client = StaticClient::public("nightly")
    ///     .secret_sha256(hash)
    ///     .redirect_uri("https://nightly.example.com/callback")?;
    /// # let _ = client;
    /// # Ok::<(), tower_oauth_proxy::ConfigError>(())
    /// ```
    pub fn secret_sha256(mut self, hash: [u8; 32]) -> Self {
        self.secret = Some(Secret::Hashed(hash));
        if !self.auth.has_secret() {
            self.auth = AuthRule::AnySecret;
        }
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
    /// Such a client needs a secret or a key, and no redirect URI.
    ///
    /// ```
    /// use tower_oauth_proxy::StaticClient;
    ///
    /// let search = StaticClient::confidential("search-api", "r7Kq2ZtV9wLx4MbY")
    ///     .introspects("https://mcp.example.com/search");
    /// # let _ = search;
    /// ```
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

    /// The scopes of a request that names none.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &str> {
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

    /// Refuses a client that cannot work.
    fn check(&self) -> Result<(), ConfigError> {
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
        let refuse = |why: &str| {
            let id = self.shown_id();
            Err(ConfigError::new(OPTION, format!("client `{id}` {why}")))
        };
        if self.redirect_uris.is_empty() && self.introspects.is_empty() {
            return refuse("has no redirect URI");
        }
        // RFC 7662 section 2.1: "To prevent token scanning attacks, the endpoint MUST also require some form
        // of authorization to access this endpoint".
        if !self.introspects.is_empty() && self.auth.admits(ClientAuthMethod::None) {
            return refuse("introspects tokens without a secret: use StaticClient::confidential");
        }
        match &self.secret {
            None if self.auth.has_secret() => refuse(
                "has no secret for its authentication method: use StaticClient::confidential",
            ),
            Some(_) if !self.auth.has_secret() => {
                refuse("has a secret that the method `none` would never check")
            }
            Some(Secret::Hashed(_)) | None => Ok(()),
            Some(Secret::Known(secret)) => {
                let secret = secret.expose_secret().as_bytes();
                if !(MIN_CLIENT_SECRET..=MAX_CLIENT_SECRET).contains(&secret.len()) {
                    return refuse("needs a secret of 16 to 1024 bytes");
                }
                match weakness(secret, MIN_CLIENT_SECRET) {
                    Some(why) => refuse(&format!("has a secret that {why}: make a random one")),
                    None => Ok(()),
                }
            }
        }
    }
}

/// What is known of a client's secret.
#[derive(Clone)]
enum Secret {
    Known(SecretString),
    /// Its SHA-256. A slow hash would add nothing: the secret is random, and a search for it endless.
    Hashed([u8; 32]),
}

impl Secret {
    /// Compares in constant time.
    fn is(&self, presented: &str) -> bool {
        match self {
            Self::Known(own) => is_same(own.expose_secret(), presented),
            Self::Hashed(own) => constant_time_eq(own, &sha256(presented.as_bytes())),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Every configured client, by its id.
pub(in crate::client) struct ConfiguredClients(HashMap<String, StaticClient>);

impl ConfiguredClients {
    /// # Errors
    ///
    /// [`ConfigError`] when a client cannot work, or two have one id.
    pub(in crate::client) fn new(
        clients: impl IntoIterator<Item = StaticClient>,
    ) -> Result<Self, ConfigError> {
        let mut by_id = HashMap::new();
        for client in clients {
            client.check()?;
            let id = client.id.clone();
            if by_id.insert(id.clone(), client).is_some() {
                let why = format!("two clients have the id `{id}`");
                return Err(ConfigError::new(OPTION, why));
            }
        }
        Ok(Self(by_id))
    }

    pub(in crate::client) fn find(&self, client_id: &str) -> Option<Client> {
        let configured = self.0.get(client_id)?;
        Some(Client {
            id: configured.id.clone(),
            name: configured.name.clone(),
            redirect_uris: configured.redirect_uris.clone(),
            auth: configured.auth,
            keys: None,
            scope: configured.scope.clone(),
            kind: ClientKind::Configured,
        })
    }

    pub(in crate::client) fn is_secret_of(&self, client_id: &str, presented: &str) -> bool {
        let configured = self.0.get(client_id);
        let own = configured.and_then(|client| client.secret.as_ref());
        own.is_some_and(|own| own.is(presented))
    }

    pub(in crate::client) fn len(&self) -> usize {
        self.0.len()
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
        let hashed = format!("{:?}", public().secret_sha256([77; 32]));
        assert!(!hashed.contains("77"), "{hashed}");
    }

    #[test]
    fn of_a_hashed_secret_the_secret_counts_and_the_hash_does_not() {
        let secret = "JcD6vTq0Zb1kYw8mXn3sRf5hUo7aPe2g";
        let hash = sha256(secret.as_bytes());
        let client = public().secret_sha256(hash);
        assert!(client.admits(ClientAuthMethod::ClientSecretBasic));
        assert!(!client.admits(ClientAuthMethod::None));
        let clients = ConfiguredClients::new([client]).unwrap();
        assert!(clients.is_secret_of("app", secret));
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        for wrong in ["", "x", &hex, &secret[1..], "other"] {
            assert!(!clients.is_secret_of("app", wrong), "{wrong}");
        }
        assert!(!clients.is_secret_of("other", secret));
    }

    #[test]
    fn a_client_that_only_asks_about_tokens_needs_a_secret_and_no_redirect_uri() {
        let base = "https://mcp.example";
        let asks = StaticClient::public("api").introspects(base);
        let error = asks.clone().check().unwrap_err().to_string();
        assert!(error.contains("without a secret"), "{error}");
        assert!(asks.secret_sha256([1; 32]).check().is_ok());
    }
}
