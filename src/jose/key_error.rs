//! Why a signing key is not taken, or does not sign, in words for the operator.

use super::algorithm::Algorithm;
use crate::limits::{MAX_PEM_BYTES, MAX_RSA_BITS, MIN_RSA_BITS};

/// Why a signing key is not taken, or does not sign. The texts hold nothing of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("the text is longer than {MAX_PEM_BYTES} bytes")]
    TooLong,
    #[error("the text holds no private key: give PEM, -----BEGIN PRIVATE KEY-----")]
    NoKey,
    #[error("the text has `\\n` where its lines should break: give it with real line breaks")]
    Escaped,
    #[error("the text holds several private keys: give the one that signs")]
    Several,
    #[error("a block of the PEM text is cut, or is not base64")]
    Encoding,
    #[error("the private key is encrypted: decrypt it first, with `openssl pkey -in FILE`")]
    Encrypted,
    #[error(
        "a key of OpenSSH's own format is not read: convert it with `ssh-keygen -p -m PKCS8 -f FILE`"
    )]
    OpenSsh,
    #[error(
        "the key is not one that signs here: RSA of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits, P-256, P-384, \
         P-521 or Ed25519, in PKCS#8, PKCS#1 or SEC 1"
    )]
    Unread,
    #[error(
        "the RSA key has {0} bits: {MIN_RSA_BITS} to {MAX_RSA_BITS} bits are accepted, and fewer can be broken"
    )]
    Size(usize),
    #[error("the text holds no key: give PEM, -----BEGIN PUBLIC KEY-----")]
    NoPublicKey,
    #[error("the text holds several public keys: give one for each")]
    SeveralPublic,
    #[error("the text holds a private key: give its public part, `openssl pkey -in FILE -pubout`")]
    Private,
    #[error(
        "it is not one that verifies here: RSA of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits, P-256, P-384, P-521 \
         or Ed25519"
    )]
    UnreadPublic,
    #[error("the key cannot sign `{}`", .0.name())]
    Unfit(Algorithm),
    #[error("none of the certificates beside the private key is that of the key")]
    Certificate,
    #[error("the key did not sign")]
    Signing,
}
