//! What a server said of a token: remembered for a while, and asked once for all who wait.
//!
//! No token is kept. An answer is found by a hash of its token with a key that no one knows but this
//! process, so that what lies in its memory cannot be used at the provider.

use std::{
    collections::HashMap,
    future::Future,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use moka::{policy::EvictionPolicy, sync::Cache};
use sha2::{Digest, Sha256};
use tokio::sync::{OnceCell, Semaphore};

use super::token_verifier::{VerifiedToken, VerifyError};
use crate::{
    limits::{
        MAX_GOOD_VERDICTS_BYTES, MAX_QUESTIONS_AT_WORK, MAX_REFUSED_VERDICTS, VERDICT_OVERHEAD,
    },
    random,
    time::Unix,
};

/// What is known of a token.
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    Good(VerifiedToken),
    /// The server does not know it, in words for the operator.
    Unknown(String),
    /// The server's word against it, for the operator.
    Refused(String),
    /// No word on it, and why.
    Trouble(String),
}

impl From<Verdict> for Result<VerifiedToken, VerifyError> {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Good(token) => Ok(token),
            Verdict::Unknown(why) => Err(VerifyError::Unknown(why)),
            Verdict::Refused(why) => Err(VerifyError::Invalid(why)),
            Verdict::Trouble(why) => Err(VerifyError::Unavailable(why.into())),
        }
    }
}

/// How long a verdict is believed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lives {
    /// A good one, and never beyond the token's own end.
    pub(super) good: Duration,
    pub(super) refused: Duration,
}

type Key = [u8; 32];

/// The verdicts of one verifier.
pub(super) struct Verdicts {
    secret: Key,
    good: Cache<Key, Arc<Kept<VerifiedToken>>>,
    /// Apart from the good ones, so that a flood of made-up tokens pushes none of them out.
    refused: Cache<Key, Arc<Kept<Verdict>>>,
    asking: Mutex<HashMap<Key, Arc<Seat>>>,
    at_work: Semaphore,
}

struct Kept<T> {
    value: T,
    since: Unix,
    until: Unix,
    size: usize,
}

/// Where all who wait for one answer sit. The first asks; when it leaves before the answer, the next does.
type Seat = OnceCell<Verdict>;

impl Verdicts {
    pub(super) fn new() -> Self {
        let good = Cache::builder()
            .max_capacity(MAX_GOOD_VERDICTS_BYTES)
            .weigher(|_, kept: &Arc<Kept<VerifiedToken>>| {
                u32::try_from(kept.size + VERDICT_OVERHEAD).unwrap_or(u32::MAX)
            })
            .eviction_policy(EvictionPolicy::lru());
        let refused = Cache::builder()
            .max_capacity(MAX_REFUSED_VERDICTS)
            .eviction_policy(EvictionPolicy::lru());
        Self {
            secret: random::bytes(),
            good: good.build(),
            refused: refused.build(),
            asking: Mutex::default(),
            at_work: Semaphore::new(MAX_QUESTIONS_AT_WORK),
        }
    }

    /// The verdict on this token: as it is known, or as `ask` finds out. However many ask at once, one
    /// question goes out.
    pub(super) async fn of<Question>(
        &self,
        token: &str,
        lives: Lives,
        now: impl Fn() -> Unix,
        ask: impl Fn() -> Question,
    ) -> Verdict
    where
        Question: Future<Output = Verdict>,
    {
        let key = self.key(token);
        if let Some(verdict) = self.known(&key, now()) {
            return verdict;
        }
        let boarded = self.board(key);
        let asked = boarded.seat.get_or_init(async || {
            // It may have come between the look above and this one.
            if let Some(verdict) = self.known(&key, now()) {
                return verdict;
            }
            // Never closed.
            let _turn = self.at_work.acquire().await;
            let verdict = ask().await;
            self.keep(key, &verdict, lives, now());
            // Whoever comes now finds what is kept. Where nothing is, they ask anew.
            boarded.leave();
            verdict
        });
        asked.await.clone()
    }

    fn key(&self, token: &str) -> Key {
        let hash = Sha256::new().chain_update(self.secret);
        hash.chain_update(token).finalize().into()
    }

    fn known(&self, key: &Key, now: Unix) -> Option<Verdict> {
        if let Some(kept) = self.good.get(key).filter(|kept| kept.is_fresh(now)) {
            return Some(Verdict::Good(kept.value.clone()));
        }
        let kept = self.refused.get(key).filter(|kept| kept.is_fresh(now))?;
        Some(kept.value.clone())
    }

    /// Trouble is not kept: it says nothing of the token.
    fn keep(&self, key: Key, verdict: &Verdict, lives: Lives, now: Unix) {
        match verdict {
            Verdict::Good(token) => {
                let end = token.expires_at.map_or(Unix::NEVER, Unix::from);
                let until = end.min(now + lives.good);
                if now < until {
                    let size = size_of(token);
                    self.good
                        .insert(key, Arc::new(Kept::new(token.clone(), now, until, size)));
                }
            }
            Verdict::Refused(_) | Verdict::Unknown(_) if now < now + lives.refused => {
                let until = now + lives.refused;
                let kept = Kept::new(verdict.clone(), now, until, 0);
                self.refused.insert(key, Arc::new(kept));
            }
            Verdict::Refused(_) | Verdict::Unknown(_) | Verdict::Trouble(_) => {}
        }
    }

