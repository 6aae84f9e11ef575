//! What the operator says: the command line, the environment, the file.
//!
//! One table of keys (`key`, `keys`, `section`) is what all else follows: the reader of the file, the names of the
//! variables, the messages, the example, the reference in the documentation.

mod cli;
mod document;
mod example;
mod from_files;
mod in_keys;
mod judge;
mod key;
mod keys;
mod load;
mod nearest;
#[cfg(test)]
mod reference;
mod refusal;
mod section;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod value;
mod variables;

use std::{collections::BTreeMap, env, ffi::OsString};

use self::{
    cli::Cli,
    in_keys::in_keys,
    keys::KEYS,
    load::{Refusals, Said, load},
    refusal::Refusal,
    variables::is_ours,
};
use crate::settings::Settings;
use clap::Parser;

/// What the program is to do.
pub(crate) enum Task {
    /// With what the settings come to, for the head of the log.
    Serve(Box<Settings>, String),
    /// Say what they come to, and whether they can work.
    Check(String, bool),
    Print(String),
}

/// The command line, and what it leads to.
///
/// # Errors
///
/// What is wrong, a sentence each.
pub(crate) async fn read() -> Result<Task, String> {
    let line: Vec<OsString> = env::args_os().collect();
    let cli = match Cli::try_parse_from(&line) {
        Ok(cli) => cli,
        Err(error) => match cli::hint(&line).filter(|_| error.use_stderr()) {
            Some(hint) => return Err(format!("{error}\n{hint}")),
            None => error.exit(),
        },
    };
    if cli.print_example {
        return Ok(Task::Print(example::example()));
    }
    let variables = variables().map_err(|refusal| refusal.to_string())?;
    let file = match variables.get("GATEWAY_CONFIG") {
        Some(path) if path.trim().is_empty() => return Err("GATEWAY_CONFIG: is empty".to_owned()),
        path => cli.config.or_else(|| path.map(Into::into)),
    };
    let said = Said {
        file,
        variables,
        command: cli.stdio.then_some(cli.command),
        is_check: cli.check,
    };
    let settings = load(said)
        .await
        .map_err(|refusals: Refusals| refusals.to_string())?;
    let report = settings.oauth.report();
    let told = format!(
        "{}{}",
        in_keys(&report.to_string(), KEYS),
        summary::summary(&settings)
    );
    Ok(match cli.check {
        true => Task::Check(told, !report.is_broken()),
        false => Task::Serve(Box::new(settings), told),
    })
}

/// The variables of the gateway. Those of others may be anything.
fn variables() -> Result<BTreeMap<String, String>, Refusal> {
    let named = env::vars_os().map(|(name, text)| (name.to_string_lossy().into_owned(), text));
    let ours = named.filter(|(name, _)| is_ours(name));
    ours.map(|(name, text)| {
        let not_utf8 = |_| Refusal::new(format!("{name}: the value is not UTF-8"));
        let text = text.into_string().map_err(not_utf8)?;
        Ok((name, text))
    })
    .collect()
}
