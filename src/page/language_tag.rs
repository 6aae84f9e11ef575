//! Language tags (RFC 5646), and which of those that are there fits what somebody reads (RFC 4647).

use crate::{
    limits::{MAX_LANGUAGE_TAG, MAX_LANGUAGES_READ},
    oauth::quality,
};

/// The language ranges of `Accept-Language`, the dearest first; what is malformed, not wanted (`q=0`) or any
/// language at all (`*`) is left out.
///
/// RFC 9110 section 12.5.4: "Each language-range can be given an associated quality value representing an
/// estimate of the user's preference for the languages specified by that range".
pub(super) fn preferred<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let ranges = lines.flat_map(|line| line.split(','));
    let mut ranges: Vec<_> = ranges
        .take(MAX_LANGUAGES_READ)
        .filter_map(weighted)
        .filter(|(range, weight)| *weight > 0 && *range != "*")
        .collect();
    // Stable: of equals, the first is the first.
    ranges.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    ranges.into_iter().map(|(range, _)| range).collect()
}

/// One range, with its quality in thousandths.
fn weighted(element: &str) -> Option<(&str, u16)> {
    let (range, parameter) = match element.split_once(';') {
        Some((range, parameter)) => (range.trim(), Some(parameter.trim())),
        None => (element.trim(), None),
    };
    let weight = match parameter {
        Some(parameter) => {
            let (name, value) = parameter.split_once('=')?;
            let is_quality = name.trim().eq_ignore_ascii_case("q");
            is_quality.then(|| quality(value.trim()))??
        }
        None => 1_000,
    };
    (range == "*" || is_tag(range)).then_some((range, weight))
}

/// The form of a tag, short of the registry: letters and digits in parts of one to eight, the first of
/// letters.
pub(crate) fn is_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let is_part = |part: &str| {
        matches!(part.len(), 1..=8) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    text.len() <= MAX_LANGUAGE_TAG
        && matches!(first.len(), 2..=8)
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(is_part)
}

/// The tag that fits this range best.
///
/// RFC 4647 section 3.4: "the language range is progressively truncated from the end until a matching language
/// tag is located." Where none is, the same language of another region stands in: who reads `pt-PT` reads
/// `pt-BR` sooner than English. Not in another script.
pub(super) fn lookup<'a>(tags: &[&'a str], range: &str) -> Option<&'a str> {
    if !is_tag(range) {
        return None;
    }
    let mut shorter = Some(range);
    while let Some(range) = shorter {
        if let Some(tag) = tags.iter().find(|tag| tag.eq_ignore_ascii_case(range)) {
            return Some(tag);
        }
        shorter = truncated(range);
    }
    let fits = |tag: &&&str| {
        let scripts = (script(tag), script(range));
        primary(tag).eq_ignore_ascii_case(primary(range))
            && match scripts {
                (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
                _ => true,
            }
    };
    tags.iter().find(fits).copied()
}

/// The same section: "Single letter or digit subtags (including both the letter 'x', which introduces
/// private-use sequences, and the subtags that introduce extensions) are removed at the same time as their
/// closest trailing subtag."
fn truncated(range: &str) -> Option<&str> {
    let (mut rest, _) = range.rsplit_once('-')?;
    while let Some((before, last)) = rest.rsplit_once('-')
        && last.len() == 1
    {
        rest = before;
    }
    Some(rest)
}

fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

/// RFC 5646 section 2.2.3: four letters behind the language.
fn script(tag: &str) -> Option<&str> {
    let parts = tag.split('-').skip(1).take_while(|part| part.len() > 1);
    let is_script =
        |part: &&str| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    parts.into_iter().find(is_script)
}

