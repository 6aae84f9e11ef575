//! A service whose numbers Prometheus reads, at a port of their own.
//!
//! ```text
//! LISTEN=127.0.0.1:8080 METRICS_LISTEN=127.0.0.1:9464 BASE_URL=http://127.0.0.1:8080 \
//! UPSTREAM_ISSUER=https://login.example \
//! UPSTREAM_CLIENT_ID=... UPSTREAM_CLIENT_SECRET=... SCOPES="openid email" \
//! cargo run --features metrics --example metrics
//! ```
//!
//! `METRICS_LISTEN` is the host:port of `/metrics`; all else is as in `custom_provider`. The numbers tell how many
//! people there are, and which provider is down: strangers must not reach that port.
//!
//! What the numbers mean is in the chapter `docs::metrics`; a dashboard and alert rules are in the folder `metrics`.
//! For Prometheus:
//!
//! ```yaml
//! scrape_configs:
//!   - job_name: mcp
//!     static_configs:
//!       - targets: ["127.0.0.1:9464"]
//! rule_files: ["alerts.yml"]
//! ```

#![allow(
    unreachable_pub,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example"
)]

pub(crate) mod support;

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use axum::{
    Extension, Router,
    http::header::CONTENT_TYPE,
    routing::{any, get},
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use support::{
    env::{self, Env, Refusal},
    serve::{self, Limits},
};
use tokio::net::TcpListener;
use tower_oauth_proxy::{
    AuthSession, ConfigError, OAuthProxyConfig, OAuthProxyLayer, metrics::SECONDS_BUCKETS,
};

#[tokio::main]
async fn main() -> ExitCode {
    env::run(start).await
}

/// Serves until it is told to stop.
///
/// # Errors
///
/// What is missing or wrong in the environment, by its name.
pub(crate) async fn start(env: Env) -> Result<(), Refusal> {
    // First of all: what the layer looks up before there is a recorder stays silent.
    let numbers = recorder()?;

    let provider = env.custom_provider()?;
    let builder = OAuthProxyConfig::builder(provider, env.required("BASE_URL")?);
    let config = env.options(builder).await?.build()?;
    env::tell(&config);
    let layer = OAuthProxyLayer::new(config);
    let admin = layer.admin();
    let app = Router::new()
        .route(&env.protected_path()?, any(hello))
        .layer(layer);

    let listener = listen(&env).await?;
    tokio::spawn(keep_small(numbers.clone()));
    tokio::spawn(serve::serve(
        listener,
        page(numbers),
        Limits::small(),
        serve::never(),
    ));
    env::serve(&env, app, admin).await
}

/// For the whole process; what other crates count goes there too.
fn recorder() -> Result<PrometheusHandle, Refusal> {
    // The exporter's own way are summaries, and no quantile over several instances can be had of those.
    let ours = Matcher::Prefix("oauth_proxy_".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(ours, &SECONDS_BUCKETS);
    let recorder = builder.and_then(PrometheusBuilder::install_recorder);
    recorder.map_err(|error| wrong(&error.to_string()))
}

/// The page that Prometheus reads.
fn page(numbers: PrometheusHandle) -> Router {
    let read = async move || {
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        ([(CONTENT_TYPE, kind)], numbers.render())
    };
    Router::new().route("/metrics", get(read))
}

/// The exporter keeps each time that was measured until it is read, or until this.
async fn keep_small(numbers: PrometheusHandle) {
    let mut tick = tokio::time::interval(Duration::from_secs(5));
    loop {
        tick.tick().await;
        numbers.run_upkeep();
    }
}

async fn listen(env: &Env) -> Result<TcpListener, Refusal> {
    let address = env.required("METRICS_LISTEN")?;
    let bound = TcpListener::bind(address).await;
    let listener = bound.map_err(|error| wrong(&format!("{address}: {error}")))?;
    let here: SocketAddr = listener
        .local_addr()
        .map_err(|error| wrong(&error.to_string()))?;
    println!("metrics at http://{here}/metrics");
    Ok(listener)
}

fn wrong(what: &str) -> Refusal {
    ConfigError::new("metrics_listen", what).into()
}

async fn hello(Extension(session): Extension<AuthSession>) -> String {
    format!("Hello, {}!\n", session.subject())
}
