//! What the memory store keeps of a record: as little as it can, because there may be a million.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::key::sha256;

/// What a record costs besides its value: the allocations, the table's slot, the nodes of the queue and
/// of the timer wheel. An estimate, on the high side.
const RECORD_OVERHEAD: u64 = 450;

/// A record's key by its hash: half the size of most keys, in one allocation with what moka keeps of it.
#[derive(PartialEq, Eq)]
pub(super) struct Key([u8; 32]);

impl Key {
    pub(super) fn of(key: &str) -> Self {
        Self(sha256(key.as_bytes()))
    }

    /// Which of so many locks it falls to.
    pub(super) fn lock(&self, locks: usize) -> usize {
        let [.., last] = self.0;
        usize::from(last) % locks
    }
}

/// A hash needs no hashing.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        state.write_u64(u64::from_ne_bytes([a, b, c, d, e, f, g, h]));
    }
}

/// A value with its times before it, in one allocation:
///
/// ```text
/// expires_at(8, nanoseconds since the Unix epoch) ttl(4, seconds) value
/// ```
#[derive(Clone)]
pub(super) struct Record(Arc<[u8]>);

impl Record {
    const TIMES: usize = 8 + 4;

    pub(super) fn new(value: &[u8], now: SystemTime, ttl: Duration) -> Self {
        let expires_at = since_epoch(now).saturating_add(to_nanos(ttl));
        let ttl = u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX);
        let mut record = Vec::with_capacity(Self::TIMES + value.len());
        record.extend_from_slice(&expires_at.to_be_bytes());
        record.extend_from_slice(&ttl.to_be_bytes());
        record.extend_from_slice(value);
        Self(record.into())
    }

    pub(super) fn value(&self) -> &[u8] {
        self.0.get(Self::TIMES..).unwrap_or_default()
    }

    /// In nanoseconds since the Unix epoch.
    pub(super) fn expires_at(&self) -> u64 {
        self.0.first_chunk().map_or(0, |at| u64::from_be_bytes(*at))
    }

    /// How long it was given, for the sweep alone.
    pub(super) fn ttl(&self) -> Duration {
        let ttl = self.0.get(8..Self::TIMES).and_then(<[u8]>::first_chunk);
        Duration::from_secs(ttl.map_or(0, |ttl| u32::from_be_bytes(*ttl)).into())
    }

    pub(super) fn weight(&self) -> u32 {
        let bytes = self.0.len() as u64 + RECORD_OVERHEAD;
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }
}

/// In nanoseconds; a clock before 1970 reads as 0, and one at the end of time, where nothing lives, as
/// the year 2554.
pub(super) fn since_epoch(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, to_nanos)
}

fn to_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
