//! The other processes of a bench: the same executable in another role, so that what is measured
//! shares its process with nothing else.

use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    process::{self, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

/// Names the role and its arguments, separated by spaces.
const ROLE: &str = "BENCH_ROLE";

/// The role of this process; none for the one that was started by hand.
pub fn role() -> Option<Vec<String>> {
    let role = env::var(ROLE).ok()?;
    Some(role.split(' ').map(str::to_owned).collect())
}

/// Ends this process when its parent is gone, however that came.
pub fn live_as_long_as_parent() {
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        process::exit(0);
    });
}

/// Ends a run that hangs; its children then go too.
pub fn end_after(limit: Duration) {
    thread::spawn(move || {
        thread::sleep(limit);
        println!("\nNot done after {} s: given up.", limit.as_secs());
        process::exit(1);
    });
}

/// A process in another role, until dropped.
pub struct Child {
    process: process::Child,
    out: BufReader<ChildStdout>,
}

impl Child {
    pub fn start(role: &str) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .env(ROLE, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        Self { process, out }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Gives it all that it will ever read; it then no longer notices when this process is gone.
    pub fn feed(&mut self, text: &str) {
        let mut stdin = self.process.stdin.take().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
    }

    /// The words of the next line that it prints.
    pub fn words(&mut self) -> Vec<String> {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "a process ended early");
        line.split_whitespace().map(str::to_owned).collect()
    }

    /// The numbers of the next line that it prints.
    pub fn numbers(&mut self) -> Vec<u64> {
        let words = self.words();
        words.iter().map(|word| word.parse().unwrap()).collect()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
