//! The key that signs assertions in place of a client secret.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::supply::{Made, Making, Supply, Wanted};
use crate::{
    error::ConfigError,
    jose::{Algorithm, KeyError, SigningKey},
    limits::{ASSERTION_BACKDATED, ASSERTION_LIFE},
    random,
    time::Unix,
};

/// A private key of the registered app, which signs in place of a client secret: see
/// [`Provider::private_key_jwt`](crate::Provider::private_key_jwt). Prints without the key.
#[derive(Debug)]
#[must_use]
pub struct ClientKey {
    key: SigningKey,
    is_algorithm_chosen: bool,
    is_id_chosen: bool,
}

impl ClientKey {
    /// Takes a PEM text with one private key: RSA of 2,048 to 8,192 bits, P-256, P-384, P-521 or Ed25519, in
    /// PKCS#8, PKCS#1 or SEC 1, not encrypted. It signs with `RS256` (`PS256` for Entra ID), `ES256`,
    /// `ES384`, `ES512` or `EdDSA`.
    ///
    /// Where certificates stand beside it in the text, assertions name that of the key by its SHA-256
    /// thumbprint (`x5t#S256`), as Entra ID wants it.
    ///
    /// ```
    /// use tower_oauth_proxy::provider::{self, ClientKey};
    ///
    /// # fn main() -> Result<(), tower_oauth_proxy::ConfigError> {
    /// let pem = "-----BEGIN PRIVATE KEY-----
    /// MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
    /// -----END PRIVATE KEY-----";
    /// let key = ClientKey::from_pem(pem)?.id("2026-11");
    /// let sso = provider::oidc("https://sso.example", "client-id", "").private_key_jwt(key);
    /// assert!(sso.check().is_ok());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] says what the text holds instead; it quotes nothing of it.
    pub fn from_pem(pem: impl AsRef<str>) -> Result<Self, ConfigError> {
        Ok(Self {
            key: SigningKey::from_pem(pem.as_ref(), None).map_err(fault)?,
            is_algorithm_chosen: false,
            is_id_chosen: false,
        })
    }

    /// The key's id at the provider (`kid`). Default: its thumbprint (RFC 7638).
    pub fn id(mut self, kid: impl Into<String>) -> Self {
        self.key = self.key.with_kid(kid.into());
        self.is_id_chosen = true;
        self
    }

    /// Another algorithm that fits the key, by its name: `PS256`, say, for a server that refuses `RS256`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when there is no such algorithm, or the key cannot sign with it.
    pub fn algorithm(mut self, name: &str) -> Result<Self, ConfigError> {
        let Some(algorithm) = Algorithm::parse(name) else {
            let words = format!(
                "{name:?} is no algorithm of keys here: RS, PS or ES with 256, 384 or 512, or EdDSA"
            );
            return Err(ConfigError::new("provider", words));
        };
        self.key = self.key.with_algorithm(algorithm).map_err(fault)?;
        self.is_algorithm_chosen = true;
        Ok(self)
    }

    /// As this provider wants it, where nothing else was chosen.
    pub(super) fn in_the_way_of(self, way: KeyWay) -> SigningKey {
        let mut key = self.key;
        if way.prefers_pss && !self.is_algorithm_chosen {
            key = key.with_pss();
        }
        match way.knows_certificates && !self.is_id_chosen {
            true => key.named_by_certificate(),
            false => key,
        }
    }
}

fn fault(error: KeyError) -> ConfigError {
    ConfigError::new(
        "provider",
        format!("the client's key is not usable: {error}"),
    )
}

/// What a provider expects of assertions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KeyWay {
    /// The `aud` is the token endpoint's URL although the issuer is known.
    pub(crate) audience_is_token_endpoint: bool,
    /// RSA keys sign with PSS.
    pub(crate) prefers_pss: bool,
    /// Keys are registered as certificates, and have no other name.
    pub(crate) knows_certificates: bool,
}

