use std::collections::BTreeSet;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

use super::{
    table::{Kind, Metric, TABLE},
    *,
};
use crate::{
    event::{Reason, Step},
    route::Endpoint,
    session::TokenSource,
};

const CHAPTER: &str = include_str!("../docs/metrics.md");

fn recorder() -> PrometheusRecorder {
    let ours = Matcher::Prefix("oauth_proxy_".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(ours, &SECONDS_BUCKETS);
    builder.unwrap().build_recorder()
}

/// What an exporter shows after this.
fn shown(record: impl FnOnce()) -> String {
    let recorder = recorder();
    ::metrics::with_local_recorder(&recorder, record);
    recorder.handle().render()
}

/// One of each, however it is recorded.
fn record_all() {
    let checks = BearerChecks::new();
    checks.cached(TokenSource::Login as usize, || TokenSource::Login.as_str());
    step("callback", Some("expired"));
    login(|| "app", "google", None);
    let watch = Stopwatch::start();
    bearer(Check::Refused, NO_SOURCE, Some(watch));
    watch.endpoint("token", http::StatusCode::OK);
    StoreTimes::new().record(Verb::Get, Ended::Ok, watch);
    watch.outbound(Peer::Provider("google"), Ended::Throttled);
    watch.renewal("google", false, Renewed::Later);
    backed_off();
    limited("logins_per_minute");
    for live in [Sessions::new().one(), Live::login(), Live::task()] {
        drop(live);
    }
    drop(checks);
}

#[test]
fn every_metric_of_the_table_is_recorded_with_its_labels_and_described() {
    let page = shown(record_all);
    for Metric {
        name,
        kind,
        labels,
        help,
    } in TABLE
    {
        assert!(page.contains(&format!("# HELP {name} {help}\n")), "{page}");
        let kind = format!("{kind:?}").to_lowercase();
        assert!(page.contains(&format!("# TYPE {name} {kind}\n")), "{page}");
        let suffix = if kind == "histogram" { "_count" } else { "" };
        let series = page
            .lines()
            .find(|line| line.starts_with(&format!("{name}{suffix}")))
            .unwrap_or_else(|| panic!("{name} is not in {page}"));
        let shown: BTreeSet<&str> = series
            .split(['{', ',', '}'])
            .filter_map(|part| Some(part.split_once("=\"")?.0))
            .collect();
        assert_eq!(shown, labels.iter().copied().collect(), "{series}");
    }
    let described = page.matches("# TYPE oauth_proxy_").count();
    assert_eq!(described, TABLE.len(), "{page}");
}

#[test]
fn a_gauge_goes_back_when_what_it_counts_is_gone() {
    let recorder = recorder();
    let page = || recorder.handle().render();
    ::metrics::with_local_recorder(&recorder, || {
        let sessions = Sessions::new();
        let some = [sessions.one(), sessions.one()];
        assert!(page().contains("oauth_proxy_sessions_cached 2\n"));
        drop(some);
        assert!(page().contains("oauth_proxy_sessions_cached 0\n"));
        backed_off();
        backed_off();
        no_longer_backed_off();
        assert!(page().contains("oauth_proxy_grants_backed_off 1\n"));
    });
}

#[test]
fn a_source_beyond_the_counters_at_hand_counts_all_the_same() {
    let page = shown(|| {
        let checks = BearerChecks::new();
        for place in [0, 0, 15, 16, 99] {
            checks.cached(place, || "login");
            checks.first_sight(place, || "login", Stopwatch::start());
        }
    });
    for series in [
        "oauth_proxy_bearer_checks_total{source=\"login\",verdict=\"cached\"} 5\n",
        "oauth_proxy_bearer_checks_total{source=\"login\",verdict=\"first_sight\"} 5\n",
        "oauth_proxy_bearer_check_seconds_count{source=\"login\",verdict=\"first_sight\"} 5\n",
    ] {
        assert!(page.contains(series), "{page}");
    }
    // The last of them.
    assert!((TokenSource::Provider as usize) < 16);
}

#[test]
fn a_layer_that_is_gone_is_not_counted_any_more() {
    let recorder = recorder();
    ::metrics::with_local_recorder(&recorder, || {
        let layers = [BearerChecks::new(), BearerChecks::new()];
        let info = |many: u8| {
            let version = env!("CARGO_PKG_VERSION");
            let series = format!("oauth_proxy_info{{version=\"{version}\"}} {many}\n");
            recorder.handle().render().contains(&series)
        };
        assert!(info(2));
        let [first, second] = layers;
        drop(first);
        assert!(info(1));
        drop(second);
        assert!(info(0));
    });
}

#[test]
fn the_chapter_has_every_metric_and_no_other() {
    let shown: Vec<&str> = CHAPTER
        .lines()
        .filter(|line| line.starts_with("| `oauth_proxy_"))
        .collect();
    let rows: Vec<String> = TABLE.iter().map(|metric| row(metric)).collect();
    assert_eq!(shown, rows);
}

fn row(metric: &Metric) -> String {
    let Metric {
        name,
        kind,
        labels,
        help,
    } = metric;
    let unit = match kind {
        Kind::Counter | Kind::Gauge => "1",
        Kind::Histogram => "seconds",
    };
    let kind = format!("{kind:?}").to_lowercase();
    let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
    format!(
        "| `{name}` | {kind} | {unit} | {} | {help} |",
        labels.join(", ")
    )
}

#[test]
fn the_chapter_has_every_label_and_every_word_that_it_can_be() {
    let values = |label: &str, of: &str| -> &str {
        let row = CHAPTER.lines().find(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            matches!(cells[..], [_, labels, metrics, ..]
                if labels.split(", ").any(|it| it == format!("`{label}`"))
                    && metrics.split(", ").any(|it| it == format!("`{of}`")))
        });
        row.unwrap_or_else(|| panic!("`{label}` of `{of}` is not in the chapter"))
    };
    for metric in TABLE {
        let short = metric.name.strip_prefix("oauth_proxy_").unwrap();
        for label in metric.labels {
            values(label, short);
        }
    }
    let lists = [
        ("verdict", "bearer_checks_total", Check::ALL),
        ("verb", "store_seconds", Verb::ALL),
        ("outcome", "store_seconds", Ended::ALL),
        ("outcome", "outbound_seconds", Ended::ALL),
        ("outcome", "renewal_seconds", Renewed::ALL),
        ("kind", "outbound_seconds", Peer::ALL),
    ];
    for (label, of, words) in lists {
        for word in words {
            assert!(values(label, of).contains(&format!("`{word}`")), "{word}");
        }
    }
    for endpoint in Endpoint::all() {
        let name = endpoint.name();
        let row = values("endpoint", "endpoint_seconds");
        assert!(row.contains(&format!("`{name}`")), "{name}");
    }
}

