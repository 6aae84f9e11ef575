//! Fetches that are under way: one for each URL, however many wait for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

/// What waits for a fetch: `None` until it has landed. Where the sender is gone before, it never will.
pub(super) type Arrival<V> = watch::Receiver<Option<V>>;

/// The fetches of one cache, each with its host.
pub(super) struct Flights<V>(Mutex<HashMap<Arc<str>, Flight<V>>>);

struct Flight<V> {
    host: Box<str>,
    arrival: Arrival<V>,
}

/// What there is for one who asks.
pub(super) enum Boarding<V> {
    /// Another one's fetch is under way.
    Joined(Arrival<V>),
    /// This one has to be flown.
    Pilot(Landing<V>, Arrival<V>),
    /// What was asked for has landed meanwhile.
    Landed(V),
    /// Too many are under way.
    Full,
    /// Too many began just now.
    TooOften,
}

impl<V> Flights<V> {
    pub(super) fn new() -> Self {
        Self(Mutex::default())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Flight<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the fetch of this URL, or begins one, of so many at most in all and at one host. `landed` is asked under the lock: what the last fetch
    /// brought has arrived before it leaves the list. `may_begin` is asked last: it counts.
    pub(super) fn board(
        self: &Arc<Self>,
        url: &str,
        host: &str,
        (most, most_of_host): (usize, usize),
        landed: impl FnOnce() -> Option<V>,
        may_begin: impl FnOnce() -> bool,
    ) -> Boarding<V> {
        let mut flights = self.lock();
        if let Some(flight) = flights.get(url) {
            return Boarding::Joined(flight.arrival.clone());
        }
        if let Some(landed) = landed() {
            return Boarding::Landed(landed);
        }
        let of_host = || flights.values().filter(|it| &*it.host == host).count();
        if flights.len() >= most || of_host() >= most_of_host {
            return Boarding::Full;
        }
        if !may_begin() {
            return Boarding::TooOften;
        }
        let (sender, arrival) = watch::channel(None);
        let url: Arc<str> = Arc::from(url);
        let flight = Flight {
            host: Box::from(host),
            arrival: arrival.clone(),
        };
        flights.insert(Arc::clone(&url), flight);
        let landing = Landing {
            flights: Arc::clone(self),
            url,
            sender,
        };
        Boarding::Pilot(landing, arrival)
    }

    /// Takes a fetch off the list that has not come in all its time, so that the next one who asks begins
    /// anew: a runtime that nobody drives any more does not carry it on.
    pub(super) fn give_up(&self, url: &str, arrival: &Arrival<V>) {
        let mut flights = self.lock();
        let is_it = |flight: &Flight<V>| flight.arrival.same_channel(arrival);
        if flights.get(url).is_some_and(is_it) {
            flights.remove(url);
        }
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }
}

/// The duty to land: however the fetch ends, it leaves the list.
pub(super) struct Landing<V> {
    flights: Arc<Flights<V>>,
    url: Arc<str>,
    sender: watch::Sender<Option<V>>,
}

impl<V> Landing<V> {
    /// Tells all who wait.
    pub(super) fn land(self, outcome: V) {
        self.leave();
        self.sender.send_replace(Some(outcome));
    }

    fn leave(&self) {
        self.flights.give_up(&self.url, &self.sender.subscribe());
    }
}

/// It panicked, or its runtime is gone.
impl<V> Drop for Landing<V> {
    fn drop(&mut self) {
        self.leave();
    }
}
