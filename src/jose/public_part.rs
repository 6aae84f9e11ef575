//! The public part of a key of each kind: read, as a JWK, and its thumbprint (RFC 7518 section 6, RFC 8037
//! section 2, RFC 7638).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    algorithm::{Algorithm, Curve},
    der::{BIT_STRING, INTEGER, SEQUENCE, element},
};

/// The public part: the required members of its JWK but `kty`, each in bytes.
#[derive(Debug, PartialEq, Eq)]
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

/// The required members of a public JWK, in the order of RFC 7638.
pub(super) type Members = Vec<(&'static str, String)>;

/// `rsaEncryption` (RFC 8017 appendix A.1), as an element of DER. A key that is bound to PSS has another one.
pub(super) const OID_RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
/// `id-ecPublicKey` (RFC 5480 section 2.1.1).
const OID_EC: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01";
/// `id-Ed25519` (RFC 8410 section 3). No parameters follow.
const OID_ED25519: &[u8] = b"\x06\x03\x2b\x65\x70";

/// RFC 5480 section 2.1.1.1.
fn oid_of(curve: Curve) -> &'static [u8] {
    match curve {
        Curve::P256 => b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
        Curve::P384 => b"\x06\x05\x2b\x81\x04\x00\x22",
        Curve::P521 => b"\x06\x05\x2b\x81\x04\x00\x23",
    }
}

impl PublicPart {
    /// RFC 5280 section 4.1, `SubjectPublicKeyInfo`: what `PUBLIC KEY` holds in PEM (RFC 7468 section 13).
    pub(super) fn from_spki(der: &[u8]) -> Option<Self> {
        let (info, []) = element(SEQUENCE, der)? else {
            return None;
        };
        let (algorithm, rest) = element(SEQUENCE, info)?;
        let (bits, []) = element(BIT_STRING, rest)? else {
            return None;
        };
        // So many bits of the last byte are not used.
        let key = bits.strip_prefix(&[0])?;
        if algorithm.starts_with(OID_RSA) {
            return Self::rsa(key);
        }
        if algorithm == OID_ED25519 {
            let x = key.to_vec();
            return Some(Self::Ed25519 { x });
        }
        let named = algorithm.strip_prefix(OID_EC)?;
        let mut curves = Curve::ALL.into_iter();
        Self::ec(curves.find(|curve| oid_of(*curve) == named)?, key)
    }

    /// SEC 1 section 2.3.3: a four, then both coordinates.
    pub(super) fn ec(curve: Curve, point: &[u8]) -> Option<Self> {
        let (x, y) = point.strip_prefix(&[4])?.split_at_checked(curve.bytes())?;
        let (x, y) = (x.to_vec(), y.to_vec());
        (y.len() == curve.bytes()).then_some(Self::Ec { curve, x, y })
    }

    /// RFC 8017 appendix A.1.1, `RSAPublicKey`: a sequence of two numbers.
    pub(super) fn rsa(der: &[u8]) -> Option<Self> {
        let (numbers, []) = element(SEQUENCE, der)? else {
            return None;
        };
        let (n, rest) = element(INTEGER, numbers)?;
        let (e, []) = element(INTEGER, rest)? else {
            return None;
        };
        let (n, e) = (unsigned(n).to_vec(), unsigned(e).to_vec());
        Some(Self::Rsa { n, e })
    }

    /// What a key of this kind signs with unless told otherwise.
    pub(super) fn usual_algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa { .. } => Algorithm::Rs256,
            Self::Ec { curve, .. } => curve.algorithm(),
            Self::Ed25519 { .. } => Algorithm::EdDsa,
        }
    }

    /// RFC 7638 section 3.2 and RFC 8037 section 2: the required members, "ordered lexicographically".
    pub(super) fn members(self) -> Members {
        let b64 = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
        let text = |text: &str| text.to_owned();
        match self {
            Self::Rsa { n, e } => vec![("e", b64(e)), ("kty", text("RSA")), ("n", b64(n))],
            Self::Ec { curve, x, y } => vec![
                ("crv", text(curve.name())),
                ("kty", text("EC")),
                ("x", b64(x)),
                ("y", b64(y)),
            ],
            Self::Ed25519 { x } => vec![
                ("crv", text("Ed25519")),
                ("kty", text("OKP")),
                ("x", b64(x)),
            ],
        }
    }
}

/// A zero keeps a number of DER positive whose first bit is set.
fn unsigned(number: &[u8]) -> &[u8] {
    number.strip_prefix(&[0]).unwrap_or(number)
}

/// How many bits a number of DER has.
pub(super) fn bits(number: &[u8]) -> usize {
    let number = unsigned(number);
    number.len() * 8
        - number
            .first()
            .map_or(0, |first| first.leading_zeros() as usize)
}

/// RFC 7638 section 3: the hash of these members as JSON without white space. None of the values has a
/// character that JSON escapes.
pub(super) fn thumbprint(members: &Members) -> String {
    let members = members.iter();
    let members: Vec<_> = members
        .map(|(name, value)| format!("\"{name}\":\"{value}\""))
        .collect();
    let json = format!("{{{}}}", members.join(","));
    URL_SAFE_NO_PAD.encode(Sha256::digest(json))
}

/// What a key set shows of a key.
pub(super) fn jwk(members: &Members, algorithm: Algorithm, kid: &str) -> Value {
    let members = members.iter();
    let members = members.map(|(name, value)| ((*name).to_owned(), json!(value)));
    let mut jwk: Map<String, Value> = members.collect();
    jwk.insert("use".to_owned(), json!("sig"));
    jwk.insert("alg".to_owned(), json!(algorithm.name()));
    jwk.insert("kid".to_owned(), json!(kid));
    Value::Object(jwk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprints_of_rfc_7638_and_rfc_8037_come_out() {
        let rsa = vec![
            ("e", "AQAB".to_owned()),
            ("kty", "RSA".to_owned()),
            ("n", include_str!("vectors/rfc7638.n.txt").trim().to_owned()),
        ];
        assert_eq!(
            thumbprint(&rsa),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
        let ed = vec![
            ("crv", "Ed25519".to_owned()),
            ("kty", "OKP".to_owned()),
            (
                "x",
                "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned(),
            ),
        ];
        assert_eq!(
            thumbprint(&ed),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(der in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
            let _ = PublicPart::from_spki(&der);
            let algorithm = [&[SEQUENCE, 5], OID_ED25519].concat();
            let info = [&algorithm[..], &der].concat();
            let length = u8::try_from(info.len()).unwrap_or(0);
            let _ = PublicPart::from_spki(&[&[SEQUENCE, length], &info[..]].concat());
        }
    }

    #[test]
    fn bits_are_counted_from_the_first_that_is_set() {
        let cases: [(&[u8], usize); 5] = [
            (&[0, 0x80, 0], 16),
            (&[1, 0], 9),
            (&[0x7f], 7),
            (&[0], 0),
            (&[], 0),
        ];
        for (number, expected) in cases {
            assert_eq!(bits(number), expected, "{number:?}");
        }
    }
}
