//! The secret of a configured client: as it is, or the hash of it.

use secrecy::{ExposeSecret, SecretString};

use super::secret::is_same;
use crate::{
    api_key::read_hash,
    key::{constant_time_eq, sha256, weakness},
    limits::{MAX_CLIENT_SECRET, MIN_CLIENT_SECRET},
};

/// What the operator gave. Neither is printed: a secret may stand where its hash belongs, by mistake.
#[derive(Clone, Debug)]
pub(in crate::client) enum OwnSecret {
    Plain(SecretString),
    /// `sha256:` and 64 hexadecimal digits.
    Hash(SecretString),
}

impl OwnSecret {
    /// What is wrong with it, behind the client's name. Nothing is known of a secret behind a hash.
    pub(in crate::client) fn fault(&self) -> Option<String> {
        let secret = match self {
            Self::Plain(secret) => secret.expose_secret(),
            Self::Hash(hash) => return read_hash(hash.expose_secret()).err(),
        };
        if !(MIN_CLIENT_SECRET..=MAX_CLIENT_SECRET).contains(&secret.len()) {
            return Some("needs a secret of 16 to 1024 bytes".to_owned());
        }
        let weakness = weakness(secret.as_bytes(), MIN_CLIENT_SECRET)?;
        Some(format!("has a secret that {weakness}: make a random one"))
    }

    /// Whether this is the secret, in constant time. One that is too short to be a secret is none, also where its
    /// hash was configured: everyone can look such hashes up.
    pub(in crate::client) fn is(&self, presented: &str) -> bool {
        match self {
            Self::Plain(own) => is_same(own.expose_secret(), presented),
            Self::Hash(own) => {
                let Ok(own) = read_hash(own.expose_secret()) else {
                    return false;
                };
                let is_long = presented.len() >= MIN_CLIENT_SECRET;
                is_long & constant_time_eq(&own, &sha256(presented.as_bytes()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "q8Wn3TzK5vRx2LcYb7Hd";

    fn hash(text: impl Into<String>) -> OwnSecret {
        OwnSecret::Hash(text.into().into())
    }

    /// As `printf %s "$SECRET" | sha256sum` prints it.
    fn hash_of(secret: &str) -> String {
        let digits = sha256(secret.as_bytes()).map(|byte| format!("{byte:02x}"));
        format!("sha256:{}", digits.concat())
    }

    #[test]
    fn a_hash_lets_its_secret_in_and_nothing_else() {
        let own = hash(hash_of(SECRET));
        assert_eq!(own.fault(), None);
        assert!(own.is(SECRET));
        for wrong in ["", &SECRET[1..], &SECRET.to_lowercase(), &hash_of(SECRET)] {
            assert!(!own.is(wrong), "{wrong}");
        }
        let short = hash(hash_of("fifteen-letters"));
        assert!(!short.is("fifteen-letters"));
    }

    #[test]
    fn what_is_no_hash_is_refused_lets_no_one_in_and_is_not_quoted() {
        for text in [SECRET, "", "sha256:00", &hash_of(SECRET)[7..]] {
            let own = hash(text);
            let why = own.fault().unwrap();
            assert!(!why.contains(SECRET), "{why}");
            assert!(!own.is(text) && !own.is(SECRET));
            assert!(!format!("{own:?}").contains(SECRET));
        }
    }
}
