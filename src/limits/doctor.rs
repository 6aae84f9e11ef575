//! What an operator is told of a configuration, and how often its live parts are asked.

use std::time::Duration;

// ---- report: what a configuration comes to

/// Entries of a list that the report shows: a line of a log stays readable.
pub(crate) const MAX_REPORTED_ENTRIES: usize = 12;
/// A login that has to be done in less is one that people do not finish: a second factor has to be found.
pub(crate) const SHORT_LOGIN: Duration = Duration::from_secs(120);
/// A checked token that is believed for longer than this is a note of the report: what another instance ends
/// stays good for so long.
pub(crate) const LONG_UNCHECKED: Duration = Duration::from_secs(60);
