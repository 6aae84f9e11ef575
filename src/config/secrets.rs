//! Where every key of a proxy comes from.

use crate::{
    error::ConfigError,
    key::{MacKey, Rotating, SealKey, SecretKey},
    oauth::BaseUrl,
    provider::Provider,
};

/// A key as an option: the one in use, and those that it replaced.
#[derive(Clone, Default)]
pub(crate) struct KeyOption {
    pub(crate) current: Option<SecretKey>,
    pub(crate) previous: Vec<SecretKey>,
}

impl KeyOption {
    const NONE: Self = Self {
        current: None,
        previous: Vec::new(),
    };

    pub(super) fn is_given(&self) -> bool {
        self.current.is_some() || !self.previous.is_empty()
    }
}

/// The secret that makes, and those that it replaced.
#[derive(Clone)]
pub(crate) struct Secrets {
    current: SecretKey,
    previous: Vec<SecretKey>,
}

impl Secrets {
    /// Without a secret of its own, the proxy uses the one that it shares with the provider.
    pub(super) fn new(
        given: KeyOption,
        provider: &Provider,
        base: &BaseUrl,
    ) -> Result<Self, ConfigError> {
        let current = match (given.current, provider.credential.secret()) {
            (Some(key), _) => key,
            (None, Some(secret)) => SecretKey::from_client_secret(secret, base.as_str())?,
            (None, None) => {
                return Err(ConfigError::new(
                    "secret_key",
                    "the provider has no client secret to derive keys from: set secret_key",
                ));
            }
        };
        Ok(Self {
            current,
            previous: given.previous,
        })
    }

    pub(crate) fn mac(&self, label: &str) -> Rotating<MacKey> {
        self.mac_with(label, &KeyOption::NONE)
    }

    pub(crate) fn seal(&self, label: &str) -> Rotating<SealKey> {
        self.seal_with(label, &KeyOption::NONE)
    }

    pub(crate) fn mac_with(&self, label: &str, own: &KeyOption) -> Rotating<MacKey> {
        let (current, previous) = self.chain(own);
        Rotating::new(current.mac(label), previous.map(|key| key.mac(label)))
    }

    pub(crate) fn seal_with(&self, label: &str, own: &KeyOption) -> Rotating<SealKey> {
        let (current, previous) = self.chain(own);
        Rotating::new(current.seal(label), previous.map(|key| key.seal(label)))
    }

    /// What makes, and what verifies and opens besides. With a key of its own for the purpose, the
    /// derived ones stay able to: turning it on logs no one out. A replaced one counts for its own
    /// purpose alone: the key that signs tokens, once given away, must not register clients.
    fn chain<'a>(
        &'a self,
        own: &'a KeyOption,
    ) -> (&'a SecretKey, impl Iterator<Item = &'a SecretKey>) {
        let derived = own.current.as_ref().map(|_| &self.current);
        let previous = derived
            .into_iter()
            .chain(&own.previous)
            .chain(&self.previous);
        (own.current.as_ref().unwrap_or(&self.current), previous)
    }
}
