//! A person's return from the provider, as this process knows it.

use std::{
    collections::hash_map::RandomState,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::Outcome;
use crate::{
    generations::{Generations, Gone, Kept},
    key::sha256,
    limits::{MAX_CALLBACKS, MAX_CALLBACKS_AT_ONCE, MAX_CALLBACKS_AT_WORK},
    metrics::{self, Live},
    quota::Limit,
    time::Unix,
};

/// Callbacks that this process has begun to answer: the provider's single-use code is sent once,
/// whatever the browser does. The store holds those that succeeded.
///
/// Each is kept at least for the life of a login cookie. Of more than [`MAX_CALLBACKS`] the older half
/// goes early, except for those at work: what the store does not know by then, the provider has to.
///
/// How many are answered at once is bounded, and how many of those are at the provider: one that is
/// slow must not fill the memory.
pub(crate) struct Arrivals {
    known: Mutex<Generations<[u8; 32], Arc<Arrival>, RandomState>>,
    places: Arc<Semaphore>,
    turns: Semaphore,
}

impl Arrivals {
    /// `at_once`: the most that are answered at once, where the operator says so.
    pub(crate) fn new(kept_for: Duration, at_once: Option<usize>) -> Self {
        let at_once = at_once.unwrap_or(MAX_CALLBACKS_AT_ONCE);
        Self {
            known: Mutex::new(Generations::new(MAX_CALLBACKS / 2, kept_for)),
            places: Arc::new(Semaphore::new(at_once.min(MAX_CALLBACKS_AT_ONCE))),
            turns: Semaphore::new(MAX_CALLBACKS_AT_WORK),
        }
    }

    /// Place for one more callback, however often it is repeated; `None` when there is none.
    pub(super) fn place(&self) -> Option<Place> {
        let permit = Arc::clone(&self.places).try_acquire_owned();
        let permit = permit
            .inspect_err(|_| metrics::limited(Limit::Callbacks.option()))
            .ok()?;
        Some(Place {
            _permit: permit,
            _live: Live::login(),
        })
    }

    /// One callback's turn at the provider, in the order of arrival; `None` when it does not come
    /// in time.
    pub(super) async fn turn(&self, patience: Duration) -> Option<SemaphorePermit<'_>> {
        let turn = tokio::time::timeout(patience, self.turns.acquire()).await;
        turn.ok()?.ok()
    }

    /// The arrival of this login, the same for all who ask.
    pub(super) fn of(&self, state: &str, now: Unix) -> Arc<Arrival> {
        let state = sha256(state.as_bytes());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = known.grow_older(now);
        let (arrival, more_gone) = match known.get(&state) {
            Some(arrival) => (Arc::clone(arrival), Gone::default()),
            None => {
                let arrival = Arc::<Arrival>::default();
                let gone = known.put(state, Arc::clone(&arrival), now);
                (arrival, gone)
            }
        };
        drop(known);
        // Only now, without the lock: there may be thousands.
        drop((gone, more_gone));
        arrival
    }
}

/// The place of one callback, until it is dropped.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    _live: Live,
}

/// Those at work stay: forgotten, they would begin a second time, and the claim in the store, which is
/// in this process's name, would not hold them back. They are fewer than there are places.
impl Kept for Arc<Arrival> {
    const MAY_BE_IN_USE: bool = true;

    fn is_in_use(&self) -> bool {
        Self::strong_count(self) > 1
    }
}

/// One callback: the provider's code is sent once, whatever the browser repeats, and the outcome is
/// given to one request.
#[derive(Default)]
pub(super) struct Arrival {
    pub(super) outcome: OnceCell<Arc<Outcome>>,
    is_given: AtomicBool,
}

impl Arrival {
    /// The outcome, to the first who asks for it.
    pub(super) fn give(&self) -> Option<Arc<Outcome>> {
        match self.is_given.swap(true, Ordering::AcqRel) {
            true => None,
            false => self.outcome.get().cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Duration = Duration::from_secs(600);

    fn is_known(arrivals: &Arrivals, state: &str, now: Unix) -> bool {
        let arrival = arrivals.of(state, now);
        arrival.is_given.swap(true, Ordering::AcqRel)
    }

    #[test]
    fn a_login_arrives_once_as_long_as_its_cookie_lives_and_is_forgotten_then() {
        for arrived_at in [1_000, 1_001, 1_300, 1_599] {
            let arrivals = Arrivals::new(KEPT, None);
            let others = |until| {
                for now in 1_000..until {
                    arrivals.of(&format!("other{now}"), Unix::at(now));
                }
            };
            others(arrived_at);
            assert!(!is_known(&arrivals, "state", Unix::at(arrived_at)));
            others(arrived_at + 599);
            let now = arrived_at + 599;
            assert!(is_known(&arrivals, "state", Unix::at(now)), "{arrived_at}");
            others(now + 1_200);
            let held = arrivals.known.lock().unwrap();
            assert!(held.iter().count() <= 1_200);
            let state = sha256(b"state");
            assert!(held.get(&state).is_none());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_at_the_provider_is_waited_for_as_long_as_patience_lasts() {
        let arrivals = Arrivals::new(KEPT, None);
        let mut held = Vec::new();
        for _ in 0..MAX_CALLBACKS_AT_WORK {
            held.push(arrivals.turn(Duration::ZERO).await.expect("a turn"));
        }
        let patience = Duration::from_secs(10);
        assert!(arrivals.turn(patience).await.is_none());
        let (next, ()) = tokio::join!(arrivals.turn(patience), async {
            tokio::time::sleep(patience / 2).await;
            held.pop();
        });
        assert!(next.is_some());
    }

    #[test]
    fn no_more_are_kept_than_there_may_be_and_the_youngest_half_is() {
        let arrivals = Arrivals::new(KEPT, None);
        let many = MAX_CALLBACKS + 5;
        for n in 0..many {
            if n == MAX_CALLBACKS {
                assert!(
                    is_known(&arrivals, "0", Unix::at(1_000)),
                    "all of them are known"
                );
            }
            assert!(!is_known(&arrivals, &n.to_string(), Unix::at(1_000)));
            let held = arrivals.known.lock().unwrap();
            assert!(held.iter().count() <= MAX_CALLBACKS, "{n}");
        }
        for n in many - MAX_CALLBACKS / 2..many {
            assert!(is_known(&arrivals, &n.to_string(), Unix::at(1_000)), "{n}");
        }
        assert!(!is_known(&arrivals, "0", Unix::at(1_000)));
    }

    #[test]
    fn one_at_work_is_known_however_many_others_come() {
        let arrivals = Arrivals::new(KEPT, None);
        let at_work = arrivals.of("state", Unix::at(1_000));
        for n in 0..2 * MAX_CALLBACKS {
            arrivals.of(&n.to_string(), Unix::at(1_000));
        }
        assert!(Arc::ptr_eq(
            &at_work,
            &arrivals.of("state", Unix::at(1_000))
        ));
        drop(at_work);
        for n in 0..2 * MAX_CALLBACKS {
            arrivals.of(&n.to_string(), Unix::at(1_000));
        }
        let held = arrivals.known.lock().unwrap();
        assert!(held.iter().count() <= MAX_CALLBACKS);
        let state = sha256(b"state");
        assert!(held.get(&state).is_none());
    }
}
