//! A private key of each kind: read, signing, and its public part.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
        RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaKeyPair,
        RsaSignatureEncoding,
    },
};

use super::{
    algorithm::{Algorithm, Curve, Kind},
    der::{INTEGER, OCTET_STRING, SEQUENCE, element},
    key_error::KeyError,
    pem::Shape,
    public_part::{OID_RSA, PublicPart, bits},
};
use crate::limits::{MAX_RSA_BITS, MIN_RSA_BITS};

/// A private key. The library wipes it when it is dropped.
pub(super) enum KeyPair {
    Rsa(RsaKeyPair),
    Ec(Curve, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl KeyPair {
    /// Of PKCS#8 the key itself says what it is; it is one of these, or not one that signs here.
    pub(super) fn read(shape: Shape, der: &[u8]) -> Result<Self, KeyError> {
        let rsa = || match shape {
            Shape::Pkcs8 => RsaKeyPair::from_pkcs8(der).ok(),
            Shape::Pkcs1 => RsaKeyPair::from_der(der).ok(),
            Shape::Sec1 => None,
        };
        let ec = |curve: Curve| {
            let pair = match shape {
                Shape::Pkcs8 => EcdsaKeyPair::from_pkcs8(curve.signing(), der).ok(),
                Shape::Sec1 => EcdsaKeyPair::from_private_key_der(curve.signing(), der).ok(),
                Shape::Pkcs1 => None,
            };
            pair.map(|pair| Self::Ec(curve, pair))
        };
        let ed = || match shape {
            Shape::Pkcs8 => Ed25519KeyPair::from_pkcs8(der).ok(),
            Shape::Pkcs1 | Shape::Sec1 => None,
        };
        let found = rsa().map(Self::Rsa);
        let found = found.or_else(|| Curve::ALL.into_iter().find_map(ec));
        let found = found.or_else(|| ed().map(Self::Ed25519));
        found.ok_or_else(|| rsa_size(shape, der).map_or(KeyError::Unread, KeyError::Size))
    }

    /// What it signs with unless told otherwise. RFC 8725 section 3.2 leaves the choice to the application;
    /// RS256 is what each server with RSA keys can verify.
    pub(super) fn usual_algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::Rs256,
            Self::Ec(curve, _) => curve.algorithm(),
            Self::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        self.usual_algorithm().kind()
    }

    /// The signature in the shape that a JWS carries: of ECDSA, both numbers in full length (RFC 7518 section
    /// 3.4).
    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        if algorithm.kind() != self.kind() {
            return Err(KeyError::Unfit(algorithm));
        }
        let random = SystemRandom::new();
        let signature = match self {
            Self::Rsa(pair) => {
                let encoding = encoding(algorithm).ok_or(KeyError::Unfit(algorithm))?;
                let mut signature = vec![0; pair.public_modulus_len()];
                let signed = pair.sign(encoding, &random, message, &mut signature);
                signed.map(|()| signature)
            }
            Self::Ec(_, pair) => pair
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec()),
            Self::Ed25519(pair) => pair
                .try_sign(message)
                .map(|signature| signature.as_ref().to_vec()),
        };
        signature.map_err(|_| KeyError::Signing)
    }

    pub(super) fn public_part(&self) -> Result<PublicPart, KeyError> {
        let part = match self {
            Self::Rsa(pair) => PublicPart::rsa(pair.public_key().as_ref()),
            Self::Ec(curve, pair) => PublicPart::ec(*curve, pair.public_key().as_ref()),
            Self::Ed25519(pair) => {
                let x = pair.public_key().as_ref().to_vec();
                Some(PublicPart::Ed25519 { x })
            }
        };
        part.ok_or(KeyError::Unread)
    }
}

fn encoding(algorithm: Algorithm) -> Option<&'static RsaSignatureEncoding> {
    Some(match algorithm {
        Algorithm::Rs256 => &RSA_PKCS1_SHA256,
        Algorithm::Rs384 => &RSA_PKCS1_SHA384,
        Algorithm::Rs512 => &RSA_PKCS1_SHA512,
        Algorithm::Ps256 => &RSA_PSS_SHA256,
        Algorithm::Ps384 => &RSA_PSS_SHA384,
        Algorithm::Ps512 => &RSA_PSS_SHA512,
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 | Algorithm::EdDsa => return None,
    })
}

/// The bits of an RSA key that was not taken, where they are the reason. Both shapes hold the modulus behind
/// a version (RFC 5958 section 2, RFC 8017 appendix A.1.2).
fn rsa_size(shape: Shape, der: &[u8]) -> Option<usize> {
    let fields = |der| element(INTEGER, element(SEQUENCE, der)?.0).map(|(_, rest)| rest);
    let numbers = match shape {
        Shape::Pkcs1 => fields(der)?,
        Shape::Pkcs8 => {
            let (algorithm, rest) = element(SEQUENCE, fields(der)?)?;
            let is_rsa = algorithm.starts_with(OID_RSA);
            let (key, _) = element(OCTET_STRING, rest).filter(|_| is_rsa)?;
            fields(key)?
        }
        Shape::Sec1 => return None,
    };
    let bits = bits(element(INTEGER, numbers)?.0);
    (!(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits)).then_some(bits)
}
