//! A key that was made just now.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{hash_text::write_hash, key_text::new_text};
use crate::key::sha256;

/// A new API key, made by [`ApiKey::generate`](crate::ApiKey::generate): show it once to who will use it, and keep
/// its hash. `Debug` prints no key.
///
/// ```
/// use tower_oauth_proxy::ApiKey;
///
/// let key = ApiKey::generate();
/// println!("for the configuration: {}", key.line("nightly-report"));
/// println!("for the program, shown once: {}", key.reveal());
/// ```
#[must_use = "the key is lost unless it is shown"]
pub struct NewApiKey {
    text: SecretString,
}

impl NewApiKey {
    pub(super) fn new() -> Self {
        Self {
            text: new_text().into(),
        }
    }

    /// The hash for the configuration: `sha256:` and 64 hexadecimal digits. The key cannot be found from it, so it
    /// needs no more secrecy than the rest of the configuration.
    #[must_use]
    pub fn hash(&self) -> String {
        write_hash(&sha256(self.text.expose_secret().as_bytes()))
    }

    /// The line for a file of keys: see [`ApiKey::parse_all`](crate::ApiKey::parse_all). Add scopes, roles and an
    /// end to it.
    #[must_use]
    pub fn line(&self, name: &str) -> String {
        json!({ "name": name, "hash": self.hash() }).to_string()
    }

    /// The key itself. It is gone afterwards: nothing can show it again.
    #[must_use]
    pub fn reveal(self) -> String {
        self.text.expose_secret().to_owned()
    }
}

impl fmt::Debug for NewApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApiKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_not_printed_and_its_hash_says_nothing_of_it() {
        let key = NewApiKey::new();
        let (printed, hash, line) = (format!("{key:?} {key:#?}"), key.hash(), key.line("ci"));
        let text = key.reveal();
        for said in [&printed, &hash, &line] {
            assert!(!said.contains(&text[7..20]), "{said}");
        }
        assert!(line.contains(&hash), "{line}");
        assert_eq!(hash, write_hash(&sha256(text.as_bytes())));
    }
}
