//! Documents that were fetched and parsed: one fetch for all who ask, for as long as the source says.

use std::{fmt, ops::Deref, sync::Arc, time::Duration};

use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{AGE, CACHE_CONTROL, DATE, EXPIRES},
};
use moka::{policy::EvictionPolicy, sync::Cache};

use super::{
    address::NamedBy,
    door::Outbound,
    fetch_error::{FetchError, host},
    flights::{Arrival, Boarding, Flights},
    send::Reply,
    shelf_life::{Said, shelf_life},
};
use crate::{
    clock::Clock,
    limits::{
        DOCUMENT_OVERHEAD, DOCUMENT_PATIENCE, DOCUMENT_STALE, FAILED_FETCH_MEMORY, FLIGHT_GRACE,
        MAX_DOCUMENTS_BYTES, MAX_FAILED_FETCHES, REFETCH_COOLDOWN,
    },
    time::Unix,
};

/// A document, parsed.
pub(crate) struct Document<T> {
    pub(crate) value: T,
    fetched: Unix,
    fresh_until: Unix,
    /// Its URL and its body, in bytes.
    size: usize,
}

impl<T> Document<T> {
    /// A clock that was set back since makes no document live longer.
    fn is_fresh(&self, now: Unix) -> bool {
        self.fetched <= now && now < self.fresh_until
    }

    /// Whether it may stand in while its source is down.
    fn is_usable(&self, now: Unix) -> bool {
        self.fetched <= now && now < self.fresh_until + DOCUMENT_STALE
    }

    fn is_cooling(&self, now: Unix) -> bool {
        self.fetched <= now && now < self.fetched + REFETCH_COOLDOWN
    }
}

impl<T> Deref for Document<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

type Outcome<T> = Result<Arc<Document<T>>, FetchError>;

/// The documents of one kind, by URL; clones share them.
///
/// A URL is asked for once at a time, whoever waits and whoever leaves. A failure is remembered for
/// seconds. What was fetched before stands in while the source is down: for a day where the operator named
/// the URL; where a stranger did, only while the source says nothing at all about the document.
pub(crate) struct Documents<T>(Arc<Library<T>>);

struct Library<T> {
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    named_by: NamedBy,
    limit: usize,
    parse: fn(&Reply) -> Result<T, String>,
    kept: Cache<Box<str>, Arc<Document<T>>>,
    /// Apart from what is kept, so that a flood of URLs that fail pushes no document out.
    failed: Cache<Box<str>, Failed>,
    flights: Arc<Flights<Outcome<T>>>,
}

#[derive(Clone)]
struct Failed {
    error: FetchError,
    until: Unix,
}

impl<T: Send + Sync + 'static> Documents<T> {
    /// A cache of documents of at most `limit` bytes each.
    pub(crate) fn new(
        outbound: Outbound,
        clock: Arc<dyn Clock>,
        named_by: NamedBy,
        limit: usize,
        parse: fn(&Reply) -> Result<T, String>,
    ) -> Self {
        let kept = Cache::builder()
            .max_capacity(MAX_DOCUMENTS_BYTES)
            .weigher(|_, document: &Arc<Document<T>>| {
                u32::try_from(document.size + DOCUMENT_OVERHEAD).unwrap_or(u32::MAX)
            })
            .eviction_policy(EvictionPolicy::lru());
        let failed = Cache::builder()
            .max_capacity(MAX_FAILED_FETCHES)
            .eviction_policy(EvictionPolicy::lru());
        Self(Arc::new(Library {
            outbound,
            clock,
            named_by,
            limit,
            parse,
            kept: kept.build(),
            failed: failed.build(),
            flights: Arc::new(Flights::new()),
        }))
    }

    /// The document, if it is here and fresh.
    pub(crate) fn cached(&self, url: &str) -> Option<Arc<Document<T>>> {
        self.0.fresh(url)
    }

    /// The document: from here, or from its source.
    pub(crate) async fn get(&self, url: &str) -> Result<Arc<Document<T>>, FetchError> {
        let library = &self.0;
        if let Some(document) = library.fresh(url) {
            return Ok(document);
        }
        if let Some(error) = library.failure(url) {
            return library.stale(url, &error).ok_or(error);
        }
        let now = library.now();
        let has_stale = library.kept.get(url).filter(|it| it.is_usable(now));
        let fetched = library.fetched(url, |library| library.fresh(url));
        let outcome = match has_stale {
            None => fetched.await,
            // A slow source holds up those who have nothing else.
            Some(stale) => match tokio::time::timeout(DOCUMENT_PATIENCE, fetched).await {
                Ok(outcome) => outcome,
                Err(_) => return Ok(stale),
            },
        };
        outcome.or_else(|error| library.stale(url, &error).ok_or(error))
    }

    /// The document as it is now at its source, because `than` lacks something that should be in it: a
    /// key. Within seconds of the last fetch the same document returns: what is missing there may be a
    /// stranger's invention. An error says that the source could not be asked, so what is missing is not
    /// known to be wrong.
    pub(crate) async fn newer(
        &self,
        url: &str,
        than: &Arc<Document<T>>,
    ) -> Result<Arc<Document<T>>, FetchError> {
        let library = &self.0;
        let newer = |library: &Library<T>| {
            let kept = library.kept.get(url)?;
            (!Arc::ptr_eq(&kept, than)).then_some(kept)
        };
        if let Some(document) = newer(library) {
            return Ok(document);
        }
        if than.is_cooling(library.now()) {
            return Ok(Arc::clone(than));
        }
        match library.failure(url) {
            Some(error) => Err(error),
            None => library.fetched(url, newer).await,
        }
    }
}

