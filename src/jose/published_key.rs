//! The public part of a key of ours, as others see it: what we verify by is what stands in the key set.

use std::fmt;

use serde_json::Value;

use super::{
    algorithm::{Algorithm, Kind},
    key_error::KeyError,
    known_keys::printed_in,
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

    /// Where its private part is printed for everyone to read, as in a manual: nothing may be believed that it
    /// signs.
    pub(crate) fn is_printed_in(&self) -> Option<&'static str> {
        printed_in(&thumbprint(&self.members))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::SigningKey;

    const RSA: &str = include_str!("vectors/rsa.public.pem");
    const PAIRS: [(&str, &str, usize); 4] = [
        (
            include_str!("vectors/p256.pkcs8.pem"),
            include_str!("vectors/p256.public.pem"),
            64,
        ),
        (
            include_str!("vectors/p384.pkcs8.pem"),
            include_str!("vectors/p384.public.pem"),
            96,
        ),
        (
            include_str!("vectors/ed25519.pkcs8.pem"),
            include_str!("vectors/ed25519.public.pem"),
            64,
        ),
        (include_str!("vectors/rsa.pkcs8.pem"), RSA, 256),
    ];

    #[test]
    fn a_public_key_is_the_public_part_of_its_private_one() {
        for (private, public, bytes) in PAIRS {
            let private = SigningKey::from_pem(private, None).unwrap();
            let public = PublishedKey::from_pem(public).unwrap();
            assert_eq!(public.jwk(), private.public_jwk());
            assert_eq!(public.jwk(), private.published().unwrap().jwk());
            let signature = private.signature("a.b").unwrap();
            assert_eq!(signature.len(), bytes);
            assert_eq!(public.signature_bytes(), bytes);
            assert!(public.verify("a.b", &signature));
            assert!(!public.verify("a.c", &signature));
            assert!(!public.verify("a.b", &signature[1..]));
        }
    }

    #[test]
    fn what_is_not_one_public_key_is_refused_with_what_to_do() {
        let error = |pem: &str| PublishedKey::from_pem(pem).unwrap_err();
        let short = include_str!("vectors/rsa_short.public.pem");
        assert_eq!(error(short), KeyError::Size(1024));
        assert!(error(short).to_string().contains("1024 bits"));
        assert_eq!(error(PAIRS[0].0), KeyError::NoPublicKey);
        assert_eq!(error(""), KeyError::NoPublicKey);
        assert_eq!(error(&RSA.repeat(2)), KeyError::SeveralPublic);
        assert_eq!(error(&RSA.replace('\n', "\\n")), KeyError::Escaped);
        assert_eq!(error(&" ".repeat(1 << 20)), KeyError::TooLong);
        assert_eq!(error(&RSA.replacen("MI", "MA", 1)), KeyError::Unread);
        let garbage = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
        assert_eq!(error(garbage), KeyError::Unread);
    }
}
