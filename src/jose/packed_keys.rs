//! A few public keys in few bytes each: they travel in `client_id`s, cookies and records.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    algorithm::{Algorithm, Curve},
    key_set::KeySet,
    public_key::{PublicKey, Unusable, decoded, number, text},
};
use crate::limits::MAX_KEYS;

/// The keys of a set that verify signatures. Of each is kept what it takes for that, and its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PackedKeys(Vec<PackedKey>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PackedKey {
    kid: Option<String>,
    /// Only where the kind of key leaves a choice.
    alg: Option<String>,
    numbers: Numbers,
}

/// What stands in the field holds the places in this list: append, never reorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Numbers {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256 { x: Vec<u8>, y: Vec<u8> },
    P384 { x: Vec<u8>, y: Vec<u8> },
    P521 { x: Vec<u8>, y: Vec<u8> },
    Ed25519 { x: Vec<u8> },
}

/// Why a key set is not taken. Safe to show to the client that gave it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PackError {
    #[error("is not a JSON object with an array `keys`")]
    Form,
    #[error("has {0} keys, and {MAX_KEYS} are the most")]
    TooMany(usize),
    #[error(
        "holds the private part of a key, so it has to be replaced: publish the public part alone"
    )]
    Private,
    #[error(
        "holds no key that verifies signatures here: RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519"
    )]
    NoKey,
    #[error("takes {size} bytes, and {limit} are the most: give its URL as jwks_uri")]
    TooLarge { size: usize, limit: usize },
}

impl PackedKeys {
    /// Reads a key set (RFC 7517 section 5). Keys that verify nothing here are left out.
    pub(crate) fn parse(jwks: &Value) -> Result<Self, PackError> {
        let keys = jwks.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or(PackError::Form)?;
        if keys.len() > MAX_KEYS {
            return Err(PackError::TooMany(keys.len()));
        }
        let mut packed = Vec::with_capacity(keys.len());
        for jwk in keys.iter().filter_map(Value::as_object) {
            if jwk.contains_key("d") || jwk.contains_key("k") {
                return Err(PackError::Private);
            }
            packed.extend(PackedKey::of(jwk).ok());
        }
        match packed.is_empty() {
            true => Err(PackError::NoKey),
            false => Ok(Self(packed)),
        }
    }

    /// The same keys, where they take no more than this many bytes.
    pub(crate) fn within(self, limit: usize) -> Result<Self, PackError> {
        match self.size() {
            size if size > limit => Err(PackError::TooLarge { size, limit }),
            _ => Ok(self),
        }
    }

    /// What verifies.
    pub(crate) fn set(&self) -> KeySet {
        KeySet::of(self.0.iter().map(PackedKey::jwk))
    }

    /// As a document.
    pub(crate) fn json(&self) -> Value {
        let keys: Vec<_> = self.0.iter().map(PackedKey::jwk).collect();
        json!({ "keys": keys })
    }

    fn size(&self) -> usize {
        postcard::to_allocvec(self).map_or(usize::MAX, |bytes| bytes.len())
    }
}

impl PackedKey {
    fn of(jwk: &Map<String, Value>) -> Result<Self, Unusable> {
        // All that is wrong with a key is known there.
        PublicKey::parse(jwk)?;
        let kid = match jwk.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str().ok_or(Unusable::Malformed)?.to_owned()),
        };
        let is_rsa = text(jwk, "kty") == Some("RSA");
        let numbers = match text(jwk, "crv") {
            _ if is_rsa => Numbers::Rsa {
                n: number(jwk, "n")?,
                e: number(jwk, "e")?,
            },
            Some("Ed25519") => Numbers::Ed25519 {
                x: decoded(jwk, "x")?,
            },
            curve => {
                let (x, y) = (decoded(jwk, "x")?, decoded(jwk, "y")?);
                match curve.and_then(Curve::parse).ok_or(Unusable::Unknown)? {
                    Curve::P256 => Numbers::P256 { x, y },
                    Curve::P384 => Numbers::P384 { x, y },
                    Curve::P521 => Numbers::P521 { x, y },
                }
            }
        };
        let alg = text(jwk, "alg").filter(|_| is_rsa);
        let alg = alg.and_then(Algorithm::parse);
        Ok(Self {
            kid,
            alg: alg.map(|alg| alg.name().to_owned()),
            numbers,
        })
    }

    fn jwk(&self) -> Map<String, Value> {
        let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let ec = |curve: Curve, x: &[u8], y: &[u8]| {
            vec![
                ("kty", "EC".to_owned()),
                ("crv", curve.name().to_owned()),
                ("x", b64(x)),
                ("y", b64(y)),
            ]
        };
        let mut members = match &self.numbers {
            Numbers::Rsa { n, e } => {
                vec![("kty", "RSA".to_owned()), ("n", b64(n)), ("e", b64(e))]
            }
            Numbers::P256 { x, y } => ec(Curve::P256, x, y),
            Numbers::P384 { x, y } => ec(Curve::P384, x, y),
            Numbers::P521 { x, y } => ec(Curve::P521, x, y),
            Numbers::Ed25519 { x } => vec![
                ("kty", "OKP".to_owned()),
                ("crv", "Ed25519".to_owned()),
                ("x", b64(x)),
            ],
        };
        members.push(("use", "sig".to_owned()));
        members.extend(self.kid.clone().map(|kid| ("kid", kid)));
        members.extend(self.alg.clone().map(|alg| ("alg", alg)));
        let members = members.into_iter();
        members
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect()
    }
}
