//! A few public keys in few bytes each: they travel in `client_id`s, cookies and records.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    algorithm::{Algorithm, Curve},
    key_error::KeyError,
    key_set::KeySet,
    pem,
    public_key::{PublicKey, Unusable, decoded, number, text},
    public_part::PublicPart,
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
    #[error("has a key {at} that verifies nothing here: {why}")]
    Unusable { at: usize, why: String },
    #[error("takes {size} bytes, and {limit} are the most: give its URL as jwks_uri")]
    TooLarge { size: usize, limit: usize },
}

impl PackedKeys {
    /// Reads a key set (RFC 7517 section 5). Keys that verify nothing here are left out.
    pub(crate) fn parse(jwks: &Value) -> Result<Self, PackError> {
        let keys = keys(jwks)?.iter().filter_map(Value::as_object);
        let mut packed = Vec::new();
        for jwk in keys {
            if is_private(jwk) {
                return Err(PackError::Private);
            }
            packed.extend(PackedKey::of(jwk).ok());
        }
        Self::of(packed)
    }

    /// The same where each key has to be of use.
    pub(crate) fn parse_each(jwks: &Value) -> Result<Self, PackError> {
        let mut packed = Vec::new();
        for (jwk, at) in keys(jwks)?.iter().zip(1..) {
            let unusable = |why: Unusable| PackError::Unusable {
                at,
                why: why.to_string(),
            };
            let jwk = jwk.as_object();
            let jwk = jwk.ok_or_else(|| unusable(Unusable::Malformed))?;
            if is_private(jwk) {
                return Err(PackError::Private);
            }
            packed.push(PackedKey::of(jwk).map_err(unusable)?);
        }
        Self::of(packed)
    }

    /// Reads a PEM text with public keys.
    pub(crate) fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let keys = pem::public_keys(pem)?;
        let packed = keys.iter().map(|der| {
            let part = PublicPart::from_spki(der).ok_or(KeyError::UnreadPublic)?;
            let members = part.members().into_iter();
            let jwk = members
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect();
            PackedKey::of(&jwk).map_err(|_| KeyError::UnreadPublic)
        });
        Ok(Self(packed.collect::<Result<_, _>>()?))
    }

    fn of(packed: Vec<PackedKey>) -> Result<Self, PackError> {
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

fn keys(jwks: &Value) -> Result<&[Value], PackError> {
    let keys = jwks.get("keys").and_then(Value::as_array);
    let keys = keys.ok_or(PackError::Form)?;
    match keys.len() {
        count if count > MAX_KEYS => Err(PackError::TooMany(count)),
        _ => Ok(keys),
    }
}

/// `d` of a key pair, or `k` of a shared secret.
fn is_private(jwk: &Map<String, Value>) -> bool {
    jwk.contains_key("d") || jwk.contains_key("k")
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Public keys of another implementation, with a token of each.
    fn made() -> Vec<Value> {
        serde_json::from_str(include_str!("vectors/made.json")).unwrap()
    }

    #[test]
    fn keys_of_each_kind_verify_after_they_were_packed() {
        for made in made() {
            let (name, token) = (&made["name"], made["token"].as_str().unwrap());
            let keys = PackedKeys::parse(&json!({"keys": [made["jwk"]]})).unwrap();
            let bytes = postcard::to_allocvec(&keys).unwrap();
            let back: PackedKeys = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(back, keys, "{name}");
            assert!(back.set().verify(token).is_ok(), "{name}");
            // What is shown of it packs to the same.
            assert_eq!(PackedKeys::parse(&keys.json()), Ok(keys), "{name}");
            let foreign = PackedKeys::parse(&json!({"keys": [made["other"]]})).unwrap();
            assert!(foreign.set().verify(token).is_err(), "{name}");
        }
    }

    #[test]
    fn a_key_keeps_its_algorithm_where_its_kind_leaves_a_choice() {
        let made = made();
        let rsa = made.iter().find(|made| made["name"] == "RS256").unwrap();
        let token = rsa["token"].as_str().unwrap();
        for (alg, verifies) in [("RS256", true), ("PS256", false), ("RS512", false)] {
            let mut jwk = rsa["jwk"].clone();
            jwk["alg"] = json!(alg);
            let keys = PackedKeys::parse(&json!({"keys": [jwk]})).unwrap();
            assert_eq!(keys.set().verify(token).is_ok(), verifies, "{alg}");
        }
    }

    /// These bytes stand in `client_id`s, which are kept for years.
    #[test]
    fn packed_keys_are_read_for_ever() {
        let made = made();
        let ed = made.iter().find(|made| made["name"] == "EdDSA").unwrap();
        let jwk = json!({
            "kty": "OKP", "crv": "Ed25519", "kid": "k", "alg": "EdDSA", "use": "sig",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        });
        let keys = PackedKeys::parse(&json!({"keys": [jwk]})).unwrap();
        let mut sample = vec![1, 1, 1, b'k', 0, 4, 32];
        let x = jwk["x"].as_str().unwrap();
        sample.extend(URL_SAFE_NO_PAD.decode(x).unwrap());
        assert_eq!(postcard::to_allocvec(&keys).unwrap(), sample);
        assert_eq!(postcard::from_bytes(&sample), Ok(keys));
        assert!(PackedKeys::parse(&json!({"keys": [ed["jwk"]]})).is_ok());
    }

    #[test]
    fn keys_take_few_bytes_and_no_more_than_they_may() {
        let made = made();
        let set = |name: &str, count: usize| {
            let made = made.iter().find(|made| made["name"] == name).unwrap();
            PackedKeys::parse(&json!({"keys": vec![&made["jwk"]; count]})).unwrap()
        };
        assert!(set("ES256", 1).size() < 80);
        assert!(set("RS256", 1).size() < 280);
        assert!(set("RS256", 3).within(1024).is_ok());
        let refused = set("RS256", 4).within(1024);
        assert!(matches!(
            refused,
            Err(PackError::TooLarge { limit: 1024, .. })
        ));
        let many = json!({"keys": vec![json!({}); MAX_KEYS + 1]});
        assert_eq!(
            PackedKeys::parse(&many),
            Err(PackError::TooMany(MAX_KEYS + 1))
        );
    }
}
