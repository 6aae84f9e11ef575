//! What stands in the store about one grant's renewal: its owner, and what became of the last one.
//!
//! Absent is the normal state: no one is at it, and the last one to be at it let go. So a lease that
//! was let go differs from one whose owner died.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::super::backoff::Failure;
use crate::{
    limits::{BACK_OFF_MEMORY, LEASE_DEAD_AFTER, SETTLE_FOR},
    time::Unix,
    vault::Raw,
};

/// The first byte of the record.
const VERSION: u8 = 1;

/// The record: a version, then its members in this order, as `postcard` packs them. One that does not
/// parse is of another version, and treated as held.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct LeaseRecord {
    /// Its holder, by a random number; `None` when there is none.
    pub(super) owner: Option<u64>,
    /// Another number each time that the owner says that it lives.
    pub(super) beat: u32,
    /// Whether the owner has kept its callers waiting for too long, and is not worth waiting for.
    pub(super) is_late: bool,
    /// When it was taken from an owner that never let go. That one may have been answered by the
    /// provider, and not have been able to store it.
    pub(super) suspect_since: Option<Unix>,
    /// Failures in a row.
    pub(super) failures: u32,
    /// Until when the provider is left alone.
    pub(super) until: Unix,
}

impl LeaseRecord {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [VERSION, packed @ ..] = bytes else {
            return None;
        };
        match postcard::take_from_bytes(packed).ok()? {
            (record, []) => Some(record),
            _ => None,
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        // Numbers and flags: there is nothing in it that could fail.
        postcard::to_extend(self, vec![VERSION]).unwrap_or_default()
    }

    /// Taken by this owner, while it was free. What became of the last one stays known.
    pub(super) fn taken(&self, owner: u64, now: Unix) -> Self {
        Self {
            owner: Some(owner),
            suspect_since: suspicion(self.suspect_since, now),
            failures: self.failures,
            ..Self::default()
        }
    }

    /// Taken by this owner from one that is dead.
    pub(super) fn taken_over(dead: Option<&Self>, owner: u64, now: Unix) -> Self {
        Self {
            owner: Some(owner),
            suspect_since: Some(now),
            failures: dead.map_or(0, |dead| dead.failures),
            ..Self::default()
        }
    }

    pub(super) fn beaten(&self, is_late: bool) -> Self {
        Self {
            beat: self.beat.wrapping_add(1),
            is_late,
            ..self.clone()
        }
    }

    /// Let go after a failure: others hold back too, and a suspicion goes on.
    pub(super) fn let_go(&self, failure: Failure, now: Unix) -> Self {
        Self {
            suspect_since: suspicion(self.suspect_since, now),
            failures: failure.count,
            until: failure.until,
            ..Self::default()
        }
    }

    /// How long a free record is worth keeping.
    pub(super) fn kept_for(&self, now: Unix) -> Duration {
        let pause = self.until.since(now).saturating_add(BACK_OFF_MEMORY);
        let suspect = self.suspect_since.map(|since| since + SETTLE_FOR);
        let suspect = suspect.map_or(Duration::ZERO, |end| end.since(now));
        pause.max(suspect).min(SETTLE_FOR)
    }

    /// The failure that holds all back; `None` when nothing does.
    pub(super) fn failure(&self, now: Unix) -> Option<Failure> {
        let failure = Failure {
            count: self.failures,
            until: self.until,
        };
        failure.holds(now).then_some(failure)
    }
}

/// A suspicion ends when its cause would have settled: an owner that was answered tries to store it for
/// [`SETTLE_FOR`]. One from the future is from a clock that was set back, and begins now.
pub(super) fn suspicion(since: Option<Unix>, now: Unix) -> Option<Unix> {
    let since = since?.min(now);
    (now < since + SETTLE_FOR).then_some(since)
}

/// What a waiter has seen of another's lease, in its own time: clocks of machines differ.
#[derive(Default)]
pub(super) struct Watch(Option<(Raw, Instant)>);

