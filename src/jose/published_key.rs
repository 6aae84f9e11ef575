//! The public part of a key of ours, as others see it: what we verify by is what stands in the key set.

use std::fmt;

use serde_json::Value;

use super::{
    algorithm::{Algorithm, Kind},
    key_error::KeyError,
    pem,
    public_key::{PublicKey, Unusable},
    public_part::{Members, PublicPart, jwk, thumbprint},
};

/// A public key of ours and its name.
pub(crate) struct PublishedKey {
    members: Members,
    algorithm: Algorithm,
    kid: String,
    /// Of the one algorithm.
    key: PublicKey,
}

impl PublishedKey {
    pub(super) fn new(
        members: Members,
        algorithm: Algorithm,
        kid: String,
    ) -> Result<Self, KeyError> {
        let jwk = jwk(&members, algorithm, &kid);
        // As every reader of the key set does.
        let key = PublicKey::parse(jwk.as_object().ok_or(KeyError::Unread)?);
        let key = key.map_err(|why| match why {
            Unusable::Size(bits) => KeyError::Size(bits),
            _ => KeyError::Unread,
        })?;
        Ok(Self {
            members,
            algorithm,
            kid,
            key,
        })
    }

    /// Takes a PEM text with one `PUBLIC KEY`. Its name is its thumbprint (RFC 7638).
    pub(crate) fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let part = PublicPart::from_spki(&pem::public_key(pem)?).ok_or(KeyError::Unread)?;
        let algorithm = part.usual_algorithm();
        let members = part.members();
        let kid = thumbprint(&members);
        Self::new(members, algorithm, kid)
    }

    /// The same key by another name.
    pub(crate) fn with_kid(self, kid: String) -> Self {
        Self { kid, ..self }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// What a key set shows of it.
    pub(crate) fn jwk(&self) -> Value {
        jwk(&self.members, self.algorithm, &self.kid)
    }

    /// A signature in bytes: of one key, all have as many.
    pub(crate) fn signature_bytes(&self) -> usize {
        match self.algorithm.kind() {
            Kind::Curve(curve) => 2 * curve.bytes(),
            Kind::Ed25519 => 64,
            Kind::Rsa => {
                let mut members = self.members.iter();
                let n = members.find(|(name, _)| *name == "n");
                // Base64 makes four of three.
                n.map_or(0, |(_, n)| n.len() * 3 / 4)
            }
        }
    }

    /// Whether the signature over the first two parts of a JWT is of this key.
    pub(crate) fn verify(&self, signing_input: &str, signature: &[u8]) -> bool {
        let key = self.key.verifying(self.algorithm);
        key.is_some_and(|key| key.verify_sig(signing_input.as_bytes(), signature).is_ok())
    }
}

impl fmt::Debug for PublishedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishedKey")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}
