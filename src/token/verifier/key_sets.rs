//! Key sets at their URLs, and whether one of their keys signed a token.

use std::sync::Arc;

use crate::{
    clock::Clock,
    jose::{Jwt, KeySet, SignatureError},
    limits::MAX_KEY_SET_BYTES,
    outbound::{Documents, FetchError, NamedBy, Outbound},
};

/// The key sets of issuers that the operator named, by URL; clones share them.
#[derive(Debug, Clone)]
pub(super) struct KeySets(Documents<KeySet>);

/// Why a token is not known to be signed by a key of the set.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeysError {
    /// The keys could not be asked for: nothing is said against the token.
    #[error("the keys cannot be had: {0}")]
    Fetch(FetchError),
    /// No key vouches for it.
    #[error(transparent)]
    Signature(SignatureError),
}

impl KeySets {
    pub(super) fn new(outbound: &Outbound, clock: &Arc<dyn Clock>) -> Self {
        Self(Documents::new(
            outbound.clone(),
            Arc::clone(clock),
            NamedBy::Operator,
            MAX_KEY_SET_BYTES,
            |reply| KeySet::parse(&reply.body).map_err(|error| error.to_string()),
        ))
    }

    /// The token's header and claims, where a key of the set at this URL signed it. A key that is not there
    /// may be new: the set is then asked for once more, within the cooldown of documents.
    pub(super) async fn verify(&self, url: &str, token: &str) -> Result<Jwt, KeysError> {
        let keys = self.0.get(url).await.map_err(KeysError::Fetch)?;
        match keys.verify(token) {
            Err(SignatureError::UnknownKey(_)) => {
                let newer = self.0.newer(url, &keys).await.map_err(KeysError::Fetch)?;
                newer.verify(token)
            }
            verified => verified,
        }
        .map_err(KeysError::Signature)
    }
}
