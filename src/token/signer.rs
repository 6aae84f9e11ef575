//! A key of the proxy's access tokens: what signs them, and what verifies them. Each has a header of its own,
//! byte for byte.

mod asymmetric;
mod hs256;

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use self::{asymmetric::Asymmetric, hs256::Hs256};
use super::token_key::TokenKey;
use crate::{jose::KeyError, key::MacKey};

/// What signs and verifies with one key.
pub(super) struct Signer {
    /// The first segment of every token of this key.
    pub(super) header: String,
    key: Key,
}

enum Key {
    Hs256(Hs256),
    Asymmetric(Asymmetric),
}

impl Signer {
    pub(super) fn hs256(key: MacKey) -> Self {
        let key = Hs256::new(key);
        Self {
            header: URL_SAFE_NO_PAD.encode(key.header()),
            key: Key::Hs256(key),
        }
    }

    pub(super) fn asymmetric(key: Arc<TokenKey>) -> Self {
        let key = Asymmetric::new(key);
        Self {
            header: URL_SAFE_NO_PAD.encode(key.header()),
            key: Key::Asymmetric(key),
        }
    }

    /// How long a signature is, in characters of unpadded base64url.
    pub(super) fn signature_chars(&self) -> usize {
        match &self.key {
            Key::Hs256(_) => hs256::SIGNATURE_CHARS,
            Key::Asymmetric(key) => key.signature_chars(),
        }
    }

    /// Appends the third segment to the first two of a token.
    pub(super) fn sign(&self, token: &mut String) -> Result<(), KeyError> {
        match &self.key {
            Key::Hs256(key) => key.sign(token),
            Key::Asymmetric(key) => key.sign(token)?,
        }
        Ok(())
    }

    /// Whether the third segment is this key's signature over the first two. The decoders take no padding and
    /// no stray bits at the end, so that no two texts mean one signature.
    pub(super) fn verify(&self, signed: &str, signature: &str) -> bool {
        match &self.key {
            Key::Hs256(key) => key.verify(signed, signature),
            Key::Asymmetric(key) => key.verify(signed, signature),
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}
