//! A configuration that cannot work ends the process with status 2, and names the variable.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::fleet::{ALONE, example};

fn refusal(variables: &[(&str, &str)]) -> String {
    let output = Command::new(example())
        .env_clear()
        .envs(ALONE)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{variables:?}: {said}");
    assert!(output.stdout.is_empty(), "it listened all the same");
    said.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn every_mistake_names_its_variable() {
    let dir = testkit::redis::fresh_dir();
    let garbage = dir.join("garbage.db");
    fs::write(
        &garbage,
        "this is no database, whatever its name says".repeat(100),
    )
    .unwrap();
    let garbage = format!("sqlite:{}", garbage.display());
    let no_room = format!("sqlite:{}/missing/grants.db", dir.display());
    let directory = format!("sqlite:{}", dir.display());
    for (name, value) in [
        ("STORAGE", "redis://127.0.0.1:1"),
        ("STORAGE", "redis://:a-password@127.0.0.1:1"),
        ("STORAGE", "redis:nonsense"),
        ("STORAGE", "sqlite:/proc/grants.db"),
        ("STORAGE", &*garbage),
        ("STORAGE", &*no_room),
        ("STORAGE", &*directory),
        ("STORAGE", "sqlite:"),
        ("STORAGE", "postgres://127.0.0.1:1/app"),
        ("STORAGE", "postgres://u:a-password@127.0.0.1:1/app"),
        ("STORAGE", "postgres:nonsense"),
        ("STORAGE", "etcd://127.0.0.1"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "changemechangemechangemechangeme"),
        ("SECRET_KEY_PREVIOUS", "short"),
        ("SESSION_CACHE_TTL", "soon"),
        ("UPSTREAM_TIMEOUT", "0"),
    ] {
        let said = refusal(&[(name, value)]);
        assert!(
            said.starts_with(&format!("{name}: ")),
            "{name}={value}: {said}"
        );
        assert!(!said.contains("a-password"), "{said}");
    }
    fs::remove_dir_all(dir).unwrap();
}
