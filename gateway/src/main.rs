//! OAuth 2.1 login in front of any MCP server, in any language.

mod admin;
mod answer;
mod forward;
mod headers;
mod identity;
mod inbound;
mod limits;
mod numbers;
mod run;
mod serve;
mod settings;
mod shutdown;
mod stdio;
mod words;

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use settings::LogSettings;
use shutdown::Signals;
use words::Task;

#[tokio::main]
async fn main() -> ExitCode {
    match start().await {
        Ok(code) => code,
        Err(why) => {
            complain(&why);
            ExitCode::from(2)
        }
    }
}

async fn start() -> Result<ExitCode, String> {
    // Before anything else: a stop signal may come while the store is being opened.
    let signals = Signals::new().map_err(|error| format!("no handler for signals: {error}"))?;
    match words::read().await? {
        Task::Print(text) => {
            say(&text);
            Ok(ExitCode::SUCCESS)
        }
        Task::Check(told, can_work) => {
            say(&format!("{told}\n"));
            Ok(match can_work {
                true => ExitCode::SUCCESS,
                false => ExitCode::from(2),
            })
        }
        Task::Serve(settings, told) => {
            start_log(settings.log);
            // Before anything is served.
            complain(&told);
            run::run(*settings, signals).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn start_log(log: LogSettings) {
    let lines = tracing_subscriber::fmt()
        .with_max_level(log.level)
        // It would say so on standard error, and end the task there where that is what cannot be written to.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    match log.is_json {
        true => lines.json().init(),
        false => lines.with_ansi(std::io::stderr().is_terminal()).init(),
    }
}

/// A pipe that is closed, as by `head`, is no mistake.
fn say(text: &str) {
    drop(std::io::stdout().write_all(text.as_bytes()));
}

fn complain(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
