//! What is recorded with the feature `metrics`.

use std::{
    fmt,
    sync::OnceLock,
    time::{Duration, Instant},
};

use ::metrics::{
    Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder, SharedString, Unit,
    with_recorder,
};
use http::StatusCode;

use super::{
    labels::{Check, Ended, Peer, Renewed, Verb},
    table::{
        BACKED_OFF, CHECK_TIMES, CHECKS, ENDPOINTS, INFO, Kind, LIMITED, LOGINS, LOGINS_AT_WORK,
        Metric, OUTBOUND, RENEWALS, SESSIONS, STEPS, STORE, TABLE, TASKS,
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

/// A request to a protected path that is not let in. With a watch where the token had to be checked.
pub(crate) fn bearer(check: Check, source: &'static str, watch: Option<Stopwatch>) {
    let labels = || [source.into(), check.as_str().into()];
    count(&CHECKS, labels());
    if let Some(watch) = watch {
        histogram(&CHECK_TIMES, labels()).record(watch.elapsed());
    }
}

/// One grant more whose provider is left alone; see [`no_longer_backed_off`].
pub(crate) fn backed_off() {
    gauge(&BACKED_OFF, []).increment(1);
}

/// One grant less.
pub(crate) fn no_longer_backed_off() {
    gauge(&BACKED_OFF, []).decrement(1);
}

/// A request was refused because this limit of the operator is reached. It is named by its option.
pub(crate) fn limited(limit: &'static str) {
    count(&LIMITED, [limit.into()]);
}

/// More than there are sources of tokens.
const SOURCES: usize = 16;

/// Counts the requests that are let in: the hot path. What it counts with is looked up once for each source.
pub(crate) struct BearerChecks {
    cached: [OnceLock<Counter>; SOURCES],
    first_sights: [OnceLock<(Counter, Histogram)>; SOURCES],
    _layer: Live,
}

impl BearerChecks {
    /// Of a new layer. Tells the recorder about all metrics.
    pub(crate) fn new() -> Self {
        with_recorder(describe);
        Self {
            cached: [const { OnceLock::new() }; SOURCES],
            first_sights: [const { OnceLock::new() }; SOURCES],
            _layer: Live::of(&INFO, [env!("CARGO_PKG_VERSION").into()]),
        }
    }

    /// A session was found in the cache. `place` is the number of its source.
    #[inline]
    pub(crate) fn cached(&self, place: usize, source: impl FnOnce() -> &'static str) {
        let found = || counter(&CHECKS, [source().into(), Check::Cached.as_str().into()]);
        match self.cached.get(place) {
            Some(counter) => counter.get_or_init(found).increment(1),
            None => found().increment(1),
        }
    }

    /// The token was checked, and is good.
    pub(crate) fn first_sight(
        &self,
        place: usize,
        source: impl FnOnce() -> &'static str,
        watch: Stopwatch,
    ) {
        let found = || {
            let source = source();
            let labels = || [source.into(), Check::FirstSight.as_str().into()];
            (
                counter(&CHECKS, labels()),
                histogram(&CHECK_TIMES, labels()),
            )
        };
        let record = |(count, times): &(Counter, Histogram)| {
            count.increment(1);
            times.record(watch.elapsed());
        };
        match self.first_sights.get(place) {
            Some(known) => record(known.get_or_init(found)),
            None => record(&found()),
        }
    }
}

/// How many verbs a store has.
const VERBS: usize = Verb::ListPage as usize + 1;

/// The times of a store's verbs. The histogram of what goes well is looked up once for each verb.
pub(crate) struct StoreTimes([OnceLock<Histogram>; VERBS]);

impl StoreTimes {
    pub(crate) fn new() -> Self {
        Self([const { OnceLock::new() }; VERBS])
    }

    /// A verb ended.
    pub(crate) fn record(&self, verb: Verb, ended: Ended, watch: Stopwatch) {
        let found = || histogram(&STORE, [verb.as_str().into(), ended.as_str().into()]);
        match self.0.get(verb as usize) {
            Some(known) if ended == Ended::Ok => known.get_or_init(found).record(watch.elapsed()),
            _ => found().record(watch.elapsed()),
        }
    }
}

/// How many sessions are in a cache.
pub(crate) struct Sessions(OnceLock<Gauge>);

impl Sessions {
    pub(crate) fn new() -> Self {
        Self(OnceLock::new())
    }

    /// One more, as long as it is kept.
    pub(crate) fn one(&self) -> Live {
        Live::in_gauge(self.0.get_or_init(|| gauge(&SESSIONS, [])).clone())
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

    /// A request to one of our URLs was answered.
    pub(crate) fn endpoint(self, endpoint: &'static str, status: StatusCode) {
        let class = match status.as_u16() {
            ..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            500.. => "5xx",
        };
        let labels = [endpoint.into(), class.into()];
        histogram(&ENDPOINTS, labels).record(self.elapsed());
    }

    /// An exchange with another server ended.
    pub(crate) fn outbound(self, peer: Peer<'_>, ended: Ended) {
        let (kind, provider) = peer.words();
        let labels = [
            kind.into(),
            provider.to_owned().into(),
            ended.as_str().into(),
        ];
        histogram(&OUTBOUND, labels).record(self.elapsed());
    }

    /// A provider's token was renewed, or was to be; or the person behind it was looked at.
    pub(crate) fn renewal(self, provider: &str, is_look: bool, renewed: Renewed) {
        let kind = if is_look { "person" } else { "token" };
        let labels = [
            provider.to_owned().into(),
            kind.into(),
            renewed.as_str().into(),
        ];
        histogram(&RENEWALS, labels).record(self.elapsed());
    }
}

/// One of those that a gauge counts, until it is dropped.
pub(crate) struct Live(Gauge);

impl Live {
    /// A login that is being completed.
    pub(crate) fn login() -> Self {
        Self::of(&LOGINS_AT_WORK, [])
    }

    /// Work that outlives its request.
    pub(crate) fn task() -> Self {
        Self::of(&TASKS, [])
    }

    fn of<const N: usize>(metric: &'static Metric, labels: [SharedString; N]) -> Self {
        Self::in_gauge(gauge(metric, labels))
    }

    fn in_gauge(gauge: Gauge) -> Self {
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
    counter(metric, labels).increment(1);
}

fn counter<const N: usize>(metric: &'static Metric, labels: [SharedString; N]) -> Counter {
    let key = key(metric, labels);
    with_recorder(|recorder| recorder.register_counter(&key, &METADATA))
}

fn gauge<const N: usize>(metric: &'static Metric, labels: [SharedString; N]) -> Gauge {
    let key = key(metric, labels);
    with_recorder(|recorder| recorder.register_gauge(&key, &METADATA))
}

fn histogram<const N: usize>(metric: &'static Metric, labels: [SharedString; N]) -> Histogram {
    let key = key(metric, labels);
    with_recorder(|recorder| recorder.register_histogram(&key, &METADATA))
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
