//! The load: so light that the server is what limits it.
//!
//! A thread goes round its connections: reads the answer that is due on each, and sends the next
//! request. While it waits for one, the server has those of all others. That is two system calls for
//! a request, and no poll.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use crate::server::Server;
use testkit::measure::{login::BASE, usage};

pub(crate) const CONNECTIONS: usize = 16;
/// A server that is silent for so long has failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// The bytes of one request, the same each time.
pub(crate) fn request(token: Option<&str>) -> Vec<u8> {
    let host = BASE.trim_start_matches("https://");
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n"));
    let authorization = authorization.unwrap_or_default();
    format!("GET /mcp HTTP/1.1\r\nhost: {host}\r\naccept: */*\r\n{authorization}\r\n").into_bytes()
}

/// Keep-alive connections to one server.
pub(crate) struct Load {
    connections: Vec<Connection>,
    /// As many as the server has.
    threads: usize,
    pid: u32,
}

/// What was seen in a moment.
pub(crate) struct Slot {
    pub(crate) requests: u64,
    /// Answers with another status.
    pub(crate) wrong: u64,
    pub(crate) took: Duration,
    /// CPU time of the server, and of this process.
    pub(crate) server: Duration,
    pub(crate) load: Duration,
}

impl Load {
    pub(crate) fn connect(to: &Server, threads: usize) -> Self {
        let connections = (0..CONNECTIONS).map(|_| Connection::open(&to.address));
        Self {
            connections: connections.collect(),
            threads,
            pid: to.process.pid(),
        }
    }

    /// Keeps the server busy for so long.
    pub(crate) fn slot(&mut self, request: &[u8], status: u16, length: Duration) -> Slot {
        let before = usage::cpu(self.pid);
        let start = Instant::now();
        let share = CONNECTIONS / self.threads;
        let done: Vec<_> = thread::scope(|scope| {
            let shares = self.connections.chunks_mut(share);
            let threads: Vec<_> = shares
                .map(|share| scope.spawn(|| go_round(share, request, status, start, length)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        Slot {
            requests: done.iter().map(|done| done.requests).sum(),
            wrong: done.iter().map(|done| done.wrong).sum(),
            took: start.elapsed(),
            server: usage::cpu(self.pid) - before,
            load: done.iter().map(|done| done.cpu).sum(),
        }
    }
}

/// What one thread has done.
struct Done {
    requests: u64,
    wrong: u64,
    cpu: Duration,
}

fn go_round(
    connections: &mut [Connection],
    request: &[u8],
    status: u16,
    start: Instant,
    length: Duration,
) -> Done {
    let (mut requests, mut wrong) = (0, 0);
    for connection in &mut *connections {
        connection.socket.write_all(request).unwrap();
    }
    let mut goes_on = true;
    while goes_on {
        goes_on = start.elapsed() < length;
        for connection in &mut *connections {
            if connection.answer() != status {
                wrong += 1;
            }
            requests += 1;
            if goes_on {
                connection.socket.write_all(request).unwrap();
            }
        }
    }
    Done {
        requests,
        wrong,
        cpu: usage::cpu_here(),
    }
}

struct Connection {
    socket: TcpStream,
    buffer: Box<[u8; 4096]>,
}

impl Connection {
    fn open(address: &str) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            socket,
            buffer: Box::new([0; 4096]),
        }
    }

    /// Reads one whole answer; its status.
    fn answer(&mut self) -> u16 {
        let mut length = 0;
        loop {
            let read = self.socket.read(&mut self.buffer[length..]).unwrap();
            assert!(read > 0, "the server hung up, or its answer is too long");
            length += read;
            let answer = &self.buffer[..length];
            if let Some(whole) = whole_length(answer) {
                assert!(length <= whole, "an answer without a request");
                if length == whole {
                    return status(answer);
                }
            }
        }
    }
}

/// Of head and body, once the head is there.
fn whole_length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|at| at == b"\r\n\r\n")? + 4;
    let name = b"content-length:";
    let at = answer[..head]
        .windows(name.len())
        .position(|at| at.eq_ignore_ascii_case(name))
        .expect("Content-Length");
    let digits = answer[at + name.len()..head].trim_ascii_start();
    let digits = digits.iter().take_while(|digit| digit.is_ascii_digit());
    let body = digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
    Some(head + body)
}

/// `HTTP/1.1 200 OK`
fn status(answer: &[u8]) -> u16 {
    let digits = &answer[9..12];
    digits
        .iter()
        .fold(0, |number, digit| number * 10 + u16::from(digit - b'0'))
}
