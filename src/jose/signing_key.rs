//! A key that signs for us: client assertions, and whatever else others verify by our public key.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    algorithm::Algorithm,
    key_error::KeyError,
    key_pair::KeyPair,
    pem::Pem,
    public_part::{Members, PublicPart, jwk, thumbprint},
    published_key::PublishedKey,
};

/// A private key, and what its tokens say about it. `Debug` shows nothing of the key.
pub(crate) struct SigningKey {
    pair: KeyPair,
    algorithm: Algorithm,
    kid: String,
    members: Members,
    /// RFC 7515 section 4.1.8, where a certificate stood beside the key.
    certificate: Option<String>,
    /// Whether tokens name the key by its `kid` too.
    has_kid: bool,
}

impl SigningKey {
    /// Takes a PEM text with one private key: RSA of 2,048 to 8,192 bits, P-256, P-384, P-521 or Ed25519, in
    /// PKCS#8, PKCS#1 or SEC 1. Without a `kid` the key is named by its thumbprint (RFC 7638).
    ///
    /// Certificates may stand beside it. The tokens then name that of the key in their header (`x5t#S256`),
    /// by which some servers know a key.
    pub(crate) fn from_pem(pem: &str, kid: Option<String>) -> Result<Self, KeyError> {
        let pem = Pem::parse(pem)?;
        let pair = KeyPair::read(pem.shape, &pem.key)?;
        let part = pair.public_part()?;
        let certificate = certificate_of(&part, &pem.certificates)?;
        let members = part.members();
        Ok(Self {
            algorithm: pair.usual_algorithm(),
            kid: kid.unwrap_or_else(|| thumbprint(&members)),
            pair,
            members,
            certificate,
            has_kid: true,
        })
    }

    /// The same key with another algorithm that fits it: `PS256` for a server that refuses `RS256`.
    pub(crate) fn with_algorithm(self, algorithm: Algorithm) -> Result<Self, KeyError> {
        match algorithm.kind() == self.pair.kind() {
            true => Ok(Self { algorithm, ..self }),
            false => Err(KeyError::Unfit(algorithm)),
        }
    }

    /// The same key, with the padding of PSS where it is an RSA key.
    pub(crate) fn with_pss(self) -> Self {
        let algorithm = match self.algorithm {
            Algorithm::Rs256 => Algorithm::Ps256,
            Algorithm::Rs384 => Algorithm::Ps384,
            Algorithm::Rs512 => Algorithm::Ps512,
            other => other,
        };
        Self { algorithm, ..self }
    }

    /// The same key by another name.
    pub(crate) fn with_kid(self, kid: String) -> Self {
        Self { kid, ..self }
    }

    /// The same key, which its tokens name by its certificate alone, where it has one: for a server that
    /// knows no other names.
    pub(crate) fn named_by_certificate(self) -> Self {
        let has_kid = self.certificate.is_none();
        Self { has_kid, ..self }
    }

