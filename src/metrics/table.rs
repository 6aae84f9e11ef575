//! Every metric there is. `docs::operations` shows this table, and a test compares the two.

/// One metric: how it is called, what it counts, and by which labels.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) labels: &'static [&'static str],
    /// One sentence, for the exporter.
    pub(super) help: &'static str,
}

/// What kind of number it is. The unit of a histogram is the second, of the others it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

pub(super) static STEPS: Metric = Metric {
    name: "oauth_proxy_steps_total",
    kind: Kind::Counter,
    labels: &["step", "outcome", "reason"],
    help: "Events, by step and reason.",
};

pub(super) static LOGINS: Metric = Metric {
    name: "oauth_proxy_logins_total",
    kind: Kind::Counter,
    labels: &["provider", "client", "outcome"],
    help: "Logins that came back from the provider, by what came of them.",
};

pub(super) static CHECKS: Metric = Metric {
    name: "oauth_proxy_bearer_checks_total",
    kind: Kind::Counter,
    labels: &["source", "verdict"],
    help: "Requests to protected paths, by their bearer token.",
};

pub(super) static CHECK_TIMES: Metric = Metric {
    name: "oauth_proxy_bearer_check_seconds",
    kind: Kind::Histogram,
    labels: &["source", "verdict"],
    help: "Time to check a bearer token that was not in the cache.",
};

pub(super) static ENDPOINTS: Metric = Metric {
    name: "oauth_proxy_endpoint_seconds",
    kind: Kind::Histogram,
    labels: &["endpoint", "status"],
    help: "Time to answer a request to one of the proxy's own URLs.",
};

pub(super) static RENEWALS: Metric = Metric {
    name: "oauth_proxy_renewal_seconds",
    kind: Kind::Histogram,
    labels: &["provider", "kind", "outcome"],
    help: "Time to renew a provider's token, or to look at its person again.",
};

pub(super) static OUTBOUND: Metric = Metric {
    name: "oauth_proxy_outbound_seconds",
    kind: Kind::Histogram,
    labels: &["kind", "provider", "outcome"],
    help: "Time of one exchange with another server.",
};

pub(super) static STORE: Metric = Metric {
    name: "oauth_proxy_store_seconds",
    kind: Kind::Histogram,
    labels: &["verb", "outcome"],
    help: "Time of one verb of the store.",
};

pub(super) static SESSIONS: Metric = Metric {
    name: "oauth_proxy_sessions_cached",
    kind: Kind::Gauge,
    labels: &[],
    help: "Sessions in memory, those included that have run out and are about to be freed.",
};

pub(super) static LOGINS_AT_WORK: Metric = Metric {
    name: "oauth_proxy_logins_at_work",
    kind: Kind::Gauge,
    labels: &[],
    help: "Logins that came back from the provider and are being completed.",
};

pub(super) static TASKS: Metric = Metric {
    name: "oauth_proxy_tasks",
    kind: Kind::Gauge,
    labels: &[],
    help: "Work that goes on without a request, which a process waits for when it stops.",
};

pub(super) static BACKED_OFF: Metric = Metric {
    name: "oauth_proxy_grants_backed_off",
    kind: Kind::Gauge,
    labels: &[],
    help: "Grants whose last renewal failed a moment ago, for which the provider is left alone.",
};

pub(super) static LIMITED: Metric = Metric {
    name: "oauth_proxy_limited_total",
    kind: Kind::Counter,
    labels: &["limit"],
    help: "Requests that were refused because a limit of the operator was reached.",
};

pub(super) static INFO: Metric = Metric {
    name: "oauth_proxy_info",
    kind: Kind::Gauge,
    labels: &["version"],
    help: "The layers of this process, by the version of this crate.",
};

/// All of them, in the order of the documentation.
pub(super) static TABLE: &[&Metric] = &[
    &STEPS,
    &LOGINS,
    &CHECKS,
    &CHECK_TIMES,
    &ENDPOINTS,
    &RENEWALS,
    &OUTBOUND,
    &STORE,
    &SESSIONS,
    &LOGINS_AT_WORK,
    &TASKS,
    &BACKED_OFF,
    &LIMITED,
    &INFO,
];
