//! What is behind the documents: what is kept, what failed, and the one fetch for each URL.

use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use moka::{policy::EvictionPolicy, sync::Cache};

use super::{
    address::{AskedBy, NamedBy},
    door::Outbound,
    fetch_error::{FetchError, host},
    flights::{Arrival, Boarding, Flights},
    pace::Pace,
    parsed::Document,
    send::{OutboundError, Reply},
};
use crate::{
    clock::Clock,
    event::{Event, Reason, Step},
    limits::{
        FAILED_FETCH_MEMORY, FLIGHT_GRACE, MAX_DOCUMENTS_BYTES, MAX_FAILED_FETCHES, MAX_FLIGHTS,
        MAX_FLIGHTS_OF_LOGINS, MAX_FLIGHTS_PER_HOST,
    },
    time::Unix,
};

/// What makes a document of a URL and its answer with status 200. The error says what is wrong with it.
pub(super) type Parse<T> = Box<dyn Fn(&str, &Reply) -> Result<T, String> + Send + Sync>;

type Outcome<T> = Result<Arc<Document<T>>, FetchError>;

pub(super) struct Library<T> {
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    named_by: NamedBy,
    limit: usize,
    parse: Parse<T>,
    kept: Cache<Box<str>, Arc<Document<T>>>,
    /// Apart from what is kept, so that a flood of URLs that fail pushes no document out.
    failed: Cache<Box<str>, Failed>,
    flights: Arc<Flights<Outcome<T>>>,
    pace: Mutex<Pace>,
}

#[derive(Clone)]
struct Failed {
    error: FetchError,
    until: Unix,
}

