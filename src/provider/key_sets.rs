//! Key sets at their URLs.

use std::sync::Arc;

use crate::{
    clock::Clock,
    jose::KeySet,
    limits::MAX_KEY_SET_BYTES,
    outbound::{Document, Documents, FetchError, NamedBy, Outbound},
};

/// The key sets of issuers that the operator named, by URL; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct KeySets(Documents<KeySet>);

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
}
