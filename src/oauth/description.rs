//! What may stand in `error_description`.

/// The longest piece of a stranger's input inside a description, in characters: a redirect URI of
/// any real client fits.
const MAX_PIECE: usize = 200;

/// A stranger's input, cut and made safe to quote in an `error_description`: RFC 6749 section 5.2
/// allows printable ASCII without `"` and `\`, anything else becomes `?`.
pub(crate) fn describable(text: &str) -> String {
    text.chars()
        .take(MAX_PIECE)
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
        assert_eq!(describable(&"x".repeat(10_000)).len(), MAX_PIECE);
    }
}
