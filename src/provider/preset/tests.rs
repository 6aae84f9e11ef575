//! What holds for every preset, and for all code outside the presets.

use std::{fs, path::Path};

use super::*;
use crate::provider::Provider;

fn presets() -> [Provider; 4] {
    [
        azure("common", "id", "s"),
        github("id", "s"),
        google("id", "s"),
        generic("https://idp.example/a", "https://idp.example/t", "id", "s"),
    ]
}

/// Cookies and records hold these: changing one changes a format.
#[test]
fn each_preset_keeps_its_id() {
    let ids = presets().map(|preset| preset.id);
    assert_eq!(ids, ["entra", "github", "google", "oauth"]);
    for preset in presets() {
        assert_eq!(preset.check(), Ok(()), "{preset:?}");
    }
}

/// Names of providers that have a preset, or will have one.
const NAMES: &[&str] = &[
    "google",
    "github",
    "azure",
    "entra_",
    "entra::",
    "\"entra",
    "microsoft",
    "slack",
    "auth0",
    "keycloak",
    "okta",
    "cognito",
    "atlassian",
    "gitlab",
    "discord",
    "salesforce",
    "authentik",
];

/// Names of clients and of files that look like one of those.
const INNOCENT: &[&str] = &["global.consent.azure-apim.net"];

#[test]
fn no_code_outside_this_room_names_a_provider() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut files = vec![src.clone()];
    while let Some(path) = files.pop() {
        if path.ends_with("provider/preset") || path.ends_with("tests") {
            continue;
        }
        if path.is_dir() {
            files.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        let is_code = path.extension().is_some_and(|kind| kind == "rs");
        if !is_code || path.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        // Tests stand last in a file.
        let code = text.split("\n#[cfg(test)]\nmod tests").next().unwrap();
        for (number, line) in code.lines().enumerate() {
            let is_comment = line.trim_start().starts_with("//");
            let is_innocent = INNOCENT.iter().any(|innocent| line.contains(innocent));
            let lower = line.to_ascii_lowercase();
            if !is_comment && !is_innocent && NAMES.iter().any(|name| lower.contains(name)) {
                let path = path.strip_prefix(&src).unwrap().display();
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
