//! rmcp's own OAuth client against any MCP server: `interop_client MCP_URL`.
//!
//! Registers itself, prints `AUTHORIZE <url>` for a person with a browser, reads the final redirect
//! URL from standard input and calls the tool `whoami` (`OK call`). Then it waits until the access
//! token has expired, `EXPIRE_AFTER` seconds (unset: `ACCESS_TOKEN_TTL` and one more), and calls
//! again, by then with a refreshed token (`OK refresh`, `OK second call`).

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example")]

use std::{error::Error, io::Write, process::ExitCode, time::Duration};

use rmcp::{
    ServiceExt,
    model::CallToolRequestParams,
    service::{RoleClient, RunningService},
    transport::{
        AuthClient, AuthorizationRequest, StreamableHttpClientTransport, auth::OAuthState,
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};

/// Where the person is sent back to. No server listens there: the URL arrives on standard input.
const CALLBACK: &str = "http://127.0.0.1:8976/callback";

#[tokio::main]
async fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        eprintln!("usage: interop_client MCP_URL");
        return ExitCode::from(2);
    };
    match run(&url).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("FAILED {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(url: &str) -> Result<(), Box<dyn Error>> {
    let client = log_in(url).await?;
    let before = client.get_access_token().await?;

    let config = StreamableHttpClientTransportConfig::with_uri(url);
    let transport = StreamableHttpClientTransport::with_client(client.clone(), config);
    let service = ().serve(transport).await?;
    println!("{}", whoami(&service).await?);
    println!("OK call");

    if let Some(seconds) = expire_after()? {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let who = whoami(&service).await?;
        if client.get_access_token().await? == before {
            return Err("the access token is still the old one".into());
        }
        println!("OK refresh\n{who}\nOK second call");
    }
    service.cancel().await?;
    Ok(())
}

fn expire_after() -> Result<Option<u64>, Box<dyn Error>> {
    let set = |name| match std::env::var(name) {
        Ok(seconds) => seconds.parse().map(Some),
        Err(_) => Ok(None),
    };
    match set("EXPIRE_AFTER")? {
        Some(seconds) => Ok(Some(seconds)),
        None => Ok(set("ACCESS_TOKEN_TTL")?.map(|ttl: u64| ttl + 1)),
    }
}

async fn log_in(url: &str) -> Result<AuthClient<reqwest::Client>, Box<dyn Error>> {
    let mut state = OAuthState::new(url, None).await?;
    let request = AuthorizationRequest::new(CALLBACK).with_client_name("rmcp interop client");
    state.start_authorization(request).await?;
    println!("AUTHORIZE {}", state.get_authorization_url().await?);
    std::io::stdout().flush()?;

    let mut redirect = String::new();
    std::io::stdin().read_line(&mut redirect)?;
    state.handle_callback_url(redirect.trim()).await?;
    let manager = state
        .into_authorization_manager()
        .ok_or("not authorized after the callback")?;
    Ok(AuthClient::new(reqwest::Client::default(), manager))
}

async fn whoami(service: &RunningService<RoleClient, ()>) -> Result<String, Box<dyn Error>> {
    let answer = service
        .call_tool(CallToolRequestParams::new("whoami"))
        .await?;
    let text = answer.content.first().and_then(|block| block.as_text());
    Ok(text.ok_or("the tool did not answer in text")?.text.clone())
}
