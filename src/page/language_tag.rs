//! Language tags (RFC 5646), and which of those that are there fits what somebody reads (RFC 4647).

use crate::limits::{MAX_LANGUAGE_TAG, MAX_LANGUAGES_READ};

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

/// RFC 9110 section 12.4.2: `qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )`.
fn quality(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if !matches!(whole, "0" | "1") || part.len() > 3 {
        return None;
    }
    if !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{part:0<3}").parse().ok()?;
    let quality = thousandths + if whole == "1" { 1_000 } else { 0 };
    (quality <= 1_000).then_some(quality)
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
