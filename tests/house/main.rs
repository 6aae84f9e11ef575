//! The house keeps its own rules: which room may import which, how long a file may be, where a rule is
//! pure, and where a provider may be named. `ARCHITECTURE.md` says why.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod guides;
mod source;

use std::collections::{BTreeMap, BTreeSet};

use source::{Module, Source};

/// The rooms, from the roof to the ground. A room may import what stands below it; rooms of one line
/// do not know each other.
const FLOORS: &[&[&str]] = &[
    &["testing"],
    &["layer"],
    &["future"],
    &["admin", "endpoint", "extractor", "probe", "report"],
    &["bearer"],
    &["guard", "resource_server"],
    &["proxy"],
    &["documents", "session"],
    &["mode"],
    &["login"],
    &["config"],
    &["challenge"],
    &["route"],
    &["client", "grant"],
    &["assertion"],
    &["vault"],
    &["api_key", "token"],
    &["provider"],
    &["outbound", "jose"],
    &["storage", "page", "cors", "inner"],
    &["event"],
    &["oauth", "body", "quota"],
    &["key", "generations"],
    &[
        "error",
        "clock",
        "time",
        "tasks",
        "prehashed",
        "random",
        "formats",
        "docs",
    ],
    &["limits", "metrics"],
];

fn room(module: &Module) -> &str {
    module.first().map_or("lib", String::as_str)
}

/// Who imports whom, file by file.
fn imports(sources: &BTreeMap<Module, Source>) -> BTreeMap<&Module, BTreeSet<Module>> {
    let imports_of = |source: &Source, own: &Module| {
        let found = source.paths.iter();
        let mut found: BTreeSet<Module> = found
            .filter_map(|path| source::definition(sources, path))
            .filter(|file| !file.is_empty())
            .collect();
        found.remove(own);
        found
    };
    sources
        .iter()
        .map(|(module, source)| (module, imports_of(source, module)))
        .collect()
}