impl<T: Send + Sync + 'static> Library<T> {
    fn now(&self) -> Unix {
        Unix::from(self.clock.now())
    }

    fn fresh(&self, url: &str) -> Option<Arc<Document<T>>> {
        let document = self.kept.get(url)?;
        document.is_fresh(self.now()).then_some(document)
    }

    /// What stands in after this error. A stranger who takes a document away, or makes it lead inside,
    /// has taken it away.
    fn stale(&self, url: &str, error: &FetchError) -> Option<Arc<Document<T>>> {
        if self.named_by == NamedBy::Stranger && !error.is_trouble() {
            return None;
        }
        let now = self.now();
        self.kept.get(url).filter(|it| it.is_usable(now))
    }

    /// A failure of the last seconds.
    fn failure(&self, url: &str) -> Option<FetchError> {
        let failed = self.failed.get(url)?;
        let now = self.now();
        let holds = now < failed.until && failed.until <= now + FAILED_FETCH_MEMORY;
        holds.then_some(failed.error)
    }

    /// One fetch for all who wait. It goes on when they leave.
    async fn fetched(
        self: &Arc<Self>,
        url: &str,
        landed: impl Fn(&Self) -> Option<Arc<Document<T>>>,
    ) -> Outcome<T> {
        let host = host(url);
        // A fetch that was lost with its runtime, or that panicked, is taken over once.
        for _ in 0..2 {
            let landed = || landed(self).map(Ok).or_else(|| self.failure(url).map(Err));
            let arrival = match self.flights.board(url, &host, self.named_by, landed) {
                Boarding::Landed(outcome) => return outcome,
                Boarding::Full => return Err(FetchError::Busy { host }),
                Boarding::Joined(arrival) => arrival,
                Boarding::Pilot(landing, arrival) => {
                    let (library, url) = (Arc::clone(self), url.to_owned());
                    tokio::spawn(async move {
                        let outcome = library.fetch(&url).await;
                        library.keep(&url, &outcome);
                        landing.land(outcome);
                    });
                    arrival
                }
            };
            match self.arrived(arrival.clone()).await {
                Some(outcome) => return outcome,
                None => self.flights.give_up(url, &arrival),
            }
        }
        Err(FetchError::Timeout { host })
    }

    /// `None` when it will not come any more.
    async fn arrived(&self, mut arrival: Arrival<Outcome<T>>) -> Option<Outcome<T>> {
        let patience = self.outbound.patience(self.named_by) + FLIGHT_GRACE;
        let landed = arrival.wait_for(Option::is_some);
        let landed = tokio::time::timeout(patience, landed).await;
        landed.ok()?.ok()?.clone()
    }

    async fn fetch(&self, url: &str) -> Outcome<T> {
        let (named_by, limit) = (self.named_by, self.limit);
        let asked = self.now();
        let reply = self.outbound.get(url, named_by, limit, ACCEPTED).await;
        let reply = reply.map_err(|error| FetchError::new(url, error))?;
        if reply.status != StatusCode::OK {
            let (host, status) = (host(url), reply.status);
            return Err(FetchError::Status { host, status });
        }
        let value = (self.parse)(&reply).map_err(|words| FetchError::content(url, &words))?;
        Ok(Arc::new(Document {
            value,
            fetched: asked,
            fresh_until: asked + life(&reply.headers),
            size: url.len() + reply.body.len(),
        }))
    }

    fn keep(&self, url: &str, outcome: &Outcome<T>) {
        match outcome {
            Ok(document) => {
                self.kept.insert(Box::from(url), Arc::clone(document));
                self.failed.invalidate(url);
            }
            Err(error) => {
                if self.named_by == NamedBy::Stranger && !error.is_trouble() {
                    // Or a source that fails later would bring it back.
                    self.kept.invalidate(url);
                }
                let failed = Failed {
                    error: error.clone(),
                    until: self.now() + FAILED_FETCH_MEMORY,
                };
                self.failed.insert(Box::from(url), failed);
            }
        }
    }
}

/// Documents are JSON, by whatever media type of it.
const ACCEPTED: &str = "application/json, application/*+json;q=0.9, */*;q=0.1";

fn life(headers: &HeaderMap) -> Duration {
    let lines = |name: HeaderName| {
        let lines = headers.get_all(name).iter();
        let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
        (!lines.is_empty()).then(|| lines.join(","))
    };
    let one = |name| headers.get(name).and_then(|value| value.to_str().ok());
    shelf_life(&Said {
        cache_control: lines(CACHE_CONTROL).as_deref(),
        expires: one(EXPIRES),
        date: one(DATE),
        age: one(AGE),
    })
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

impl<T> fmt::Debug for Document<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").finish_non_exhaustive()
    }
}
