//! What is recorded with the feature `metrics`.

use std::{
    fmt,
    sync::OnceLock,
    time::{Duration, Instant},
};

use ::metrics::{
    Counter, Gauge, Key, Label, Level, Metadata, Recorder, SharedString, Unit, with_recorder,
};
use http::StatusCode;

use super::{
    labels::{Check, Ended, Peer, Renewed, Verb},
    table::{
        BACKED_OFF, CHECK_TIMES, CHECKS, ENDPOINTS, INFO, Kind, LOGINS, LOGINS_AT_WORK, Metric,
        OUTBOUND, RENEWALS, SESSIONS, STEPS, STORE, TABLE, TASKS,
    },
};

static METADATA: Metadata<'static> =
    Metadata::new("tower_oauth_proxy", Level::INFO, Some(module_path!()));

/// The outcome of what succeeded, and its reason.
const DONE: (&str, &str) = ("done", "none");

/// An event: a step, and why it was refused.
pub(crate) fn step(step: &'static str, reason: Option<&'static str>) {
    let (outcome, reason) = reason.map_or(DONE, |reason| ("refused", reason));
    count(&STEPS, [step.into(), outcome.into(), reason.into()]);
}

/// A login that came back from the provider, and why it was refused. The client is that of
/// `Clients::counted_as`.
pub(crate) fn login<'a>(
    client: impl FnOnce() -> &'a str,
    provider: &str,
    reason: Option<&'static str>,
) {
    let outcome = reason.unwrap_or(DONE.0);
    let (provider, client) = (provider.to_owned(), client().to_owned());
    count(&LOGINS, [provider.into(), client.into(), outcome.into()]);
}

/// A request to a protected path, but for [`BearerChecks::cached`].
pub(crate) fn bearer(check: Check, source: &'static str) {
    count(&CHECKS, [source.into(), check.as_str().into()]);
}

/// One grant more whose provider is left alone; see [`no_longer_backed_off`].
pub(crate) fn backed_off() {
    gauge(&BACKED_OFF, []).increment(1);
}

/// One grant less.
pub(crate) fn no_longer_backed_off() {
    gauge(&BACKED_OFF, []).decrement(1);
}

/// More than there are sources of tokens.
const SOURCES: usize = 16;

/// Counts the checks of tokens whose session is in the cache: the hot path. Each source's counter is found once.
pub(crate) struct BearerChecks {
    cached: [OnceLock<Counter>; SOURCES],
    _layer: Live,
}

impl BearerChecks {
    /// Of a new layer. Tells the recorder about all metrics.
    pub(crate) fn new() -> Self {
        with_recorder(describe);
        Self {
            cached: [const { OnceLock::new() }; SOURCES],
            _layer: Live::of(&INFO, [env!("CARGO_PKG_VERSION").into()]),
        }
    }

    /// A session was found in the cache. `place` is the number of its source.
    #[inline]
    pub(crate) fn cached(&self, place: usize, source: impl FnOnce() -> &'static str) {
        let Some(counter) = self.cached.get(place) else {
            return bearer(Check::Cached, source());
        };
        let found =
            || registered_counter(&CHECKS, [source().into(), Check::Cached.as_str().into()]);
        counter.get_or_init(found).increment(1);
    }
}

/// Time that passes. Each method records it, and what it was for.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// A token that was not in the cache was checked.
    pub(crate) fn bearer(self, check: Check, source: &'static str) {
        let labels = [source.into(), check.as_str().into()];
        record(&CHECK_TIMES, labels, self.elapsed());
    }

    /// A request to one of our URLs was answered.
    pub(crate) fn endpoint(self, endpoint: &'static str, status: StatusCode) {
        let class = match status.as_u16() {
            ..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            500.. => "5xx",
        };
        record(&ENDPOINTS, [endpoint.into(), class.into()], self.elapsed());
    }

    /// A verb of the store ended.
    pub(crate) fn store(self, verb: Verb, ended: Ended) {
        let labels = [verb.as_str().into(), ended.as_str().into()];
        record(&STORE, labels, self.elapsed());
    }

    /// An exchange with another server ended.
    pub(crate) fn outbound(self, peer: Peer<'_>, ended: Ended) {
        let (kind, provider) = peer.words();
        let labels = [
            kind.into(),
            provider.to_owned().into(),
            ended.as_str().into(),
        ];
        record(&OUTBOUND, labels, self.elapsed());
    }

    /// A provider's token was renewed, or was to be; or the person behind it was looked at.
    pub(crate) fn renewal(self, provider: &str, is_look: bool, renewed: Renewed) {
        let kind = if is_look { "person" } else { "token" };
        let labels = [
            provider.to_owned().into(),
            kind.into(),
            renewed.as_str().into(),
        ];
        record(&RENEWALS, labels, self.elapsed());
    }
}

/// One of those that a gauge counts, until it is dropped.
pub(crate) struct Live(Gauge);

impl Live {
    /// A session in the cache.
    pub(crate) fn session() -> Self {
        Self::of(&SESSIONS, [])
    }

    /// A login that is being completed.
    pub(crate) fn login() -> Self {
        Self::of(&LOGINS_AT_WORK, [])
    }

    /// Work that outlives its request.
    pub(crate) fn task() -> Self {
        Self::of(&TASKS, [])
    }

    fn of<const N: usize>(metric: &'static Metric, labels: [SharedString; N]) -> Self {
        let gauge = gauge(metric, labels);
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}

fn describe(recorder: &dyn Recorder) {
    for metric in TABLE {
        let (name, help) = (metric.name.into(), metric.help.into());
        match metric.kind {
            Kind::Counter => recorder.describe_counter(name, Some(Unit::Count), help),
            Kind::Gauge => recorder.describe_gauge(name, Some(Unit::Count), help),
            Kind::Histogram => recorder.describe_histogram(name, Some(Unit::Seconds), help),
        }
    }
}

fn count<const N: usize>(metric: &'static Metric, labels: [SharedString; N]) {
    registered_counter(metric, labels).increment(1);
}

fn registered_counter<const N: usize>(
    metric: &'static Metric,
    labels: [SharedString; N],
) -> Counter {
    let key = key(metric, labels);
    with_recorder(|recorder| recorder.register_counter(&key, &METADATA))
}

fn gauge<const N: usize>(metric: &'static Metric, labels: [SharedString; N]) -> Gauge {
    let key = key(metric, labels);
    with_recorder(|recorder| recorder.register_gauge(&key, &METADATA))
}

fn record<const N: usize>(metric: &'static Metric, labels: [SharedString; N], time: Duration) {
    let key = key(metric, labels);
    with_recorder(|recorder| recorder.register_histogram(&key, &METADATA)).record(time);
}

/// The series of these values, in the order of the metric's labels.
fn key<const N: usize>(metric: &'static Metric, values: [SharedString; N]) -> Key {
    debug_assert_eq!(metric.labels.len(), N, "{}", metric.name);
    let labels = metric.labels.iter().zip(values);
    let labels: Vec<Label> = labels
        .map(|(name, value)| Label::new(*name, value))
        .collect();
    Key::from_parts(metric.name, labels)
}
