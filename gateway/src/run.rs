//! The running gateway: all parts put together, from the first listener to the last task.

use std::{io::Write, sync::Arc};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tower_oauth_proxy::{OAuthProxyLayer, metrics::SECONDS_BUCKETS};

use crate::{
    admin::{Admin, open_admin, serve_admin},
    forward::{Behind, Forward, Judged},
    identity::Identity,
    limits, numbers,
    serve::{App, Listener, serve},
    settings::{LimitSettings, Settings},
    shutdown::{Shutdown, Signals},
};

/// Serves until it is told to stop.
///
/// # Errors
///
/// Why it cannot begin, in a sentence.
pub(crate) async fn run(settings: Settings, signals: Signals) -> Result<(), String> {
    let Settings {
        listen,
        admin_listen,
        oauth,
        public,
        cookie_prefix,
        trusted_proxies,
        behind,
        identity,
        rules,
        limits,
        log: _,
    } = settings;
    // First of all: what the layer looks up before there is a recorder stays silent.
    let page = recorder()?;
    numbers::describe();
    allow_files(&limits);
    let (shutdown, phases) = Shutdown::new();
    let layer = OAuthProxyLayer::new(oauth);
    let identity = Arc::new(Identity::new(identity));
    let behind = Behind::new(behind, &public, &cookie_prefix, &limits, &phases)?;
    let forward = Forward::new(behind, Arc::clone(&identity), &limits, phases.clone());
    let judged = Judged::new(forward.clone(), rules);
    let app = App::new(&layer, judged, Arc::clone(&identity), &limits);

    let listener = Listener::open(&listen).await?;
    let admin = match admin_listen {
        Some(address) => Some(open_admin(address).await?),
        None => None,
    };
    say(&format!("listening on {}", listener.address()));
    let pages = admin.map(|listener| {
        if let Ok(address) = listener.local_addr() {
            say(&format!("admin on {address}"));
        }
        let pages = Admin::new(
            layer.handle(),
            forward.clone(),
            page,
            phases.clone(),
            &identity,
        );
        tokio::spawn(serve_admin(listener, pages))
    });

    let finish = limits.finish;
    let stopping = tokio::spawn(shutdown.by_signals(signals, finish));
    serve(
        listener,
        app,
        Arc::new(limits),
        trusted_proxies.into(),
        phases,
    )
    .await;
    let left = layer.admin().drain(limits::DRAIN).await;
    if left > 0 {
        tracing::warn!("{left} tasks did not end in time: some people may have to log in again");
    }
    forward.stop().await;
    stopping.abort();
    if let Some(pages) = pages {
        pages.abort();
    }
    tracing::info!("stopped");
    Ok(())
}

/// Each connection is a file, and each request at the server behind one more; the system often grants 1024, for programs
/// that cannot handle more. As many are asked for as the limits allow.
fn allow_files(limits: &LimitSettings) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = limits.connections.saturating_add(limits.requests);
    let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
    let wanted = wanted.saturating_add(limits::FILES_BESIDES);
    let granted = getrlimit(Resource::Nofile);
    let most = granted.maximum.unwrap_or(u64::MAX);
    if most < wanted {
        tracing::warn!(
            "the limits allow {wanted} open files, and the system {most}: connections beyond that wait"
        );
    }
    let now = granted.current.unwrap_or(u64::MAX);
    let raised = Rlimit {
        current: Some(wanted.min(most).max(now)),
        maximum: granted.maximum,
    };
    if now < wanted
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::warn!("no more than {now} open files: {error}");
    }
}

/// For the whole process; what other crates count goes there too.
fn recorder() -> Result<PrometheusHandle, String> {
    // The exporter's own way are summaries, and no quantile over several instances can be had of those.
    let ours = Matcher::Prefix("oauth_".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(ours, &SECONDS_BUCKETS);
    let recorder = builder.and_then(PrometheusBuilder::install_recorder);
    recorder.map_err(|error| format!("metrics: {error}"))
}

/// Where the gateway listens goes to standard output, a line each; all else is a log. The one who reads may be gone.
fn say(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}
