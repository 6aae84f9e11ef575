//! Where every key of a proxy comes from.

use secrecy::ExposeSecret;

use crate::{
    error::ConfigError,
    key::{MIN_SECRET_BYTES, MacKey, Rotating, SealKey, SecretKey},
    oauth::BaseUrl,
    provider::Provider,
};

/// The shortest provider's client secret that keys may be stretched from, in bytes.
const MIN_CLIENT_SECRET_BYTES: usize = 16;

/// The secret that makes, and those that it replaced.
pub(super) struct Secrets {
    pub(super) current: SecretKey,
    pub(super) previous: Vec<SecretKey>,
}

impl Secrets {
    pub(super) fn mac(&self, label: &str) -> Rotating<MacKey> {
        self.mac_with(label, None)
    }

    pub(super) fn seal(&self, label: &str) -> Rotating<SealKey> {
        self.seal_with(label, None)
    }

    /// With an override the derived keys stay able to verify: turning the override on logs nobody
    /// out.
    pub(super) fn mac_with(&self, label: &str, own: Option<&SecretKey>) -> Rotating<MacKey> {
        let mut keys = self.chain(own).map(|key| key.mac(label));
        let current = keys.next().unwrap_or_else(|| self.current.mac(label));
        Rotating::new(current, keys)
    }

    pub(super) fn seal_with(&self, label: &str, own: Option<&SecretKey>) -> Rotating<SealKey> {
        let mut keys = self.chain(own).map(|key| key.seal(label));
        let current = keys.next().unwrap_or_else(|| self.current.seal(label));
        Rotating::new(current, keys)
    }

    fn chain<'a>(&'a self, own: Option<&'a SecretKey>) -> impl Iterator<Item = &'a SecretKey> {
        own.into_iter().chain([&self.current]).chain(&self.previous)
    }
}

/// Without a secret of its own, the proxy uses the one that it shares with the provider.
pub(super) fn secret_of_provider(
    provider: &Provider,
    base: &BaseUrl,
) -> Result<SecretKey, ConfigError> {
    let Some(secret) = &provider.client_secret else {
        return Err(ConfigError::new(
            "secret_key",
            "the provider has no client secret to derive keys from: set secret_key",
        ));
    };
    let secret = secret.expose_secret();
    match secret.len() {
        MIN_SECRET_BYTES.. => SecretKey::from_bytes(secret),
        MIN_CLIENT_SECRET_BYTES.. => Ok(SecretKey::stretch(
            secret.as_bytes(),
            base.as_str().as_bytes(),
        )),
        short => Err(ConfigError::new(
            "secret_key",
            format!(
                "the provider's client secret of {short} bytes is too short to derive keys from: \
                 set secret_key"
            ),
        )),
    }
}