/// Assertions about the app itself, signed with its key, each for one request (RFC 7523 sections 2.2 and
/// 3, OpenID Connect Core section 9).
pub(super) fn assertions(key: SigningKey) -> Supply {
    Supply::new(move |wanted| signed(&key, &assertion(wanted), None))
}

fn assertion(wanted: &Wanted<'_>) -> Map<String, Value> {
    Map::from_iter([
        // RFC 7523 section 3: "For client authentication, the subject MUST be the "client_id" of the OAuth
        // client." OpenID Connect Core section 9 wants the same of `iss`.
        ("iss".to_owned(), json!(wanted.client_id)),
        ("sub".to_owned(), json!(wanted.client_id)),
        // RFC 7523 section 3: "The JWT MUST contain an "aud" (audience) claim containing a value that
        // identifies the authorization server as an intended audience."
        ("aud".to_owned(), json!(wanted.audience)),
        // "The JWT MUST contain an "exp" (expiration time) claim that limits the time window during which
        // the JWT can be used."
        (
            "exp".to_owned(),
            json!((wanted.now + ASSERTION_LIFE).secs()),
        ),
        (
            "iat".to_owned(),
            json!((wanted.now - ASSERTION_BACKDATED).secs()),
        ),
        // OpenID Connect Core section 9: "A unique identifier for the token, which can be used to prevent
        // reuse of the token."
        ("jti".to_owned(), json!(random::token::<16>())),
    ])
}

/// A client secret that is a JWT of these claims, for a provider that wants one signed. `claims` is given
/// the app's id, the time, and the end of the secret's life.
pub(crate) fn signed_secret(
    key: SigningKey,
    life: std::time::Duration,
    claims: impl Fn(&str, Unix, Unix) -> Map<String, Value> + Send + Sync + 'static,
) -> Arc<Supply> {
    Arc::new(Supply::new(move |wanted| {
        let until = wanted.now + life;
        signed(
            &key,
            &claims(wanted.client_id, wanted.now, until),
            Some(until),
        )
    }))
}

