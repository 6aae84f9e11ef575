//! Several processes on one file. The test binary starts itself again as each of them, with
//! [`worker`] as its only test.

use std::{
    io::{BufRead, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
    time::Instant,
};

use rusqlite::Connection;
use tokio::task::JoinSet;

use super::*;
use crate::error::with_causes;

const FILE: &str = "TOWER_OAUTH_PROXY_TEST_SQLITE_FILE";
const PROCESSES: usize = 4;
const CALLERS: usize = 200;
const ROUNDS: usize = 20;

struct Process {
    child: Child,
    orders: ChildStdin,
    reports: BufReader<ChildStdout>,
}

impl Process {
    fn start(file: &Path) -> Self {
        Self::start_as(Command::new(env::current_exe().unwrap()), file)
    }

    /// With files of at most 2 MiB, or 1: shells count them in kilobytes or in half.
    #[cfg(unix)]
    fn start_with_little_room(file: &Path) -> Self {
        let mut shell = Command::new("sh");
        // Without the trap the process would be killed instead of told.
        let limited = r#"trap "" XFSZ; ulimit -f 2048; exec "$0" "$@""#;
        shell.args(["-c", limited]).arg(env::current_exe().unwrap());
        Self::start_as(shell, file)
    }

    fn start_as(mut command: Command, file: &Path) -> Self {
        let mut child = command
            .args([
                "--exact",
                "storage::sqlite::tests::processes::worker",
                "--ignored",
            ])
            .args(["--nocapture", "--test-threads=1"])
            .env(FILE, file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut process = Self {
            orders: child.stdin.take().unwrap(),
            reports: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        assert_eq!(process.report(), "ready");
        process
    }

    fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
    }

    /// The next line of the worker's own; the test harness of the child prints others.
    fn report(&mut self) -> String {
        self.try_report().expect("the worker ended")
    }

    fn try_report(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.reports.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // A line that `kill` cut short is none.
            if !line.ends_with('\n') {
                return None;
            }
            if let Some((_, report)) = line.trim_end().split_once('>') {
                return Some(report.to_owned());
            }
        }
    }

    fn kill(mut self) -> Vec<String> {
        // SIGKILL, on Unix.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::iter::from_fn(|| self.try_report()).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the child processes do: one order a line, each answered with one line or more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is the child process of the other tests here"]
async fn worker() {
    let file = env::var_os(FILE).expect("only the other tests here start it");
    let store = Arc::new(SqliteStorage::open(file).unwrap());
    println!("\n>ready");
    for order in std::io::stdin().lines() {
        let order = order.unwrap();
        let words: Vec<_> = order.split(' ').map(str::to_owned).collect();
        match words[0].as_str() {
            "go-on" => go_on(&store, &words[1]).await,
            "fill" => fill(&store).await,
            verb => println!(">{}", race(&store, verb, &words[1]).await),
        }
    }
}

/// This process's share of the callers, at once; how many won.
async fn race(store: &Arc<SqliteStorage>, verb: &str, key: &str) -> usize {
    let mut callers = JoinSet::new();
    for n in 0..CALLERS / PROCESSES {
        let (store, verb, key) = (Arc::clone(store), verb.to_owned(), key.to_owned());
        let mine = format!("{}-{n}", std::process::id()).into_bytes();
        callers.spawn(async move {
            match verb.as_str() {
                "take" => store.take(&key).await.map(|taken| taken.is_some()),
                "insert" => store.insert_if_absent(&key, mine, MINUTE).await,
                "swap" => store.compare_and_swap(&key, b"start", mine, MINUTE).await,
                "count" => count_up(&store, &key).await.map(|()| true),
                other => panic!("no such order: {other}"),
            }
        });
    }
    let won = callers.join_all().await;
    won.into_iter().filter(|won| *won.as_ref().unwrap()).count()
}

async fn count_up(store: &SqliteStorage, key: &str) -> Result<(), StorageError> {
    loop {
        let before = store.get(key).await?.unwrap();
        let count: usize = str::from_utf8(&before).unwrap().parse().unwrap();
        let next = (count + 1).to_string().into_bytes();
        if store.compare_and_swap(key, &before, next, MINUTE).await? {
            return Ok(());
        }
    }
}

/// A chain of records, each in turn inserted and its predecessor taken, until the end.
async fn go_on(store: &SqliteStorage, name: &str) {
    for n in 0_usize.. {
        let key = |n| format!("{name}:{n}");
        let new = key(n);
        let inserted = store.insert_if_absent(&new, vec![7; 3000], MINUTE * 60);
        assert!(inserted.await.unwrap());
        if let Some(before) = n.checked_sub(1) {
            assert!(store.take(&key(before)).await.unwrap().is_some());
        }
        println!(">{n}");
    }
}

/// Writes until the disk says no, and looks at what is there then.
async fn fill(store: &SqliteStorage) {
    let mut written = 0_usize;
    let error = loop {
        let key = format!("k{written}");
        match store.set(&key, vec![7; 8000], MINUTE * 60).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StorageError::Unavailable(_)), "{error}");
    for n in 0..written {
        let value = store.get(&format!("k{n}")).await.unwrap();
        assert_eq!(value, Some(vec![7; 8000]), "k{n}");
    }
    let refused = store.get(&format!("k{written}")).await.unwrap();
    assert_eq!(refused, None);
    println!(">{written} {}", with_causes(&error));
}

fn race_of_processes(verb: &str, start: Option<&[u8]>, want: usize, check: impl Fn(Option<&[u8]>)) {
    let scratch = Scratch::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = scratch.store();
    let mut processes: Vec<_> = (0..PROCESSES)
        .map(|_| Process::start(&scratch.file()))
        .collect();
    for round in 0..ROUNDS {
        let key = format!("{verb}:{round}");
        if let Some(start) = start {
            runtime
                .block_on(store.set(&key, start.to_vec(), MINUTE))
                .unwrap();
        }
        for process in &mut processes {
            process.order(&format!("{verb} {key}"));
        }
        let won = processes.iter_mut().map(Process::report);
        let won: usize = won.map(|count| count.parse::<usize>().unwrap()).sum();
        assert_eq!(won, want, "{verb}, round {round}");
        check(runtime.block_on(store.get(&key)).unwrap().as_deref());
    }
}

#[test]
fn of_200_takers_in_4_processes_one_gets_the_record() {
    race_of_processes("take", Some(b"start"), 1, |left| assert_eq!(left, None));
}

#[test]
fn of_200_inserts_in_4_processes_one_succeeds() {
    race_of_processes("insert", None, 1, |left| assert!(left.is_some()));
}

#[test]
fn of_200_swaps_in_4_processes_one_succeeds() {
    race_of_processes("swap", Some(b"start"), 1, |left| {
        assert!(left.is_some_and(|value| value != b"start"));
    });
}

#[test]
fn no_swap_of_4_processes_is_lost() {
    let scratch = Scratch::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = scratch.store();
    let first = store.set("sum", b"0".to_vec(), MINUTE);
    runtime.block_on(first).unwrap();
    let mut processes: Vec<_> = (0..PROCESSES)
        .map(|_| Process::start(&scratch.file()))
        .collect();
    for process in &mut processes {
        process.order("count sum");
    }
    for process in &mut processes {
        process.report();
    }
    let sum = runtime.block_on(store.get("sum")).unwrap().unwrap();
    assert_eq!(sum, CALLERS.to_string().into_bytes());
}

/// `kill -9` at any moment of a write: what was told is there, what was not is whole or absent, and
/// the neighbour goes on.
#[test]
fn a_process_killed_while_it_writes_leaves_a_usable_file() {
    let scratch = Scratch::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut neighbour = Process::start(&scratch.file());
    neighbour.order("go-on neighbour");
    for round in 0..25 {
        let name = format!("round{round}");
        let mut process = Process::start(&scratch.file());
        process.order(&format!("go-on {name}"));
        let mut told: usize = process.report().parse().unwrap();
        let life = Duration::from_micros(rand::random_range(0..60_000));
        let end = Instant::now() + life;
        while Instant::now() < end {
            told = process.report().parse().unwrap();
        }
        for report in process.kill() {
            told = report.parse().unwrap();
        }
        let before: usize = neighbour.report().parse().unwrap();
        assert!(neighbour.report().parse::<usize>().unwrap() > before);

        let store = scratch.store();
        let read = |n| {
            let key = format!("{name}:{n}");
            let value = runtime.block_on(store.get(&key)).unwrap();
            value.inspect(|value| assert_eq!(*value, vec![7; 3000], "{key}"))
        };
        if let Some(before) = told.checked_sub(1) {
            assert_eq!(read(before), None, "what was taken came back");
        }
        let (last, next) = (read(told), read(told + 1));
        assert!(last.is_some() || next.is_some(), "{name}: {told} was lost");
        let check = Connection::open(scratch.file()).unwrap();
        let sound: String = check
            .query_row("PRAGMA quick_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(sound, "ok");
    }
}

/// A real error of the disk: writes beyond the process's limit fail in the middle.
#[cfg(unix)]
#[test]
fn a_disk_that_takes_no_more_is_unavailable_and_loses_nothing() {
    let scratch = Scratch::new();
    let mut process = Process::start_with_little_room(&scratch.file());
    process.order("fill");
    let report = process.report();
    let (written, error) = report.split_once(' ').unwrap();
    assert!(error.contains("SQLite"), "{error}");
    let written: usize = written.parse().unwrap();
    assert!((10..1000).contains(&written), "{report}");
    process.kill();
    // With room again, all goes on where it stopped.
    let store = scratch.store();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for n in 0..written {
        let value = runtime.block_on(store.take(&format!("k{n}"))).unwrap();
        assert_eq!(value, Some(vec![7; 8000]), "k{n}");
    }
}
