//! A map that forgets by generations, so that nothing is searched for what has expired.
//!
//! New entries go into the young generation. When that is full, or as old as an entry may get, it
//! becomes the old generation, and the old one goes whole. So an entry stays for at least one life,
//! unless there is no room for that, and for at most two while the map is in use.

use std::{
    collections::{HashMap, hash_map::IntoIter},
    hash::{BuildHasher, Hash},
    mem,
    time::Duration,
};

use crate::time::Unix;

/// What a map of generations keeps.
pub(crate) trait Kept {
    /// Whether [`is_in_use`](Self::is_in_use) has to be asked when a generation goes.
    const MAY_BE_IN_USE: bool = false;

    /// Its part of the room of a generation.
    fn size(&self) -> usize {
        1
    }

    /// Whether it has to stay, however old it is.
    fn is_in_use(&self) -> bool {
        false
    }
}

/// The two generations.
pub(crate) struct Generations<K, V, S> {
    young: HashMap<K, V, S>,
    old: HashMap<K, V, S>,
    young_size: usize,
    /// What one generation may hold.
    room: usize,
    life: Duration,
    /// When the young generation becomes the old one.
    turn_at: Unix,
}

/// A generation that has gone, for its owner to drop: without a lock, for it may be large.
pub(crate) type Gone<K, V> = IntoIter<K, V>;

impl<K, V, S> Generations<K, V, S>
where
    K: Eq + Hash,
    V: Kept,
    S: BuildHasher + Default,
{
    pub(crate) fn new(room: usize, life: Duration) -> Self {
        Self {
            young: HashMap::default(),
            old: HashMap::default(),
            young_size: 0,
            room,
            life,
            turn_at: Unix::EPOCH,
        }
    }

    #[inline]
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// Keeps a value in place of the one that the key may have. A value that is larger than a whole
    /// generation is not kept, and nothing else has to go for it.
    #[must_use]
    pub(crate) fn put(&mut self, key: K, value: V, now: Unix) -> Gone<K, V> {
        let size = value.size();
        if size > self.room {
            return self.grow_older(now);
        }
        let gone = match self.young_size + size > self.room {
            true => self.turn(now),
            false => self.grow_older(now),
        };
        self.young_size += size;
        let replaced = self.young.insert(key, value);
        self.young_size -= replaced.map_or(0, |value| value.size());
        gone
    }

    /// Lets a generation go if it is time to.
    #[must_use]
    pub(crate) fn grow_older(&mut self, now: Unix) -> Gone<K, V> {
        // A clock that was set back must not keep the young generation young.
        self.turn_at = self.turn_at.min(self.next_turn(now));
        match now < self.turn_at {
            true => Gone::default(),
            false => self.turn(now),
        }
    }

    pub(crate) fn remove(&mut self, key: &K) {
        self.old.remove(key);
        let gone = self.young.remove(key);
        self.young_size -= gone.map_or(0, |value| value.size());
    }

    fn turn(&mut self, now: Unix) -> Gone<K, V> {
        self.turn_at = self.next_turn(now);
        let mut gone = mem::replace(&mut self.old, mem::take(&mut self.young));
        if V::MAY_BE_IN_USE {
            self.young = gone.extract_if(|_, value| value.is_in_use()).collect();
        }
        self.young_size = self.young.values().map(Kept::size).sum();
        gone.into_iter()
    }

    fn next_turn(&self, now: Unix) -> Unix {
        now + self.life
    }

    /// All that can be found, the young ones first.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.young.iter().chain(&self.old)
    }

    #[cfg(test)]
    pub(crate) fn young(&self) -> (impl Iterator<Item = &V>, usize) {
        (self.young.values(), self.young_size)
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, collections::hash_map::RandomState, rc::Rc};

    use super::*;

    const LIFE: Duration = Duration::from_secs(10);

    struct Plain(usize);

    impl Kept for Plain {
        fn size(&self) -> usize {
            self.0
        }
    }

    #[derive(Clone, Default)]
    struct Busy(Rc<Cell<bool>>);

    impl Kept for Busy {
        const MAY_BE_IN_USE: bool = true;

        fn is_in_use(&self) -> bool {
            self.0.get()
        }
    }

    fn map<V: Kept>(room: usize) -> Generations<u32, V, RandomState> {
        Generations::new(room, LIFE)
    }

    fn keys<V: Kept>(map: &Generations<u32, V, RandomState>) -> Vec<u32> {
        let mut keys: Vec<u32> = map.iter().map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn an_entry_stays_for_a_life_and_is_gone_after_two() {
        let mut map = map(100);
        drop(map.put(1, Plain(1), Unix::at(1_000)));
        for now in [1_001, 1_009, 1_010, 1_019] {
            assert_eq!(map.grow_older(Unix::at(now)).len(), 0, "{now}");
            assert!(map.get(&1).is_some(), "{now}");
        }
        let gone: Vec<u32> = map
            .grow_older(Unix::at(1_020))
            .map(|(key, _)| key)
            .collect();
        assert_eq!(gone, [1]);
        assert!(map.get(&1).is_none());
    }

    #[test]
    fn a_full_generation_makes_room_and_one_that_is_larger_than_it_costs_nothing() {
        let mut map = map(10);
        for key in 0..5 {
            // Two in each: the fifth begins a third generation, and the first one goes.
            let expected = if key < 4 { 0 } else { 2 };
            assert_eq!(map.put(key, Plain(4), Unix::EPOCH).len(), expected, "{key}");
        }
        assert_eq!(keys(&map), [2, 3, 4]);
        drop(map.put(9, Plain(11), Unix::EPOCH));
        assert_eq!(keys(&map), [2, 3, 4]);
        // In place of another one, only the difference counts.
        drop(map.put(4, Plain(6), Unix::EPOCH));
        drop(map.put(4, Plain(4), Unix::EPOCH));
        drop(map.put(5, Plain(6), Unix::EPOCH));
        assert_eq!(keys(&map), [2, 3, 4, 5]);
    }

    #[test]
    fn what_is_removed_is_found_in_neither_generation() {
        let mut map = map(10);
        drop(map.put(1, Plain(4), Unix::EPOCH));
        drop(map.put(1, Plain(4), Unix::at(10)));
        map.remove(&1);
        assert_eq!(keys(&map), [0_u32; 0]);
        assert_eq!(map.young().1, 0);
    }

    #[test]
    fn what_is_in_use_stays_however_old_it_is() {
        let mut map = map(2);
        let busy = Busy::default();
        busy.0.set(true);
        drop(map.put(0, busy.clone(), Unix::EPOCH));
        for key in 1..20 {
            drop(map.put(key, Busy::default(), Unix::EPOCH));
            assert!(map.get(&0).is_some(), "{key}");
        }
        busy.0.set(false);
        for key in 20..30 {
            drop(map.put(key, Busy::default(), Unix::EPOCH));
        }
        assert!(map.get(&0).is_none());
        assert!(keys(&map).len() <= 4);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nothing_for_longer_and_drops_nothing_early() {
        let mut map = map(100);
        drop(map.put(1, Plain(1), Unix::at(1_000)));
        for now in [500, 509, 510, 519] {
            assert_eq!(map.grow_older(Unix::at(now)).len(), 0, "{now}");
        }
        assert!(map.get(&1).is_some());
        assert_eq!(map.grow_older(Unix::at(520)).len(), 1);
    }
}
