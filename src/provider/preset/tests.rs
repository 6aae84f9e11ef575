//! What holds for every preset, and for all code outside the presets.

mod documents;

use std::{fs, path::Path};

use super::*;
use crate::provider::Provider;

const P256: &str = include_str!("../../jose/vectors/p256.pkcs8.pem");

/// Each with its id: cookies and records hold it, so changing one changes a format.
fn presets() -> Vec<(&'static str, Provider)> {
    let tenant_id = "11111111-2222-3333-4444-555555555555";
    vec![
        ("apple", apple("id", "TEAM", "KEY", P256)),
        ("atlassian", atlassian("id", "s")),
        ("auth0", auth0("acme.auth0.com", "id", "s")),
        ("authentik", authentik("auth.example", "mcp", "id", "s")),
        ("cognito", cognito("eu-west-1_x", "id", "s")),
        ("discord", discord("id", "s")),
        ("entra", azure("common", "id", "s")),
        (
            "entra-b2c",
            azure_b2c("contoso", tenant_id, "B2C_1_in", "id", "s"),
        ),
        (
            "entra-external",
            azure_external("contoso", tenant_id, "id", "s"),
        ),
        ("github", github("id", "s")),
        ("github-app", github_app("id", "s")),
        ("gitlab", gitlab("gitlab.com", "id", "s")),
        ("google", google("id", "s")),
        ("hugging-face", hugging_face("id", "s")),
        ("keycloak", keycloak("sso.example", "acme", "id", "s")),
        ("linkedin", linkedin("id", "s")),
        ("notion", notion("id", "s")),
        (
            "oauth",
            generic("https://idp.example/a", "https://idp.example/t", "id", "s"),
        ),
        ("oidc", oidc("https://idp.example", "id", "s")),
        ("okta", okta("acme.okta.com", "id", "s")),
        ("salesforce", salesforce("id", "s")),
        ("slack", slack("id", "s")),
        ("slack-user", slack_user("id", "s")),
        ("workos", workos("acme.authkit.app", "id", "s")),
    ]
}

#[test]
fn each_preset_keeps_its_id_and_works_as_it_comes() {
    let mut ids = std::collections::BTreeSet::new();
    for (id, preset) in presets() {
        assert_eq!(preset.id, id);
        assert_eq!(preset.check(), Ok(()), "{preset:?}");
        assert!(ids.insert(id), "{id} stands twice");
    }
}

/// A normalised person is stored and read again: the second time changes nothing.
#[test]
fn no_preset_changes_standard_claims_but_its_own() {
    let plain = crate::provider::fake::map(serde_json::json!({
        "sub": "T0R7GR/U0R7MFMJM", "https://slack.com/team_id": "T0R7GR",
        "https://slack.com/user_id": "U0R7MFMJM", "email": "a@b.example", "email_verified": true,
    }));
    for (id, preset) in presets() {
        let once = preset.dialect.standard_claims(plain.clone());
        assert_eq!(preset.dialect.standard_claims(once.clone()), once, "{id}");
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
    "notion",
    "linkedin",
    "huggingface",
    "workos",
    "apple",
];

/// Names of clients and of files that look like one of those.
const INNOCENT: &[&str] = &[
    "global.consent.azure-apim.net",
    "googleusercontent.com",
    "vertexaisearch.cloud.google.com",
];

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

/// In the order of the table in the documentation of `allowed_organizations`.
#[test]
fn an_organization_is_what_the_preset_says_and_others_know_none() {
    let claim = |(id, preset): &(&'static str, Provider)| {
        let about = preset.dialect.organizations()?;
        Some((*id, about.claim))
    };
    let mut known: Vec<_> = presets().iter().filter_map(claim).collect();
    known.sort_unstable();
    assert_eq!(
        known,
        [
            ("auth0", "org_id"),
            ("entra", "tid"),
            ("github", "organizations"),
            ("github-app", "organizations"),
            ("google", "hd"),
            ("slack", "https://slack.com/team_id"),
            ("workos", "org_id"),
        ]
    );
}
