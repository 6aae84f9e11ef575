//! gRPC with tonic: the layer around all services of a server, and a guard before one of them.
//!
//! `cargo run --example tonic` serves `http://127.0.0.1:8080`. A small identity provider is included. What you would
//! write yourself is `app.rs`, with the code that `tonic-build` makes in place of the services by hand.
//!
//! A client without a token gets `UNAUTHENTICATED`, one with too few scopes `PERMISSION_DENIED`, and both the challenge
//! as metadata (`www-authenticate`), which says where to log in.

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
    stage::run("", " waits for gRPC clients", async |stage: Stage| {
        app::serve(stage.listener, &stage.base_url, stage.upstream).await
    })
    .await
}
