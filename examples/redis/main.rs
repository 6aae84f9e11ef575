//! Two instances of one server, on one Redis, behind one URL.
//!
//! ```text
//! redis-server --port 6379 &
//! REDIS_URL=redis://127.0.0.1:6379 cargo run --example redis --features redis
//! ```
//!
//! Requests to `http://127.0.0.1:8080` alternate between the two, as behind a load balancer without
//! sticky sessions. Add `http://127.0.0.1:8080/mcp` to an MCP client, or open it in a browser:
//! registration, login, codes, refreshes and calls may each reach another instance. A small identity
//! provider is included. What you would write yourself is `app.rs`.
//!
//! Three settings make them one deployment: the same base URL, the same secret, the same Redis. It is
//! the same on several hosts.

#![allow(
    unreachable_pub,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example"
)]

mod app;
#[path = "../support/mod.rs"]
mod support;

use std::{error::Error, process::ExitCode};

use support::{
    serve::{self, Limits},
    stage::{self, Stage},
};
use tower_oauth_proxy::SecretKey;

#[tokio::main]
async fn main() -> ExitCode {
    stage::run("", stage::MCP, async |stage: Stage| {
        let stop = serve::stop_signals()?;
        let redis_url =
            std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
        // Real instances read it from a secret store. A new one at each start would make clients register
        // again.
        let secret = SecretKey::from_bytes(rand::random::<[u8; 32]>())?;
        let two = app::two_instances(&stage.base_url, &redis_url, &secret, &stage.upstream);
        let (app, admins) = two.await?;
        serve::serve(stage.listener, app, Limits::default(), stop.clone()).await;
        serve::drain(&admins, stop).await;
        Ok::<_, Box<dyn Error>>(())
    })
    .await
}