    /// A signed JWT in the compact form. The header holds `alg`, `kid`, `x5t#S256` where there is a
    /// certificate, and the `typ` given.
    pub(crate) fn sign(
        &self,
        typ: Option<&str>,
        claims: &Map<String, Value>,
    ) -> Result<String, KeyError> {
        let mut header = Map::new();
        let mut insert = |name: &str, value: Option<&str>| {
            let value = value.map(|value| header.insert(name.to_owned(), json!(value)));
            drop(value);
        };
        insert("alg", Some(self.algorithm.name()));
        insert("typ", typ);
        insert("kid", self.has_kid.then_some(self.kid.as_str()));
        insert("x5t#S256", self.certificate.as_deref());
        let part = |part: &Map<String, Value>| {
            let json = serde_json::to_vec(part).map_err(|_| KeyError::Signing)?;
            Ok(URL_SAFE_NO_PAD.encode(json))
        };
        let mut token = part(&header)? + "." + &part(claims)?;
        let signature = self.pair.sign(self.algorithm, token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    #[cfg(test)]
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    #[cfg(test)]
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// What a key set shows of it.
    pub(crate) fn public_jwk(&self) -> Value {
        jwk(&self.members, self.algorithm, &self.kid)
    }

    /// Its public part, which verifies what it signs.
    pub(crate) fn published(&self) -> Result<PublishedKey, KeyError> {
        PublishedKey::new(self.members.clone(), self.algorithm, self.kid.clone())
    }

    /// The signature over the first two parts of a JWT and the dot between them.
    pub(crate) fn signature(&self, signing_input: &str) -> Result<Vec<u8>, KeyError> {
        self.pair.sign(self.algorithm, signing_input.as_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// The thumbprint of the certificate that holds the key. A chain may stand beside it; where certificates do,
/// one is the key's, or the operator has mixed up two files.
fn certificate_of(part: &PublicPart, all: &[Vec<u8>]) -> Result<Option<String>, KeyError> {
    if all.is_empty() {
        return Ok(None);
    }
    let public = match part {
        PublicPart::Rsa { n, .. } => n.clone(),
        PublicPart::Ec { x, y, .. } => [&x[..], &y[..]].concat(),
        PublicPart::Ed25519 { x } => x.clone(),
    };
    let mut all = all.iter();
    let own = all.find(|der| der.windows(public.len()).any(|piece| piece == public));
    let own = own.ok_or(KeyError::Certificate)?;
    Ok(Some(URL_SAFE_NO_PAD.encode(Sha256::digest(own))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{KeySet, decode, has_type};

    const KEYS: [(&str, &str, Algorithm); 9] = [
        (
            "rsa",
            include_str!("vectors/rsa.pkcs8.pem"),
            Algorithm::Rs256,
        ),
        (
            "rsa",
            include_str!("vectors/rsa.pkcs1.pem"),
            Algorithm::Rs256,
        ),
        (
            "p256",
            include_str!("vectors/p256.pkcs8.pem"),
            Algorithm::Es256,
        ),
        (
            "p256",
            include_str!("vectors/p256.sec1.pem"),
            Algorithm::Es256,
        ),
        (
            "p384",
            include_str!("vectors/p384.pkcs8.pem"),
            Algorithm::Es384,
        ),
        (
            "p384",
            include_str!("vectors/p384.sec1.pem"),
            Algorithm::Es384,
        ),
        (
            "p521",
            include_str!("vectors/p521.pkcs8.pem"),
            Algorithm::Es512,
        ),
        (
            "p521",
            include_str!("vectors/p521.sec1.pem"),
            Algorithm::Es512,
        ),
        (
            "ed25519",
            include_str!("vectors/ed25519.pkcs8.pem"),
            Algorithm::EdDsa,
        ),
    ];
    const CERTIFIED: &str = include_str!("vectors/p256.certificate.pem");

    fn claims() -> Map<String, Value> {
        json!({"iss": "client", "sub": "client"})
            .as_object()
            .unwrap()
            .clone()
    }

    fn set_of(key: &SigningKey) -> KeySet {
        let set = json!({"keys": [key.public_jwk()]});
        KeySet::parse(set.to_string().as_bytes()).unwrap()
    }

    /// By kind: the public key and the thumbprint as the other implementation sees them.
    fn known(kind: &str) -> Value {
        let made: Vec<Value> = serde_json::from_str(include_str!("vectors/made.json")).unwrap();
        made.into_iter()
            .find(|it| it["jwk"]["kid"] == kind)
            .unwrap()
    }

    #[test]
    fn a_key_of_each_kind_and_shape_signs_what_its_public_part_verifies() {
        for (kind, pem, algorithm) in KEYS {
            let key = SigningKey::from_pem(pem, None).unwrap();
            assert_eq!(key.algorithm(), algorithm);
            let token = key.sign(Some("at+jwt"), &claims()).unwrap();
            let jwt = set_of(&key).verify(&token).unwrap();
            assert_eq!(jwt.claims, claims());
            assert_eq!(jwt.header["kid"], key.kid());
            assert!(has_type(&jwt.header, "at+jwt"));
            let known = known(kind);
            assert_eq!(key.kid(), known["thumbprint"], "{kind}");
            for (name, value) in known["jwk"].as_object().unwrap() {
                if name != "kid" {
                    assert_eq!(&key.public_jwk()[name], value, "{kind} {name}");
                }
            }
        }
    }

    #[test]
    fn an_rsa_key_signs_with_each_algorithm_of_rsa_and_no_other_key_does() {
        for algorithm in Algorithm::RSA {
            let key = SigningKey::from_pem(KEYS[0].1, None).unwrap();
            let key = key.with_algorithm(algorithm).unwrap();
            let token = key.sign(None, &claims()).unwrap();
            let jwt = set_of(&key).verify(&token).unwrap();
            assert_eq!(jwt.header["alg"], algorithm.name());
            assert!(!jwt.header.contains_key("typ"));
            let ec = SigningKey::from_pem(KEYS[2].1, None).unwrap();
            let error = ec.with_algorithm(algorithm).unwrap_err();
            assert_eq!(error, KeyError::Unfit(algorithm));
        }
    }

    #[test]
    fn a_name_that_is_given_is_the_keys() {
        let key = SigningKey::from_pem(KEYS[2].1, Some("2026-a".to_owned())).unwrap();
        let jwt = decode(&key.sign(None, &claims()).unwrap()).unwrap();
        assert_eq!(jwt.header["kid"], "2026-a");
        assert_eq!(key.public_jwk()["kid"], "2026-a");
    }

    #[test]
    fn a_certificate_beside_the_key_is_named_and_anothers_is_refused() {
        let (_, own, _) = KEYS[2];
        let key = SigningKey::from_pem(&[own, CERTIFIED].concat(), None).unwrap();
        let jwt = decode(&key.sign(None, &claims()).unwrap()).unwrap();
        let expected = include_str!("vectors/p256.certificate.sha256.txt").trim();
        assert_eq!(jwt.header["x5t#S256"], expected);
        let (_, other, _) = KEYS[4];
        let error = SigningKey::from_pem(&[other, CERTIFIED].concat(), None).unwrap_err();
        assert_eq!(error, KeyError::Certificate);
    }

    #[test]
    fn a_key_that_is_too_short_or_of_another_kind_is_refused() {
        let short = include_str!("vectors/rsa_short.pkcs8.pem");
        let wrong = KEYS[1].1.replace("RSA PRIVATE", "EC PRIVATE");
        let garbage = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for (pem, expected) in [
            (short, KeyError::Size(1024)),
            (&*wrong, KeyError::Unread),
            (garbage, KeyError::Unread),
        ] {
            let error = SigningKey::from_pem(pem, None).unwrap_err();
            assert_eq!(error, expected);
            assert!(error.to_string().contains("2048 to 8192 bits"), "{error}");
        }
    }

    #[test]
    fn nothing_prints_the_key() {
        let key = SigningKey::from_pem(KEYS[8].1, None).unwrap();
        let printed = format!("{key:?}");
        assert_eq!(
            printed,
            format!(
                "SigningKey {{ algorithm: EdDsa, kid: {:?}, .. }}",
                key.kid()
            )
        );
        let shown = key.public_jwk();
        let names: Vec<_> = shown.as_object().unwrap().keys().collect();
        assert!(!names.iter().any(|name| *name == "d"), "{names:?}");
    }
}