    fn asking(&self) -> MutexGuard<'_, HashMap<Key, Arc<Seat>>> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn board(&self, key: Key) -> Boarded<'_> {
        let seat = Arc::clone(self.asking().entry(key).or_default());
        Boarded {
            verdicts: self,
            key,
            seat,
        }
    }
}

/// One who waits for an answer.
struct Boarded<'a> {
    verdicts: &'a Verdicts,
    key: Key,
    seat: Arc<Seat>,
}

impl Boarded<'_> {
    /// Takes the seat off the list: no one joins it any more.
    fn leave(&self) {
        let mut asking = self.verdicts.asking();
        let is_it = |seat: &Arc<Seat>| Arc::ptr_eq(seat, &self.seat);
        if asking.get(&self.key).is_some_and(is_it) {
            asking.remove(&self.key);
        }
    }
}

impl Drop for Boarded<'_> {
    fn drop(&mut self) {
        let mut asking = self.verdicts.asking();
        // Given up under the lock, as it was joined: of two who leave at once, the second is the last.
        let seat = mem::take(&mut self.seat);
        // The last one to give up: the list and this one hold it.
        let is_it = |of: &Arc<Seat>| Arc::ptr_eq(of, &seat) && Arc::strong_count(&seat) <= 2;
        if asking.get(&self.key).is_some_and(is_it) {
            asking.remove(&self.key);
        }
        drop(seat);
    }
}

impl<T> Kept<T> {
    fn new(value: T, since: Unix, until: Unix, size: usize) -> Self {
        Self {
            value,
            since,
            until,
            size,
        }
    }

    /// A clock that was set back since makes no verdict live longer.
    fn is_fresh(&self, now: Unix) -> bool {
        self.since <= now && now < self.until
    }
}

