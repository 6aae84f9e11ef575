//! One part of the memory store: a map with a hand that goes round it.
//!
//! The hand frees what has expired, a little at each use, and finds what has not been used for longest
//! where room is needed: the oldest of the next few, which is close to the oldest of all.

use std::{
    hash::{Hash, Hasher},
    time::Duration,
};

use indexmap::IndexMap;

use super::nanos::Nanos;
use crate::{key::sha256, prehashed::BuildPrehashed};

/// What a record costs in addition to its value: its slot in the map with room to grow, its part of the table,
/// and what the allocator adds. An estimate, mostly on the high side.
const RECORD_OVERHEAD: u64 = 200;
/// Swept only when it has been over for so long: a clock that is put right again finds it.
const GRACE: Duration = Duration::from_secs(60);
/// Eviction sample: the least recently used of these is dropped.
const CANDIDATES: usize = 32;
/// A map this large that is mostly empty gives room back.
const MIN_CAPACITY: usize = 64;

/// A record's key by its hash: all keys are of one size, and fall anywhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key([u8; 32]);

/// A value with its times.
pub(super) struct Record {
    pub(super) value: Box<[u8]>,
    pub(super) expires_at: Nanos,
    /// By the clock of [`Records::used`].
    used_at: u64,
}

/// The records whose keys fall together.
#[derive(Default)]
pub(super) struct Records {
    records: IndexMap<Key, Record, BuildPrehashed>,
    /// The next place to look at.
    hand: usize,
    /// Ticks at every use.
    used: u64,
}

impl Key {
    pub(super) fn of(key: &str) -> Self {
        Self(sha256(key.as_bytes()))
    }

    /// Which of a number of parts it belongs to.
    pub(super) fn part(&self, parts: usize) -> usize {
        let [.., last] = self.0;
        usize::from(last) % parts
    }
}

/// A hash needs no hashing.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        state.write_u64(u64::from_ne_bytes([a, b, c, d, e, f, g, h]));
    }
}

impl Record {
    pub(super) fn new(value: Vec<u8>, expires_at: Nanos) -> Self {
        Self {
            value: value.into(),
            expires_at,
            used_at: 0,
        }
    }

    pub(super) fn is_live(&self, now: Nanos) -> bool {
        now < self.expires_at
    }

    fn is_long_over(&self, now: Nanos) -> bool {
        now >= self.expires_at + GRACE
    }

    /// What it takes, in bytes.
    pub(super) fn weight(&self) -> u64 {
        self.value.len() as u64 + RECORD_OVERHEAD
    }
}

