//! One operator secret, every key.
//!
//! HKDF-SHA256 (RFC 5869) turns the secret into one key for each purpose, so that a value made for
//! one purpose means nothing to another. Previous secrets stay able to verify and open, which makes
//! rotation invisible to users.

use std::fmt;

use aes_gcm::{
    Aes256Gcm, Key, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{error::ConfigError, random};

/// The shortest secret that is used as it is, in bytes.
pub(crate) const MIN_SECRET_BYTES: usize = 32;
/// The shortest passphrase, in bytes; stretched, but a guessable one stays guessable.
const MIN_PASSPHRASE_BYTES: usize = 12;
/// Iterations of PBKDF2-HMAC-SHA256, the number of OWASP's password storage cheat sheet.
const PBKDF2_ITERATIONS: u32 = 600_000;
/// AES-GCM's nonce, in bytes.
const NONCE_BYTES: usize = 12;
/// AES-GCM's tag, in bytes.
const TAG_BYTES: usize = 16;
/// The shortest truncated MAC that [`MacKey::verify`] accepts, in bytes.
const MIN_TAG_BYTES: usize = 16;

/// The secret that every key of the proxy is derived from.
///
/// Prints as `[redacted]` and is wiped from memory when dropped.
///
/// ```
/// use tower_oauth_proxy::SecretKey;
///
/// let key = SecretKey::from_bytes("a secret of at least thirty-two bytes")?;
/// assert_eq!(format!("{key:?}"), "SecretKey([redacted])");
/// assert!(SecretKey::from_bytes("too short").is_err());
/// # Ok::<(), tower_oauth_proxy::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct SecretKey(SecretSlice<u8>);

impl SecretKey {
    /// A secret of at least 32 random bytes, used as it is.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when it is shorter.
    pub fn from_bytes(secret: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let secret = secret.as_ref();
        if secret.len() < MIN_SECRET_BYTES {
            return Err(ConfigError::new(
                "secret_key",
                format!(
                    "{} bytes are too short: give at least {MIN_SECRET_BYTES} random bytes \
                     (`openssl rand -base64 32`), or stretch a passphrase with \
                     SecretKey::from_passphrase",
                    secret.len()
                ),
            ));
        }
        Ok(Self(secret.to_vec().into()))
    }

    /// A passphrase, stretched with PBKDF2-HMAC-SHA256 (RFC 8018, 600,000 iterations: some tenths
    /// of a second, once). The salt need not be secret but should be your own, such as the base
    /// URL; every instance has to use the same one.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the passphrase has fewer than 12 bytes or the salt is empty.
    pub fn from_passphrase(passphrase: &str, salt: &str) -> Result<Self, ConfigError> {
        if passphrase.len() < MIN_PASSPHRASE_BYTES {
            return Err(ConfigError::new(
                "secret_key",
                format!("a passphrase needs at least {MIN_PASSPHRASE_BYTES} bytes"),
            ));
        }
        if salt.is_empty() {
            return Err(ConfigError::new("secret_key", "the salt is empty"));
        }
        Ok(Self::stretch(passphrase.as_bytes(), salt.as_bytes()))
    }

    /// PBKDF2 without a rule about lengths.
    pub(crate) fn stretch(secret: &[u8], salt: &[u8]) -> Self {
        let mut key = Zeroizing::new([0_u8; 32]);
        pbkdf2::pbkdf2_hmac::<Sha256>(secret, salt, PBKDF2_ITERATIONS, key.as_mut());
        Self(key.to_vec().into())
    }

    /// The public name of this secret.
    pub(crate) fn id(&self) -> KeyId {
        let name = self.derive("id");
        KeyId(name.first_chunk().copied().unwrap_or_default())
    }

    /// The key for one purpose. Two labels never give related keys.
    fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0_u8; 32]);
        let hkdf = Hkdf::<Sha256>::new(Some(b"tower-oauth-proxy/1"), self.0.expose_secret());
        // HKDF fails only above 255 blocks of output (RFC 5869 section 2.3); this is one.
        if hkdf.expand(label.as_bytes(), key.as_mut()).is_err() {
            unreachable!("32 bytes are one block of HKDF-SHA256")
        }
        key
    }

    /// The MAC key for one purpose.
    pub(crate) fn mac(&self, label: &str) -> MacKey {
        MacKey::new(self.id(), &self.derive(label))
    }

    /// The encryption key for one purpose.
    pub(crate) fn seal(&self, label: &str) -> SealKey {
        SealKey::new(self.id(), &self.derive(label))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey([redacted])")
    }
}

/// Names a secret without telling anything about it: what was made with a secret that this instance
/// does not know can be told from garbage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KeyId(pub(crate) [u8; 4]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// HMAC-SHA256 with its key schedule done once.
#[derive(Clone)]
pub(crate) struct MacKey {
    id: KeyId,
    mac: Hmac<Sha256>,
}

impl MacKey {
    fn new(id: KeyId, key: &[u8; 32]) -> Self {
        let mac = Hmac::<Sha256>::new_from_slice(key);
        // HMAC takes a key of any length (RFC 2104 section 3).
        let mac = mac.unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
        Self { id, mac }
    }

    /// The secret that this key comes from.
    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    /// The tag of one message.
    pub(crate) fn tag(&self, message: &[u8]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    /// Compares in constant time. A truncated tag is accepted down to 16 bytes.
    pub(crate) fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        let expected = self.tag(message);
        match expected.get(..tag.len()) {
            Some(prefix) if tag.len() >= MIN_TAG_BYTES => constant_time_eq(prefix, tag),
            _ => false,
        }
    }
}

