//! axum, at the root of a host or below a path, with a `CorsLayer` around everything.
//!
//! `cargo run --example axum_cors` serves `http://127.0.0.1:8080/mcp`, and `cargo run --example axum_cors -- /api` the
//! same at `http://127.0.0.1:8080/api/mcp`. A small identity provider is included. What you would write yourself is
//! `app.rs`.

#![allow(
    unreachable_pub,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example"
)]

mod app;
#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use support::stage::{self, Stage};

#[tokio::main]
async fn main() -> ExitCode {
    let below = std::env::args().nth(1).unwrap_or_default();
    stage::run(&below, stage::MCP, async |stage: Stage| {
        let app = app::app(&stage.base_url, stage.upstream)?;
        axum::serve(stage.listener, app).await?;
        Ok::<_, Box<dyn std::error::Error>>(())
    })
    .await
}
