//! An API key of the configuration.

use std::{fmt, time::SystemTime};

use super::new_key::NewApiKey;
use crate::time::Unix;

/// An API key that a program may present instead of a token, as
/// [`api_key`](crate::OAuthProxyConfigBuilder::api_key) takes it. The configuration holds its SHA-256 and never
/// the key.
///
/// [`generate`](Self::generate) makes a key: `topkey_`, 43 random characters and 6 of a checksum. No other secret
/// is accepted. A key has 256 random bits, which no one finds by trying, however fast a hash is: a slow hash would
/// protect secrets that people choose, and would let strangers keep this server busy.
///
/// A program sends it as `Authorization: Bearer topkey_…`. Its session has the subject and client `key|{name}`,
/// [no person](crate::AuthSession::is_person), no claims and
/// [no tokens of a provider](crate::AuthSession::has_upstream).
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_oauth_proxy::{ApiKey, OAuthProxyConfig, provider};
///
/// let new = ApiKey::generate();
/// let key = ApiKey::new("nightly-report", new.hash())
///     .scopes(["reports:read"])
///     .roles(["reader"])
///     .expires_at(SystemTime::now() + Duration::from_secs(90 * 24 * 60 * 60))
///     .resource("https://mcp.example.com/mcp");
/// let provider = provider::github("client-id", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8");
/// let config = OAuthProxyConfig::builder(provider, "https://mcp.example.com")
///     .api_key(key)
///     .build()?;
/// # let _ = config;
/// println!("shown once: {}", new.reveal());
/// # Ok::<(), tower_oauth_proxy::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use = "a key is good for nothing until a configuration has it"]
pub struct ApiKey {
    pub(super) name: String,
    pub(super) hash: String,
    pub(super) scopes: Vec<String>,
    pub(super) roles: Vec<String>,
    pub(super) expires_at: Option<Unix>,
    pub(super) resource: Option<String>,
}

impl ApiKey {
    /// Makes a key. Show it once, with [`reveal`](NewApiKey::reveal), and keep its [hash](NewApiKey::hash).
    pub fn generate() -> NewApiKey {
        NewApiKey::new()
    }

    /// The key with this name and hash. The name is 1 to 64 of `a-z`, `A-Z`, `0-9` and `-_.:/@`, and stands in
    /// events and in the subject of its sessions: give it to one key only, and to no other program later. The
    /// hash is `sha256:` and 64 hexadecimal digits, of the key's whole text.
    pub fn new(name: impl Into<String>, hash: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            hash: hash.into(),
            scopes: Vec::new(),
            roles: Vec::new(),
            expires_at: None,
            resource: None,
        }
    }

    /// The scopes of its sessions, in place of those given before. Default: none.
    pub fn scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The roles of its sessions, in place of those given before. Default: none.
    pub fn roles<I: IntoIterator<Item: Into<String>>>(mut self, roles: I) -> Self {
        self.roles = roles.into_iter().map(Into::into).collect();
        self
    }

    /// The first instant at which it is refused, to the second. Default: it never ends.
    pub fn expires_at(mut self, end: SystemTime) -> Self {
        self.expires_at = Some(Unix::from(end));
        self
    }

    /// The base URL or a URL below it: the key is good there and below only, unless
    /// [`audience_by_path`](crate::OAuthProxyConfigBuilder::audience_by_path) is off. Default: the base URL.
    pub fn resource(mut self, url: impl Into<String>) -> Self {
        self.resource = Some(url.into());
        self
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}
