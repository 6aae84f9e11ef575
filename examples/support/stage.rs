//! What an example of one stack needs around it: a port, and a provider on this machine.

use std::{error::Error, process::ExitCode};

use tokio::net::TcpListener;
use tower_oauth_proxy::{Provider, provider};
use tracing_subscriber::filter::LevelFilter;

use super::{idp::IdentityProvider, log};

/// The part of the example that one would write oneself is given these.
pub struct Stage {
    pub listener: TcpListener,
    /// As clients have it.
    pub base_url: String,
    /// The provider, where Ada and Bob log in by a button.
    pub upstream: Provider,
}

/// What most examples say of their URL.
pub const MCP: &str = "/mcp waits for an MCP client";

/// Runs an example at 127.0.0.1:8080, or at any port where that one is taken. `below` is the path of its base URL,
/// or empty, and `what` is said of that URL.
pub async fn run<E: Into<Box<dyn Error>>>(
    below: &str,
    what: &str,
    example: impl AsyncFnOnce(Stage) -> Result<(), E>,
) -> ExitCode {
    let run = async {
        let stage = prepare(below).await?;
        println!("{}{what}. Ctrl-C ends it.", stage.base_url);
        example(stage).await.map_err(Into::into)
    };
    match run.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn prepare(below: &str) -> Result<Stage, Box<dyn Error>> {
    log::start(LevelFilter::WARN).map_err(|refusal| refusal.to_string())?;
    let listener = match TcpListener::bind("127.0.0.1:8080").await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind("127.0.0.1:0").await?,
    };
    let base_url = format!("http://{}{below}", listener.local_addr()?);
    let callback = format!("{base_url}/oauth/callback");
    let idp = IdentityProvider::start(TcpListener::bind("127.0.0.1:0").await?, callback)?;
    let upstream = provider::oidc(&idp.issuer, &idp.app.id, &idp.app.secret);
    Ok(Stage {
        listener,
        base_url,
        upstream: upstream.name("the example's identity provider"),
    })
}
