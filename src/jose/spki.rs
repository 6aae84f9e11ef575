//! A public key out of a `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7, RFC 3279 section 2.3, RFC 8410), as a
//! JWK.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{
    algorithm::Curve,
    key_pair::{PublicPart, element, point, rsa_numbers},
};

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 3;
const OBJECT_ID: u8 = 6;

/// 1.2.840.113549.1.1.1, rsaEncryption.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// 1.2.840.10045.2.1, id-ecPublicKey; the curve is its parameter.
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
/// 1.3.101.112, id-Ed25519.
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// 1.2.840.10045.3.1.7, 1.3.132.0.34 and 1.3.132.0.35.
const CURVES: [(&[u8], Curve); 3] = [
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], Curve::P256),
    (&[0x2b, 0x81, 4, 0, 0x22], Curve::P384),
    (&[0x2b, 0x81, 4, 0, 0x23], Curve::P521),
];

/// The key as a JWK; `None` where it is of another kind, or not read. Whether it may be used is not looked at.
pub(super) fn jwk(der: &[u8]) -> Option<Map<String, Value>> {
    let (key, []) = element(SEQUENCE, der)? else {
        return None;
    };
    let (algorithm, key) = element(SEQUENCE, key)?;
    let (kind, parameters) = element(OBJECT_ID, algorithm)?;
    let (bits, []) = element(BIT_STRING, key)? else {
        return None;
    };
    // The number of bits that the last byte does not use.
    let bits = bits.strip_prefix(&[0])?;
    let part = match kind {
        RSA => {
            let (n, e) = rsa_numbers(bits)?;
            PublicPart::Rsa { n, e }
        }
        EC => {
            let (named, []) = element(OBJECT_ID, parameters)? else {
                return None;
            };
            let mut curves = CURVES.into_iter();
            let (_, curve) = curves.find(|(id, _)| *id == named)?;
            point(curve, bits)?
        }
        ED25519 => PublicPart::Ed25519 { x: bits.to_vec() },
        _ => return None,
    };
    Some(members(part))
}

fn members(part: PublicPart) -> Map<String, Value> {
    let b64 = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
    let members = match part {
        PublicPart::Rsa { n, e } => vec![("kty", "RSA".to_owned()), ("n", b64(n)), ("e", b64(e))],
        PublicPart::Ec { curve, x, y } => vec![
            ("kty", "EC".to_owned()),
            ("crv", curve.name().to_owned()),
            ("x", b64(x)),
            ("y", b64(y)),
        ],
        PublicPart::Ed25519 { x } => vec![
            ("kty", "OKP".to_owned()),
            ("crv", "Ed25519".to_owned()),
            ("x", b64(x)),
        ],
    };
    let members = members.into_iter();
    members
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}
