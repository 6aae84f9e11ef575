//! One request at a time for the same thing: those who come meanwhile wait for its answer.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

type Waiting<K, T> = HashMap<K, watch::Receiver<Option<T>>>;

/// The requests that are under way.
pub(super) struct Flights<K, T> {
    waiting: Arc<Mutex<Waiting<K, T>>>,
    most: usize,
}

/// What a caller does.
pub(super) enum Boarded<K: Eq + Hash, T> {
    /// Waits for another's answer, or finds that there is none to be had in the meantime.
    Waits(watch::Receiver<Option<T>>),
    /// Starts the work, which has to land.
    Starts(Flight<K, T>, watch::Receiver<Option<T>>),
    /// As many are under way as there may be.
    Full,
}

/// One request under way. Where it is dropped without an answer, those who wait hear that there is none.
pub(super) struct Flight<K: Eq + Hash, T> {
    key: K,
    waiting: Arc<Mutex<Waiting<K, T>>>,
    answer: watch::Sender<Option<T>>,
}

impl<K: Eq + Hash + Clone, T: Clone> Flights<K, T> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            waiting: Arc::default(),
            most,
        }
    }

    /// `known` looks for an answer that has landed, under the lock: else one that landed between a look
    /// and this would be asked for again.
    pub(super) fn board<R>(
        &self,
        key: &K,
        known: impl FnOnce() -> Option<R>,
    ) -> Result<R, Boarded<K, T>> {
        let mut waiting = lock(&self.waiting);
        if let Some(answer) = waiting.get(key) {
            return Err(Boarded::Waits(answer.clone()));
        }
        if let Some(known) = known() {
            return Ok(known);
        }
        if waiting.len() >= self.most {
            return Err(Boarded::Full);
        }
        let (sender, answer) = watch::channel(None);
        waiting.insert(key.clone(), answer.clone());
        let flight = Flight {
            key: key.clone(),
            waiting: Arc::clone(&self.waiting),
            answer: sender,
        };
        Err(Boarded::Starts(flight, answer))
    }
}

impl<K: Eq + Hash, T> Flight<K, T> {
    /// Call it when the answer can be found by those who come from here on.
    pub(super) fn land(self, answer: T) {
        self.answer.send_replace(Some(answer));
    }
}

impl<K: Eq + Hash, T> Drop for Flight<K, T> {
    fn drop(&mut self) {
        lock(&self.waiting).remove(&self.key);
    }
}

/// The answer of a flight; `None` where it ended without one.
pub(super) async fn landed<T: Clone>(mut answer: watch::Receiver<Option<T>>) -> Option<T> {
    let landed = answer.wait_for(Option::is_some).await.ok()?;
    landed.clone()
}

fn lock<K, T>(waiting: &Mutex<Waiting<K, T>>) -> MutexGuard<'_, Waiting<K, T>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(flights: &Flights<u8, u8>, key: u8) -> Flight<u8, u8> {
        match flights.board(&key, || None::<u8>) {
            Err(Boarded::Starts(flight, _)) => flight,
            _ => panic!("it does not start"),
        }
    }

    #[tokio::test]
    async fn those_who_come_meanwhile_hear_the_first_ones_answer() {
        let flights = Flights::new(2);
        let flight = starts(&flights, 1);
        let Err(Boarded::Waits(answer)) = flights.board(&1, || None::<u8>) else {
            panic!("it does not wait");
        };
        flight.land(7);
        assert_eq!(landed(answer).await, Some(7));
        assert_eq!(flights.board(&1, || Some(7)).ok(), Some(7));
        drop(starts(&flights, 1));
    }

    #[tokio::test]
    async fn one_that_ends_without_an_answer_leaves_nobody_waiting_and_no_trace() {
        let flights = Flights::new(1);
        let flight = starts(&flights, 1);
        let Err(Boarded::Waits(answer)) = flights.board(&1, || None::<u8>) else {
            panic!("it does not wait");
        };
        assert!(matches!(
            flights.board(&2, || None::<u8>),
            Err(Boarded::Full)
        ));
        drop(flight);
        assert_eq!(landed(answer).await, None);
        drop(starts(&flights, 2));
        assert!(lock(&flights.waiting).is_empty());
    }
}