/// AES-256-GCM with a random nonce: `nonce || ciphertext || tag`.
#[derive(Clone)]
pub(crate) struct SealKey {
    id: KeyId,
    cipher: Box<Aes256Gcm>,
}

impl SealKey {
    fn new(id: KeyId, key: &[u8; 32]) -> Self {
        let cipher = Box::new(Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key)));
        Self { id, cipher }
    }

    /// The secret that this key comes from.
    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    /// Encrypts `plain` so that it opens only together with `context`.
    pub(crate) fn seal(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce = random::bytes::<NONCE_BYTES>();
        let payload = Payload {
            msg: plain,
            aad: context,
        };
        // AES-GCM fails only above 64 GiB of input (NIST SP 800-38D section 5.2.1.1).
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), payload)
            .unwrap_or_else(|_| unreachable!("every input here is bounded far below 64 GiB"));
        let mut out = Vec::with_capacity(NONCE_BYTES + sealed.len());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        out
    }

    /// `None` when the bytes were not sealed by this key for this context.
    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        if sealed.len() < NONCE_BYTES + TAG_BYTES {
            return None;
        }
        let (nonce, msg) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg, aad: context };
        self.cipher.decrypt(&Nonce::from(*nonce), payload).ok()
    }
}

/// The current key of one purpose and those it replaced: the first makes, all verify.
#[derive(Clone)]
pub(crate) struct Rotating<K> {
    current: K,
    previous: Box<[K]>,
}

impl<K> Rotating<K> {
    pub(crate) fn new(current: K, previous: impl IntoIterator<Item = K>) -> Self {
        Self {
            current,
            previous: previous.into_iter().collect(),
        }
    }

    /// The key that signs and seals.
    pub(crate) fn current(&self) -> &K {
        &self.current
    }

    /// Every key that may verify or open, the current one first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &K> {
        std::iter::once(&self.current).chain(self.previous.iter())
    }
}

impl Rotating<MacKey> {
    /// Whether a secret of this name is known here.
    pub(crate) fn knows(&self, id: KeyId) -> bool {
        self.all().any(|key| key.id() == id)
    }

    pub(crate) fn tag(&self, message: &[u8]) -> [u8; 32] {
        self.current.tag(message)
    }

    pub(crate) fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        self.all().any(|key| key.verify(message, tag))
    }
}

impl Rotating<SealKey> {
    pub(crate) fn seal(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        self.current.seal(context, plain)
    }

    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.all().find_map(|key| key.open(context, sealed))
    }
}

/// SHA-256, for record keys: a stolen store names nothing that can be presented.
pub(crate) fn sha256(message: &[u8]) -> [u8; 32] {
    Sha256::digest(message).into()
}

/// Compares two secrets without telling by the time it takes where they differ.
pub(crate) use constant_time_eq::constant_time_eq;

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SecretKey {
        SecretKey::from_bytes([7_u8; 32]).unwrap()
    }

    #[test]
    fn labels_give_unrelated_keys() {
        assert_ne!(key().mac("a").tag(b"m"), key().mac("b").tag(b"m"));
        let sealed = key().seal("a").seal(b"", b"m");
        assert!(key().seal("b").open(b"", &sealed).is_none());
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_context_and_whole() {
        let seal = key().seal("storage");
        let sealed = seal.seal(b"grant:1", b"plain");
        assert_eq!(
            seal.open(b"grant:1", &sealed).as_deref(),
            Some(&b"plain"[..])
        );
        assert!(seal.open(b"grant:2", &sealed).is_none());
        for end in 0..sealed.len() {
            assert!(seal.open(b"grant:1", &sealed[..end]).is_none());
        }
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(seal.open(b"grant:1", &flipped).is_none());
        }
    }

    #[test]
    fn a_short_or_long_tag_never_verifies() {
        let mac = key().mac("m");
        let tag = mac.tag(b"message");
        assert!(mac.verify(b"message", &tag));
        assert!(mac.verify(b"message", &tag[..16]));
        assert!(!mac.verify(b"message", &tag[..15]));
        assert!(!mac.verify(b"message", b""));
        assert!(!mac.verify(b"message", &[&tag[..], &[0]].concat()));
        assert!(!mac.verify(b"massage", &tag));
    }

    #[test]
    fn a_previous_key_opens_and_verifies_but_does_not_make() {
        let (old, new) = (key(), SecretKey::from_bytes([8_u8; 32]).unwrap());
        let seal = Rotating::new(new.seal("s"), [old.seal("s")]);
        let sealed_by_old = old.seal("s").seal(b"", b"m");
        assert_eq!(seal.open(b"", &sealed_by_old).as_deref(), Some(&b"m"[..]));
        assert!(old.seal("s").open(b"", &seal.seal(b"", b"m")).is_none());
        let mac = Rotating::new(new.mac("m"), [old.mac("m")]);
        assert!(mac.verify(b"m", &old.mac("m").tag(b"m")));
        assert!(!old.mac("m").verify(b"m", &mac.tag(b"m")));
    }

    #[test]
    fn a_passphrase_depends_on_its_salt_and_has_a_least_length() {
        let a = SecretKey::from_passphrase("correct horse battery", "https://a.example").unwrap();
        let b = SecretKey::from_passphrase("correct horse battery", "https://b.example").unwrap();
        assert_ne!(a.mac("m").tag(b"m"), b.mac("m").tag(b"m"));
        assert!(SecretKey::from_passphrase("short", "salt").is_err());
        assert!(SecretKey::from_passphrase("correct horse battery", "").is_err());
    }
}
