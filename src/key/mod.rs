//! One operator secret, every key.
//!
//! HKDF-SHA256 (RFC 5869) derives one key for each purpose from the secret, so that a value made for
//! one purpose means nothing to another. Previous secrets still verify and open, so users do not notice
//! a rotation.
//!
//! The salt and the labels are part of every format: another label is another key.

mod mac;
mod seal;
mod well_known;

use std::fmt;

use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

pub(crate) use mac::MacKey;
#[cfg(test)]
pub(crate) use seal::SEALING_BYTES;
pub(crate) use seal::{SealKey, Shut};
pub(crate) use well_known::weakness;

use crate::{
    error::ConfigError,
    limits::{MIN_PASSPHRASE_BYTES, MIN_SECRET_BYTES, MIN_STRETCHED_SECRET_BYTES},
};

/// Iterations of PBKDF2-HMAC-SHA256, the number of OWASP's password storage cheat sheet.
const PBKDF2_ITERATIONS: u32 = 600_000;

/// The secret that every key of the proxy is derived from.
///
/// Prints as `[redacted]` and is wiped from memory when dropped.
///
/// ```
/// use tower_oauth_proxy::SecretKey;
///
/// # let secret = "fkN2wT9xQ7dYb4sLr1ZpK6vXh0NjUe8JmGc3Da5B";
/// // From the environment, say: `openssl rand -base64 32` makes a good one.
/// let key = SecretKey::from_bytes(secret)?;
/// assert_eq!(format!("{key:?}"), "SecretKey([redacted])");
/// assert!(SecretKey::from_bytes("too short").is_err());
/// assert!(SecretKey::from_bytes("changemechangemechangemechangeme").is_err());
/// # Ok::<(), tower_oauth_proxy::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct SecretKey(SecretSlice<u8>);

