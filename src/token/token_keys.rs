//! Which keys sign and verify access tokens besides the secret, and what the key set shows of them.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{
    signer::Signer,
    token_key::{TokenKey, fault},
};
use crate::{
    error::ConfigError,
    jose::Algorithm,
    key::{MacKey, Rotating},
    limits::{LARGE_RSA_SIGNATURE, LONG_UNHEARD, MAX_TOKEN_KEYS},
};

/// The keys as the operator gave them.
#[derive(Clone)]
pub(crate) struct TokenKeys {
    /// Signs, in place of the secret.
    pub(crate) signing: Option<Arc<TokenKey>>,
    /// Verify, and are published.
    pub(crate) published: Vec<Arc<TokenKey>>,
    /// Whether tokens that the secret signed are good.
    pub(crate) accepts_hs256: bool,
}

impl Default for TokenKeys {
    fn default() -> Self {
        Self {
            signing: None,
            published: Vec::new(),
            accepts_hs256: true,
        }
    }
}

impl TokenKeys {
    /// The key that signs first.
    fn all(&self) -> impl Iterator<Item = &Arc<TokenKey>> {
        self.signing.iter().chain(&self.published)
    }

    pub(crate) fn is_given(&self) -> bool {
        self.all().next().is_some()
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if let Some(signing) = &self.signing
            && signing.private().is_none()
        {
            let why = "a public key does not sign: give the private one here, or this one to \
                       published_token_keys";
            return Err(fault(why));
        }
        if self.signing.is_none() && !self.accepts_hs256 {
            return Err(ConfigError::new(
                "accept_hs256_tokens",
                "without token_key access tokens are signed with HS256: give a key that signs instead, or \
                 accept them",
            ));
        }
        let count = self.all().count();
        if count > MAX_TOKEN_KEYS {
            let why = format!("{count} keys are too many: {MAX_TOKEN_KEYS} are the most");
            return Err(ConfigError::new("published_token_keys", why));
        }
        let mut kids: Vec<&str> = Vec::new();
        for key in self.all() {
            key.check()?;
            let kid = key.public().kid();
            // RFC 7517 section 4.5: "When "kid" values are used within a JWK Set, different keys within the JWK
            // Set SHOULD use distinct "kid" values."
            if kids.contains(&kid) {
                let why = format!(
                    "two keys have the id {kid:?}: give each another one, and the key that signs only once \
                     (it is published too)"
                );
                return Err(ConfigError::new("published_token_keys", why));
            }
            kids.push(kid);
        }
        Ok(())
    }

    /// The key set (RFC 7517 section 5); `None` where there are no keys to publish.
    pub(crate) fn document(&self) -> Option<String> {
        let keys: Vec<_> = self.all().map(|key| key.public().jwk()).collect();
        self.is_given().then(|| json!({ "keys": keys }).to_string())
    }

    /// What signs comes first. Everything verifies.
    pub(super) fn signers(&self, macs: &Rotating<MacKey>) -> Box<[Signer]> {
        let of = |key: &Arc<TokenKey>| Signer::asymmetric(Arc::clone(key));
        let signing = self.signing.iter().map(of);
        let macs = macs.all().filter(|_| self.accepts_hs256);
        let macs = macs.cloned().map(Signer::hs256);
        signing
            .chain(macs)
            .chain(self.published.iter().map(of))
            .collect()
    }

    /// What may mean something else than it says: `has_mac_key` is a `jwt_signing_key`.
    pub(crate) fn odd(&self, has_mac_key: bool, access_token_ttl: Duration) -> Vec<String> {
        let mut odd = Vec::new();
        if has_mac_key && !self.accepts_hs256 {
            odd.push(
                "jwt_signing_key: accept_hs256_tokens is off, so this key neither signs nor verifies"
                    .to_owned(),
            );
        }
        let signature = self.signing.as_ref().map(|key| key.public());
        let signature = signature.filter(|key| key.algorithm() == Algorithm::Rs256);
        if let Some(key) = signature
            && key.signature_bytes() > LARGE_RSA_SIGNATURE
        {
            odd.push(format!(
                "token_key: an RSA key of {} bits signs slowly, and makes every token longer; a P-256 key is \
                 as strong as one of 3072 bits",
                key.signature_bytes() * 8
            ));
        }
        if self.is_given() && access_token_ttl > LONG_UNHEARD {
            odd.push(format!(
                "access_token_ttl is {access_token_ttl:?}: a service that verifies tokens by the key set \
                 accepts a revoked one for as long"
            ));
        }
        odd
    }
}
