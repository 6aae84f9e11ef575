//! The secret of a client that the operator configures: the secret itself, or its hash alone.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::secret::is_same;
use crate::{
    key::{constant_time_eq, sha256, weakness},
    limits::{MAX_CLIENT_SECRET, MIN_CLIENT_SECRET},
};

/// What is known of the secret.
#[derive(Clone)]
pub(in crate::client) enum ConfiguredSecret {
    Known(SecretString),
    /// Its SHA-256. A slow hash would add nothing: the secret is random, and there is no end to guessing.
    Hashed([u8; 32]),
}

impl ConfiguredSecret {
    /// Compares in constant time.
    pub(in crate::client) fn is(&self, presented: &str) -> bool {
        match self {
            Self::Known(own) => is_same(own.expose_secret(), presented),
            Self::Hashed(own) => constant_time_eq(own, &sha256(presented.as_bytes())),
        }
    }

    /// Why it could be guessed, or never be presented. Of a hash nothing can tell.
    pub(in crate::client) fn fault(&self) -> Option<String> {
        let Self::Known(secret) = self else {
            return None;
        };
        let secret = secret.expose_secret();
        if !(MIN_CLIENT_SECRET..=MAX_CLIENT_SECRET).contains(&secret.len()) {
            return Some("needs a secret of 16 to 1024 bytes".to_owned());
        }
        let weakness = weakness(secret.as_bytes(), MIN_CLIENT_SECRET)?;
        Some(format!("has a secret that {weakness}: make a random one"))
    }
}

impl fmt::Debug for ConfiguredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfiguredSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_hashed_secret_the_secret_counts_and_the_hash_does_not() {
        let secret = "JcD6vTq0Zb1kYw8mXn3sRf5hUo7aPe2g";
        let hash = sha256(secret.as_bytes());
        let hashed = ConfiguredSecret::Hashed(hash);
        assert!(hashed.is(secret));
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        for wrong in ["", "x", &hex, &secret[1..], &secret.to_uppercase()] {
            assert!(!hashed.is(wrong), "{wrong}");
        }
        assert_eq!(format!("{hashed:?}"), "ConfiguredSecret(..)");
        assert_eq!(hashed.fault(), None);
    }
}