/// About what it takes in memory, in bytes.
fn size_of(token: &VerifiedToken) -> usize {
    let texts = token.audiences.iter().map(String::len).sum::<usize>()
        + token.subject.len()
        + token.client_id.as_ref().map_or(0, String::len)
        + token.scopes.as_str().len();
    let claims = serde_json::to_string(&token.claims).map_or(0, |claims| claims.len());
    // A parsed value takes more than its text: names, enums, room to grow.
    mem::size_of::<VerifiedToken>() + texts + 4 * claims
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::UNIX_EPOCH,
    };

    use tokio::sync::Notify;

    use super::*;

    const LIVES: Lives = Lives {
        good: Duration::from_secs(60),
        refused: Duration::from_secs(10),
    };

    fn at(secs: u64) -> impl Fn() -> Unix {
        move || Unix::at(secs)
    }

    fn ada() -> Verdict {
        Verdict::Good(VerifiedToken::new("ada"))
    }

    /// Counts the questions.
    struct Server {
        verdicts: Verdicts,
        asked: AtomicUsize,
    }

    impl Server {
        fn new() -> Self {
            Self {
                verdicts: Verdicts::new(),
                asked: AtomicUsize::new(0),
            }
        }

        async fn says(&self, verdict: Verdict, token: &str, lives: Lives, secs: u64) -> usize {
            let ask = || {
                self.asked.fetch_add(1, Ordering::SeqCst);
                std::future::ready(verdict.clone())
            };
            self.verdicts.of(token, lives, at(secs), ask).await;
            self.asked.load(Ordering::SeqCst)
        }
    }

    #[tokio::test]
    async fn a_verdict_is_believed_for_its_life_and_trouble_is_not_kept() {
        let good = Server::new();
        for (secs, asked) in [(100, 1), (159, 1), (160, 2), (90, 3)] {
            assert_eq!(good.says(ada(), "t", LIVES, secs).await, asked, "{secs}");
        }
        let refused = Server::new();
        let no = || Verdict::Refused("inactive".to_owned());
        for (secs, asked) in [(100, 1), (109, 1), (110, 2)] {
            assert_eq!(refused.says(no(), "t", LIVES, secs).await, asked, "{secs}");
        }
        let down = Server::new();
        let trouble = || Verdict::Trouble("down".to_owned());
        for asked in [1, 2] {
            assert_eq!(down.says(trouble(), "t", LIVES, 100).await, asked);
        }
        assert_eq!(down.says(ada(), "other", LIVES, 100).await, 3);
    }

    #[tokio::test]
    async fn a_token_is_not_believed_beyond_its_end_and_without_a_life_not_at_all() {
        let mut token = VerifiedToken::new("ada");
        token.expires_at = Some(UNIX_EPOCH + Duration::from_secs(130));
        let ending = Server::new();
        let verdict = || Verdict::Good(token.clone());
        for (secs, asked) in [(100, 1), (129, 1), (130, 2), (130, 3)] {
            assert_eq!(
                ending.says(verdict(), "t", LIVES, secs).await,
                asked,
                "{secs}"
            );
        }
        let none = Lives {
            good: Duration::ZERO,
            refused: Duration::ZERO,
        };
        let server = Server::new();
        for (asked, verdict) in [(1, ada()), (2, ada()), (3, Verdict::Refused(String::new()))] {
            assert_eq!(server.says(verdict, "t", none, 100).await, asked);
        }
        assert!(server.verdicts.asking().is_empty());
    }

    /// Whatever its verdict: those who wait share it, remembered or not.
    #[tokio::test]
    async fn a_hundred_who_ask_at_once_cause_one_question() {
        let none = Lives {
            good: Duration::ZERO,
            refused: Duration::ZERO,
        };
        for verdict in [
            ada(),
            Verdict::Refused("no".to_owned()),
            Verdict::Trouble("down".to_owned()),
        ] {
            let (verdicts, asked) = (Arc::new(Verdicts::new()), Arc::new(AtomicUsize::new(0)));
            let open = Arc::new(Notify::new());
            let wait = || {
                let (verdicts, asked, open) = (verdicts.clone(), asked.clone(), open.clone());
                let verdict = verdict.clone();
                tokio::spawn(async move {
                    let ask = || {
                        asked.fetch_add(1, Ordering::SeqCst);
                        let (open, verdict) = (open.clone(), verdict.clone());
                        async move {
                            open.notified().await;
                            verdict
                        }
                    };
                    format!("{:?}", verdicts.of("t", none, at(100), ask).await)
                })
            };
            let all: Vec<_> = (0..100).map(|_| wait()).collect();
            while Arc::strong_count(&verdicts) < 101 || asked.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
            // All of them have had their turn to ask.
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
            open.notify_waiters();
            for one in all {
                assert_eq!(one.await.unwrap(), format!("{verdict:?}"));
            }
            assert_eq!(asked.load(Ordering::SeqCst), 1, "{verdict:?}");
            assert!(verdicts.asking().is_empty());
        }
    }

    #[tokio::test]
    async fn when_the_first_leaves_the_next_asks_and_the_last_leaves_nothing_behind() {
        let (verdicts, asked) = (Arc::new(Verdicts::new()), Arc::new(AtomicUsize::new(0)));
        let begin = || {
            let (verdicts, asked) = (verdicts.clone(), asked.clone());
            tokio::spawn(async move {
                let ask = || {
                    asked.fetch_add(1, Ordering::SeqCst);
                    std::future::pending()
                };
                verdicts.of("t", LIVES, at(100), ask).await
            })
        };
        let until = async |count: usize| {
            while asked.load(Ordering::SeqCst) < count {
                tokio::task::yield_now().await;
            }
        };
        let first = begin();
        until(1).await;
        let second = begin();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        first.abort();
        until(2).await;
        assert_eq!(verdicts.asking().len(), 1);
        second.abort();
        let _ = second.await;
        assert!(verdicts.asking().is_empty());
    }

    #[tokio::test]
    async fn tokens_without_number_take_bounded_room_and_push_no_good_one_out() {
        let server = Server::new();
        server.says(ada(), "good", LIVES, 100).await;
        let no = Verdict::Refused("x".repeat(100));
        let flood = MAX_REFUSED_VERDICTS + 5_000;
        for number in 0..flood {
            server
                .says(no.clone(), &number.to_string(), LIVES, 100)
                .await;
        }
        server.verdicts.refused.run_pending_tasks();
        assert!(server.verdicts.refused.entry_count() <= MAX_REFUSED_VERDICTS);
        let asked = server.asked.load(Ordering::SeqCst);
        assert_eq!(server.says(ada(), "good", LIVES, 100).await, asked);

        let mut large = VerifiedToken::new("ada");
        large
            .claims
            .insert("groups".to_owned(), "x".repeat(16 * 1024).into());
        for number in 0..2_000 {
            let token = format!("large-{number}");
            server
                .says(Verdict::Good(large.clone()), &token, LIVES, 100)
                .await;
        }
        server.verdicts.good.run_pending_tasks();
        assert!(server.verdicts.good.weighted_size() <= MAX_GOOD_VERDICTS_BYTES);
        assert!(server.verdicts.good.entry_count() > 100);
    }

    #[test]
    fn two_who_give_up_at_the_same_moment_leave_nothing_behind() {
        const ROUNDS: usize = 20_000;
        let (verdicts, round) = (Verdicts::new(), AtomicUsize::new(0));
        let give_up = || {
            for number in 0..ROUNDS {
                let one = verdicts.board(verdicts.key(&number.to_string()));
                // Until both have joined.
                round.fetch_add(1, Ordering::SeqCst);
                while round.load(Ordering::SeqCst) < 2 * (number + 1) {
                    std::thread::yield_now();
                }
                drop(one);
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(give_up);
            scope.spawn(give_up);
        });
        assert_eq!(verdicts.asking().len(), 0);
    }

    #[test]
    fn a_token_is_found_by_a_hash_that_no_other_process_makes() {
        let (one, other) = (Verdicts::new(), Verdicts::new());
        assert_eq!(one.key("t"), one.key("t"));
        assert_ne!(one.key("t"), one.key("u"));
        assert_ne!(one.key("t"), other.key("t"));
    }
}
