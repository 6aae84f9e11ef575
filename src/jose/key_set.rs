//! An issuer's key set, and which of its keys vouches for a token (RFC 7517 section 5, RFC 7515 section 5.2).

use serde_json::{Map, Value};

use super::{
    algorithm::Algorithm,
    compact::{Compact, Jwt, take_apart},
    header::{self, Chosen},
    public_key::{PublicKey, Unusable},
    signature_error::SignatureError,
};
use crate::limits::{MAX_KEY_SET_BYTES, MAX_KEYS, MAX_KEYS_TRIED};

/// The keys that an issuer signs with.
#[derive(Debug)]
pub(crate) struct KeySet(Vec<Key>);

#[derive(Debug)]
struct Key {
    kid: Option<String>,
    key: Result<PublicKey, Unusable>,
}

/// Why a document is no key set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeySetError {
    #[error("the key set is longer than {MAX_KEY_SET_BYTES} bytes")]
    TooLong,
    #[error("the key set is not a JSON object with an array `keys`")]
    Form,
    #[error("the key set has {0} keys, and {MAX_KEYS} are the most")]
    TooMany(usize),
}

impl KeySet {
    /// Reads a key set.
    ///
    /// RFC 7517 section 5: "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" (key type)
    /// values that are not understood by them, that are missing required members, or for which values are
    /// out of the supported ranges." Why a key is not used is remembered for a token that names it.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        if json.len() > MAX_KEY_SET_BYTES {
            return Err(KeySetError::TooLong);
        }
        let document: Map<String, Value> =
            serde_json::from_slice(json).map_err(|_| KeySetError::Form)?;
        let Some(Value::Array(keys)) = document.get("keys") else {
            return Err(KeySetError::Form);
        };
        if keys.len() > MAX_KEYS {
            return Err(KeySetError::TooMany(keys.len()));
        }
        Ok(Self(keys.iter().map(Key::parse).collect()))
    }

    /// The set of these keys.
    pub(super) fn of(keys: impl IntoIterator<Item = Map<String, Value>>) -> Self {
        let keys = keys.into_iter().map(Value::Object);
        Self(keys.map(|key| Key::parse(&key)).collect())
    }

    /// The token's header and claims, where a key of this set signed them. Whose they are and for whom, is
    /// not looked at.
    pub(crate) fn verify(&self, token: &str) -> Result<Jwt, SignatureError> {
        let compact = take_apart(token).ok_or(SignatureError::Form)?;
        self.check(&compact)?;
        compact.jwt().ok_or(SignatureError::Form)
    }

    /// RFC 7515 section 5.2 step 8, before anything but the header is decoded.
    fn check(&self, compact: &Compact<'_>) -> Result<(), SignatureError> {
        let signature = compact.signature().ok_or(SignatureError::Form)?;
        let chosen = header::read(&compact.header)?;
        let signed = compact.signing_input.as_bytes();
        let signs = |key: &PublicKey| {
            let key = key.verifying(chosen.algorithm);
            key.is_some_and(|key| key.verify_sig(signed, &signature).is_ok())
        };
        let (keys, otherwise) = self.candidates(chosen)?;
        match keys.iter().any(|key| signs(key)) {
            true => Ok(()),
            false => Err(otherwise),
        }
    }

    /// The keys that may have signed it, a few at most, and what it means where none did.
    fn candidates(
        &self,
        chosen: Chosen<'_>,
    ) -> Result<(Vec<&PublicKey>, SignatureError), SignatureError> {
        let Chosen { algorithm, kid } = chosen;
        let unknown = || SignatureError::unknown_key(kid, algorithm);
        let Some(kid) = kid else {
            // A new key among those without a name is known by its signature alone.
            let fitting = bounded(self.fitting(algorithm, |_| true), algorithm)?;
            return Ok((fitting, unknown()));
        };
        if !self.0.iter().any(|key| key.kid.as_deref() == Some(kid)) {
            // A set without names, of an issuer whose tokens have some.
            let fitting = bounded(self.fitting(algorithm, |key| key.is_none()), algorithm)?;
            return Ok((fitting, unknown()));
        }
        // RFC 7517 section 4.5 allows one `kid` for keys of several kinds.
        let named = self.fitting(algorithm, |key| key == Some(kid));
        if named.is_empty() {
            let mut keys = self.0.iter();
            let unusable = keys.find_map(|key| {
                let is_named = key.kid.as_deref() == Some(kid);
                key.key.as_ref().err().filter(|_| is_named)
            });
            return Err(match unusable {
                Some(why) => SignatureError::unusable(kid, why),
                None => SignatureError::unfit(algorithm, kid),
            });
        }
        Ok((bounded(named, algorithm)?, SignatureError::Signature))
    }

    fn fitting(
        &self,
        algorithm: Algorithm,
        named: impl Fn(Option<&str>) -> bool,
    ) -> Vec<&PublicKey> {
        let named = self.0.iter().filter(|key| named(key.kid.as_deref()));
        let usable = named.filter_map(|key| key.key.as_ref().ok());
        usable
            .filter(|key| key.verifying(algorithm).is_some())
            .collect()
    }
}

impl Key {
    fn parse(jwk: &Value) -> Self {
        let named = jwk.get("kid").map(Value::as_str);
        let key = match (jwk.as_object(), named) {
            (Some(jwk), None | Some(Some(_))) => PublicKey::parse(jwk),
            _ => Err(Unusable::Malformed),
        };
        let kid = named.flatten().map(str::to_owned);
        Self { kid, key }
    }
}

fn bounded(keys: Vec<&PublicKey>, algorithm: Algorithm) -> Result<Vec<&PublicKey>, SignatureError> {
    match keys.len() > MAX_KEYS_TRIED {
        true => Err(SignatureError::too_many_keys(keys.len(), algorithm)),
        false => Ok(keys),
    }
}

#[cfg(test)]
mod tests;
