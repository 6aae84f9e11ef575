//! An MCP server with a login, and everything around it, on one machine.
//!
//! `cargo run --example quickstart` starts
//! - an MCP server (rmcp) behind the layer, with a tool `whoami` and a tool for admins only,
//! - a small identity provider, where Ada (an admin) and Bob (not one) log in by a button,
//! - a page on which to watch the whole journey of an MCP client.
//!
//! `cargo run --example quickstart -- --walk` makes that journey by itself, prints each request and
//! answer, ends with a verdict, and exits with 0 only if every step was right. Saying no is a right answer.
//!
//! `cargo run --example quickstart -- --provider-only` starts the identity provider alone, for a service of
//! your own on this machine, and prints the credentials that it knows: the same at each start. `--port 9000`
//! is where it listens then; 8081 unless set, and 0 for any.
//!
//! The part that you would write yourself is `build`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example")]

mod support;
mod walk;

use std::{error::Error, process::ExitCode};

use axum::{Router, http::StatusCode, routing::get};
use support::{
    idp::IdentityProvider,
    log, pages,
    serve::{self, Limits},
};
use tokio::net::TcpListener;
use tower_oauth_proxy::{
    ClaimsPassthrough, ConfigError, OAuthProxyAdmin, OAuthProxyConfig, OAuthProxyLayer, SecretKey,
    provider,
};
use tracing_subscriber::filter::LevelFilter;

/// The MCP server with its layer.
fn build(
    base_url: &str,
    idp: &IdentityProvider,
    start_url: &str,
) -> Result<(Router, OAuthProxyAdmin), ConfigError> {
    let upstream = provider::oidc(&idp.issuer, &idp.app.id, &idp.app.secret)
        .name("the example's identity provider");

    // Roles come as an array.
    let roles = ClaimsPassthrough::default()
        .allowed_claims(["roles"])
        .allow_complex(true);
    let config = OAuthProxyConfig::builder(upstream, base_url)
        // A real server keeps its secret: with a new one, clients have to register again.
        .secret_key(SecretKey::from_bytes(rand::random::<[u8; 32]>())?)
        .scopes(["openid", "profile", "email"])
        .public_paths(["/"])
        .custom_claims_passthrough(roles)
        .cors_on_protected_paths(true)
        .build()?;

    let layer = OAuthProxyLayer::new(config);
    let admin = layer.admin();
    let front = walk::page::front(&format!("{base_url}/mcp"), start_url);
    let app = Router::new()
        .route("/", get(async || pages::answer(StatusCode::OK, front)))
        .route_service("/mcp", walk::mcp::service())
        .layer(layer);
    Ok((app, admin))
}

/// What to do, by the arguments.
#[derive(Debug, PartialEq)]
enum Mode {
    Watch,
    Walk,
    ProviderOnly { port: u16 },
}

impl Mode {
    fn of(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let arguments: Vec<String> = arguments.into_iter().collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match arguments[..] {
            [] => Ok(Self::Watch),
            ["--walk"] => Ok(Self::Walk),
            ["--provider-only"] => Ok(Self::ProviderOnly {
                port: walk::provider_only::PORT,
            }),
            ["--provider-only", "--port", port] | ["--port", port, "--provider-only"] => {
                let wrong = |_| format!("--port: `{port}` is not a number from 0 to 65535");
                let port = port.parse().map_err(wrong)?;
                Ok(Self::ProviderOnly { port })
            }
            _ => Err(format!(
                "`{}`: say --walk, or --provider-only with or without --port and a number, or nothing",
                arguments.join(" ")
            )),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Mode::of(std::env::args().skip(1)) {
        Ok(mode) => run(mode).await,
        Err(why) => Err(why.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(mode: Mode) -> Result<(), Box<dyn Error>> {
    let otherwise = match mode {
        // It has refusals that are meant.
        Mode::Walk => LevelFilter::OFF,
        Mode::Watch | Mode::ProviderOnly { .. } => LevelFilter::WARN,
    };
    log::start(otherwise).map_err(|refusal| refusal.to_string())?;
    let stop = serve::stop_signals()?;
    if let Mode::ProviderOnly { port } = mode {
        return Ok(walk::provider_only::run(port, stop).await?);
    }
    let walk = mode == Mode::Walk;
    let server = listen(8080, walk).await?;
    let base_url = format!("http://{}", server.local_addr()?);
    let mcp_url = format!("{base_url}/mcp");

    let callback = format!("{base_url}/oauth/callback");
    let idp = IdentityProvider::start(listen(8081, walk).await?, callback)?;

    let client = listen(8082, walk).await?;
    let client_origin = format!("http://{}", client.local_addr()?);
    walk::web::start(client, client_origin.clone(), mcp_url.clone());

    let (app, admin) = build(&base_url, &idp, &format!("{client_origin}/start"))?;
    let serving = tokio::spawn(serve::serve(server, app, Limits::default(), stop.clone()));

    if walk {
        return Ok(walk::alone::walk(&mcp_url).await?);
    }
    print_urls(&base_url, &mcp_url);
    serving.await?;
    serve::drain(&[admin], stop).await;
    Ok(())
}

fn print_urls(base_url: &str, mcp_url: &str) {
    println!(
        "To watch the whole journey, open a browser at

    {base_url}/

To use a client of your own, give it the URL {mcp_url}, for example

    claude mcp add --transport http quickstart {mcp_url}
    code --add-mcp '{{\"name\":\"quickstart\",\"type\":\"http\",\"url\":\"{mcp_url}\"}}'
    npx @modelcontextprotocol/inspector --transport http --server-url {mcp_url}

and ask it who you are (tool `whoami`), or for the list of people (tool `list_people`, for Ada
only). Ctrl-C ends everything."
    );
}

/// A loopback port: the usual one if it is free, and any for the walk.
async fn listen(port: u16, any: bool) -> std::io::Result<TcpListener> {
    let port = if any { 0 } else { port };
    match TcpListener::bind(("127.0.0.1", port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind(("127.0.0.1", 0)).await,
    }
}