fn signed(key: &SigningKey, claims: &Map<String, Value>, until: Option<Unix>) -> Making {
    let signed = key.sign(Some("JWT"), claims);
    let made = signed.map(|text| Made {
        text: text.into(),
        until,
    });
    Box::pin(std::future::ready(made.map_err(Into::into)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use secrecy::ExposeSecret;

    use super::*;
    use crate::jose::{Jwt, KeySet};

    const RSA: &str = include_str!("../jose/vectors/rsa.pkcs8.pem");
    const P256: &str = include_str!("../jose/vectors/p256.pkcs8.pem");
    const CERTIFICATE: &str = include_str!("../jose/vectors/p256.certificate.pem");
    const NOW: Unix = Unix::at(1_800_000_000);
    const WANTED: Wanted<'_> = Wanted {
        client_id: "app",
        audience: "https://idp.example",
        now: NOW,
    };
    const ENTRAS: KeyWay = KeyWay {
        audience_is_token_endpoint: true,
        prefers_pss: true,
        knows_certificates: true,
    };

    fn key(pem: &str, way: KeyWay) -> SigningKey {
        ClientKey::from_pem(pem).unwrap().in_the_way_of(way)
    }

    async fn read(supply: &Supply, keys: &KeySet) -> Jwt {
        let token = supply.credential(WANTED).await.unwrap();
        keys.verify(token.expose_secret()).unwrap()
    }

    fn set(key: &SigningKey) -> KeySet {
        let set = json!({"keys": [key.public_jwk()]});
        KeySet::parse(set.to_string().as_bytes()).unwrap()
    }

    #[tokio::test]
    async fn each_assertion_says_who_asks_whom_until_when_and_is_made_for_one_request() {
        let key = key(P256, KeyWay::default());
        let keys = set(&key);
        let supply = assertions(key);
        let jwt = read(&supply, &keys).await;
        assert_eq!(jwt.header["typ"], "JWT");
        for (claim, expected) in [
            ("iss", json!("app")),
            ("sub", json!("app")),
            ("aud", json!("https://idp.example")),
            ("exp", json!(NOW.secs() + 120)),
            ("iat", json!(NOW.secs() - 10)),
        ] {
            assert_eq!(jwt.claims[claim], expected, "{claim}");
        }
        assert_eq!(jwt.claims.len(), 6);
        let again = read(&supply, &keys).await;
        assert_ne!(again.claims["jti"], jwt.claims["jti"]);
        assert_eq!(again.claims["jti"].as_str().unwrap().len(), 22);
    }

    #[tokio::test]
    async fn the_algorithm_is_the_keys_unless_the_provider_or_the_operator_wants_another() {
        let named = |name: &str| ClientKey::from_pem(RSA).unwrap().algorithm(name);
        for (key, expected) in [
            (key(RSA, KeyWay::default()), "RS256"),
            (key(RSA, ENTRAS), "PS256"),
            (key(P256, ENTRAS), "ES256"),
            (named("RS512").unwrap().in_the_way_of(ENTRAS), "RS512"),
            (named("RS256").unwrap().in_the_way_of(ENTRAS), "RS256"),
        ] {
            let keys = set(&key);
            assert_eq!(read(&assertions(key), &keys).await.header["alg"], expected);
        }
        for bad in ["ES256", "HS256", "none", ""] {
            let error = named(bad).unwrap_err();
            assert_eq!(error.option(), "provider", "{error}");
        }
    }

    #[tokio::test]
    async fn a_key_is_named_by_its_id_and_by_its_certificate_alone_where_that_is_its_name() {
        let both = [P256, CERTIFICATE].concat();
        let header = async |key: ClientKey, way| {
            let key = key.in_the_way_of(way);
            let keys = set(&key);
            read(&assertions(key), &keys).await.header
        };
        let pem = |pem: &str| ClientKey::from_pem(pem).unwrap();
        let plain = header(pem(P256), ENTRAS).await;
        assert!(plain.contains_key("kid") && !plain.contains_key("x5t#S256"));
        let certified = header(pem(&both), ENTRAS).await;
        assert!(!certified.contains_key("kid") && certified.contains_key("x5t#S256"));
        let elsewhere = header(pem(&both), KeyWay::default()).await;
        assert!(elsewhere.contains_key("kid") && elsewhere.contains_key("x5t#S256"));
        let chosen = header(pem(&both).id("mine"), ENTRAS).await;
        assert_eq!(chosen["kid"], "mine");
    }

    #[tokio::test]
    async fn a_signed_secret_is_kept_until_it_nears_its_end() {
        let key = key(P256, KeyWay::default());
        let keys = set(&key);
        let supply = signed_secret(key, Duration::from_secs(600), |client_id, now, until| {
            let claims = json!({"iss": "team", "sub": client_id, "iat": now, "exp": until});
            claims.as_object().cloned().unwrap_or_default()
        });
        let jwt = read(&supply, &keys).await;
        assert_eq!(jwt.claims["sub"], "app");
        assert_eq!(jwt.claims["exp"], NOW.secs() + 600);
        let first = supply.credential(WANTED).await.unwrap();
        let later = |seconds| Wanted {
            now: NOW + Duration::from_secs(seconds),
            ..WANTED
        };
        let at = async |seconds| {
            let secret = supply.credential(later(seconds)).await.unwrap();
            secret.expose_secret() == first.expose_secret()
        };
        assert!(at(539).await);
        assert!(!at(540).await);
    }

    #[test]
    fn a_text_without_a_key_is_refused_without_quoting_it() {
        for bad in ["", "hunter2", CERTIFICATE] {
            let error = ClientKey::from_pem(bad).unwrap_err().to_string();
            assert!(
                error.contains("no private key") && !error.contains("hunter2"),
                "{error}"
            );
        }
        let printed = format!("{:?}", ClientKey::from_pem(P256).unwrap());
        let secret = P256.lines().nth(1).unwrap();
        assert!(!printed.contains(secret), "{printed}");
    }
}
