//! A server for the open internet: which limit stands where.
//!
//! `cargo run --example limits` serves `http://127.0.0.1:8080/mcp`. A small identity provider is included. What you
//! would write yourself is `app.rs`; the chapter `docs::limits` says why each limit is where it is.

#![allow(
    unreachable_pub,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example"
)]

mod app;
#[path = "../support/mod.rs"]
mod support;

use std::{net::SocketAddr, process::ExitCode};

use support::stage::{self, Stage};

#[tokio::main]
async fn main() -> ExitCode {
    stage::run("", stage::MCP, async |stage: Stage| {
        let app = app::app(&stage.base_url, stage.upstream)?;
        // The address of the peer is what the limit by address counts.
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(stage.listener, app).await?;
        Ok::<_, Box<dyn std::error::Error>>(())
    })
    .await
}
