//! The guides say what is: links lead somewhere, quoted texts are the code's, and events exist.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use tower_oauth_proxy::{Reason, Step};

/// The README, the chapters, and the other texts of the project, by their paths from its root.
fn texts() -> BTreeMap<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![
        PathBuf::from("README.md"),
        PathBuf::from("SECURITY.md"),
        PathBuf::from("CONTRIBUTING.md"),
    ];
    for file in fs::read_dir(root.join("src/docs")).unwrap() {
        let name = file.unwrap().file_name();
        if Path::new(&name).extension().is_some_and(|it| it == "md") {
            paths.push(Path::new("src/docs").join(name));
        }
    }
    let read = |path: PathBuf| {
        let text = fs::read_to_string(root.join(&path)).unwrap();
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// What stands between these two, wherever it does.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    let parts = text.split(open).skip(1);
    parts
        .filter_map(|rest| Some(rest.split_once(close)?.0))
        .collect()
}

/// A chapter without its code.
fn prose(text: &str) -> String {
    let parts = text.split("\n```");
    parts.step_by(2).collect::<Vec<_>>().join("\n")
}

/// The names that headings have in links, as GitHub and rustdoc make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let prose = prose(text);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let name = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || "-_".contains(c) => Some(c),
            _ => None,
        });
        kept.collect()
    };
    headings.map(name).collect()
}

/// A text as it is read: the chapter on security has SECURITY.md behind it.
fn page(texts: &BTreeMap<PathBuf, String>, path: &Path) -> Option<String> {
    let text = texts.get(path)?;
    let behind = path
        .ends_with("security.md")
        .then(|| &*texts[Path::new("SECURITY.md")]);
    Some(format!("{text}\n{}", behind.unwrap_or_default()))
}

#[test]
fn every_link_of_a_guide_leads_to_a_file_and_a_heading_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let texts = texts();
    let chapter = |name: &str| PathBuf::from(format!("src/docs/{name}.md"));
    let mut broken = Vec::new();
    for (path, text) in &texts {
        for link in between(&prose(text), "](", ")") {
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            let found = match target.strip_prefix("crate::docs::") {
                _ if target.contains(':') && !target.starts_with("crate::docs::") => continue,
                Some(name) => chapter(name),
                None if target.is_empty() => path.clone(),
                None => path.parent().unwrap().join(target),
            };
            let is_there = texts.contains_key(&found) || root.join(&found).exists();
            let page = page(&texts, &found);
            let names = |page: String| anchors(&page).contains(anchor);
            if !is_there || (!anchor.is_empty() && !page.is_some_and(names)) {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn what_a_guide_quotes_is_a_text_of_the_code() {
    let code = source_texts();
    let mut made_up = Vec::new();
    let mut quotes = 0;
    for (path, text) in texts() {
        for quote in between(&prose(&text), "“", "”") {
            quotes += 1;
            let parts = quote
                .split('…')
                .map(str::trim)
                .filter(|part| !part.is_empty());
            for part in parts.filter(|part| !code.contains(*part)) {
                made_up.push(format!("{}: {part}", path.display()));
            }
        }
    }
    assert!(quotes > 40, "only {quotes} quotes were found");
    assert!(
        made_up.is_empty(),
        "no text of the code:\n{}",
        made_up.join("\n")
    );
}

#[test]
fn every_event_that_a_guide_names_exists() {
    let steps: BTreeSet<_> = Step::ALL.iter().map(|step| step.as_str()).collect();
    let reasons: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    let mut unknown = Vec::new();
    let mut events = 0;
    for (path, text) in texts() {
        for line in prose(&text).lines() {
            for pair in line.split("` / `").collect::<Vec<_>>().windows(2) {
                let step = pair[0].rsplit('`').next().unwrap();
                let reason = pair[1].split('`').next().unwrap();
                events += 1;
                if !steps.contains(step) || !reasons.contains(reason) {
                    unknown.push(format!("{}: {step} / {reason}", path.display()));
                }
            }
        }
    }
    assert!(events > 40, "only {events} events were found");
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

/// The rows of a table of `docs/events.md`, without the head.
fn rows_below<'a>(text: &'a str, head: &str) -> Vec<&'a str> {
    let (_, rows) = text.split_once(head).unwrap();
    let rows = rows.lines().skip(2);
    rows.take_while(|line| line.starts_with('|')).collect()
}

#[test]
fn the_chapter_on_events_has_every_step_and_every_reason_with_its_remedy() {
    let texts = texts();
    let chapter = &*texts[Path::new("src/docs/events.md")];
    let steps = Step::ALL.iter();
    let steps = steps.map(|step| format!("| `{step}` | {} |", step.meaning()));
    let reasons = Reason::ALL.iter().map(|reason| {
        let (meaning, fault, remedy) = (reason.meaning(), reason.fault(), reason.remedy());
        format!("| `{reason}` | {meaning} | {fault} | {remedy} |")
    });
    let expected = |rows: Vec<String>| rows.join("\n");
    let steps = expected(steps.collect());
    assert_eq!(rows_below(chapter, "| step | meaning").join("\n"), steps);
    let reasons = expected(reasons.collect());
    let head = "| reason | meaning | at fault";
    assert_eq!(rows_below(chapter, head).join("\n"), reasons);
}

#[test]
fn the_words_of_steps_and_reasons_are_their_names_and_say_something_each() {
    let snake = |name: String| {
        let word = |c: char| match c.is_uppercase() {
            true => format!("_{}", c.to_lowercase()),
            false => c.to_string(),
        };
        let words: String = name.chars().map(word).collect();
        words.trim_start_matches('_').to_owned()
    };
    for step in Step::ALL {
        assert_eq!(step.as_str(), snake(format!("{step:?}")));
        assert!(step.meaning().ends_with('.'), "{step}");
    }
    for reason in Reason::ALL {
        assert_eq!(reason.as_str(), snake(format!("{reason:?}")));
        assert!(reason.meaning().ends_with('.'), "{reason}");
        let remedy = reason.remedy();
        assert!(
            remedy.len() > 20 && remedy.ends_with(['.', '?']),
            "{reason}"
        );
        assert!(!remedy.contains('|') && !remedy.contains("  "), "{reason}");
    }
}

#[test]
fn every_chapter_is_part_of_the_documentation_and_of_its_list() {
    let index = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/docs/mod.rs"));
    let index = index.unwrap();
    for path in texts().keys().filter(|path| path.starts_with("src/docs")) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            index.contains(&format!("include_str!(\"{name}.md\")")),
            "{name}"
        );
        assert!(
            index.contains(&format!("[`{name}`]")),
            "{name} is not in the list"
        );
    }
}

/// The sources without their tests, with texts as they are at run time: on one line, quotes without a backslash.
fn source_texts() -> String {
    let mut all = String::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_tests = path.file_stem().is_some_and(|name| name == "tests");
            match path.is_dir() {
                true if !is_tests => folders.push(path),
                false if !is_tests && path.extension().is_some_and(|it| it == "rs") => {
                    let text = fs::read_to_string(path).unwrap();
                    all.push_str(text.split("\n#[cfg(test)]\nmod tests {").next().unwrap());
                }
                _ => {}
            }
        }
    }
    let mut parts = all.split("\\\n");
    let first = parts.next().unwrap().to_owned();
    let joined = parts.fold(first, |text, part| text + part.trim_start());
    joined.replace("\\\"", "\"")
}