/// What a text of PromQL names: metrics, and the labels and values that it compares them with.
fn named(text: &str) -> Vec<(&str, Vec<(&str, &str)>)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("oauth_proxy_") {
        rest = &rest[at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        let mut matchers = Vec::new();
        if let Some(inside) = after.strip_prefix('{') {
            let (inside, _) = inside.split_once('}').expect(name);
            for matcher in inside.split(',').map(str::trim) {
                let (label, value) = matcher.split_once(['=', '!']).expect(matcher);
                matchers.push((label, value.trim_matches(['=', '~', '\\', '"'])));
            }
        }
        found.push((name, matchers));
        rest = after;
    }
    found
}

/// A metric by the name of one of its series.
fn metric_of(series: &str) -> &'static Metric {
    let of_histogram = ["_bucket", "_count", "_sum"];
    let found = TABLE.iter().find(|metric| match metric.kind {
        Kind::Histogram => {
            (series.strip_prefix(metric.name)).is_some_and(|suffix| of_histogram.contains(&suffix))
        }
        Kind::Counter | Kind::Gauge => series == metric.name,
    });
    found.unwrap_or_else(|| panic!("there is no metric {series}"))
}

fn is_word_of(metric: &Metric, label: &str, value: &str) -> bool {
    let steps = || Step::ALL.iter().any(|step| step.as_str() == value);
    let reasons = || Reason::ALL.iter().any(|reason| reason.as_str() == value);
    let name = metric.name.strip_prefix("oauth_proxy_").unwrap();
    match (name, label) {
        (_, "step") => steps(),
        (_, "reason") => reasons() || value == "none",
        ("steps_total", "outcome") => ["done", "refused"].contains(&value),
        ("logins_total", "outcome") => reasons() || value == "done",
        ("renewal_seconds", "outcome") => Renewed::ALL.contains(&value),
        (_, "outcome") => Ended::ALL.contains(&value),
        (_, "verdict") => Check::ALL.contains(&value),
        (_, "verb") => Verb::ALL.contains(&value),
        ("outbound_seconds", "kind") => Peer::ALL.contains(&value),
        ("renewal_seconds", "kind") => ["token", "person"].contains(&value),
        (_, "endpoint") => Endpoint::all().any(|endpoint| endpoint.name() == value),
        (_, "status") => ["2xx", "3xx", "4xx", "5xx"].contains(&value),
        _ => false,
    }
}

