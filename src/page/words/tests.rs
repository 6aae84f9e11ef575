//! What holds of every language that is shipped.

use std::collections::BTreeSet;

use super::{SHIPPED, Words};
use crate::{
    limits::MAX_PAGE_TEXT,
    oauth::{is_blank, printable},
};

/// Texts that read in this language as they do in English.
const THE_SAME: &[(&str, &[&str])] = &[
    ("de", &["id", "app", "account_name"]),
    ("fr", &["id"]),
    ("es", &["id"]),
    ("ja", &["id"]),
];

fn all() -> impl Iterator<Item = (&'static str, Words)> {
    SHIPPED.iter().map(|(tag, words)| (*tag, words()))
}

/// The values that a text holds, in braces.
fn values(text: &str) -> BTreeSet<&str> {
    let parts = text.split('{').skip(1);
    parts.map(|part| part.split('}').next().unwrap()).collect()
}

#[test]
fn english_comes_first_and_each_language_once() {
    let tags: Vec<_> = all().map(|(tag, _)| tag).collect();
    assert_eq!(tags, ["en", "de", "fr", "es", "ja", "ar"]);
}

#[test]
fn each_language_has_words_of_its_own_for_every_text() {
    let english = Words::english();
    let mut untranslated = Vec::new();
    for (tag, words) in all().skip(1) {
        let same = THE_SAME.iter().find(|(of, _)| *of == tag);
        let same = same.map_or(&[] as &[_], |(_, names)| names);
        for ((name, _, text), (_, _, english)) in words.texts().zip(english.texts()) {
            if (text == english) != same.contains(&name) {
                untranslated.push(format!("{tag}: {name}: {text}"));
            }
        }
    }
    assert!(untranslated.is_empty(), "\n{}", untranslated.join("\n"));
}

#[test]
fn each_language_keeps_every_value_of_a_text() {
    let english = Words::english();
    for (tag, words) in all() {
        for ((name, may, text), (_, _, english)) in words.texts().zip(english.texts()) {
            let held = values(text);
            assert_eq!(held, values(english), "{tag}: {name}");
            assert!(
                held.iter().all(|value| may.contains(value)),
                "{tag}: {name}"
            );
            // As many braces as there are values: each value once, and no other brace.
            let braces = text.matches(['{', '}']).count();
            assert_eq!(braces, 2 * held.len(), "{tag}: {name}");
        }
    }
}

/// A text that may hold a value and does not would drop what the person has to see.
#[test]
fn english_holds_each_value_that_a_text_may_hold() {
    for (name, may, text) in Words::english().texts() {
        let may: BTreeSet<_> = may.iter().copied().collect();
        let held = values(text);
        assert!(
            held == may || name == "for_apps_text" || name == "account_text",
            "{name}"
        );
    }
}

#[test]
fn each_text_is_there_and_stays_in_its_place() {
    for (tag, words) in all() {
        for (name, _, text) in words.texts() {
            let what = format!("{tag}: {name}: {text:?}");
            assert!(!is_blank(text), "{what}");
            assert_eq!(text.trim(), text, "{what}");
            assert_eq!(printable(text, MAX_PAGE_TEXT), text, "{what}");
            assert!(!text.contains("  "), "{what}");
            assert!(!text.contains(['<', '>', '&', '"']), "{what}");
        }
    }
}

/// Two situations of one title would be one situation.
#[test]
fn each_title_is_said_once() {
    for (tag, words) in all() {
        let titles = words.texts().filter(|(name, ..)| name.ends_with("_title"));
        let titles: Vec<_> = titles.map(|(_, _, text)| text.to_owned()).collect();
        let each: BTreeSet<_> = titles.iter().collect();
        assert_eq!(each.len(), titles.len(), "{tag}");
    }
}

/// What ends a sentence tells a title from a text, in each script.
#[test]
fn a_title_is_no_sentence_and_a_text_is_made_of_sentences() {
    const ENDS: &[char] = &['.', '。', '!', '?', '؟', ':'];
    for (tag, words) in all() {
        for (name, _, text) in words.texts() {
            if let Some(title) = name.strip_suffix("_title") {
                assert!(!text.ends_with(ENDS), "{tag}: {name}: {text}");
                let of_title = words.texts().find(|(name, ..)| *name == title);
                if let Some((name, _, text)) = of_title {
                    assert!(text.ends_with(['.', '。']), "{tag}: {name}: {text}");
                }
            }
        }
    }
}
