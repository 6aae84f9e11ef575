//! Times as the file holds them: whole milliseconds since the Unix epoch.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::limits::MAX_RECORD_TTL;

/// A clock before the epoch reads as 0.
pub(super) fn floor_millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// When a record written now ends. Rounded up, except that a life of zero ends at once.
pub(super) fn end_millis(now: SystemTime, ttl: Duration) -> i64 {
    if ttl.is_zero() {
        return floor_millis(now);
    }
    // A clock at the end of time: nothing lives.
    let end = now.checked_add(ttl.min(MAX_RECORD_TTL)).unwrap_or(now);
    let floor = floor_millis(end);
    let exact = UNIX_EPOCH + Duration::from_millis(floor.unsigned_abs());
    floor.saturating_add(i64::from(end > exact))
}
