//! Holds the chapter `docs::options` to the code: each option of the builder has a row, and the default that the
//! row names is the one that counts.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use super::options::Plain;
use crate::{grant::RefreshGrace, limits};

const CHAPTER: &str = include_str!("../docs/options.md");

/// Rows as (options, default), each row of a table whose first cell names options of the builder.
fn rows() -> Vec<(Vec<&'static str>, &'static str)> {
    let rows = CHAPTER.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| [`")?.split(" | ");
        let (first, default) = (cells.next()?, cells.next()?);
        let links = first.split("(crate::OAuthProxyConfigBuilder::").skip(1);
        let options = links.filter_map(|link| link.split(')').next());
        Some((options.collect(), default.trim()))
    });
    rows.collect()
}

#[test]
fn every_option_of_the_builder_has_one_row() {
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for option in rows().into_iter().flat_map(|(options, _)| options) {
        *named.entry(option.to_owned()).or_default() += 1;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/builder");
    let mut wrong = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let methods = text.split("\n    pub fn ").skip(1);
        for method in methods.filter_map(|rest| rest.split(['(', '<']).next()) {
            match named.remove(method) {
                Some(1) => {}
                Some(rows) => wrong.push(format!("{method} has {rows} rows")),
                None if method == "build" => {}
                None => wrong.push(format!("{method} has no row in src/docs/options.md")),
            }
        }
    }
    wrong.extend(named.into_keys().map(|name| format!("{name} is no option")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_chapter_names_the_defaults_that_count() {
    let told: BTreeMap<&str, &str> = rows()
        .into_iter()
        .flat_map(|(options, default)| options.into_iter().map(move |option| (option, default)))
        .collect();
    let plain = Plain::default();
    let Plain {
        refresh_token_grace: RefreshGrace::For(grace),
        ..
    } = plain
    else {
        panic!("the default grace is a time");
    };
    let times = [
        ("access_token_ttl", plain.access_token_ttl),
        ("assertion_token_ttl", plain.assertion_token_ttl),
        ("machine_token_ttl", plain.machine_token_ttl),
        ("refresh_token_ttl", plain.refresh_token_ttl),
        ("refresh_token_grace", grace),
        ("identity_max_age", plain.identity_max_age),
        ("authorization_code_ttl", plain.authorization_code_ttl),
        ("transaction_ttl", plain.transaction_ttl),
        ("session_cache_ttl", plain.session_cache_ttl),
        ("upstream_request_timeout", plain.upstream_request_timeout),
    ];
    let code = |value: &dyn std::fmt::Debug| format!("`{value:?}`");
    let mut counts: Vec<(&str, String)> = times.map(|(name, time)| (name, words(time))).into();
    counts.extend([
        ("consent", code(&plain.consent)),
        ("event_detail", code(&plain.event_detail)),
        ("dynamic_registration", code(&plain.dynamic_registration)),
        ("allow_plain_pkce", code(&plain.allow_plain_pkce)),
        ("optional_auth", code(&plain.optional_auth)),
        ("audience_by_path", code(&plain.audience_by_path)),
        (
            "cors_on_protected_paths",
            code(&plain.cors_on_protected_paths),
        ),
        (
            "keep_authorization_header",
            code(&plain.keep_authorization_header),
        ),
        ("redirect_path", format!("`{}`", plain.redirect_path)),
        ("grants_per_person", plain.grants_per_person.to_string()),
        (
            "role_claims",
            plain
                .role_claims
                .iter()
                .map(|claim| format!("`{claim}`"))
                .collect::<Vec<_>>()
                .join(", "),
        ),
    ]);
    for (option, default) in counts {
        assert_eq!(told.get(option), Some(&&*default), "{option}");
    }
    let unused = words(limits::UNPROVABLE_GRANT_MAX_AGE);
    assert!(told["grant_max_age"].contains(&unused), "{unused}");
}

/// As the chapter writes a time: `1 hour`, `30 days`, `60 seconds`.
fn words(time: Duration) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let seconds = time.as_secs();
    let fits =
        |(unit, _): &&(u64, &str)| seconds.is_multiple_of(*unit) && (seconds > *unit || *unit > 60);
    let whole = UNITS.iter().find(fits);
    let (count, unit) = whole.map_or((seconds, "second"), |(unit, name)| (seconds / unit, *name));
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
