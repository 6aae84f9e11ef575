//! What an operator is told of a configuration, and how often its live parts are asked.

use std::time::Duration;

use super::ID_TOKEN_EXPIRY_LEEWAY;

// ---- report: what a configuration comes to

/// Entries of a list that the report shows: a line of a log stays readable.
pub(crate) const MAX_REPORTED_ENTRIES: usize = 12;
/// A login that has to be done in less is one that people do not finish: a second factor has to be found.
pub(crate) const SHORT_LOGIN: Duration = Duration::from_secs(120);
/// A checked token that is believed for longer than this is a note of the report: what another instance ends
/// stays good for so long.
pub(crate) const LONG_UNCHECKED: Duration = Duration::from_secs(60);

// ---- probe: whether the live parts work

/// What a probe found is told to all who ask within this time: a readiness endpoint can be asked by anyone, and a
/// store bears three verbs in this time from each instance.
pub(crate) const PROBE_INTERVAL: Duration = Duration::from_secs(5);
/// A provider that answered is not asked again for this long. A hundred instances ask it some three times a second.
pub(crate) const PROVIDER_PROBE_INTERVAL: Duration = Duration::from_secs(60);
/// One that did not is asked again after this: what is mended should show.
pub(crate) const PROVIDER_PROBE_AGAIN: Duration = Duration::from_secs(10);
/// A part that takes longer than this counts as one that does not answer. Kubernetes gives up after a second unless
/// told otherwise, and asks again: what was found by then is waiting.
pub(crate) const PROBE_PATIENCE: Duration = Duration::from_secs(5);
/// A probe's record, should its removal fail.
pub(crate) const PROBE_RECORD_TTL: Duration = Duration::from_secs(60);
/// Clocks that differ by more break tokens: an ID token that ends by the provider's clock is over by ours.
pub(crate) const MAX_CLOCK_DIFFERENCE: Duration = ID_TOKEN_EXPIRY_LEEWAY;
/// What is read of an answer that only has to come.
pub(crate) const MAX_KNOCK_BYTES: usize = 64 * 1024;
