//! The channel binding `tls-server-end-point` (RFC 5929 section 4): a hash of the server's certificate,
//! which both sides of a login mix into what they prove.

use sha2::{Digest, Sha256, Sha384, Sha512};

/// DER's tags of what is read here.
const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// Signature algorithms by their object identifiers, as DER has them, with the hash that each uses.
const ALGORITHMS: [(&[u8], Hash); 10] = [
    // PKCS #1: md5, sha1, sha256, sha384, sha512 with RSA.
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", Hash::Sha256),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", Hash::Sha256),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", Hash::Sha256),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", Hash::Sha384),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", Hash::Sha512),
    // X9.62: ecdsa with sha1, sha256, sha384, sha512.
    (b"\x2a\x86\x48\xce\x3d\x04\x01", Hash::Sha256),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x02", Hash::Sha256),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x03", Hash::Sha384),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x04", Hash::Sha512),
    // NIST: dsa with sha256.
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x02", Hash::Sha256),
];

/// RFC 5929 section 4.1: "if the certificate's signatureAlgorithm uses a single hash function, and that
/// hash function is either MD5 [RFC1321] or SHA-1 [RFC3174], then use SHA-256"; of any other, its own.
#[derive(Clone, Copy)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// `None` where the algorithm has no hash of its own, or one with parameters (Ed25519, RSA-PSS): the
/// binding is then undefined, and the login goes without.
pub(super) fn hash(certificate: &[u8]) -> Option<Vec<u8>> {
    let algorithm = algorithm(certificate)?;
    let (_, hash) = ALGORITHMS.iter().find(|(known, _)| *known == algorithm)?;
    Some(match hash {
        Hash::Sha256 => Sha256::digest(certificate).to_vec(),
        Hash::Sha384 => Sha384::digest(certificate).to_vec(),
        Hash::Sha512 => Sha512::digest(certificate).to_vec(),
    })
}

/// The object identifier of `signatureAlgorithm`, which follows the part that is signed.
fn algorithm(certificate: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (_, rest) = element(certificate, SEQUENCE)?;
    let (algorithm, _) = element(rest, SEQUENCE)?;
    let (identifier, _) = element(algorithm, OBJECT_IDENTIFIER)?;
    Some(identifier)
}

/// The content of the first element, which must have this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (length, rest) = length(rest)?;
    if *found != tag {
        return None;
    }
    rest.split_at_checked(length)
}

fn length(der: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = der.split_first()?;
    if *first < 0x80 {
        return Some((usize::from(*first), rest));
    }
    // Two gigabytes are no certificate.
    let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    if bytes.is_empty() || bytes.len() > 4 {
        return None;
    }
    let length = bytes.iter().fold(0_usize, |sum, byte| {
        sum.saturating_mul(256).saturating_add(usize::from(*byte))
    });
    Some((length, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As much of a certificate as is read: something signed, an algorithm, a signature.
    fn certificate(identifier: &[u8], signed: usize) -> Vec<u8> {
        fn put(tag: u8, content: &[u8]) -> Vec<u8> {
            let length = u16::try_from(content.len()).unwrap().to_be_bytes();
            let head = match content.len() {
                0..0x80 => vec![tag, length[1]],
                _ => vec![tag, 0x82, length[0], length[1]],
            };
            [&head, content].concat()
        }
        let algorithm = put(SEQUENCE, &put(OBJECT_IDENTIFIER, identifier));
        let signed = put(SEQUENCE, &vec![7; signed]);
        put(SEQUENCE, &[signed, algorithm, put(0x03, &[0; 70])].concat())
    }

    #[test]
    fn the_hash_is_the_signature_s_own_and_never_weaker_than_sha_256() {
        let length = |identifier: &[u8]| {
            let certificate = certificate(identifier, 400);
            hash(&certificate).map(|hash| hash.len())
        };
        for (identifier, expected) in [
            (&b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"[..], 32),
            (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", 32),
            (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", 48),
            (b"\x2a\x86\x48\xce\x3d\x04\x03\x02", 32),
            (b"\x2a\x86\x48\xce\x3d\x04\x03\x04", 64),
        ] {
            assert_eq!(length(identifier), Some(expected));
        }
        // Ed25519, RSA-PSS, none.
        assert_eq!(length(b"\x2b\x65\x70"), None);
        assert_eq!(length(b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), None);
        assert_eq!(length(b""), None);
    }

    #[test]
    fn it_is_of_the_whole_certificate() {
        let certificate = certificate(b"\x2a\x86\x48\xce\x3d\x04\x03\x02", 3);
        let expected = Sha256::digest(&certificate).to_vec();
        assert_eq!(hash(&certificate), Some(expected));
    }

    #[test]
    fn what_is_cut_off_or_garbage_has_none() {
        let whole = certificate(b"\x2a\x86\x48\xce\x3d\x04\x03\x02", 200);
        for end in 0..whole.len() {
            assert_eq!(hash(&whole[..end]), None, "{end}");
        }
        for garbage in [
            &[][..],
            &[0x30],
            &[0x30, 0x80],
            &[0x30, 0x84, 255, 255, 255, 255],
            &[0; 64],
        ] {
            assert_eq!(hash(garbage), None);
        }
    }
}
