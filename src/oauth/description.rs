//! What may stand in `error_description`.

use crate::limits::{MAX_DESCRIPTION, MAX_QUOTED};

/// A whole `error_description`. RFC 6749 section 5.2: its values "MUST NOT include characters outside
/// the set %x20-21 / %x23-5B / %x5D-7E". The operator's hooks write theirs freely.
pub(crate) fn description(text: &str) -> String {
    in_the_set(text, MAX_DESCRIPTION)
}

/// A stranger's input, cut and made safe to quote in an `error_description`: RFC 6749 section 5.2
/// allows printable ASCII without `"` and `\`, anything else becomes `?`.
pub(crate) fn describable(text: &str) -> String {
    in_the_set(text, MAX_QUOTED)
}

fn in_the_set(text: &str, limit: usize) -> String {
    text.chars()
        .take(limit)
        .map(|c| match c {
            '"' | '\\' => '?',
            ' '..='~' => c,
            _ => '?',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_holds_no_quote_no_line_break_and_nothing_outside_ascii() {
        assert_eq!(describable("a\"b\\c\r\nd\u{202e}é"), "a?b?c??d??");
        assert_eq!(describable(&"x".repeat(10_000)).len(), MAX_QUOTED);
        let hooks = format!("é\"{}", "x".repeat(10_000));
        assert!(description(&hooks).starts_with("??xx"));
        assert_eq!(description(&hooks).len(), MAX_DESCRIPTION);
    }
}
