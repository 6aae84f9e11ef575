//! Documents that were fetched and parsed: one fetch for all who ask, for as long as the source says.

use std::{fmt, sync::Arc};

use super::{
    address::{AskedBy, NamedBy},
    door::Outbound,
    fetch_error::FetchError,
    library::Library,
    parsed::Document,
    send::Reply,
};
use crate::{clock::Clock, limits::DOCUMENT_PATIENCE};

/// The documents of one kind, by URL; clones share them.
///
/// A URL is asked for once at a time, whoever waits and whoever leaves. A failure is remembered for
/// seconds. What was fetched before stands in while the source is down: for a day where the operator named
/// the URL; where a stranger did, only while the source says nothing at all about the document.
pub(crate) struct Documents<T>(pub(super) Arc<Library<T>>);

impl<T: Send + Sync + 'static> Documents<T> {
    /// A cache of documents of at most `limit` bytes each.
    pub(crate) fn new(
        outbound: Outbound,
        clock: Arc<dyn Clock>,
        named_by: NamedBy,
        limit: usize,
        parse: fn(&Reply) -> Result<T, String>,
    ) -> Self {
        let parse = Box::new(move |_: &str, reply: &Reply| parse(reply));
        let library = Library::new(outbound, clock, named_by, limit, parse);
        Self(Arc::new(library))
    }

    /// The same of documents that name their own URL: it is given to `parse`.
    pub(crate) fn by_url(
        outbound: Outbound,
        clock: Arc<dyn Clock>,
        named_by: NamedBy,
        limit: usize,
        parse: fn(&str, &Reply) -> Result<T, String>,
    ) -> Self {
        let library = Library::new(outbound, clock, named_by, limit, Box::new(parse));
        Self(Arc::new(library))
    }

    /// The document, if it is here and fresh.
    pub(crate) fn cached(&self, url: &str) -> Option<Arc<Document<T>>> {
        self.0.fresh(url)
    }

    /// Whether a document from here needs no other one yet.
    pub(crate) fn is_fresh(&self, document: &Document<T>) -> bool {
        document.is_fresh(self.0.now())
    }

    /// The document: from here, or from its source.
    pub(crate) async fn get(&self, url: &str) -> Result<Arc<Document<T>>, FetchError> {
        self.get_for(url, AskedBy::Anyone).await
    }

    /// The same for one who may be known to have a login here.
    pub(crate) async fn get_for(
        &self,
        url: &str,
        asked_by: AskedBy,
    ) -> Result<Arc<Document<T>>, FetchError> {
        let library = &self.0;
        if let Some(document) = library.fresh(url) {
            return Ok(document);
        }
        library.check(url)?;
        if let Some(error) = library.failure(url) {
            return library.usable(url).ok_or(error);
        }
        let fetched = library.fetched(url, asked_by, false, |library| library.fresh(url));
        let outcome = match library.usable(url) {
            None => fetched.await,
            // A slow source holds up those who have nothing else.
            Some(stale) => match tokio::time::timeout(DOCUMENT_PATIENCE, fetched).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    library.is_slow(url);
                    return Ok(stale);
                }
            },
        };
        outcome.or_else(|error| library.usable(url).ok_or(error))
    }

    /// The document as it is now at its source, because `than` lacks something that should be in it: a
    /// key. Within seconds of the last time that this was done the same document returns: what is missing
    /// there may be a stranger's invention. An error says that the source could not be asked, so what is missing is not
    /// known to be wrong.
    pub(crate) async fn newer(
        &self,
        url: &str,
        than: &Arc<Document<T>>,
    ) -> Result<Arc<Document<T>>, FetchError> {
        self.newer_for(url, AskedBy::Anyone, than).await
    }

    /// The same for one who may be known to have a login here.
    pub(crate) async fn newer_for(
        &self,
        url: &str,
        asked_by: AskedBy,
        than: &Arc<Document<T>>,
    ) -> Result<Arc<Document<T>>, FetchError> {
        let library = &self.0;
        let newer = |library: &Library<T>| {
            let kept = library.last(url)?;
            (!Arc::ptr_eq(&kept, than)).then_some(kept)
        };
        if let Some(document) = newer(library) {
            return Ok(document);
        }
        if than.is_cooling(library.now()) {
            return Ok(Arc::clone(than));
        }
        library.check(url)?;
        library.fetched(url, asked_by, true, newer).await
    }
}

impl<T> Clone for Documents<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Documents<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents").finish_non_exhaustive()
    }
}
