//! What a text that people read must not be.

use crate::{
    error::ConfigError,
    limits::MAX_NAME,
    oauth::{is_blank, printable},
};

/// A name that people read, on the consent page and in metadata.
pub(super) fn check_name(option: &'static str, name: &str) -> Result<(), ConfigError> {
    if is_blank(name) {
        let why = format!("{name:?} is empty: people could not see whom they give access to");
        return Err(ConfigError::new(option, why));
    }
    check_text(option, name, MAX_NAME)
}

/// A text that people read, with the most characters that it may have.
pub(super) fn check_text(option: &'static str, text: &str, most: usize) -> Result<(), ConfigError> {
    let refuse = |why: &str| {
        let start: String = text.chars().take(MAX_NAME).collect();
        Err(ConfigError::new(option, format!("{start:?} {why}")))
    };
    if text.chars().count() > most {
        return refuse(&format!("is longer than {most} characters"));
    }
    if is_blank(text) {
        return refuse("is empty: people could not see it");
    }
    if printable(text, most) != text {
        return refuse("holds a control, direction or invisible character");
    }
    Ok(())
}
