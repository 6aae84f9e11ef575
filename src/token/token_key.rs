//! The keys that others verify the proxy's access tokens by.

use crate::{
    error::ConfigError,
    jose::{Algorithm, KeyError, PublishedKey, SigningKey},
    limits::MAX_KEY_ID,
};

/// The option that a mistake in a key is reported under.
pub(super) const OPTION: &str = "token_key";

/// A key of the proxy's access tokens whose public part is published, so that other services verify them: see
/// [`token_key`](crate::OAuthProxyConfigBuilder::token_key). Prints without the key.
#[derive(Debug)]
#[must_use]
pub struct TokenKey {
    public: PublishedKey,
    private: Option<SigningKey>,
}

impl TokenKey {
    /// Takes a PEM text with one key, not encrypted. Its kind decides what it signs:
    ///
    /// | key | algorithm | a signature, in bytes |
    /// |---|---|---|
    /// | P-256 | `ES256`, which every library verifies | 64 |
    /// | Ed25519 | `EdDSA` | 64 |
    /// | RSA of 2,048 to 8,192 bits | `RS256` | 256 to 1,024 |
    ///
    /// A private key (`PRIVATE KEY`, `EC PRIVATE KEY`, `RSA PRIVATE KEY`) signs and verifies; a public one
    /// (`PUBLIC KEY`) only verifies. Other curves, and RSA keys of fewer bits, are refused. Make one with
    /// `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`.
    ///
    /// The private key is wiped from memory with the last layer that was made of the configuration. The text
    /// is yours to wipe.
    ///
    /// A key that is printed in a manual is refused, as everyone has it:
    ///
    /// ```
    /// use tower_oauth_proxy::{ConfigError, TokenKey};
    ///
    /// // From a file of the deployment, say.
    /// fn key(pem: String) -> Result<TokenKey, ConfigError> {
    ///     Ok(TokenKey::from_pem(pem)?.id("2026-11"))
    /// }
    /// let pem = "-----BEGIN PRIVATE KEY-----
    /// MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
    /// -----END PRIVATE KEY-----";
    /// let error = key(pem.to_owned()).unwrap_err();
    /// assert_eq!(error.option(), "token_key");
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] says what the text holds instead; it quotes nothing of it.
    pub fn from_pem(pem: impl AsRef<str>) -> Result<Self, ConfigError> {
        let key = Self::read(pem.as_ref());
        let key = key.map_err(|error| fault(format!("the key is not usable: {error}")))?;
        if let Some(place) = key.public.is_printed_in() {
            return Err(fault(format!(
                "the private key is printed in {place}, so anyone could sign with it: make one, with \
                 `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`"
            )));
        }
        match key.public.algorithm() {
            Algorithm::Es256 | Algorithm::EdDsa | Algorithm::Rs256 => Ok(key),
            other => Err(fault(format!(
                "the key signs {}; access tokens are signed with ES256, EdDSA or RS256: give a P-256, \
                 Ed25519 or RSA key",
                other.name()
            ))),
        }
    }

    fn read(pem: &str) -> Result<Self, KeyError> {
        match SigningKey::from_pem(pem, None) {
            Ok(private) => Ok(Self {
                public: private.published()?,
                private: Some(private),
            }),
            Err(KeyError::NoKey) => match PublishedKey::from_pem(pem) {
                Ok(public) => Ok(Self {
                    public,
                    private: None,
                }),
                Err(KeyError::NoPublicKey) => Err(KeyError::NoKey),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// The key's name in tokens and in the key set (`kid`): up to 100 visible ASCII characters. Default: its
    /// thumbprint (RFC 7638), which every instance agrees about without being told.
    pub fn id(self, kid: impl Into<String>) -> Self {
        Self {
            public: self.public.with_kid(kid.into()),
            ..self
        }
    }

    pub(crate) fn public(&self) -> &PublishedKey {
        &self.public
    }

    pub(super) fn private(&self) -> Option<&SigningKey> {
        self.private.as_ref()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let kid = self.public.kid();
        let is_short = !kid.is_empty() && kid.len() <= MAX_KEY_ID;
        match is_short && kid.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(()),
            false => {
                let start: String = kid.chars().take(MAX_KEY_ID).collect();
                Err(fault(format!(
                    "the id {start:?} is not made of 1 to {MAX_KEY_ID} visible ASCII characters"
                )))
            }
        }
    }
}

pub(super) fn fault(words: impl Into<String>) -> ConfigError {
    ConfigError::new(OPTION, words.into())
}
