//! The lists whose names fall together: all members in one order, those of a list side by side.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use super::nanos::Nanos;
use crate::{key::sha256, storage::list::Place};

/// What a member costs in addition to its name: its places in both maps with room to grow, and what the
/// allocator adds. An estimate, mostly on the high side.
const MEMBER_OVERHEAD: u64 = 200;
/// Dropped only when it has been over for so long: a clock that is put right again finds it.
const GRACE: Duration = Duration::from_secs(60);
/// Eviction sample: of the first members of these lists the one that ends first is dropped.
const CANDIDATES: usize = 8;

/// A list by its name's hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ListKey(u128);

/// In the order of pages: by list, then by end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    list: ListKey,
    end: Nanos,
    member: Arc<str>,
}

/// Every verb answers how many bytes it has added or freed.
#[derive(Default)]
pub(super) struct Lists {
    order: BTreeSet<Entry>,
    ends: HashMap<(ListKey, Arc<str>), Nanos>,
    /// The list that was looked at last.
    hand: Option<ListKey>,
}

impl ListKey {
    pub(super) fn of(list: &str) -> Self {
        let hash = sha256(list.as_bytes());
        Self(
            hash.first_chunk()
                .map_or(0, |hash| u128::from_be_bytes(*hash)),
        )
    }

    /// Which of a number of parts it belongs to.
    pub(super) fn part(self, parts: usize) -> usize {
        usize::try_from(self.0 & 0xff).unwrap_or(0) % parts
    }
}

impl Lists {
    /// Adds a member or prolongs its stay.
    pub(super) fn add(&mut self, list: ListKey, member: &str, end: Nanos) -> u64 {
        let key = (list, Arc::from(member));
        let before = self.ends.get(&key).copied();
        if before.is_some_and(|before| before >= end) {
            return 0;
        }
        let member = Arc::clone(&key.1);
        if let Some(before) = before {
            self.order.remove(&Entry {
                list,
                end: before,
                member: Arc::clone(&member),
            });
        }
        self.ends.insert(key, end);
        let added = before.map_or(weight(&member), |_| 0);
        self.order.insert(Entry { list, end, member });
        added
    }

    pub(super) fn remove(&mut self, list: ListKey, member: &str) -> u64 {
        let key = (list, Arc::from(member));
        let Some(end) = self.ends.get(&key).copied() else {
            return 0;
        };
        let member = key.1;
        self.drop_entry(&Entry { list, end, member })
    }

    /// Members that have not ended, after this place, up to a number.
    pub(super) fn after(
        &self,
        list: ListKey,
        place: Option<Place<'_>>,
        now: Nanos,
        limit: usize,
    ) -> Vec<(u64, Arc<str>)> {
        let live = Entry {
            list,
            end: now + Duration::from_nanos(1),
            member: Arc::from(""),
        };
        let from = place.map(|place| Entry {
            list,
            end: Nanos::at(place.end),
            member: Arc::from(place.member),
        });
        let is_there = |entry: &&Entry| Some(*entry) != from.as_ref();
        let from = from.as_ref().map_or(&live, |from| from.max(&live));
        let entries = self.order.range(from..).filter(is_there);
        entries
            .take_while(|entry| entry.list == list)
            .take(limit)
            .map(|entry| (entry.end.count(), Arc::clone(&entry.member)))
            .collect()
    }

    /// Looks at the first members of the next few lists and drops those that are long over.
    pub(super) fn sweep(&mut self, now: Nanos, looks: usize) -> u64 {
        let mut freed = 0;
        for _ in 0..looks {
            let Some(first) = self.next_list() else { break };
            let is_long_over = now >= first.end + GRACE;
            if is_long_over {
                freed += self.drop_entry(&first);
                // There may be more behind it.
                self.hand = self
                    .hand
                    .and_then(|hand| hand.0.checked_sub(1).map(ListKey));
            }
        }
        freed
    }

    /// Drops the member that will be missed least: of the next few lists' first members, the one that
    /// ends first. `None` when there is only one: it has just come.
    pub(super) fn make_room(&mut self) -> Option<u64> {
        if self.order.len() < 2 {
            return None;
        }
        let firsts: Vec<_> = (0..CANDIDATES).filter_map(|_| self.next_list()).collect();
        let gone = firsts.into_iter().min_by_key(|entry| entry.end)?;
        Some(self.drop_entry(&gone))
    }

    #[cfg(test)]
    pub(super) fn weight(&self) -> u64 {
        self.order.iter().map(|entry| weight(&entry.member)).sum()
    }

    /// The first member of the list after the hand, which goes there.
    fn next_list(&mut self) -> Option<Entry> {
        let from = self
            .hand
            .and_then(|hand| hand.0.checked_add(1))
            .unwrap_or(0);
        let from = Entry {
            list: ListKey(from),
            end: Nanos::default(),
            member: Arc::from(""),
        };
        let next = self.order.range(&from..).next().or(self.order.first())?;
        self.hand = Some(next.list);
        Some(next.clone())
    }

    fn drop_entry(&mut self, entry: &Entry) -> u64 {
        self.order.remove(entry);
        let key = (entry.list, Arc::clone(&entry.member));
        let gone = self.ends.remove(&key);
        if self.ends.capacity() > 64 && self.ends.len() < self.ends.capacity() / 4 {
            self.ends.shrink_to(self.ends.len() * 2);
        }
        gone.map_or(0, |_| weight(&entry.member))
    }
}

fn weight(member: &str) -> u64 {
    member.len() as u64 + MEMBER_OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(lists: &Lists, list: &str, now: u64) -> Vec<String> {
        let found = lists.after(ListKey::of(list), None, Nanos::at(now), 100);
        found.iter().map(|(_, member)| member.to_string()).collect()
    }

    fn with(entries: &[(&str, &str, u64)]) -> Lists {
        let mut lists = Lists::default();
        for (list, member, end) in entries {
            lists.add(ListKey::of(list), member, Nanos::at(*end));
        }
        lists
    }

    #[test]
    fn what_is_long_over_goes_and_nothing_else_and_every_byte_is_told() {
        let mut lists = with(&[
            ("a", "1", 10),
            ("a", "2", 20),
            ("a", "3", 30),
            ("b", "1", 10),
        ]);
        let before = lists.weight();
        assert_eq!(lists.sweep(Nanos::at(9) + GRACE, 100), 0);
        let freed = lists.sweep(Nanos::at(20) + GRACE, 100);
        assert_eq!(freed, before - lists.weight());
        assert_eq!(members(&lists, "a", 0), ["3"]);
        assert!(members(&lists, "b", 0).is_empty());
        assert_eq!(lists.add(ListKey::of("a"), "3", Nanos::at(40)), 0);
        let left = lists.weight();
        assert_eq!(lists.remove(ListKey::of("a"), "3"), left);
        assert_eq!(
            (lists.remove(ListKey::of("a"), "3"), lists.weight()),
            (0, 0)
        );
        assert_eq!((lists.ends.len(), lists.sweep(Nanos::at(0), 3)), (0, 0));
    }

    #[test]
    fn room_is_made_by_the_member_that_ends_first() {
        let mut lists = with(&[
            ("a", "1", 30),
            ("b", "1", 10),
            ("b", "2", 20),
            ("c", "1", 40),
        ]);
        let mut order = Vec::new();
        while lists.make_room().is_some() {
            let left = ["a", "b", "c"].map(|list| members(&lists, list, 0).len());
            order.push(left);
        }
        assert_eq!(order, [[1, 1, 1], [1, 0, 1], [0, 0, 1]]);
    }
}
