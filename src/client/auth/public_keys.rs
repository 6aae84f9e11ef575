//! The public keys of a client that the operator configures.

use super::keys::ClientKeys;
use crate::{
    error::ConfigError,
    jose::PackedKeys,
    provider::{check_url, shown_url},
};

const OPTION: &str = "static_clients";

/// The public keys of a client that signs with its private ones (`private_key_jwt`, RFC 7523): see
/// [`StaticClient::with_keys`](crate::StaticClient::with_keys). RSA of 2048 to 8192 bits, P-256, P-384, P-521
/// and Ed25519 are known.
///
/// ```
/// use tower_oauth_proxy::PublicKeys;
///
/// // A key set that the client publishes: it can replace its keys without a word.
/// let published = PublicKeys::at("https://billing.example.com/jwks.json")?;
/// // One key, as `openssl pkey -in client.pem -pubout` writes it.
/// let one = PublicKeys::from_pem(
///     "-----BEGIN PUBLIC KEY-----
/// MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
/// -----END PUBLIC KEY-----",
/// )?;
/// # let _ = (published, one);
/// # Ok::<(), tower_oauth_proxy::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "keys count once a client has them"]
pub struct PublicKeys(ClientKeys);

impl PublicKeys {
    /// The keys of a key set, as JSON: an object with an array `keys` (RFC 7517 section 5). Two keys are how a
    /// client replaces one: it signs with the new one when this server knows it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when it is no key set, a key verifies no signature here, or a private part is in it.
    pub fn from_jwks(json: impl AsRef<str>) -> Result<Self, ConfigError> {
        let json = serde_json::from_str(json.as_ref())
            .map_err(|_| fault("the key set of a client is not JSON".to_owned()))?;
        let keys = PackedKeys::parse_each(&json);
        let keys = keys.map_err(|why| fault(format!("the key set of a client {why}")))?;
        Ok(Self(ClientKeys::Inline(keys)))
    }

    /// The keys of a PEM text with one block `PUBLIC KEY` for each. They have no names, so any of up to four may
    /// sign.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] says what the text holds instead; it quotes nothing of it.
    pub fn from_pem(pem: impl AsRef<str>) -> Result<Self, ConfigError> {
        let keys = PackedKeys::from_pem(pem.as_ref());
        let keys = keys.map_err(|why| fault(format!("the public key of a client: {why}")))?;
        Ok(Self(ClientKeys::Inline(keys)))
    }

    /// The keys at the URL of a key set: https, or http on this host. They are fetched when the client
    /// authenticates, kept as long as the answer says (a minute to an hour), and fetched again at once when a key
    /// is missing. While they cannot be had and none are kept, the client is told to try again (503).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when it is not such a URL.
    pub fn at(jwks_url: impl Into<String>) -> Result<Self, ConfigError> {
        let url = jwks_url.into();
        match check_url(&url) {
            Ok(()) => Ok(Self(ClientKeys::At(url))),
            Err(why) => Err(fault(format!(
                "the URL of a client's keys {} {why}",
                shown_url(&url)
            ))),
        }
    }

    pub(in crate::client) fn keys(&self) -> &ClientKeys {
        &self.0
    }
}

fn fault(words: String) -> ConfigError {
    ConfigError::new(OPTION, words)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const EC: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3IjqYDX5y/84RGIX1w/1PewZLyEx
bOKFvlxOz+H1iUe+VjNVbxYSsQXeo1xtWDZ+8TVPUVG5Dpb03bqbcC6f+g==
-----END PUBLIC KEY-----
";

    fn refusal(keys: Result<PublicKeys, ConfigError>) -> String {
        let error = keys.unwrap_err();
        assert_eq!(error.option(), OPTION);
        error.to_string()
    }

    #[test]
    fn a_pem_text_holds_one_key_or_several_and_nothing_private() {
        let two = PublicKeys::from_pem(EC.repeat(2)).unwrap();
        let ClientKeys::Inline(keys) = two.keys() else {
            panic!("they are here");
        };
        let keys: Vec<Value> = serde_json::from_value(keys.json()["keys"].clone()).unwrap();
        assert_eq!(keys.len(), 2);
        assert_eq!(keys[0]["crv"], "P-256");
        let private = include_str!("../../jose/vectors/p256.pkcs8.pem");
        for (text, says) in [
            (String::new(), "no key"),
            (private.to_owned(), "private key"),
            ([EC, private].concat(), "private key"),
            (EC.replace('\n', "\\n"), "line breaks"),
            (EC.replace("MFkw", "MFkx"), "P-256"),
        ] {
            let error = refusal(PublicKeys::from_pem(&text));
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_key_of_a_set_that_would_never_verify_is_refused_by_its_place() {
        let good = json!({"kty": "OKP", "crv": "Ed25519", "x":
            "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let set = |key: Value| json!({"keys": [good, key]}).to_string();
        assert!(PublicKeys::from_jwks(set(good.clone())).is_ok());
        let with = |name: &str, value: &str| {
            let mut key = good.clone();
            key[name] = value.into();
            key
        };
        for (json, says) in [
            ("{".to_owned(), "not JSON"),
            ("[]".to_owned(), "array `keys`"),
            (r#"{"keys":[]}"#.to_owned(), "no key"),
            (set(with("use", "enc")), "key 2"),
            (set(with("crv", "X25519")), "key 2"),
            (set(with("x", "11qY")), "key 2"),
            (set(json!(7)), "key 2"),
            (
                set(with("d", "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")),
                "private",
            ),
            (set(json!({"kty": "oct", "k": "c2VjcmV0"})), "private"),
        ] {
            let error = refusal(PublicKeys::from_jwks(&json));
            assert!(error.contains(says), "{json}: {error}");
        }
    }

    #[test]
    fn the_url_of_keys_is_https_or_on_this_host() {
        for url in ["https://client.example/jwks", "http://localhost:8080/jwks"] {
            assert!(PublicKeys::at(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "client.example/jwks",
            "http://client.example/jwks",
            "file:///jwks",
        ] {
            refusal(PublicKeys::at(url));
        }
    }
}
