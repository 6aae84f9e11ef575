//! What is said of a path that cannot be a store.

use rusqlite::Connection;

use super::*;

fn refusal(path: impl AsRef<Path>) -> String {
    let error = SqliteStorage::open(path).unwrap_err();
    assert_eq!(error.option(), "token_storage");
    error.to_string()
}

#[cfg(unix)]
fn mode(path: &Path, suffix: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_and_its_neighbours_are_the_owners_alone() {
    let scratch = Scratch::new();
    for _ in 0..2 {
        let store = scratch.store();
        store.set("k", vec![1], MINUTE).await.unwrap();
        for suffix in ["", "-wal", "-shm"] {
            assert_eq!(mode(&scratch.file(), suffix), 0o600, "{suffix}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_is_there_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    drop(scratch.store());
    fs::set_permissions(scratch.file(), fs::Permissions::from_mode(0o660)).unwrap();
    let _store = scratch.store();
    assert_eq!(mode(&scratch.file(), ""), 0o660);
}

#[test]
fn a_missing_directory_is_named() {
    let scratch = Scratch::new();
    let path = scratch.0.join("missing/grants.db");
    let text = refusal(&path);
    assert!(text.contains("create it first"), "{text}");
    assert!(text.contains("missing/grants.db"), "{text}");
    assert!(!scratch.0.join("missing").exists());
}

#[test]
fn a_directory_is_no_file_and_a_file_no_directory() {
    let scratch = Scratch::new();
    assert!(refusal(&scratch.0).contains("no file"));
    assert!(refusal("/").contains("names no file"));
    assert!(refusal("").contains("names no file"));
    drop(scratch.store());
    let below = scratch.file().join("grants.db");
    assert!(refusal(below).contains("directory"));
}

#[test]
fn sqlites_own_names_are_ordinary_file_names() {
    let scratch = Scratch::new();
    for name in [":memory:", "file:grants.db?mode=memory", "#%20.db"] {
        let path = scratch.0.join(name);
        let store = SqliteStorage::open(&path).unwrap();
        assert!(path.exists(), "{name}");
        assert_eq!(store.path().file_name().unwrap(), name);
    }
}

/// Nobody may create files in `/proc`, root included, who runs some machines' tests.
#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_cannot_be_written_is_said() {
    let text = refusal("/proc/grants.db");
    assert!(text.contains("its directory must be writable"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_read_only_directory_is_said_even_where_the_file_is_there() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    drop(scratch.store());
    fs::set_permissions(&scratch.0, fs::Permissions::from_mode(0o555)).unwrap();
    let may_write_anyway = fs::write(scratch.0.join("probe"), "").is_ok();
    let opened = SqliteStorage::open(scratch.file());
    fs::set_permissions(&scratch.0, fs::Permissions::from_mode(0o755)).unwrap();
    if may_write_anyway {
        // Root: modes mean nothing to it.
        opened.unwrap();
        return;
    }
    let text = opened.unwrap_err().to_string();
    assert!(text.contains("the file and its directory"), "{text}");
}

#[test]
fn a_file_of_another_kind_is_refused_and_left_as_it_is() {
    let scratch = Scratch::new();
    let text = b"[Unit]\nDescription=not a database\n".repeat(100);
    fs::write(scratch.file(), &text).unwrap();
    assert!(refusal(scratch.file()).contains("not an SQLite file"));
    assert_eq!(fs::read(scratch.file()).unwrap(), text);
}

#[test]
fn another_applications_file_is_refused_and_left_as_it_is() {
    for setup in [
        "CREATE TABLE theirs (x)",
        "PRAGMA application_id = 7",
        "PRAGMA user_version = 1",
    ] {
        let scratch = Scratch::new();
        let theirs = Connection::open(scratch.file()).unwrap();
        theirs.execute_batch(setup).unwrap();
        drop(theirs);
        let before = fs::read(scratch.file()).unwrap();
        assert!(refusal(scratch.file()).contains("another application"));
        assert_eq!(fs::read(scratch.file()).unwrap(), before, "{setup}");
    }
}

#[test]
fn a_newer_schema_is_refused_and_one_that_never_was_too() {
    for (version, word) in [(3, "newer version"), (0, "cannot migrate")] {
        let scratch = Scratch::new();
        drop(scratch.store());
        let file = Connection::open(scratch.file()).unwrap();
        file.pragma_update(None, "user_version", version).unwrap();
        drop(file);
        let text = refusal(scratch.file());
        assert!(text.contains(word), "{text}");
        assert!(text.contains(&format!("version {version}")), "{text}");
    }
}

/// As version 1 of the schema left it.
fn without_lists(scratch: &Scratch) {
    let file = Connection::open(scratch.file()).unwrap();
    file.execute_batch("DROP TABLE members; PRAGMA user_version = 1")
        .unwrap();
}

#[tokio::test]
async fn a_file_without_lists_gets_them_and_keeps_its_records() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.set("k", vec![1], MINUTE).await.unwrap();
    drop(store);
    without_lists(&scratch);
    for member in ["first", "second"] {
        let store = scratch.store();
        assert_eq!(store.get("k").await.unwrap(), Some(vec![1]));
        store.list_add("l", member, MINUTE).await.unwrap();
    }
    let page = scratch.store().list_page("l", None, 10).await.unwrap();
    assert_eq!(page.members, ["first", "second"]);
    let file = Connection::open(scratch.file()).unwrap();
    assert_eq!(records::pragma(&file, "user_version").unwrap(), 2);
}

#[test]
fn many_openers_of_a_file_without_lists_all_succeed() {
    for _ in 0..10 {
        let scratch = Scratch::new();
        drop(scratch.store());
        without_lists(&scratch);
        std::thread::scope(|scope| {
            let openers: Vec<_> = (0..8).map(|_| scope.spawn(|| scratch.store())).collect();
            let stores: Vec<_> = openers.into_iter().map(|o| o.join().unwrap()).collect();
            drop(stores);
        });
    }
}

#[test]
fn a_schema_that_is_ours_by_name_only_is_refused() {
    let scratch = Scratch::new();
    drop(scratch.store());
    let file = Connection::open(scratch.file()).unwrap();
    file.execute_batch("ALTER TABLE records RENAME COLUMN value TO something")
        .unwrap();
    drop(file);
    let text = refusal(scratch.file());
    assert!(text.contains("no column named value"), "{text}");
}

#[test]
fn a_locked_file_is_said_within_the_busy_timeout() {
    let scratch = Scratch::new();
    drop(scratch.store());
    let holder = Connection::open(scratch.file()).unwrap();
    holder
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
        .unwrap();
    let start = std::time::Instant::now();
    let builder = SqliteStorage::builder(scratch.file());
    let opened = builder.busy_timeout(Duration::from_millis(200)).open();
    let text = opened.unwrap_err().to_string();
    assert!(text.contains("locked"), "{text}");
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
fn many_openers_of_a_new_file_all_succeed() {
    for _ in 0..10 {
        let scratch = Scratch::new();
        std::thread::scope(|scope| {
            let openers: Vec<_> = (0..8).map(|_| scope.spawn(|| scratch.store())).collect();
            // All stay open until the last one is.
            let stores: Vec<_> = openers.into_iter().map(|o| o.join().unwrap()).collect();
            drop(stores);
        });
    }
}

#[test]
fn the_settings_are_what_the_promises_need() {
    let scratch = Scratch::new();
    let opened = file::open(&scratch.file(), 1 << 20, Duration::from_secs(1)).unwrap();
    for connection in opened.readers.iter().chain([&opened.writer]) {
        let says = |name| records::pragma(connection, name).unwrap();
        assert_eq!(says("synchronous"), 2, "a commit survives power loss");
        assert_eq!(says("auto_vacuum"), 2, "a file can shrink");
        assert_eq!(says("cell_size_check"), 1);
        assert_eq!(says("trusted_schema"), 0);
        assert_eq!(says("max_page_count"), 256);
    }
    let reader = &opened.readers[0];
    assert!(reader.execute_batch("DELETE FROM records").is_err());
}
