//! What the library says of its options, in the words of the settings: the operator has keys, and no builder.

use std::collections::BTreeMap;

use super::{
    judge::join,
    key::{Key, Kind},
};

/// What the library says to those who write programs with it, and what it means here.
const PHRASES: &[(&str, &str)] = &[
    (
        "(features `sqlite`, `redis` and `postgres` have others)",
        "(`sqlite:…`, `redis://…` and `postgres://…` are others)",
    ),
    (
        ", allowed_organizations or on_login",
        " or provider.allowed_organizations",
    ),
];

/// The text, with the path of a key for each option that one sets.
pub(super) fn in_keys(text: &str, keys: &'static [Key]) -> String {
    let mut paths = BTreeMap::new();
    collect(keys, "", &mut paths);
    let mut text = text.to_owned();
    for (said, meant) in PHRASES {
        text = text.replace(said, meant);
    }
    let words = text.split_inclusive([' ', '\n']);
    words.map(|word| translated(word, &paths)).collect()
}

/// One word, and what follows it. Words of common English (`scopes`, `provider`) mean themselves.
fn translated(word: &str, paths: &BTreeMap<&'static str, String>) -> String {
    let start = word.trim_start_matches(['(', '`']);
    let name = start.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    match paths.get(name) {
        Some(path) if name.contains('_') => {
            let before = word.strip_suffix(start).unwrap_or_default();
            let after = start.strip_prefix(name).unwrap_or_default();
            format!("{before}{path}{after}")
        }
        _ => word.to_owned(),
    }
}

fn collect(keys: &'static [Key], above: &str, paths: &mut BTreeMap<&'static str, String>) {
    for key in keys {
        let path = join(above, key.name);
        for option in key.sets {
            paths.entry(option).or_insert_with(|| path.clone());
        }
        if let Kind::Table(inner) = key.kind {
            collect(inner, &path, paths);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::keys::KEYS;

    #[test]
    fn an_option_of_the_library_is_told_as_the_key_that_sets_it() {
        for (said, expected) in [
            (
                "secret_key is not set: every",
                "keys.secret is not set: every",
            ),
            (
                "  note  token_storage: the store\n",
                "  note  storage.url: the store\n",
            ),
            (
                "say `secret_key`, or (`token_key`).",
                "say `keys.secret`, or (`keys.token_key_file`).",
            ),
            (
                "at https://a.example/secret_key now",
                "at https://a.example/secret_key now",
            ),
            ("scopes are asked for", "scopes are asked for"),
            ("base_url is http", "base_url is http"),
        ] {
            assert_eq!(in_keys(said, KEYS), expected);
        }
    }
}
