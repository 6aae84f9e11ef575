//! A private key out of a PEM text (RFC 7468), and the certificates beside it.

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::key_error::KeyError;
use crate::limits::MAX_PEM_BYTES;

/// What the blocks of a text hold.
pub(super) struct Pem {
    pub(super) shape: Shape,
    pub(super) key: Zeroizing<Vec<u8>>,
    /// In their order.
    pub(super) certificates: Vec<Vec<u8>>,
}

/// How a private key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `PRIVATE KEY` (RFC 5958): of each kind.
    Pkcs8,
    /// `RSA PRIVATE KEY` (RFC 8017 appendix A.1.2).
    Pkcs1,
    /// `EC PRIVATE KEY` (RFC 5915).
    Sec1,
}

impl Pem {
    /// Takes a text with exactly one private key.
    pub(super) fn parse(text: &str) -> Result<Self, KeyError> {
        if text.len() > MAX_PEM_BYTES {
            return Err(KeyError::TooLong);
        }
        let mut key = None;
        let mut certificates = Vec::new();
        for block in blocks(text)? {
            let shape = match block.label {
                "CERTIFICATE" => {
                    certificates.push(block.decode()?.to_vec());
                    continue;
                }
                "PRIVATE KEY" => Shape::Pkcs8,
                "RSA PRIVATE KEY" => Shape::Pkcs1,
                "EC PRIVATE KEY" => Shape::Sec1,
                "ENCRYPTED PRIVATE KEY" => return Err(KeyError::Encrypted),
                "OPENSSH PRIVATE KEY" => return Err(KeyError::OpenSsh),
                // `EC PARAMETERS` stands before a key that OpenSSL made; a public key says nothing more.
                _ => continue,
            };
            if key.replace((shape, block.decode()?)).is_some() {
                return Err(KeyError::Several);
            }
        }
        match key {
            Some((shape, key)) => Ok(Self {
                shape,
                key,
                certificates,
            }),
            // What a shell or a file of settings makes of a text with line breaks.
            None if text.contains("\\n") => Err(KeyError::Escaped),
            None => Err(KeyError::NoKey),
        }
    }
}

/// The one `PUBLIC KEY` of a text (RFC 7468 section 13).
pub(super) fn public_key(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    if text.len() > MAX_PEM_BYTES {
        return Err(KeyError::TooLong);
    }
    let blocks = blocks(text)?;
    let mut keys = blocks.iter().filter(|block| block.label == "PUBLIC KEY");
    match (keys.next(), keys.next()) {
        (Some(key), None) => key.decode(),
        (Some(_), Some(_)) => Err(KeyError::SeveralPublic),
        (None, _) if text.contains("\\n") => Err(KeyError::Escaped),
        (None, _) => Err(KeyError::NoPublicKey),
    }
}

/// Each `PUBLIC KEY` of a text that holds nothing private.
pub(super) fn public_keys(text: &str) -> Result<Vec<Zeroizing<Vec<u8>>>, KeyError> {
    if text.len() > MAX_PEM_BYTES {
        return Err(KeyError::TooLong);
    }
    let blocks = blocks(text)?;
    let mut labels = blocks.iter().map(|block| block.label);
    if labels.any(|label| label.ends_with("PRIVATE KEY")) {
        return Err(KeyError::Private);
    }
    let keys = blocks.iter().filter(|block| block.label == "PUBLIC KEY");
    let keys: Vec<_> = keys.map(Block::decode).collect::<Result<_, _>>()?;
    match keys.is_empty() {
        false => Ok(keys),
        true if text.contains("\\n") => Err(KeyError::Escaped),
        true => Err(KeyError::NoPublicKey),
    }
}

struct Block<'a> {
    label: &'a str,
    lines: Vec<&'a str>,
}

/// Everything between `-----BEGIN label-----` and `-----END label-----`. What stands outside is explanation
/// (RFC 7468 section 2).
fn blocks(text: &str) -> Result<Vec<Block<'_>>, KeyError> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for line in text.lines().map(str::trim) {
        match (
            open.take(),
            border(line, "-----BEGIN "),
            border(line, "-----END "),
        ) {
            (None, Some(label), _) => {
                let lines = Vec::new();
                open = Some(Block { label, lines });
            }
            (None, None, _) => {}
            (Some(block), None, Some(label)) if label == block.label => blocks.push(block),
            (Some(mut block), None, None) => {
                block.lines.push(line);
                open = Some(block);
            }
            (Some(_), ..) => return Err(KeyError::Encoding),
        }
    }
    match open {
        Some(_) => Err(KeyError::Encoding),
        None => Ok(blocks),
    }
}

fn border<'a>(line: &'a str, begin: &str) -> Option<&'a str> {
    line.strip_prefix(begin)?.strip_suffix("-----")
}

impl Block<'_> {
    fn decode(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        // RFC 1421 section 4.6: headers of a key that is encrypted in the old way.
        if self.lines.iter().any(|line| line.contains(':')) {
            return Err(KeyError::Encrypted);
        }
        let text = Zeroizing::new(self.lines.concat());
        let bytes = STANDARD.decode(text.as_bytes());
        bytes.map(Zeroizing::new).map_err(|_| KeyError::Encoding)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = include_str!("vectors/p256.pkcs8.pem");

    fn error(text: &str) -> KeyError {
        match Pem::parse(text) {
            Ok(_) => panic!("accepted"),
            Err(error) => error,
        }
    }

    #[test]
    fn one_private_key_is_taken_from_between_explanations() {
        let plain = Pem::parse(KEY).unwrap();
        assert_eq!(plain.shape, Shape::Pkcs8);
        let around = format!(
            "Bag Attributes\n friendlyName: x\n{}\n-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC \
             KEY-----\n",
            KEY.replace('\n', "  \r\n")
        );
        assert_eq!(*Pem::parse(&around).unwrap().key, *plain.key);
        assert!(plain.certificates.is_empty());
    }

    #[test]
    fn what_is_not_one_key_that_can_be_read_is_refused_with_what_to_do() {
        assert_eq!(error(""), KeyError::NoKey);
        assert_eq!(error("MIGHAgEAMBMGByqGSM49"), KeyError::NoKey);
        assert_eq!(error(&KEY.replace('\n', "\\n")), KeyError::Escaped);
        assert_eq!(error(&KEY.repeat(2)), KeyError::Several);
        assert_eq!(
            error(&KEY.replace("END PRIVATE", "END RSA PRIVATE")),
            KeyError::Encoding
        );
        assert_eq!(
            error(KEY.trim_end().trim_end_matches('-')),
            KeyError::Encoding
        );
        assert_eq!(error(&KEY.replacen("MI", "M!", 1)), KeyError::Encoding);
        assert_eq!(
            error(&format!("{KEY}{}", " ".repeat(MAX_PEM_BYTES))),
            KeyError::TooLong
        );
        let named = |label: &str| KEY.replace("PRIVATE KEY", label);
        assert_eq!(error(&named("ENCRYPTED PRIVATE KEY")), KeyError::Encrypted);
        assert_eq!(error(&named("OPENSSH PRIVATE KEY")), KeyError::OpenSsh);
        assert_eq!(error(&named("PUBLIC KEY")), KeyError::NoKey);
        assert_eq!(error(&named("CERTIFICATE")), KeyError::NoKey);
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0\n\n\
                   AAAA\n-----END RSA PRIVATE KEY-----\n";
        assert_eq!(error(old), KeyError::Encrypted);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), body in "[A-Za-z0-9+/=:\n -]{0,80}") {
            let _ = Pem::parse(&text);
            let block = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----");
            let _ = Pem::parse(&block);
        }
    }
}
