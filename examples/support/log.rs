//! What an example writes to standard error: events of the crate and of others, as `RUST_LOG` says.

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use super::env::Refusal;

const VARIABLE: &str = "RUST_LOG";

/// Begins to log, at the level `otherwise` unless `RUST_LOG` says what.
pub fn start(otherwise: LevelFilter) -> Result<(), Refusal> {
    let said = match std::env::var(VARIABLE) {
        Ok(said) => said,
        Err(std::env::VarError::NotPresent) => String::new(),
        Err(error) => return Err(Refusal(format!("{VARIABLE}: {error}"))),
    };
    // A line that cannot be written would be told on standard error: where that is closed, its task would panic.
    let lines = fmt::layer()
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    tracing_subscriber::registry()
        .with(filter(&said, otherwise)?)
        .with(lines)
        .init();
    Ok(())
}

/// `info`, or `tower_oauth_proxy=debug,hyper=warn`: levels of targets, and at most one for all the rest.
pub(super) fn filter(said: &str, otherwise: LevelFilter) -> Result<Targets, Refusal> {
    let mut filter = Targets::new().with_default(otherwise);
    if said.trim().is_empty() {
        return Ok(filter);
    }
    let wrong = |entry: &str, what: &str| Refusal(format!("{VARIABLE}: `{entry}` {what}"));
    for entry in said.split(',').map(str::trim) {
        let (target, level) = match entry.split_once('=') {
            Some((target, level)) => (Some(target.trim()), level.trim()),
            None => (None, entry),
        };
        if target.is_some_and(str::is_empty) {
            return Err(wrong(entry, "names no target before the `=`"));
        }
        // A word alone would count as a target, at its most: `inof` would log nothing, and say nothing.
        let level = match level.parse::<LevelFilter>() {
            Ok(known) if !level.is_empty() => known,
            _ => {
                let what = "is not a level (off, error, warn, info, debug, trace), nor target=level as in \
                            tower_oauth_proxy=debug";
                return Err(wrong(entry, what));
            }
        };
        filter = match target {
            Some(target) => filter.with_target(target, level),
            None => filter.with_default(level),
        };
    }
    Ok(filter)
}