/// Every name in a text of queries is one that there is.
fn check_queries(text: &str) {
    for (series, matchers) in named(text) {
        let metric = metric_of(series);
        for (label, values) in matchers {
            if ["job", "instance", "le"].contains(&label) {
                continue;
            }
            assert!(metric.labels.contains(&label), "{series} has no {label}");
            // A variable of the dashboard is one value of many.
            for value in values.split('|').filter(|value| !value.starts_with('$')) {
                let is_word = is_word_of(metric, label, value);
                assert!(is_word, "{series}: no {label} is `{value}`");
            }
        }
    }
    // What is summed by a label that no metric has comes out empty.
    let known: BTreeSet<&str> = TABLE
        .iter()
        .flat_map(|metric| metric.labels)
        .copied()
        .chain(["le", "job", "instance"])
        .collect();
    for by in text.split(" by (").skip(1) {
        let (labels, _) = by.split_once(')').unwrap();
        for label in labels.split(',').map(str::trim) {
            assert!(known.contains(label), "no metric has a label {label}");
        }
    }
}

#[test]
fn the_alert_rules_name_only_what_there_is() {
    let rules = include_str!("../../metrics/alerts.yml");
    check_queries(rules);
    let alerts = rules.matches("- alert: ").count();
    assert!(alerts >= 10, "{alerts}");
    // Each with what an operator needs in the night.
    for part in ["expr:", "for:", "severity:", "summary:", "description:"] {
        assert_eq!(rules.matches(part).count(), alerts, "{part}");
    }
}

#[test]
fn the_dashboard_names_only_what_there_is_and_shows_every_metric() {
    let text = include_str!("../../metrics/grafana.json");
    let board: serde_json::Value = serde_json::from_str(text).unwrap();
    let panels = board["panels"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    let mut places = BTreeSet::new();
    let mut shown = BTreeSet::new();
    for panel in panels {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}");
        let place = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        let (x, y, width, height) = (place("x"), place("y"), place("w"), place("h"));
        assert!(x + width <= 24, "{title} is too wide");
        for cell in (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y))) {
            assert!(places.insert(cell), "{title} lies upon another panel");
        }
        let queries = panel["targets"].as_array();
        assert_eq!(queries.is_none(), panel["type"] == "row", "{title}");
        for query in queries.into_iter().flatten() {
            let query = query["expr"].as_str().unwrap();
            check_queries(query);
            shown.extend(named(query).iter().map(|(name, _)| metric_of(name).name));
            assert!(query.contains("job=~\"$job\""), "{title}: {query}");
        }
    }
    let all: BTreeSet<&str> = TABLE.iter().map(|metric| metric.name).collect();
    assert_eq!(shown, all);
    for variable in board["templating"]["list"].as_array().unwrap() {
        if let Some(query) = variable["definition"].as_str() {
            check_queries(query);
        }
    }
}

#[test]
#[should_panic(expected = "no reason is `sorrow`")]
fn a_word_that_there_is_not_would_be_seen() {
    check_queries("rate(oauth_proxy_steps_total{step=\"callback\",reason=\"sorrow\"}[5m])");
}

#[test]
#[should_panic(expected = "there is no metric oauth_proxy_store_seconds")]
fn a_histogram_without_its_suffix_would_be_seen() {
    check_queries("oauth_proxy_store_seconds{verb=\"get\"}");
}
