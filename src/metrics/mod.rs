//! What is counted and timed, for dashboards and alerts: with the facade [`metrics`](https://docs.rs/metrics), for
//! whatever recorder the application installs.
//!
//! Every metric is a row of `table`, and one function or method here records it. With the feature off these are
//! the ones of `silent`: nothing is left of a call, and no crate comes in.
//!
//! No label holds what a stranger chose: each has a value of a list that is known at start. Times are taken with
//! the machine's monotonic clock, and no decision hangs on one.
//!
//! [`docs::metrics`](crate::docs::metrics) has the table of all metrics, and says how to go on from
//! here to a dashboard.

mod labels;
#[cfg(feature = "metrics")]
mod recorded;
#[cfg(not(feature = "metrics"))]
mod silent;
#[cfg(feature = "metrics")]
mod table;

pub(crate) use labels::{Check, Ended, NO_SOURCE, Peer, Renewed, Verb};
#[cfg(feature = "metrics")]
pub(crate) use recorded::{
    BearerChecks, Live, Sessions, Stopwatch, StoreTimes, backed_off, bearer, limited, login,
    no_longer_backed_off, step,
};
#[cfg(not(feature = "metrics"))]
pub(crate) use silent::{
    BearerChecks, Live, Sessions, Stopwatch, StoreTimes, backed_off, bearer, limited, login, step,
};

/// Bounds of buckets, in seconds, that fit all of this crate's histograms: from a store in memory to a provider
/// that is given up. `metrics/grafana.json` and `metrics/alerts.yml` need histograms with buckets; an exporter
/// may make summaries until it is told.
///
/// ```
/// use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
/// use tower_oauth_proxy::metrics::SECONDS_BUCKETS;
///
/// let ours = Matcher::Prefix("oauth_proxy_".to_owned());
/// let recorder = PrometheusBuilder::new()
///     .set_buckets_for_metric(ours, &SECONDS_BUCKETS)?
///     .build_recorder();
/// # let _ = recorder;
/// # Ok::<(), metrics_exporter_prometheus::BuildError>(())
/// ```
#[cfg(feature = "metrics")]
pub const SECONDS_BUCKETS: [f64; 14] = [
    0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0,
];

#[cfg(feature = "metrics")]
#[cfg(test)]
mod tests;
