//! Why the gateway cannot start, as one sentence that names the file, the line and the key, or the variable.

use std::{fmt, path::Path, rc::Rc};

use tower_oauth_proxy::ConfigError;

/// Where something was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A line of the settings file, counted from 1.
    File { name: Rc<str>, line: usize },
    /// A variable of the environment.
    Variable(Rc<str>),
}

/// What is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal(String);

impl Refusal {
    pub(crate) fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// About a key. A variable has its own name; what stands inside of its value is named besides.
    pub(crate) fn at(place: &Place, path: &str, why: impl fmt::Display) -> Self {
        Self(match place {
            Place::File { name, line } => format!("{name}:{line}: {path}: {why}"),
            Place::Variable(name) if path.is_empty() || variable(path) == **name => {
                format!("{name}: {why}")
            }
            Place::Variable(name) => format!("{name}: {path}: {why}"),
        })
    }
}

/// What each variable of the gateway begins with.
pub(crate) const PREFIX: &str = "GATEWAY_";

/// `people.allowed_domains` is `GATEWAY_PEOPLE_ALLOWED_DOMAINS`.
pub(crate) fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "_").to_ascii_uppercase())
}

/// A mistake that the library found, without the name of its option: the key is named already.
pub(crate) fn words_of(error: &ConfigError) -> String {
    let told = error.to_string();
    let option = format!("`{}`: ", error.option());
    told.strip_prefix(&option).unwrap_or(&told).to_owned()
}

/// Of a key that has to be said: where it can be.
pub(super) fn missing(path: &str, file: Option<&Path>) -> String {
    // What stands in a list, or below a name of the operator's, has no variable of its own.
    let variable = match path.contains(['[', '"']) {
        true => String::new(),
        false => format!("{}, or ", variable(path)),
    };
    let file = match file {
        Some(file) => file.display().to_string(),
        None => "a settings file, which `--config FILE` names".to_owned(),
    };
    format!("is missing: set {variable}`{path}` in {file}")
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value as a message shows it: short, and without characters that a terminal obeys.
pub(crate) fn shown(value: &str) -> String {
    const LONGEST: usize = 100;
    let cut: String = value.chars().take(LONGEST).collect();
    let dots = if cut.len() < value.len() { "…" } else { "" };
    format!("`{}{dots}`", cut.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_short_and_without_control_characters() {
        assert_eq!(shown("a\u{1b}[2Jb"), "`a\\u{1b}[2Jb`");
        assert_eq!(shown(&"é".repeat(101)), format!("`{}…`", "é".repeat(100)));
    }
}