impl Watch {
    /// Whether the owner has said nothing for as long as this waiter looked on. `asked` is from
    /// before the store was asked for the value, `now` from after.
    pub(super) fn is_dead(&mut self, value: &Raw, asked: Instant, now: Instant) -> bool {
        match &self.0 {
            Some((seen, since)) if seen == value => {
                asked.saturating_duration_since(*since) >= LEASE_DEAD_AFTER
            }
            _ => {
                self.0 = Some((value.clone(), now));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{storage::MemoryStorage, vault::Vault};

    const TEN_MINUTES: u64 = SETTLE_FOR.as_secs();

    fn held(owner: u64) -> LeaseRecord {
        LeaseRecord::default().taken(owner, Unix::at(1_000))
    }

    /// Samples of the format, as they stand in stores from here on.
    #[test]
    fn a_record_is_a_version_and_its_members_packed() {
        let samples = [
            (LeaseRecord::default(), &b"\x01\0\0\0\0\0\0"[..]),
            (
                LeaseRecord {
                    owner: Some(300),
                    beat: 2,
                    is_late: true,
                    suspect_since: Some(Unix::at(5)),
                    failures: 3,
                    until: Unix::at(7),
                },
                b"\x01\x01\xac\x02\x02\x01\x01\x05\x03\x07",
            ),
        ];
        for (record, bytes) in samples {
            assert_eq!(record.bytes(), bytes);
            assert_eq!(LeaseRecord::read(bytes), Some(record));
            assert_eq!(LeaseRecord::read(&[bytes, &[0]].concat()), None);
            let [_, rest @ ..] = bytes else { panic!() };
            assert_eq!(LeaseRecord::read(&[&[2], rest].concat()), None);
        }
        assert_eq!(LeaseRecord::read(b""), None);
        assert_eq!(LeaseRecord::read(b"\x01"), None);
    }

    #[test]
    fn a_lease_whose_owner_is_silent_for_three_seconds_is_dead_and_not_before() {
        let begin = Instant::now();
        let at = |millis| begin + Duration::from_millis(millis);
        let store = Arc::new(MemoryStorage::new());
        let vault = Vault::new(store, None, Arc::default());
        let [first, second] = [held(1), held(1)].map(|held| vault.seal("k", &held.bytes()));
        let mut watch = Watch::default();
        assert!(!watch.is_dead(&first, at(0), at(10)));
        assert!(!watch.is_dead(&first, at(2_000), at(2_010)));
        assert!(
            !watch.is_dead(&first, at(3_009), at(9_000)),
            "asked too early"
        );
        assert!(watch.is_dead(&first, at(3_010), at(3_020)));
        assert!(!watch.is_dead(&second, at(3_030), at(3_040)), "it lives");
        assert!(!watch.is_dead(&second, at(6_000), at(6_010)));
        assert!(watch.is_dead(&second, at(6_040), at(6_050)));
    }

    #[test]
    fn a_beat_changes_the_bytes_and_nothing_else() {
        let mut dead = held(1);
        dead.failures = 3;
        let first = LeaseRecord::taken_over(Some(&dead), 2, Unix::at(1_000));
        let second = first.beaten(false);
        assert_ne!(first.bytes(), second.bytes());
        assert_eq!(second.owner, Some(2));
        assert_eq!(
            (second.suspect_since, second.failures),
            (Some(Unix::at(1_000)), 3)
        );
        assert_eq!(LeaseRecord::read(&second.bytes()), Some(second));
    }

    #[test]
    fn a_suspicion_goes_on_through_failures_and_ends_ten_minutes_after_it_began() {
        let failure = Failure::after(0, Unix::at(1_100));
        let over = LeaseRecord::taken_over(None, 2, Unix::at(1_000));
        let left = over.let_go(failure, Unix::at(1_100));
        assert_eq!(
            (left.owner, left.suspect_since),
            (None, Some(Unix::at(1_000)))
        );
        let again = left.taken(3, Unix::at(1_000 + TEN_MINUTES - 1));
        assert_eq!(again.suspect_since, Some(Unix::at(1_000)));
        assert_eq!(
            left.taken(3, Unix::at(1_000 + TEN_MINUTES)).suspect_since,
            None
        );
        assert_eq!(
            left.taken(3, Unix::at(900)).suspect_since,
            Some(Unix::at(900))
        );
        assert_eq!(held(1).let_go(failure, Unix::at(1_100)).suspect_since, None);
    }

    #[test]
    fn a_record_is_kept_for_its_pause_and_for_its_suspicion() {
        let failure = Failure::after(0, Unix::at(1_000));
        let ordinary = held(1).let_go(failure, Unix::at(1_000));
        assert_eq!(ordinary.failure(Unix::at(1_001)), Some(failure));
        assert_eq!(ordinary.failure(Unix::at(1_002)), None);
        let pause = Duration::from_secs(2) + BACK_OFF_MEMORY;
        assert_eq!(ordinary.kept_for(Unix::at(1_000)), pause);
        let suspect =
            LeaseRecord::taken_over(None, 2, Unix::at(1_000)).let_go(failure, Unix::at(1_000));
        assert_eq!(suspect.kept_for(Unix::at(1_000)), SETTLE_FOR);
        assert_eq!(
            suspect.kept_for(Unix::at(1_002)),
            SETTLE_FOR - Duration::from_secs(2)
        );
    }
}