impl Records {
    /// How many are not over.
    pub(super) fn live(&self, now: Nanos) -> usize {
        let records = self.records.values();
        records.filter(|record| record.is_live(now)).count()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// The value, if it is not over; this is a use.
    pub(super) fn get(&mut self, key: &Key, now: Nanos) -> Option<&[u8]> {
        self.used += 1;
        let record = self.records.get_mut(key)?;
        if !record.is_live(now) {
            return None;
        }
        record.used_at = self.used;
        Some(&record.value)
    }

    /// Returns what was there before, over or not.
    pub(super) fn put(&mut self, key: Key, mut record: Record) -> Option<Record> {
        self.used += 1;
        record.used_at = self.used;
        self.records.insert(key, record)
    }

    /// Returns what was there, over or not.
    pub(super) fn remove(&mut self, key: &Key) -> Option<Record> {
        // The last one takes its place.
        let gone = self.records.swap_remove(key);
        self.give_room_back();
        gone
    }

    /// Looks at the next few and frees what is long over; returns how many bytes that were.
    pub(super) fn sweep(&mut self, now: Nanos, looks: usize) -> u64 {
        let mut freed = 0;
        for _ in 0..looks {
            if self.hand >= self.records.len() {
                self.hand = 0;
            }
            match self.records.get_index(self.hand) {
                // The last one comes here, and is looked at next.
                Some((_, record)) if record.is_long_over(now) => {
                    freed += self.take_at(self.hand).map_or(0, |record| record.weight());
                }
                _ => self.hand += 1,
            }
        }
        freed
    }

    /// Takes out the record that will be missed least: one that has expired, else the one of the next few
    /// that was used longest ago. Never `spared`, which has just come.
    pub(super) fn make_room(&mut self, now: Nanos, spared: &Key) -> Option<Record> {
        let len = self.records.len();
        let places = (0..CANDIDATES.min(len)).map(|n| (self.hand + n) % len);
        let (_, at) = places
            .filter_map(|at| {
                let (key, record) = self.records.get_index(at)?;
                let missed = if record.is_live(now) {
                    record.used_at
                } else {
                    0
                };
                (key != spared).then_some((missed, at))
            })
            .min()?;
        self.hand = (self.hand + CANDIDATES.min(len)) % len;
        self.take_at(at)
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.records.capacity()
    }

    #[cfg(test)]
    pub(super) fn weight(&self) -> u64 {
        self.records.values().map(Record::weight).sum()
    }

    fn take_at(&mut self, at: usize) -> Option<Record> {
        let (_, record) = self.records.swap_remove_index(at)?;
        self.give_room_back();
        Some(record)
    }

    fn give_room_back(&mut self) {
        let (len, capacity) = (self.records.len(), self.records.capacity());
        if capacity >= MIN_CAPACITY && len < capacity / 4 {
            self.records.shrink_to(len * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Nanos = Nanos::at(60_000_000_000_000);

    fn nanos(count: u64) -> Duration {
        Duration::from_nanos(count)
    }

    fn with(lives: &[(&str, u64)]) -> Records {
        let mut records = Records::default();
        for (key, life) in lives {
            records.put(
                Key::of(key),
                Record::new(key.as_bytes().into(), NOW + nanos(*life)),
            );
        }
        records
    }

    fn goes(records: &mut Records, spared: &str) -> Option<String> {
        let gone = records.make_room(NOW, &Key::of(spared))?;
        Some(String::from_utf8(gone.value.into_vec()).unwrap())
    }

    #[test]
    fn what_is_over_goes_first_then_what_was_used_longest_ago_and_the_new_one_never() {
        let mut records = with(&[("a", 9), ("b", 9), ("over", 0), ("c", 9), ("new", 9)]);
        for used in ["b", "a"] {
            assert!(records.get(&Key::of(used), NOW).is_some());
        }
        let order: Vec<_> = std::iter::from_fn(|| goes(&mut records, "new")).collect();
        assert_eq!(order, ["over", "c", "b", "a"]);
        assert_eq!(records.len(), 1);
        assert_eq!(goes(&mut records, "another"), Some("new".to_owned()));
        assert_eq!(goes(&mut records, "another"), None);
    }

    #[test]
    fn a_write_is_a_use() {
        let mut records = with(&[("old", 9), ("read", 9)]);
        records.get(&Key::of("read"), NOW);
        records.get(&Key::of("old"), NOW);
        records.put(
            Key::of("written"),
            Record::new(b"written".into(), NOW + nanos(9)),
        );
        records.put(Key::of("read"), Record::new(b"read".into(), NOW + nanos(9)));
        let order: Vec<_> = std::iter::from_fn(|| goes(&mut records, "")).collect();
        assert_eq!(order, ["old", "written", "read"]);
    }

    #[test]
    fn a_round_of_looks_frees_all_that_is_long_over_and_nothing_else() {
        let names: Vec<_> = (0..100).map(|n| n.to_string()).collect();
        let lives = names.iter().enumerate();
        let lives: Vec<_> = lives.map(|(n, name)| (&**name, n as u64)).collect();
        let mut records = with(&lives);
        let weight = records.weight();
        assert_eq!(records.sweep(NOW + GRACE.saturating_sub(nanos(1)), 200), 0);
        let freed = records.sweep(NOW + GRACE + nanos(49), 150);
        assert_eq!(records.len(), 50);
        assert_eq!(freed, weight - records.weight());
        assert!((50..100).all(|n: u64| records.get(&Key::of(&n.to_string()), NOW).is_some()));
        assert!(records.sweep(NOW + 2 * GRACE, 50) > 0);
        assert_eq!((records.len(), records.sweep(NOW, 3)), (0, 0));
    }
}
