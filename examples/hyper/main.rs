//! hyper alone: the layer around a service without a framework.
//!
//! `cargo run --example hyper` serves `http://127.0.0.1:8080/mcp`. A small identity provider is included. What you
//! would write yourself is `app.rs`.

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
    stage::run("", stage::MCP, async |stage: Stage| {
        app::serve(stage.listener, &stage.base_url, stage.upstream).await
    })
    .await
}