impl<T: Send + Sync + 'static> Library<T> {
    pub(super) fn new(
        outbound: Outbound,
        clock: Arc<dyn Clock>,
        named_by: NamedBy,
        limit: usize,
        parse: Parse<T>,
    ) -> Self {
        let kept = Cache::builder()
            .max_capacity(MAX_DOCUMENTS_BYTES)
            .weigher(|_, document: &Arc<Document<T>>| document.weight())
            .eviction_policy(EvictionPolicy::lru());
        let failed = Cache::builder()
            .max_capacity(MAX_FAILED_FETCHES)
            .eviction_policy(EvictionPolicy::lru());
        Self {
            outbound,
            clock,
            named_by,
            limit,
            parse,
            kept: kept.build(),
            failed: failed.build(),
            flights: Arc::new(Flights::new()),
            pace: Mutex::default(),
        }
    }

    /// The last document, however old.
    pub(super) fn last(&self, url: &str) -> Option<Arc<Document<T>>> {
        self.kept.get(url)
    }

    /// The last document, where it may stand in for one that does not come.
    pub(super) fn usable(&self, url: &str) -> Option<Arc<Document<T>>> {
        let now = self.now();
        self.last(url).filter(|it| it.is_usable(now))
    }

    pub(super) fn now(&self) -> Unix {
        Unix::from(self.clock.now())
    }

    /// What may not be asked for takes no room here, not even as a failure.
    pub(super) fn check(&self, url: &str) -> Result<(), FetchError> {
        let refused = |refusal| FetchError::new(url, OutboundError::Refused(refusal));
        let allowed = self.outbound.destination(url, self.named_by);
        allowed.map(drop).map_err(refused)
    }

    pub(super) fn fresh(&self, url: &str) -> Option<Arc<Document<T>>> {
        let document = self.kept.get(url)?;
        document.is_fresh(self.now()).then_some(document)
    }

    /// Those who come next do not wait for it too.
    pub(super) fn is_slow(&self, url: &str) {
        if self.fresh(url).is_none() {
            self.remember(url, FetchError::Timeout { host: host(url) });
        }
    }

    fn remember(&self, url: &str, error: FetchError) {
        let until = self.now() + FAILED_FETCH_MEMORY;
        self.failed.insert(Box::from(url), Failed { error, until });
    }

    /// A failure of the last seconds.
    pub(super) fn failure(&self, url: &str) -> Option<FetchError> {
        let failed = self.failed.get(url)?;
        let now = self.now();
        let holds = now < failed.until && failed.until <= now + FAILED_FETCH_MEMORY;
        holds.then_some(failed.error)
    }

    /// What was here before is asked for anew by its own life, not by strangers.
    fn may_begin(&self, url: &str, host: &str, asked_by: AskedBy) -> bool {
        let is_bounded = self.named_by == NamedBy::Stranger && asked_by == AskedBy::Anyone;
        if !is_bounded || self.last(url).is_some() {
            return true;
        }
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        pace.may_begin(host, self.now())
    }

    /// One fetch for all who wait. It goes on when they leave.
    pub(super) async fn fetched(
        self: &Arc<Self>,
        url: &str,
        asked_by: AskedBy,
        is_again: bool,
        landed: impl Fn(&Self) -> Option<Arc<Document<T>>>,
    ) -> Outcome<T> {
        let host = host(url);
        // A fetch that was lost with its runtime, or that panicked, is taken over once.
        for _ in 0..2 {
            let landed = || landed(self).map(Ok).or_else(|| self.failure(url).map(Err));
            let may_begin = || self.may_begin(url, &host, asked_by);
            let most = most_flights(self.named_by, asked_by);
            let boarding = self.flights.board(url, &host, most, landed, may_begin);
            let arrival = match boarding {
                Boarding::Landed(outcome) => return outcome,
                Boarding::Full => return Err(FetchError::Busy { host }),
                Boarding::TooOften => return Err(FetchError::TooOften { host }),
                Boarding::Joined(arrival) => arrival,
                Boarding::Pilot(landing, arrival) => {
                    let (library, url) = (Arc::clone(self), url.to_owned());
                    tokio::spawn(async move {
                        let outcome = library.fetch(&url, is_again).await;
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
        let words = "the fetch was lost on the way".to_owned();
        Err(FetchError::Transport { host, words })
    }

    /// `None` when it will not come any more.
    async fn arrived(&self, mut arrival: Arrival<Outcome<T>>) -> Option<Outcome<T>> {
        let patience = self.outbound.patience(self.named_by) + FLIGHT_GRACE;
        let landed = arrival.wait_for(Option::is_some);
        let landed = tokio::time::timeout(patience, landed).await;
        landed.ok()?.ok()?.clone()
    }

    async fn fetch(&self, url: &str, is_again: bool) -> Outcome<T> {
        let (named_by, limit) = (self.named_by, self.limit);
        let asked = self.now();
        let reply = self.outbound.get(url, named_by, limit, ACCEPTED).await;
        let reply = reply.map_err(|error| FetchError::new(url, error))?;
        if reply.status != StatusCode::OK {
            let (host, status) = (host(url), reply.status);
            return Err(FetchError::Status { host, status });
        }
        let value = (self.parse)(url, &reply).map_err(|words| FetchError::content(url, &words))?;
        let document = Document::new(value, url, &reply, asked);
        Ok(Arc::new(match is_again {
            true => document.again(),
            false => document,
        }))
    }

    /// Those who ask hear nothing of it.
    fn report(&self, error: &FetchError) {
        let event = Event::refused(Step::Document, Reason::StaleDocument);
        self.outbound.events().emit(&event.detail(error));
    }

    fn keep(&self, url: &str, outcome: &Outcome<T>) {
        match outcome {
            Ok(document) => self.kept.insert(Box::from(url), Arc::clone(document)),
            Err(error) => {
                if self.named_by == NamedBy::Stranger && !error.is_trouble() {
                    // A stranger who takes a document away, or makes it lead inside, has taken it away.
                    self.kept.invalidate(url);
                }
                self.remember(url, error.clone());
                if self.usable(url).is_some() {
                    self.report(error);
                }
            }
        }
    }
}

/// Fetches at once, in all and at one host. Strangers leave some to those who have a login here.
fn most_flights(named_by: NamedBy, asked_by: AskedBy) -> (usize, usize) {
    match (named_by, asked_by) {
        (NamedBy::Operator, _) => (MAX_FLIGHTS, MAX_FLIGHTS),
        (NamedBy::Stranger, AskedBy::Anyone) => (MAX_FLIGHTS, MAX_FLIGHTS_PER_HOST),
        (NamedBy::Stranger, AskedBy::Login) => {
            let all = MAX_FLIGHTS + MAX_FLIGHTS_OF_LOGINS;
            (all, MAX_FLIGHTS_PER_HOST + MAX_FLIGHTS_OF_LOGINS)
        }
    }
}

/// Documents are JSON, by whatever media type of it.
const ACCEPTED: &str = "application/json, application/*+json;q=0.9, */*;q=0.1";

#[cfg(test)]
impl<T: Send + Sync + 'static> Library<T> {
    /// Documents, failures and fetches under way, and how much the first weigh.
    pub(super) fn holds(&self) -> (u64, u64, usize, u64) {
        self.kept.run_pending_tasks();
        self.failed.run_pending_tasks();
        let (kept, failed) = (&self.kept, &self.failed);
        let count = self.flights.count();
        (
            kept.entry_count(),
            failed.entry_count(),
            count,
            kept.weighted_size(),
        )
    }

    pub(super) fn keep_as_if_fetched(&self, url: &str, value: T, body: bytes::Bytes) {
        let reply = Reply {
            status: StatusCode::OK,
            headers: http::HeaderMap::new(),
            body,
        };
        let document = Document::new(value, url, &reply, self.now());
        self.keep(url, &Ok(Arc::new(document)));
    }
}
