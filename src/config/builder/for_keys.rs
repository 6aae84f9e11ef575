//! Keys and storage: the secrets, and where grants are kept.

use std::sync::Arc;

use super::said::OAuthProxyConfigBuilder;
use crate::{config::remarks::name_of, key::SecretKey, storage::TokenStorage, token::TokenKey};

/// # Keys and storage
///
/// Every key is derived from one secret. A key of its own for signing or for encryption can be set
/// beside it, so that it can be shared, or replaced, alone.
///
/// ```
/// use tower_oauth_proxy::{ConfigError, MemoryStorage, OAuthProxyConfigBuilder, SecretKey};
///
/// fn keys(builder: OAuthProxyConfigBuilder, secret: &str) -> Result<OAuthProxyConfigBuilder, ConfigError> {
///     // One process: with several, `SqliteStorage`, `RedisStorage` or `PostgresStorage`, and the same secret on all.
///     let store = MemoryStorage::with_max_bytes(64 * 1024 * 1024);
///     Ok(builder.secret_key(SecretKey::from_bytes(secret)?).token_storage(store))
/// }
/// # let _ = keys;
/// ```
impl OAuthProxyConfigBuilder {
    /// The secret that every key is derived from. Default: the (first) provider's client secret (at least 16
    /// bytes, and none that can be guessed), so that restarts and replicas agree out of the box.
    pub fn secret_key(mut self, key: SecretKey) -> Self {
        self.secret_keys.current = Some(key);
        self
    }

    /// Adds secrets that were replaced: they still open and verify, and no longer seal or sign. Each counts
    /// for every purpose; a replaced [`jwt_signing_key`](Self::jwt_signing_key) or
    /// [`encryption_key`](Self::encryption_key) has an option of its own. Default: none.
    ///
    /// ```
    /// # use tower_oauth_proxy::{ConfigError, OAuthProxyConfigBuilder, SecretKey};
    /// # fn with(
    /// #     builder: OAuthProxyConfigBuilder,
    /// #     [this_year, last_year]: [String; 2],
    /// # ) -> Result<OAuthProxyConfigBuilder, ConfigError> {
    /// Ok(builder
    ///     .secret_key(SecretKey::from_bytes(this_year)?)
    ///     .previous_secret_keys([SecretKey::from_bytes(last_year)?]))
    /// # }
    /// ```
    pub fn previous_secret_keys(mut self, keys: impl IntoIterator<Item = SecretKey>) -> Self {
        self.secret_keys.previous.extend(keys);
        self
    }

    /// A key of its own for signing access tokens with HS256. Default: derived from [`secret_key`](Self::secret_key),
    /// which goes on verifying when this is set.
    pub fn jwt_signing_key(mut self, key: SecretKey) -> Self {
        self.signing_keys.current = Some(key);
        self
    }

    /// Adds signing keys that were replaced, or turned off: they still verify access tokens, and serve no
    /// other purpose. Take them out when `access_token_ttl` has passed. Default: none.
    pub fn previous_jwt_signing_keys(mut self, keys: impl IntoIterator<Item = SecretKey>) -> Self {
        self.signing_keys.previous.extend(keys);
        self
    }

    /// Signs access tokens with this key, so that other services verify them without a secret: the key set at
    /// `{base}/oauth/jwks` holds its public part, and the metadata names it (`jwks_uri`). Default: access tokens
    /// are signed with HS256, by a key that is derived from [`secret_key`](Self::secret_key), and only this
    /// proxy can verify them.
    ///
    /// The change logs no one out, in either direction, when it is rolled out as
    /// [`docs::services`](crate::docs::services#rotation-in-two-rolls) says; the chapter also says what such a
    /// service has to check, and that it does not hear of revocations. Not with
    /// [`passthrough`](Self::passthrough).
    ///
    /// ```
    /// # use tower_oauth_proxy::{ConfigError, OAuthProxyConfigBuilder, TokenKey};
    /// # fn with(
    /// #     builder: OAuthProxyConfigBuilder,
    /// #     [this_year, last_year]: [String; 2],
    /// # ) -> Result<OAuthProxyConfigBuilder, ConfigError> {
    /// Ok(builder
    ///     .token_key(TokenKey::from_pem(this_year)?)
    ///     .published_token_keys([TokenKey::from_pem(last_year)?]))
    /// # }
    /// ```
    pub fn token_key(mut self, key: TokenKey) -> Self {
        self.token_keys.signing = Some(Arc::new(key));
        self
    }

    /// Adds keys that verify access tokens and are published, and do not sign: the next one before its turn,
    /// and the last one until `access_token_ttl` has passed. A public key is enough for either. Default: none.
    ///
    /// Without a [`token_key`](Self::token_key), HS256 goes on signing.
    pub fn published_token_keys(mut self, keys: impl IntoIterator<Item = TokenKey>) -> Self {
        let keys = keys.into_iter().map(Arc::new);
        self.token_keys.published.extend(keys);
        self
    }

    /// Whether access tokens that were signed with HS256 are still good beside a
    /// [`token_key`](Self::token_key). Default: yes, for as long as their secret stands.
    ///
    /// Turn it off once `access_token_ttl` has passed since the last instance that signed with HS256 stopped.
    /// From then on the secret makes no access token.
    pub fn accept_hs256_tokens(mut self, on: bool) -> Self {
        self.token_keys.accepts_hs256 = on;
        self
    }

    /// A key of its own for encrypting stored records. Default: derived from
    /// [`secret_key`](Self::secret_key), which goes on opening when this is set.
    pub fn encryption_key(mut self, key: SecretKey) -> Self {
        self.encryption_keys.current = Some(key);
        self
    }

    /// Adds encryption keys that were replaced, or turned off: they still open records, and serve no other
    /// purpose. Take them out when `refresh_token_ttl` has passed. Default: none.
    pub fn previous_encryption_keys(mut self, keys: impl IntoIterator<Item = SecretKey>) -> Self {
        self.encryption_keys.previous.extend(keys);
        self
    }

    /// Where grants are kept. Default: a [`MemoryStorage`](crate::MemoryStorage) of this process.
    pub fn token_storage(mut self, storage: impl TokenStorage) -> Self {
        self.storage_name = Some(name_of(&storage));
        self.storage = Some(Arc::new(storage));
        self
    }

    /// Stores records in the clear. Default: they are encrypted.
    ///
    /// Weak: a stolen copy of the store holds the provider's tokens.
    pub fn insecure_without_storage_encryption(mut self) -> Self {
        self.plain.storage_encryption = false;
        self
    }
}
