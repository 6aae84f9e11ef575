//! A process that is told to stop, also as the first one of its container.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::fleet::{ALONE, example};

const SOON: Duration = Duration::from_secs(20);

/// A new process namespace, as a container has: with root's rights, or as a user's own.
const NAMESPACES: [&[&str]; 2] = [
    &["--pid", "--fork", "--kill-child"],
    &[
        "--user",
        "--map-root-user",
        "--pid",
        "--fork",
        "--kill-child",
    ],
];

/// A running example; killed when it is dropped.
struct Example {
    child: Child,
    /// The example itself, where the child is what started it.
    pid: String,
    port: u16,
}

impl Example {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .env_clear()
            .envs(ALONE)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let said = child.stdout.take().unwrap();
        BufReader::new(said).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().parse();
        let started = child.id();
        let children = format!("/proc/{started}/task/{started}/children");
        let children = std::fs::read_to_string(children).unwrap_or_default();
        let pid = children.split_whitespace().next();
        Self {
            pid: pid.map_or_else(|| started.to_string(), str::to_owned),
            child,
            port: port.unwrap_or_else(|_| panic!("{line:?} instead of an address")),
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.pid]).status();
        assert!(sent.unwrap().success());
    }

    /// The exit code, in time.
    fn ends(&mut self) -> Option<i32> {
        let started = Instant::now();
        while started.elapsed() < SOON {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it still runs");
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A registration is at work when the signal comes, and strangers are half-way.
fn ends_in_order(mut example: Example, signal: &str) {
    let mut half = example.connect();
    half.write_all(b"GET / HTTP/1.1\r\nhos").unwrap();
    let mut busy = example.connect();
    let body = r#"{"redirect_uris":["http://127.0.0.1:1/cb"]}"#;
    let head = format!(
        "POST /oauth/register HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    busy.write_all(head.as_bytes()).unwrap();
    // The layer reads the body by now.
    let mut heard = [0; 25];
    busy.read_exact(&mut heard).unwrap();
    assert!(heard.starts_with(b"HTTP/1.1 100 Continue"), "{heard:?}");

    example.signal(signal);
    // It was heard: who has asked nothing is left.
    assert_eq!(half.read(&mut [0]).unwrap_or(0), 0);
    busy.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    busy.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(example.ends(), Some(0));
}

#[test]
fn both_signals_let_it_answer_what_is_at_work_and_leave_who_asks_nothing() {
    for signal in ["-TERM", "-INT"] {
        ends_in_order(Example::start(Command::new(example())), signal);
    }
}

#[test]
fn the_first_process_of_a_container_hears_both_signals() {
    let can = |options: &&&[&str]| {
        let mut unshare = Command::new("unshare");
        let tried = unshare.args(**options).arg("true").stderr(Stdio::null());
        tried.status().is_ok_and(|status| status.success())
    };
    let Some(options) = NAMESPACES.iter().find(can) else {
        eprintln!("NOT TESTED: this machine lets nobody make a process namespace");
        return;
    };
    for signal in ["-TERM", "-INT"] {
        let mut command = Command::new("unshare");
        command.args(*options).arg(example());
        ends_in_order(Example::start(command), signal);
    }
}
