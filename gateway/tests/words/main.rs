//! The program as an operator meets it: what it prints, and how it ends.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

/// Without the variables of whoever runs the tests.
fn gateway(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tower-oauth-gateway"));
    command.args(arguments).env_clear();
    command.envs(variables.iter().copied());
    command.output().unwrap()
}

fn file(name: &str, text: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("{name}-{}.toml", std::process::id()));
    fs::write(&path, text).unwrap();
    path
}

fn told(output: &[u8]) -> String {
    String::from_utf8(output.to_vec()).unwrap()
}

const LEAST: [(&str, &str); 5] = [
    ("GATEWAY_BASE_URL", "https://mcp.example.com"),
    ("GATEWAY_UPSTREAM_URL", "http://127.0.0.1:3000"),
    ("GATEWAY_PROVIDER_PRESET", "github"),
    ("GATEWAY_PROVIDER_CLIENT_ID", "client-id"),
    (
        "GATEWAY_PROVIDER_CLIENT_SECRET",
        "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8",
    ),
];

#[test]
fn the_example_can_be_checked_as_it_is_printed() {
    let example = gateway(&["--print-example"], &[]);
    assert!(example.status.success());
    let path = file("example", &told(&example.stdout));
    let checked = gateway(&["--config", path.to_str().unwrap(), "--check"], &[]);
    let report = told(&checked.stdout);
    assert_eq!(checked.status.code(), Some(0), "{}", told(&checked.stderr));
    assert!(
        report.contains("https://mcp.example.com/oauth/callback"),
        "{report}"
    );
    fs::remove_file(path).unwrap();
}

#[test]
fn a_check_of_the_environment_alone_prints_the_report() {
    let checked = gateway(&["--check"], &LEAST);
    assert_eq!(checked.status.code(), Some(0), "{}", told(&checked.stderr));
    let report = told(&checked.stdout);
    assert!(
        report.contains("EVERYBODY who has an account of GitHub"),
        "{report}"
    );
    assert!(!report.contains("c1f4a96e"), "{report}");
}

#[test]
fn each_mistake_is_a_line_and_the_end_is_2() {
    let path = file(
        "mistakes",
        "[people]\nallowed_domain = [\"example.com\"]\n[limits]\nidle = \"soon\"\n",
    );
    let shown = path.to_str().unwrap();
    let checked = gateway(&["--config", shown, "--check"], &LEAST);
    assert_eq!(checked.status.code(), Some(2));
    let lines = told(&checked.stderr);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with(&format!("{shown}:2: people.allowed_domain: "))),
        "{lines:?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with(&format!("{shown}:4: limits.idle: `soon` is not a time"))),
        "{lines:?}"
    );
    // Without --check it does not begin either.
    assert_eq!(gateway(&["--config", shown], &LEAST).status.code(), Some(2));
    fs::remove_file(path).unwrap();
}

#[test]
fn a_variable_that_is_unknown_keeps_it_from_beginning() {
    let slip = [("GATEWAY_PEOPLE_ALLOWED_DOMAIN", "example.com")];
    let variables: Vec<_> = LEAST.into_iter().chain(slip).collect();
    let checked = gateway(&["--check"], &variables);
    assert_eq!(checked.status.code(), Some(2));
    let line = told(&checked.stderr);
    assert!(
        line.contains("is GATEWAY_PEOPLE_ALLOWED_DOMAINS meant?"),
        "{line}"
    );
}

#[test]
fn a_file_that_is_not_there_is_told_by_its_name() {
    for (arguments, variable) in [
        (&["--config", "/nowhere.toml"][..], None),
        (&[][..], Some(("GATEWAY_CONFIG", "/nowhere.toml"))),
    ] {
        let variables: Vec<_> = variable.into_iter().collect();
        let ended = gateway(arguments, &variables);
        assert_eq!(ended.status.code(), Some(2));
        assert!(
            told(&ended.stderr).starts_with("/nowhere.toml: "),
            "{}",
            told(&ended.stderr)
        );
    }
}

#[test]
fn a_pipe_that_is_closed_is_no_panic() {
    use std::process::Stdio;
    let mut child = Command::new(env!("CARGO_BIN_EXE_tower-oauth-gateway"))
        .arg("--print-example")
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(told(&ended.stderr), "");
}