/// Whether the language is written from right to left: by its script where the tag names one, else by the one
/// that it is commonly written in.
pub(super) fn is_right_to_left(tag: &str) -> bool {
    const SCRIPTS: &[&str] = &[
        "Adlm", "Arab", "Aran", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa",
    ];
    const LANGUAGES: &[&str] = &[
        "ar", "arc", "ckb", "dv", "fa", "he", "iw", "khw", "ks", "mzn", "nqo", "pnb", "ps", "sd",
        "syr", "ug", "ur", "yi",
    ];
    let is_among = |list: &[&str], what: &str| list.iter().any(|of| of.eq_ignore_ascii_case(what));
    match script(tag) {
        Some(script) => is_among(SCRIPTS, script),
        None => is_among(LANGUAGES, primary(tag)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&'static str]) -> Vec<&'static str> {
        preferred(lines.iter().copied())
    }

    #[test]
    fn the_dearest_comes_first_and_of_equals_the_first() {
        assert_eq!(read(&["da, en-gb;q=0.8, en;q=0.7"]), ["da", "en-gb", "en"]);
        assert_eq!(
            read(&["en;q=0.7,da ,en-gb ; q=0.80"]),
            ["da", "en-gb", "en"]
        );
        assert_eq!(
            read(&["fr;q=0.5, de;q=0.5", "es;q=0.5"]),
            ["fr", "de", "es"]
        );
        assert_eq!(
            read(&["fr;q=0.001, de;Q=0.01, es;q=1.000"]),
            ["es", "de", "fr"]
        );
    }

    #[test]
    fn what_is_malformed_or_not_wanted_is_left_out_alone() {
        for bad in [
            "fr;q=0",
            "fr;q=0.000",
            "fr;q=2",
            "fr;q=1.001",
            "fr;q=-1",
            "fr;q=0.0001",
            "fr;q=.5",
            "fr;q=",
            "fr;q",
            "fr;x=1",
            "fr;q=0.5;x",
            "fr;q=0,5x",
            "f",
            "fr_CA",
            "fr-",
            "-fr",
            "fr ca",
            "*",
            "*;q=0.5",
            "",
            "é",
            "123456789",
            "fr-123456789",
        ] {
            let line = format!("{bad}, de");
            assert_eq!(preferred([line.as_str()].into_iter()), ["de"], "{bad}");
        }
    }

    #[test]
    fn a_flood_of_languages_is_not_read_to_its_end() {
        let flood = format!("{}de", "pl,".repeat(MAX_LANGUAGES_READ));
        assert!(!preferred([flood.as_str()].into_iter()).contains(&"de"));
        let most = format!("{}de", "pl,".repeat(MAX_LANGUAGES_READ - 1));
        assert!(preferred([most.as_str()].into_iter()).contains(&"de"));
    }

    #[test]
    fn a_range_is_shortened_until_there_is_a_tag() {
        let tags = ["en", "zh", "zh-Hant", "de-CH"];
        for (range, tag) in [
            ("en", Some("en")),
            ("EN-us", Some("en")),
            // The example of RFC 4647 section 3.4.
            ("zh-Hant-CN-x-private1-private2", Some("zh-Hant")),
            ("zh-Hans", Some("zh")),
            ("de-CH-1996", Some("de-CH")),
            ("pl", None),
            ("e", None),
            ("", None),
            ("en\u{301}", None),
        ] {
            assert_eq!(lookup(&tags, range), tag, "{range}");
        }
        // "x" goes with what follows it: it is no language of its own.
        assert_eq!(truncated("zh-Hant-CN-x-private1"), Some("zh-Hant-CN"));
        assert_eq!(truncated("de-a-b-cd"), Some("de"));
        assert_eq!(truncated("de"), None);
    }

    #[test]
    fn another_region_stands_in_and_another_script_does_not() {
        let tags = ["en", "pt-BR", "sr-Latn", "zh-Hans"];
        for (range, tag) in [
            ("pt", Some("pt-BR")),
            ("pt-PT", Some("pt-BR")),
            ("sr-Cyrl", None),
            ("sr", Some("sr-Latn")),
            ("sr-Latn-RS", Some("sr-Latn")),
            ("zh-TW", Some("zh-Hans")),
            ("zh-Hant-TW", None),
        ] {
            assert_eq!(lookup(&tags, range), tag, "{range}");
        }
    }

    #[test]
    fn a_tag_is_letters_and_digits_in_parts() {
        for tag in ["de", "pt-BR", "zh-Hant-TW", "es-419", "de-CH-1996", "sgn"] {
            assert!(is_tag(tag), "{tag}");
        }
        let long = ["de", &"-abcdefgh".repeat(4)].concat();
        for tag in [
            "",
            "d",
            "x-klingon",
            "12",
            "de-",
            "de--ch",
            "de_CH",
            "de ch",
            "dé",
            "d3",
            "de\n",
            &long,
        ] {
            assert!(!is_tag(tag), "{tag}");
        }
    }

    #[test]
    fn the_script_decides_the_direction_and_else_the_language() {
        for tag in [
            "ar",
            "ar-EG",
            "he",
            "fa-IR",
            "ur",
            "yi",
            "ckb",
            "pa-Arab",
            "az-Arab-IR",
            "AR",
        ] {
            assert!(is_right_to_left(tag), "{tag}");
        }
        for tag in [
            "en",
            "de",
            "ja",
            "pa",
            "az",
            "ar-Latn",
            "ks-Deva",
            "en-x-arab",
            "ara",
        ] {
            assert!(!is_right_to_left(tag), "{tag}");
        }
    }
}
