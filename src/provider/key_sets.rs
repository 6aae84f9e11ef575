//! Key sets at their URLs, and whether one of their keys signed a token.

use std::sync::Arc;

use crate::{
    clock::Clock,
    jose::{Jwt, KeySet, SignatureError},
    limits::MAX_KEY_SET_BYTES,
    outbound::{Document, Documents, FetchError, NamedBy, Outbound},
};

/// The key sets of issuers that the operator named, by URL; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct KeySets(Documents<KeySet>);

/// Why a token is not known to be signed by a key of the set.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    /// The keys could not be asked for: nothing is said against the token.
    #[error("the keys cannot be had: {0}")]
    Fetch(FetchError),
    /// No key vouches for it.
    #[error(transparent)]
    Signature(SignatureError),
}

impl KeySets {
    pub(crate) fn new(outbound: &Outbound, clock: &Arc<dyn Clock>) -> Self {
        Self(Documents::new(
            outbound.clone(),
            Arc::clone(clock),
            NamedBy::Operator,
            MAX_KEY_SET_BYTES,
            |reply| KeySet::parse(&reply.body).map_err(|error| error.to_string()),
        ))
    }

    /// The keys at this URL, if they are here and fresh.
    pub(super) fn here(&self, url: &str) -> Option<Arc<Document<KeySet>>> {
        self.0.cached(url)
    }

    /// The keys at this URL.
    pub(super) async fn get(&self, url: &str) -> Result<Arc<Document<KeySet>>, FetchError> {
        self.0.get(url).await
    }

    /// The keys as they are at their source now, because these lack one.
    pub(super) async fn newer(
        &self,
        url: &str,
        than: &Arc<Document<KeySet>>,
    ) -> Result<Arc<Document<KeySet>>, FetchError> {
        self.0.newer(url, than).await
    }

    /// The token's header and claims, where a key of the set at this URL signed it. A key that is not there
    /// may be new: the set is then asked for once more, within the cooldown of documents.
    pub(crate) async fn verify(&self, url: &str, token: &str) -> Result<Jwt, KeysError> {
        let keys = match self.0.cached(url) {
            Some(keys) => keys,
            None => self.0.get(url).await.map_err(KeysError::Fetch)?,
        };
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
