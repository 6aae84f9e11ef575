//! One key of a set, as something that verifies (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2).

use std::fmt;

use aws_lc_rs::signature::{ED25519, ParsedPublicKey, RsaPublicKeyComponents};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::algorithm::{Algorithm, Curve};
use crate::limits::{MAX_RSA_BITS, MAX_RSA_EXPONENT, MIN_RSA_BITS};

/// A public key, parsed once for each algorithm that it may be used with.
pub(super) struct PublicKey(Vec<(Algorithm, ParsedPublicKey)>);

/// Why a key of a set is not used. Others of the set still are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("its `kty`, `crv` or `alg` is not one that is verified here")]
    Unknown,
    #[error("its `use` or `key_ops` says that it is not for signatures")]
    NotForSignatures,
    #[error("its `alg` is not for its kind of key")]
    Unfit,
    #[error("a member is missing, or not what it must be")]
    Malformed,
    #[error("it is an RSA key of {0} bits, and {MIN_RSA_BITS} to {MAX_RSA_BITS} are accepted")]
    Size(usize),
    #[error("its private part is in the key set, so everyone can sign with it")]
    Published,
}

impl PublicKey {
    /// Takes a key of a set.
    pub(super) fn parse(jwk: &Map<String, Value>) -> Result<Self, Unusable> {
        let kty = text(jwk, "kty").ok_or(Unusable::Malformed)?;
        check_use(jwk)?;
        let key = match kty {
            "RSA" => rsa(jwk),
            "EC" => ec(jwk),
            "OKP" => okp(jwk),
            // `oct` is a shared secret: what stands in a public document is none.
            _ => Err(Unusable::Unknown),
        }?;
        // Of each of these kinds `d` is the private part. (RFC 7518 sections 6.2.2.1 and 6.3.2.1, RFC 8037
        // section 2.)
        match jwk.contains_key("d") {
            true => Err(Unusable::Published),
            false => Ok(key),
        }
    }

    /// What verifies this algorithm; `None` where the key is not for it.
    pub(super) fn verifying(&self, algorithm: Algorithm) -> Option<&ParsedPublicKey> {
        let mut keys = self.0.iter();
        keys.find(|(known, _)| *known == algorithm)
            .map(|(_, key)| key)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithms = self.0.iter().map(|(algorithm, _)| algorithm);
        f.debug_list().entries(algorithms).finish()
    }
}

/// RFC 7517 sections 4.2 and 4.3: who publishes keys of several uses says which is which.
fn check_use(jwk: &Map<String, Value>) -> Result<(), Unusable> {
    let signs = match jwk.get("use") {
        None => true,
        Some(of) => of.as_str() == Some("sig"),
    };
    let verifies = match jwk.get("key_ops") {
        None => true,
        Some(Value::Array(ops)) => ops.iter().any(|op| op.as_str() == Some("verify")),
        Some(_) => false,
    };
    match signs && verifies {
        true => Ok(()),
        false => Err(Unusable::NotForSignatures),
    }
}

/// The algorithms that the key may be used with: the one that it names, or all that fit.
///
/// RFC 7517 section 4.4: `alg` "identifies the algorithm intended for use with the key".
fn algorithms(jwk: &Map<String, Value>, fitting: &[Algorithm]) -> Result<Vec<Algorithm>, Unusable> {
    let named = match jwk.get("alg") {
        None => return Ok(fitting.to_vec()),
        Some(Value::String(name)) => Algorithm::parse(name).ok_or(Unusable::Unknown)?,
        Some(_) => return Err(Unusable::Malformed),
    };
    match fitting.contains(&named) {
        true => Ok(vec![named]),
        false => Err(Unusable::Unfit),
    }
}

/// RFC 7518 section 6.3.1.
fn rsa(jwk: &Map<String, Value>) -> Result<PublicKey, Unusable> {
    let algorithms = algorithms(jwk, &Algorithm::RSA)?;
    let (n, e) = (number(jwk, "n")?, number(jwk, "e")?);
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        return Err(Unusable::Size(bits));
    }
    // Each signature under an exponent of 1 is its own message; an even number has no inverse.
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    if e == [1] || e.len() > MAX_RSA_EXPONENT || !is_odd(&e) || !is_odd(&n) {
        return Err(Unusable::Malformed);
    }
    let components = RsaPublicKeyComponents { n, e };
    let parsed = algorithms.into_iter().map(|algorithm| {
        let parameters = algorithm.rsa().ok_or(Unusable::Unfit)?;
        let key = components.to_parsed_public_key(parameters);
        key.map(|key| (algorithm, key))
            .map_err(|_| Unusable::Malformed)
    });
    Ok(PublicKey(parsed.collect::<Result<_, _>>()?))
}

/// RFC 7518 section 6.2.1. The library checks that the point is on the curve.
fn ec(jwk: &Map<String, Value>) -> Result<PublicKey, Unusable> {
    let curve = text(jwk, "crv").ok_or(Unusable::Malformed)?;
    let curve = Curve::parse(curve).ok_or(Unusable::Unknown)?;
    let algorithms = algorithms(jwk, &[curve.algorithm()])?;
    // Sections 6.2.1.2 and 6.2.1.3: "The length of this octet string MUST be the full size of a coordinate
    // for the curve specified in the "crv" parameter."
    let coordinate = |name| bytes(jwk, name, curve.bytes());
    // SEC 1 section 2.3.3: an uncompressed point.
    let point = [&[4][..], &coordinate("x")?, &coordinate("y")?].concat();
    let key = ParsedPublicKey::new(curve.verifying(), point).map_err(|_| Unusable::Malformed)?;
    let only = |algorithm| (algorithm, key);
    Ok(PublicKey(
        algorithms
            .into_iter()
            .next()
            .map(only)
            .into_iter()
            .collect(),
    ))
}

/// RFC 8037 section 2. Ed448 is not verified here; X25519 and X448 are no keys of signatures.
fn okp(jwk: &Map<String, Value>) -> Result<PublicKey, Unusable> {
    const ED25519_BYTES: usize = 32;
    if text(jwk, "crv").ok_or(Unusable::Malformed)? != "Ed25519" {
        return Err(Unusable::Unknown);
    }
    algorithms(jwk, &[Algorithm::EdDsa])?;
    let point = bytes(jwk, "x", ED25519_BYTES)?;
    let key = ParsedPublicKey::new(&ED25519, point).map_err(|_| Unusable::Malformed)?;
    Ok(PublicKey(vec![(Algorithm::EdDsa, key)]))
}

/// RFC 7518 section 2, *Base64urlUInt*. It "MUST utilize the minimum number of octets needed to represent the
/// value"; a zero before it, which some libraries write, is dropped.
pub(super) fn number(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, Unusable> {
    let mut number = decoded(jwk, name)?;
    if number.first() == Some(&0) {
        number.remove(0);
    }
    match number.first() {
        None | Some(0) => Err(Unusable::Malformed),
        Some(_) => Ok(number),
    }
}

fn bytes(jwk: &Map<String, Value>, name: &str, length: usize) -> Result<Vec<u8>, Unusable> {
    let bytes = decoded(jwk, name)?;
    match bytes.len() == length {
        true => Ok(bytes),
        false => Err(Unusable::Malformed),
    }
}

pub(super) fn decoded(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, Unusable> {
    let encoded = text(jwk, name).ok_or(Unusable::Malformed)?;
    URL_SAFE_NO_PAD
        .decode(encoded)
        .map_err(|_| Unusable::Malformed)
}

pub(super) fn text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    jwk.get(name)?.as_str()
}
