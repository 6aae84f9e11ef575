//! Which cached sessions a revocation of this process has made stale, without a list of either.
//!
//! A grant falls into one of a fixed number of slots, and a revocation counts its slot up. A session
//! that was looked up before is not current any more, nor are those that share the slot: they are
//! looked up in the store once more.

use std::sync::atomic::{AtomicU32, Ordering};

use super::GrantId;
use crate::limits::REVOCATION_SLOTS;

/// The counts of one proxy.
pub(crate) struct Revocations(Box<[AtomicU32]>);

/// How often something in a grant's slot had been revoked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RevocationMark {
    slot: u16,
    count: u32,
}

impl Revocations {
    pub(crate) fn new() -> Self {
        Self((0..REVOCATION_SLOTS).map(|_| AtomicU32::new(0)).collect())
    }

    /// Take it *before* reading the store: a revocation after that either removes the record first,
    /// or makes this mark old.
    pub(super) fn mark(&self, id: GrantId) -> RevocationMark {
        let slot = slot(id);
        RevocationMark {
            slot,
            count: self.count(slot),
        }
    }

    /// Whether nothing in the slot was revoked since.
    pub(crate) fn is_current(&self, mark: RevocationMark) -> bool {
        self.count(mark.slot) == mark.count
    }

    /// Ends every cached session of the grant in this process. Call *after* removing the record.
    pub(super) fn revoke(&self, id: GrantId) {
        if let Some(count) = self.0.get(usize::from(slot(id))) {
            count.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn count(&self, slot: u16) -> u32 {
        let count = self.0.get(usize::from(slot));
        count.map_or(0, |count| count.load(Ordering::Acquire))
    }
}

/// The ids are random.
fn slot(id: GrantId) -> u16 {
    let [first, second, ..] = *id.as_bytes();
    u16::from_be_bytes([first, second]) % REVOCATION_SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revocation_makes_marks_of_its_slot_old_and_no_others() {
        let revocations = Revocations::new();
        let id = |first, second| {
            let mut bytes = [9; 16];
            [bytes[0], bytes[1]] = [first, second];
            GrantId::from_bytes(bytes)
        };
        let (revoked, sharing, other) = (id(0, 1), id(16, 1), id(0, 2));
        let marks = [revoked, sharing, other].map(|id| revocations.mark(id));
        assert!(marks.iter().all(|mark| revocations.is_current(*mark)));
        revocations.revoke(revoked);
        let current = marks.map(|mark| revocations.is_current(mark));
        assert_eq!(current, [false, false, true]);
        assert!(revocations.is_current(revocations.mark(revoked)));
    }

    #[test]
    fn every_id_has_a_slot() {
        let revocations = Revocations::new();
        for _ in 0..10_000 {
            let id = GrantId::random();
            let mark = revocations.mark(id);
            revocations.revoke(id);
            assert!(!revocations.is_current(mark));
        }
    }
}
