//! Where every key of a proxy comes from.

use secrecy::ExposeSecret;

use crate::{
    error::ConfigError,
    key::{MacKey, Rotating, SealKey, SecretKey},
    oauth::BaseUrl,
    provider::Provider,
};

/// The secret that makes, and those that it replaced.
pub(super) struct Secrets {
    pub(super) current: SecretKey,
    pub(super) previous: Vec<SecretKey>,
}

/// A key that the operator gave for one purpose, and those that it replaced.
pub(super) struct Own {
    pub(super) current: Option<SecretKey>,
    pub(super) previous: Vec<SecretKey>,
}

impl Own {
    const NONE: Self = Self {
        current: None,
        previous: Vec::new(),
    };
}

impl Secrets {
    pub(super) fn mac(&self, label: &str) -> Rotating<MacKey> {
        self.mac_with(label, &Own::NONE)
    }

    pub(super) fn seal(&self, label: &str) -> Rotating<SealKey> {
        self.seal_with(label, &Own::NONE)
    }

    pub(super) fn mac_with(&self, label: &str, own: &Own) -> Rotating<MacKey> {
        let (current, previous) = self.chain(own);
        Rotating::new(current.mac(label), previous.map(|key| key.mac(label)))
    }

    pub(super) fn seal_with(&self, label: &str, own: &Own) -> Rotating<SealKey> {
        let (current, previous) = self.chain(own);
        Rotating::new(current.seal(label), previous.map(|key| key.seal(label)))
    }

    /// What makes, and what verifies and opens besides. With a key of its own for the purpose, the
    /// derived ones stay able to: turning it on logs nobody out. A replaced one counts for its own
    /// purpose alone: the key that signs tokens, once given away, must not register clients.
    fn chain<'a>(&'a self, own: &'a Own) -> (&'a SecretKey, impl Iterator<Item = &'a SecretKey>) {
        let derived = own.current.as_ref().map(|_| &self.current);
        let previous = derived
            .into_iter()
            .chain(&own.previous)
            .chain(&self.previous);
        (own.current.as_ref().unwrap_or(&self.current), previous)
    }
}

/// Without a secret of its own, the proxy uses the one that it shares with the provider.
pub(super) fn secret_of_provider(
    provider: &Provider,
    base: &BaseUrl,
) -> Result<SecretKey, ConfigError> {
    match &provider.client_secret {
        Some(secret) => SecretKey::from_client_secret(secret.expose_secret(), base.as_str()),
        None => Err(ConfigError::new(
            "secret_key",
            "the provider has no client secret to derive keys from: set secret_key",
        )),
    }
}
