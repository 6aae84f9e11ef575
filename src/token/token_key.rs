//! The keys that others verify the proxy's access tokens by.

use serde_json::{Map, Value};

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
        let kid = kid.into();
        Self {
            private: self.private.map(|key| key.with_kid(kid.clone())),
            public: self.public.with_kid(kid),
        }
    }

    /// A JWT of your own, in the compact form, signed with this key: for a service behind yours that has the
    /// key's [public part](Self::jwk), say. The header holds `alg`, `kid` and the `typ` given; the claims are
    /// taken as they are, so name an audience and an end.
    ///
    /// An explicit type keeps one kind of JWT from being taken for another (RFC 8725 section 3.11). It is yours to
    /// choose, and that of access tokens is refused: the proxy never takes such a JWT for a token of its own, even
    /// of the same key.
    ///
    /// ```
    /// use serde_json::json;
    /// use tower_oauth_proxy::{ConfigError, TokenKey};
    ///
    /// fn told(key: &TokenKey, person: &str, now: u64) -> Result<String, ConfigError> {
    ///     let claims = json!({
    ///         "iss": "https://mcp.example.com", "aud": "reports", "sub": person, "iat": now, "exp": now + 60,
    ///     });
    ///     key.sign("identity+jwt", claims.as_object().expect("an object"))
    /// }
    /// # let _ = told;
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when this is a public key, or the type is that of access tokens, empty, or longer than 100
    /// visible ASCII characters.
    pub fn sign(&self, typ: &str, claims: &Map<String, Value>) -> Result<String, ConfigError> {
        let is_short = !typ.is_empty() && typ.len() <= MAX_KEY_ID;
        if !is_short || !typ.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(fault(format!(
                "the type is not made of 1 to {MAX_KEY_ID} visible ASCII characters"
            )));
        }
        // RFC 7515 section 4.1.9: with or without "application/" before it, and in any case of letters, it is the
        // same type.
        let start = "application/".len();
        let is_full = typ
            .get(..start)
            .is_some_and(|name| name.eq_ignore_ascii_case("application/"));
        let bare = typ.get(start..).filter(|_| is_full).unwrap_or(typ);
        if bare.eq_ignore_ascii_case("at+jwt") {
            return Err(fault(
                "the type at+jwt is that of access tokens: choose another",
            ));
        }
        let private = self.private.as_ref();
        let private =
            private.ok_or_else(|| fault("a public key does not sign: give the private one"))?;
        let signed = private.sign(Some(typ), claims);
        signed.map_err(|error| fault(format!("the key did not sign: {error}")))
    }

    /// The public part as a JWK (RFC 7517), for a key set that others verify by.
    #[must_use]
    pub fn jwk(&self) -> Value {
        self.public.jwk()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::{KeySet, has_type};

    const P256: &str = include_str!("../jose/vectors/p256.pkcs8.pem");

    fn claims() -> Map<String, Value> {
        json!({"iss": "here", "sub": "ada"})
            .as_object()
            .unwrap()
            .clone()
    }

    fn key() -> TokenKey {
        TokenKey::read(P256).unwrap().id("2026-11")
    }

    #[test]
    fn a_jwt_of_your_own_is_verified_by_the_public_part() {
        let token = key().sign("identity+jwt", &claims()).unwrap();
        let set = json!({"keys": [key().jwk()]}).to_string();
        let jwt = KeySet::parse(set.as_bytes())
            .unwrap()
            .verify(&token)
            .unwrap();
        assert_eq!(jwt.claims, claims());
        assert_eq!(jwt.header["kid"], "2026-11");
        assert!(has_type(&jwt.header, "identity+jwt"));
        assert!(!set.contains("\"d\""));
    }

    #[test]
    fn it_is_never_an_access_token() {
        for typ in [
            "at+jwt",
            "AT+JWT",
            "application/at+jwt",
            "Application/At+Jwt",
            "",
            "a b",
            "a\nb",
        ] {
            assert!(key().sign(typ, &claims()).is_err(), "{typ:?}");
        }
        assert!(key().sign(&"x".repeat(101), &claims()).is_err());
    }

    #[test]
    fn a_public_key_signs_nothing() {
        let public = TokenKey {
            private: None,
            ..key()
        };
        let error = public.sign("identity+jwt", &claims()).unwrap_err();
        assert!(
            error.to_string().contains("a public key does not sign"),
            "{error}"
        );
    }
}
