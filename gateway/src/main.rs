//! OAuth 2.1 login in front of any MCP server, in any language.

mod admin;
mod answer;
mod forward;
mod headers;
mod identity;
mod inbound;
mod limits;
mod run;
mod serve;
mod settings;
mod shutdown;
mod stdio;
mod words;

use std::process::ExitCode;

use shutdown::Signals;

#[tokio::main]
async fn main() -> ExitCode {
    match start().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            complain(&why);
            ExitCode::from(2)
        }
    }
}

async fn start() -> Result<(), String> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    // Before anything else: a stop signal may come while the store is being opened.
    let signals = Signals::new().map_err(|error| format!("no handler for signals: {error}"))?;
    run::run(words::read()?, signals).await
}

#[expect(clippy::print_stderr, reason = "the output of a program")]
fn complain(why: &str) {
    eprintln!("{why}");
}