impl SecretKey {
    /// A secret of at least 32 random bytes, used as it is.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when it is shorter, or no secret: a repeated character, `0123456789abcdef`,
    /// `changeme` and other words that manuals show, also in hexadecimal or base64.
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
        refuse_well_known(secret, MIN_SECRET_BYTES)?;
        Ok(Self(secret.to_vec().into()))
    }

    /// A passphrase, stretched with PBKDF2-HMAC-SHA256 (RFC 8018, 600,000 iterations: some tenths
    /// of a second, once). The salt need not be secret but should be your own, such as the base
    /// URL; every instance has to use the same one.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the passphrase has fewer than 12 bytes or is made of well-known words, or
    /// the salt is empty.
    pub fn from_passphrase(passphrase: &str, salt: &str) -> Result<Self, ConfigError> {
        if passphrase.len() < MIN_PASSPHRASE_BYTES {
            return Err(ConfigError::new(
                "secret_key",
                format!(
                    "the passphrase has {} bytes and needs at least {MIN_PASSPHRASE_BYTES}",
                    passphrase.len()
                ),
            ));
        }
        if salt.is_empty() {
            return Err(ConfigError::new(
                "secret_key",
                "the salt of the passphrase is empty: give the base URL, say",
            ));
        }
        refuse_well_known(passphrase.as_bytes(), MIN_PASSPHRASE_BYTES)?;
        Ok(Self::stretch(passphrase.as_bytes(), salt.as_bytes()))
    }

    /// A key of one repeated byte, which the constructors would refuse.
    #[cfg(test)]
    pub(crate) fn for_test(byte: u8) -> Self {
        Self(vec![byte; 32].into())
    }

    /// The client secret that the provider made, from 16 bytes: stretched when it is too short to be
    /// used as it is.
    pub(crate) fn from_client_secret(secret: &str, salt: &str) -> Result<Self, ConfigError> {
        let advice = |what: String| {
            let words = format!("the provider's client secret {what}: set secret_key");
            ConfigError::new("secret_key", words)
        };
        let length = secret.len();
        if length < MIN_STRETCHED_SECRET_BYTES {
            let what = format!("of {length} bytes is too short to derive keys from");
            return Err(advice(what));
        }
        if let Some(why) = weakness(secret.as_bytes(), MIN_STRETCHED_SECRET_BYTES) {
            return Err(advice(format!("{why}, so anyone could derive its keys")));
        }
        match length >= MIN_SECRET_BYTES {
            true => Ok(Self(secret.as_bytes().to_vec().into())),
            false => Ok(Self::stretch(secret.as_bytes(), salt.as_bytes())),
        }
    }

    fn stretch(secret: &[u8], salt: &[u8]) -> Self {
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

fn refuse_well_known(secret: &[u8], least: usize) -> Result<(), ConfigError> {
    match weakness(secret, least) {
        None => Ok(()),
        Some(why) => Err(ConfigError::new(
            "secret_key",
            format!("this secret {why}: make a random one, with `openssl rand -base64 32`"),
        )),
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey([redacted])")
    }
}

/// Names a secret and reveals nothing about it. With the name, an instance can distinguish what was
/// made with a secret that it does not know from garbage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KeyId(pub(crate) [u8; 4]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
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

/// SHA-256, for record keys: a stolen store names nothing that can be presented.
pub(crate) fn sha256(message: &[u8]) -> [u8; 32] {
    Sha256::digest(message).into()
}

/// Compares two secrets in a time that does not depend on where they differ.
pub(crate) use constant_time_eq::constant_time_eq;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn key() -> SecretKey {
        SecretKey::for_test(7)
    }

    #[test]
    fn labels_give_unrelated_keys() {
        assert_ne!(key().mac("a").tag(b"m"), key().mac("b").tag(b"m"));
        let seal = |label| Rotating::new(key().seal(label), []);
        let sealed = seal("a").seal(b"", b"m");
        assert!(seal("b").open(b"", sealed).is_err());
    }

    #[test]
    fn a_previous_key_opens_and_verifies_but_does_not_make() {
        let (old, new) = (key(), SecretKey::for_test(8));
        let alone = Rotating::new(old.seal("s"), []);
        let seal = Rotating::new(new.seal("s"), [old.seal("s")]);
        assert_eq!(seal.open(b"", alone.seal(b"", b"m")), Ok(b"m".to_vec()));
        assert!(alone.open(b"", seal.seal(b"", b"m")).is_err());
        let mac = Rotating::new(new.mac("m"), [old.mac("m")]);
        assert!(mac.verify(b"m", &old.mac("m").tag(b"m")));
        assert!(!old.mac("m").verify(b"m", &mac.tag(b"m")));
    }

    #[test]
    fn a_passphrase_depends_on_its_salt_and_has_a_least_length() {
        let a = SecretKey::from_passphrase("tulip gravel oxbow", "https://a.example").unwrap();
        let b = SecretKey::from_passphrase("tulip gravel oxbow", "https://b.example").unwrap();
        assert_ne!(a.mac("m").tag(b"m"), b.mac("m").tag(b"m"));
        assert!(SecretKey::from_passphrase("short", "salt").is_err());
        assert!(SecretKey::from_passphrase("tulip gravel oxbow", "").is_err());
    }

    #[test]
    fn a_client_secret_is_stretched_with_its_salt_where_it_is_short_and_refused_where_it_is_shorter()
     {
        let key = |secret: &str, salt: &str| SecretKey::from_client_secret(secret, salt);
        let (short, long) = ("r7Kq2ZtV9wLx4MbY", "r7Kq2ZtV9wLx4MbYc8Jd3HsYu6PfGe1N");
        let tag = |secret: &str, salt| key(secret, salt).unwrap().mac("m").tag(b"m");
        assert_eq!(tag(short, "a"), tag(short, "a"));
        assert_ne!(tag(short, "a"), tag(short, "b"));
        assert_eq!(tag(long, "a"), tag(long, "b"), "used as it is");
        assert!(key(&short[1..], "a").is_err());
    }
}
