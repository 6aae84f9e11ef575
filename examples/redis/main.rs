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
//! provider is included.
//!
//! Three settings make them one deployment: the same base URL, the same secret, the same Redis. It is
//! the same on several hosts.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example")]

mod support;

use std::{
    error::Error,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Extension, Json, Router, extract::Request, routing::any};
use serde_json::{Value, json};
use support::{
    idp::{self, IdentityProvider},
    log,
    serve::{self, Limits},
};
use tokio::net::TcpListener;
use tower::ServiceExt;
use tower_oauth_proxy::{
    AuthSession, ConfigError, OAuthProxyAdmin, OAuthProxyConfig, OAuthProxyLayer, SecretKey,
    provider, storage::RedisStorage,
};
use tracing_subscriber::filter::LevelFilter;

/// One instance. On another host, it would be another process with the same arguments.
async fn instance(
    name: &'static str,
    base_url: &str,
    redis_url: &str,
    secret: SecretKey,
    idp: &IdentityProvider,
) -> Result<(Router, OAuthProxyAdmin), ConfigError> {
    let upstream = provider::oidc(&idp.issuer, &idp.app.id, &idp.app.secret);
    let config = OAuthProxyConfig::builder(upstream, base_url)
        .secret_key(secret)
        .scopes(["openid", "profile"])
        .token_storage(RedisStorage::connect(redis_url).await?)
        .build()?;
    let who_am_i = async move |Extension(session): Extension<AuthSession>| -> Json<Value> {
        Json(json!({ "instance": name, "subject": session.subject() }))
    };
    let layer = OAuthProxyLayer::new(config);
    let admin = layer.admin();
    let app = Router::new().route("/mcp", any(who_am_i)).layer(layer);
    Ok((app, admin))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    log::start(LevelFilter::WARN).map_err(|refusal| refusal.to_string())?;
    let stop = serve::stop_signals()?;
    let redis_url =
        std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
    let front = TcpListener::bind("127.0.0.1:8080").await;
    let front = front.map_err(|error| format!("127.0.0.1:8080: {error}"))?;
    let base_url = format!("http://{}", front.local_addr()?);
    let callback = format!("{base_url}/oauth/callback");
    let idp = IdentityProvider::start(TcpListener::bind("127.0.0.1:0").await?, callback)?;

    // Real instances read it from a secret store. A new one at each start would make clients register
    // again.
    let secret: [u8; 32] = rand::random();
    let secret = || SecretKey::from_bytes(secret);
    let (one, first) = instance("one", &base_url, &redis_url, secret()?, &idp).await?;
    let (two, second) = instance("two", &base_url, &redis_url, secret()?, &idp).await?;
    let people = idp::people::PEOPLE.map(|person| person.name).join(" or ");
    println!("{base_url}/mcp is served by two instances in turn; log in as {people}");
    serve::serve(front, in_turn([one, two]), Limits::default(), stop.clone()).await;
    serve::drain(&[first, second], stop).await;
    Ok(())
}

/// A balancer in a few lines: each request goes to the next instance.
fn in_turn(instances: [Router; 2]) -> Router {
    let instances = Arc::new(instances);
    let turn = Arc::new(AtomicUsize::new(0));
    Router::new().fallback(async move |request: Request| {
        let [one, two] = &*instances;
        let next = match turn.fetch_add(1, Ordering::Relaxed) % 2 {
            0 => one,
            _ => two,
        };
        next.clone().oneshot(request).await
    })
}
