//! Holds the reference in the chapter `docs::gateway` to the keys: it is made of them, and the test says how to make it
//! anew.

use std::{fmt::Write as _, fs, path::Path};

use super::{
    key::{Key, Kind},
    keys::KEYS,
};

const BEGIN: &str = "<!-- keys: begin -->\n";
const END: &str = "<!-- keys: end -->\n";

/// A table for each table of the settings.
fn reference() -> String {
    let mut text = String::new();
    rows(&mut text, "At the top of the file", KEYS, |key| {
        !has_own(key.kind)
    });
    for key in KEYS {
        part(&mut text, key, "");
    }
    text
}

fn has_own(kind: Kind) -> bool {
    matches!(kind, Kind::Table(_) | Kind::Tables(_))
}

fn part(text: &mut String, key: &Key, above: &str) {
    let path = format!("{above}{}", key.name);
    let (keys, name) = match key.kind {
        Kind::Table(keys) => (keys, format!("`[{path}]`")),
        Kind::Tables(keys) => (keys, format!("`[[{path}]]`")),
        _ => return,
    };
    match key.name {
        // The same keys again.
        "also_provider" => {
            let _ = writeln!(text, "**{name}**: {}.\n", key.what);
            return;
        }
        "default" | "upstream_verifier" => {
            let twin = if key.name == "default" {
                "rule of `[tools]`"
            } else {
                "`[tokens.passthrough]`"
            };
            let _ = writeln!(
                text,
                "**{name}**: {}. The keys are those of a {twin}.\n",
                key.what
            );
            return;
        }
        _ => {}
    }
    rows(text, &format!("{name}: {}", key.what), keys, |key| {
        !has_own(key.kind)
    });
    for key in keys {
        part(text, key, &format!("{path}."));
    }
}

fn rows(text: &mut String, title: &str, keys: &[Key], is_shown: impl Fn(&Key) -> bool) {
    let _ = writeln!(
        text,
        "**{title}**\n\n| key | | default | |\n|---|---|---|---|"
    );
    for key in keys.iter().filter(|key| is_shown(key)) {
        let Key {
            name,
            kind,
            default,
            what,
            ..
        } = key;
        let and_file = match kind {
            Kind::Secret | Kind::Secrets => format!(", `{name}_file`"),
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "| `{name}`{and_file} | {} | {} | {} |",
            short(*kind),
            default.replace('|', "\\|"),
            what.replace('|', "\\|")
        );
        if let (Kind::Named(inner), "tools") = (kind, *name) {
            for key in *inner {
                let Key {
                    name: own,
                    kind,
                    default,
                    what,
                    ..
                } = key;
                let _ = writeln!(
                    text,
                    "| … `{own}` | {} | {default} | {what} |",
                    short(*kind)
                );
            }
        }
    }
    text.push('\n');
}

fn short(kind: Kind) -> String {
    let of = |choices: &[&str]| choices.join(", ");
    let words = match kind {
        Kind::Choice(choices) => return format!("one of {}", of(choices)),
        Kind::Choices(choices) => return format!("some of {}", of(choices)),
        Kind::Text => "text",
        Kind::Secret => "secret",
        Kind::Secrets => "secrets",
        Kind::File => "file",
        Kind::Files => "files",
        Kind::Switch => "true, false",
        Kind::Number(..) => "number",
        Kind::Time => "time",
        Kind::Size => "size",
        Kind::Words | Kind::Scopes => "list",
        Kind::Texts => "table of texts",
        Kind::Lists => "table of lists",
        Kind::TextsByName => "table of tables",
        Kind::Table(_) => "table",
        Kind::Tables(_) => "list of tables",
        Kind::Named(_) => "table of rules",
    };
    words.to_owned()
}

#[test]
fn the_chapter_has_every_key() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/docs/gateway.md");
    let chapter = fs::read_to_string(&path).unwrap();
    let (before, rest) = chapter.split_once(BEGIN).unwrap();
    let (told, after) = rest.split_once(END).unwrap();
    let keys = reference();
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, format!("{before}{BEGIN}\n{keys}{END}{after}")).unwrap();
        return;
    }
    assert!(
        told.trim() == keys.trim(),
        "the reference in src/docs/gateway.md is not that of the keys: run this test with BLESS=1"
    );
}