#[test]
fn a_room_imports_only_what_stands_below_it() {
    let sources = source::read();
    let floor = |room: &str| FLOORS.iter().position(|floor| floor.contains(&room));
    let mut wrong = BTreeSet::new();
    for (module, imported) in imports(&sources) {
        if module.is_empty() {
            continue;
        }
        for other in imported {
            let (from, to) = (room(module), room(&other));
            if from != to
                && !matches!((floor(from), floor(to)), (Some(from), Some(to)) if from < to)
            {
                wrong.insert(format!(
                    "{from} -> {to}: {} -> {}",
                    module.join("::"),
                    other.join("::")
                ));
            }
        }
    }
    let wrong: Vec<_> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_file_imports_one_that_imports_it() {
    let sources = source::read();
    let imports = imports(&sources);
    let mut circles = BTreeSet::new();
    for start in imports.keys().filter(|module| !module.is_empty()) {
        // Everything that this file can reach.
        let (mut reached, mut next) = (BTreeSet::new(), vec![(*start).clone()]);
        while let Some(file) = next.pop() {
            for other in imports.get(&file).into_iter().flatten() {
                if reached.insert(other.clone()) {
                    next.push(other.clone());
                }
            }
        }
        if reached.contains(*start) {
            circles.insert(start.join("::"));
        }
    }
    let circles: Vec<_> = circles.into_iter().collect();
    assert!(circles.is_empty(), "in a circle:\n{}", circles.join("\n"));
}

#[test]
fn a_file_is_short_enough_to_be_read_at_once() {
    let library = source::read().into_iter().map(|(module, source)| {
        let most = match module.first().map(String::as_str) {
            Some("endpoint") => 150,
            // A front page: prose.
            None => usize::MAX,
            _ => 350,
        };
        (most, source)
    });
    let gateway = source::gateway().into_values().map(|source| (350, source));
    let long: Vec<_> = library
        .chain(gateway)
        .filter(|(most, source)| source.lines > *most)
        .map(|(_, source)| format!("{} lines: {}", source.lines, source.path.display()))
        .collect();
    assert!(long.is_empty(), "\n{}", long.join("\n"));
}

#[test]
fn a_provider_is_named_in_its_preset_alone() {
    let sources = source::read();
    let is_preset =
        |module: &Module| module.starts_with(&["provider".to_owned(), "preset".to_owned()]);
    let presets: BTreeSet<&str> = sources
        .keys()
        .filter(|module| is_preset(module) && module.len() > 2)
        .map(|module| module[2].as_str())
        .filter(|name| !matches!(*name, "generic" | "oidc"))
        .collect();
    assert!(presets.len() >= 3, "{presets:?}");
    let mut named = Vec::new();
    for (module, source) in &sources {
        // The callbacks of known clients: some are at the site of a company that is a provider too.
        let is_of_clients = module.join("::") == "client::redirect::known";
        if is_preset(module) || is_of_clients {
            continue;
        }
        for word in &source.words {
            let lower = word.to_lowercase();
            if presets.iter().any(|preset| lower.contains(preset)) {
                named.push(format!("{}: {word:?}", source.path.display()));
            }
        }
    }
    assert!(named.is_empty(), "\n{}", named.join("\n"));
}

/// Files that hold rules: they name no request, no runtime and no HTTP client.
const PURE: &[&str] = &[
    "api_key::day",
    "api_key::hash_text",
    "api_key::key_file",
    "api_key::key_ring",
    "api_key::key_text",
    "assertion::checks",
    "client::client_metadata",
    "client::kind::document_hosts",
    "client::kind::document_metadata",
    "client::kind::document_url",
    "client::redirect::policy",
    "client::redirect::uri",
    "client::seen",
    "grant::code",
    "grant::lifetime",
    "grant::record",
    "grant::rotation",
    "grant::scopes",
    "grant::term",
    "guard::mcp::event_filter",
    "guard::mcp::list_filter",
    "guard::mcp::mcp_error",
    "guard::mcp::names",
    "guard::mcp::reader",
    "guard::mcp::rules",
    "guard::mcp::spelling",
    "jose",
    "login::absent",
    "login::account",
    "login::admission::renewed",
    "login::departure",
    "login::progress",
    "login::request",
    "login::stamp",
    "login::wishes",
    "oauth",
    "outbound::address",
    "outbound::destination",
    "outbound::networks",
    "outbound::pace",
    "outbound::shelf_life",
    "page::language",
    "page::language_tag",
    "page::words",
    "provider::allowed",
    "provider::claim_path",
    "provider::claim_rule",
    "provider::dialect",
    "provider::discovery",
    "provider::discovery_document",
    "provider::discovery_error",
    "provider::finality",
    "provider::id_token",
    "provider::issuer",
    "provider::preset",
    "quota::bucket",
    "quota::limit",
    "token::claims",
    "token::roles",
];

#[test]
fn a_rule_names_no_request_no_runtime_and_no_client() {
    let sources = source::read();
    for rule in PURE {
        let mut found = false;
        for (module, source) in &sources {
            let path = module.join("::");
            if path != *rule && !path.starts_with(&format!("{rule}::")) {
                continue;
            }
            found = true;
            for banned in ["http", "tokio", "reqwest", "hyper", "std::time::SystemTime"] {
                let named = source.foreign.iter().find(|path| {
                    let rest = path.strip_prefix(banned);
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
                });
                assert_eq!(named, None, "{path} names {banned}");
            }
        }
        assert!(found, "{rule} has moved: name its new place");
    }
}

#[test]
fn the_architecture_names_every_room_on_its_floor() {
    let page = include_str!("../../ARCHITECTURE.md");
    let mut named: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for row in page.lines() {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        if let [_, floor, rooms, ..] = cells[..]
            && let Ok(floor) = floor.parse()
        {
            // Every second piece is between backticks.
            let rooms = rooms.split('`').skip(1).step_by(2);
            named.entry(floor).or_default().extend(rooms);
        }
    }
    let floors = FLOORS.iter().rev().zip(1..);
    let floors: BTreeMap<_, _> = floors
        .map(|(rooms, floor)| (floor, rooms.iter().copied().collect()))
        .collect();
    assert_eq!(named, floors);
}
