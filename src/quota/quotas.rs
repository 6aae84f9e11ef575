//! The buckets of one proxy.

use std::{
    collections::hash_map::RandomState,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    bucket::PerMinute,
    limit::{Allowed, Limit, Over},
};
use crate::{
    generations::{Generations, Kept},
    key::sha256,
    limits::MAX_PACED_HOLDERS,
    metrics,
    time::Unix,
};

/// What is left of each limit, in this process. A limit that is not set costs nothing.
#[derive(Debug)]
pub(crate) struct Quotas {
    registrations: Option<Bucket>,
    logins: Option<Bucket>,
    token_requests: Option<Buckets>,
}

/// Whose token requests are counted together.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holder<'a> {
    /// A grant, by its id.
    Grant(&'a [u8; 16]),
    /// A configured client that asks in its own name, by its id.
    Machine(&'a str),
    /// The person or workload that a trusted issuer vouches for: the issuer, and its subject.
    Vouched(&'a str, &'a str),
}

impl Quotas {
    pub(crate) fn new(allowed: &Allowed) -> Self {
        Self {
            registrations: allowed.registrations_per_minute.map(Bucket::new),
            logins: allowed.logins_per_minute.map(Bucket::new),
            token_requests: allowed.token_requests_per_minute.map(Buckets::new),
        }
    }

    /// A client is about to register.
    pub(crate) fn registration(&self, now: SystemTime) -> Result<(), Over> {
        taken(Limit::Registrations, || {
            self.registrations.as_ref().map(|bucket| bucket.take(now))
        })
    }

    /// A login is about to begin.
    pub(crate) fn login(&self, now: SystemTime) -> Result<(), Over> {
        taken(Limit::Logins, || {
            self.logins.as_ref().map(|bucket| bucket.take(now))
        })
    }

    /// A holder is about to get a token.
    pub(crate) fn token_request(&self, holder: Holder<'_>, now: SystemTime) -> Result<(), Over> {
        taken(Limit::TokenRequests, || {
            let buckets = self.token_requests.as_ref();
            buckets.map(|buckets| buckets.take(holder, now))
        })
    }
}

fn taken(limit: Limit, take: impl FnOnce() -> Option<Result<(), Duration>>) -> Result<(), Over> {
    match take() {
        None | Some(Ok(())) => Ok(()),
        Some(Err(wait)) => {
            metrics::limited(limit.option());
            Err(Over { limit, wait })
        }
    }
}

/// One bucket for everybody.
#[derive(Debug)]
struct Bucket {
    rate: PerMinute,
    full_at: AtomicU64,
}

impl Bucket {
    fn new(most: u32) -> Self {
        Self {
            rate: PerMinute::new(most),
            full_at: AtomicU64::new(0),
        }
    }

    fn take(&self, now: SystemTime) -> Result<(), Duration> {
        let now = nanos(now);
        let mut full_at = self.full_at.load(Ordering::Relaxed);
        // The number is all there is: nothing else has to be seen with it.
        loop {
            let taken = self.rate.take(full_at, now)?;
            let exchanged = (self.full_at).compare_exchange_weak(
                full_at,
                taken,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match exchanged {
                Ok(_) => return Ok(()),
                Err(seen) => full_at = seen,
            }
        }
    }
}

/// A bucket for each holder that asked in the last minute.
struct Buckets {
    rate: PerMinute,
    of: Mutex<Generations<[u8; 32], FullAt, RandomState>>,
}

/// A bucket, as `PerMinute` has it.
#[derive(Clone, Copy)]
struct FullAt(u64);

impl Kept for FullAt {}

/// The time after which a bucket that was left alone is full, and need not be known any more. Instants of
/// generations are whole seconds, so one more.
const FULL_AGAIN: Duration = Duration::from_secs(61);

impl Buckets {
    fn new(most: u32) -> Self {
        Self {
            rate: PerMinute::new(most),
            of: Mutex::new(Generations::new(MAX_PACED_HOLDERS / 2, FULL_AGAIN)),
        }
    }

    fn take(&self, holder: Holder<'_>, now: SystemTime) -> Result<(), Duration> {
        let key = holder.key();
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = of.get(&key).map_or(0, |bucket| bucket.0);
        let taken = self.rate.take(full_at, nanos(now))?;
        let gone = of.put(key, FullAt(taken), Unix::from(now));
        drop(of);
        // Only now, without the lock: there may be thousands.
        drop(gone);
        Ok(())
    }
}

impl Holder<'_> {
    /// Of one length, however long a subject is; and no subject is taken for a grant, or for one of another issuer.
    fn key(self) -> [u8; 32] {
        match self {
            Self::Grant(id) => sha256(&[b"grant\0", &id[..]].concat()),
            Self::Machine(id) => sha256(&[b"machine\0", id.as_bytes()].concat()),
            // The issuer is one of the configuration, and has no NUL.
            Self::Vouched(issuer, subject) => {
                sha256(&[b"vouched\0", issuer.as_bytes(), b"\0", subject.as_bytes()].concat())
            }
        }
    }
}

/// Since the epoch; what lies before it is 0.
fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

impl std::fmt::Debug for Buckets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Buckets")
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;

    const NOW: Duration = Duration::from_secs(1_800_000_000);

    fn at(secs: u64) -> SystemTime {
        UNIX_EPOCH + NOW + Duration::from_secs(secs)
    }

    fn quotas(most: u32) -> Quotas {
        Quotas::new(&Allowed {
            registrations_per_minute: Some(most),
            logins_per_minute: Some(most),
            token_requests_per_minute: Some(most),
            callbacks_at_once: None,
        })
    }

    #[test]
    fn what_is_not_limited_is_never_refused() {
        let quotas = Quotas::new(&Allowed::default());
        for _ in 0..100_000 {
            assert_eq!(quotas.registration(at(0)), Ok(()));
            assert_eq!(quotas.login(at(0)), Ok(()));
            assert_eq!(quotas.token_request(Holder::Machine("m"), at(0)), Ok(()));
        }
    }

    /// Eight threads that begin together, and a thousand tries each.
    fn of_many_threads(take: impl Fn() -> bool + Sync) -> usize {
        let start = Barrier::new(8);
        let one = || {
            start.wait();
            (0..1_000).filter(|_| take()).count()
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        })
    }

    #[test]
    fn of_many_threads_at_once_exactly_as_many_pass_as_the_limit_says() {
        for most in [1, 10, 777, 5_000] {
            let quotas = quotas(most);
            let most = most as usize;
            assert_eq!(of_many_threads(|| quotas.registration(at(0)).is_ok()), most);
            assert_eq!(of_many_threads(|| quotas.login(at(0)).is_ok()), most);
            let of_one = |id: u8| {
                let grant = [id; 16];
                of_many_threads(|| quotas.token_request(Holder::Grant(&grant), at(0)).is_ok())
            };
            assert_eq!(
                (of_one(1), of_one(2)),
                (most, most),
                "each grant has its own"
            );
        }
    }

    #[test]
    fn each_limit_says_its_name_and_when_to_come_again() {
        let quotas = quotas(3);
        for _ in 0..3 {
            quotas.login(at(0)).unwrap();
        }
        let over = quotas.login(at(0)).unwrap_err();
        assert_eq!(
            (over.limit, over.wait),
            (Limit::Logins, Duration::from_secs(20))
        );
        assert!(over.to_string().contains("`logins_per_minute`"), "{over}");
        assert_eq!(quotas.registration(at(0)), Ok(()), "limits are apart");
        assert!(quotas.login(at(19)).is_err());
        assert_eq!(quotas.login(at(20)), Ok(()));
    }

    #[test]
    fn holders_are_apart_however_they_are_called() {
        let quotas = quotas(1);
        let holders = [
            Holder::Grant(b"0123456789abcdef"),
            Holder::Machine("0123456789abcdef"),
            Holder::Vouched("a", "b\0c"),
            Holder::Vouched("a", "bc"),
            Holder::Vouched("ab", "c"),
        ];
        for holder in holders {
            assert_eq!(quotas.token_request(holder, at(0)), Ok(()), "{holder:?}");
            assert!(quotas.token_request(holder, at(0)).is_err(), "{holder:?}");
        }
    }

    #[test]
    fn a_bucket_is_remembered_for_as_long_as_it_is_not_full() {
        let quotas = quotas(1);
        let grant = Holder::Grant(&[7; 16]);
        quotas.token_request(grant, at(0)).unwrap();
        for second in 1..60 {
            // Others come and go meanwhile, and generations with them.
            let other = format!("machine {second}");
            quotas
                .token_request(Holder::Machine(&other), at(second))
                .unwrap();
            assert!(quotas.token_request(grant, at(second)).is_err(), "{second}");
        }
        assert_eq!(quotas.token_request(grant, at(60)), Ok(()));
    }

    #[test]
    fn the_memory_is_bounded_whoever_comes() {
        let buckets = Buckets::new(1);
        for machine in 0..3 * MAX_PACED_HOLDERS {
            let name = machine.to_string();
            assert!(buckets.take(Holder::Machine(&name), at(0)).is_ok());
        }
        let kept = buckets.of.lock().unwrap().iter().count();
        assert!(kept <= MAX_PACED_HOLDERS, "{kept}");
    }
}
