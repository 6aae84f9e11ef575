//! Text of strangers, made fit to be read: names, details, what a provider said.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory},
};

use crate::limits::MAX_MARKS;

/// Stands for each character that is not shown.
const REPLACEMENT: char = '\u{fffd}';

/// At most `limit` characters, each of which a person can see.
///
/// A character of the Unicode categories Cc, Cf, Co, Cs, Zl, Zp and Cn, or one that is invisible by
/// definition, is replaced: it would start a line, reorder the text around it, or make two texts
/// look the same. That costs a few scripts and emoji their joiners (U+200C, U+200D). More than four
/// marks on one character are dropped.
pub(crate) fn printable(text: &str, limit: usize) -> String {
    // For a log line that is mostly ASCII this is all.
    if text.len() <= limit && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let categories = CodePointMapData::<GeneralCategory>::new();
    let mut marks = 0;
    text.chars()
        .take(limit)
        .filter_map(|c| {
            let category = categories.get(c);
            if !is_shown(c, category) {
                marks = 0;
                return Some(REPLACEMENT);
            }
            marks = if is_mark(category) { marks + 1 } else { 0 };
            (marks <= MAX_MARKS).then_some(c)
        })
        .collect()
}

/// Whether a person sees anything of it.
pub(crate) fn is_blank(text: &str) -> bool {
    // U+2800 is the braille pattern without a dot.
    text.chars().all(|c| c.is_whitespace() || c == '\u{2800}')
}

fn is_shown(c: char, category: GeneralCategory) -> bool {
    let is_odd = matches!(
        category,
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::Unassigned
    );
    // Hangul fillers are letters, and cannot be seen. The two that choose between a plain and a
    // coloured sign are wanted in names.
    let is_invisible = CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        && !matches!(c, '\u{fe0e}' | '\u{fe0f}');
    !is_odd && !is_invisible
}

fn is_mark(category: GeneralCategory) -> bool {
    matches!(
        category,
        GeneralCategory::NonspacingMark
            | GeneralCategory::EnclosingMark
            | GeneralCategory::SpacingMark
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_seen_or_moves_other_text_is_replaced() {
        for odd in [
            '\0',
            '\t',
            '\r',
            '\n',
            '\u{1b}',
            '\u{7f}',
            '\u{85}', // Cc
            '\u{ad}',
            '\u{61c}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{feff}',
            '\u{fff9}',
            '\u{e0041}', // Cf
            '\u{e000}',
            '\u{f8ff}',
            '\u{10fffd}', // Co
            '\u{2028}',
            '\u{2029}', // Zl, Zp
            '\u{378}',
            '\u{fdd0}',
            '\u{ffff}',
            '\u{2065}',
            '\u{e0080}',
            '\u{10ffff}', // Cn
            '\u{115f}',
            '\u{3164}',
            '\u{ffa0}',
            '\u{34f}',
            '\u{e0100}', // letters and marks
        ] {
            let shown = printable(&format!("a{odd}b"), 10);
            assert_eq!(shown, "a\u{fffd}b", "{:x}", u32::from(odd));
        }
    }

    #[test]
    fn names_in_the_scripts_of_the_world_stay_as_they_are() {
        for name in [
            "Claude",
            "Größe & Co. <x>",
            "Nguyễn",
            "Nguye\u{302}\u{303}n",
            "שָׁלוֹם עֲלֵיכֶם",
            "السلام عليكم",
            "สวัสดีที่นี่",
            "नमस्ते क्षत्रिय",
            "你好，世界",
            "한국어",
            "日本語のアプリ",
            "Tool ⚙\u{fe0f} 🚀",
            "a\u{a0}b\u{3000}c",
        ] {
            assert_eq!(printable(name, 100), name);
        }
    }

    #[test]
    fn marks_do_not_pile_up() {
        let tower = format!("a{}b", "\u{301}\u{20dd}".repeat(25));
        let shown = printable(&tower, 100);
        assert_eq!(shown, "a\u{301}\u{20dd}\u{301}\u{20dd}b");
        // Nor by way of what is replaced.
        let broken = format!("a{}", "\u{301}\u{200b}".repeat(3));
        assert_eq!(printable(&broken, 100).matches('\u{301}').count(), 3);
    }

    #[test]
    fn a_text_that_shows_nothing_is_blank() {
        for blank in ["", " ", "\u{a0}\u{3000}\u{2003}", "\u{2800}"] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for shown in ["a", "\u{fffd}", " . "] {
            assert!(!is_blank(shown), "{shown:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_all_that_goes_out_can_be_seen(text in any::<String>(), limit in 0_usize..60) {
            let categories = CodePointMapData::<GeneralCategory>::new();
            let shown = printable(&text, limit);
            prop_assert!(shown.chars().count() <= limit);
            prop_assert!(shown.chars().all(|c| is_shown(c, categories.get(c))));
            prop_assert_eq!(printable(&shown, limit), shown);
        }
    }
}
