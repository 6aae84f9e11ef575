//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::Parser;

/// OAuth 2.1 login in front of any MCP server, in any language.
///
/// Each setting is a key of the file and a variable GATEWAY_…; the variable counts.
#[derive(Debug, Parser)]
#[command(name = "tower-oauth-gateway", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// The settings, as a TOML file. Default: that of the variable GATEWAY_CONFIG; without one, the environment
    /// alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Says what the settings come to, and ends: with 0, or with 2 where they cannot work. Serves nothing.
    #[arg(long, conflicts_with = "print_example")]
    pub(crate) check: bool,
    /// Prints a settings file with every key, its meaning and its variable, and ends.
    #[arg(long)]
    pub(crate) print_example: bool,
    /// Serves a local MCP server of standard input and output: the command after `--`.
    #[arg(long, requires = "command")]
    pub(crate) stdio: bool,
    /// The program and its arguments, for --stdio.
    #[arg(last = true, requires = "stdio", value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// What clap does not tell of a command line that it refuses: how `--stdio` and its command go together.
pub(crate) fn hint(line: &[OsString]) -> Option<&'static str> {
    let at = |word: &str| line.iter().position(|said| said == word);
    match (at("--stdio"), at("--")) {
        (None, Some(_)) => Some(
            "A command after `--` is served with `--stdio`: `tower-oauth-gateway --stdio -- COMMAND …`. A server \
             that listens by itself is named by `upstream.url`.",
        ),
        (Some(_), None) => Some(
            "The command of `--stdio` stands after `--`: `tower-oauth-gateway --stdio -- COMMAND …`. One of the \
             settings, `stdio.command`, needs no `--stdio`.",
        ),
        (Some(option), Some(end)) if option > end => {
            Some("`--stdio` stands before the `--`: `tower-oauth-gateway --stdio -- COMMAND …`.")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_read() {
        Cli::command().debug_assert();
        let cli = Cli::try_parse_from(["g", "--config", "a.toml", "--check"]).unwrap();
        assert!(cli.check && cli.config.is_some_and(|path| path.ends_with("a.toml")));
        let cli = Cli::try_parse_from(["g", "--stdio", "--", "npx", "-y", "server"]).unwrap();
        assert_eq!(cli.command, ["npx", "-y", "server"]);
    }

    #[test]
    fn half_a_command_is_refused() {
        for line in [
            &["g", "--stdio"][..],
            &["g", "--", "npx"],
            &["g", "npx"],
            &["g", "--checkx"],
            &["g", "--check", "--print-example"],
        ] {
            assert!(Cli::try_parse_from(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn half_a_command_is_told_how_the_other_half_is_written() {
        for (line, expected) in [
            (&["g", "--", "npx"][..], Some("is served with `--stdio`")),
            (&["g", "--", "--stdio", "npx"], Some("before the `--`")),
            (&["g", "--stdio", "npx"], Some("stands after `--`")),
            (&["g", "--stdio"], Some("stands after `--`")),
            (&["g", "--checkx"], None),
            (&["g", "--stdiox", "--stdio", "--", "npx"], None),
        ] {
            assert!(Cli::try_parse_from(line).is_err(), "{line:?}");
            let line: Vec<OsString> = line.iter().map(OsString::from).collect();
            let told = hint(&line);
            assert_eq!(told.is_some(), expected.is_some(), "{line:?}");
            assert!(
                told.unwrap_or_default()
                    .contains(expected.unwrap_or_default())
            );
        }
    }
}
