//! A private key of each kind: read, signing, and its public part (RFC 7518 section 6, RFC 8037 section 2).

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
    key_error::KeyError,
    pem::Shape,
};

/// A private key. The library wipes it when it is dropped.
pub(super) enum KeyPair {
    Rsa(RsaKeyPair),
    Ec(Curve, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// The public part: the required members of its JWK but `kty`, each in bytes.
pub(super) enum PublicPart {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    Ec {
        curve: Curve,
        x: Vec<u8>,
        y: Vec<u8>,
    },
    Ed25519 {
        x: Vec<u8>,
    },
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
        found.ok_or(KeyError::Unread)
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
            Self::Rsa(pair) => {
                rsa_numbers(pair.public_key().as_ref()).map(|(n, e)| PublicPart::Rsa { n, e })
            }
            Self::Ec(curve, pair) => point(*curve, pair.public_key().as_ref()),
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

/// SEC 1 section 2.3.3: a four, then both coordinates.
pub(super) fn point(curve: Curve, point: &[u8]) -> Option<PublicPart> {
    let (x, y) = point.strip_prefix(&[4])?.split_at_checked(curve.bytes())?;
    let (x, y) = (x.to_vec(), y.to_vec());
    (y.len() == curve.bytes()).then_some(PublicPart::Ec { curve, x, y })
}

/// RFC 8017 appendix A.1.1, `RSAPublicKey`: a sequence of two numbers.
pub(super) fn rsa_numbers(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 2;
    let (numbers, []) = element(SEQUENCE, der)? else {
        return None;
    };
    let (n, rest) = element(INTEGER, numbers)?;
    let (e, []) = element(INTEGER, rest)? else {
        return None;
    };
    // A zero keeps a number positive whose first bit is set.
    let unsigned = |number: &[u8]| number.strip_prefix(&[0]).unwrap_or(number).to_vec();
    Some((unsigned(n), unsigned(e)))
}

/// What an element of DER holds, and what follows it.
pub(super) fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = der.strip_prefix(&[tag])?.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            let length = bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}
