//! What the layer costs per request: throughput and CPU time of real servers with and without it,
//! and what refusals cost beside answers. `benches/README.md` says how to read it.
//!
//! ```sh
//! cargo bench --bench http
//! ```
//!
//! Starts itself again for each server; everything is on loopback.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement"
)]

mod load;
mod server;
mod table;

use std::time::{Duration, Instant};

use self::{
    load::{Load, Slot},
    server::{Kind, Server},
    table::Measured,
};
use testkit::measure::child;

/// Enough for a median, after one to warm up.
const ROUNDS: usize = 11;
const SLOT: Duration = Duration::from_millis(400);
const WORKERS: [usize; 2] = [1, 2];
/// A run takes about 50 s.
const LIMIT: Duration = Duration::from_secs(180);

/// A server with the layer, the same without, and one request for both.
struct Pair {
    kind: Kind,
    workers: usize,
    on: Side,
    off: Side,
    request: Vec<u8>,
}

/// A server, and what was measured on it.
struct Side {
    server: Server,
    load: Load,
    measured: Measured,
}

/// Something to ask the server with the layer.
struct Ask {
    what: &'static str,
    request: Vec<u8>,
    status: u16,
    measured: Measured,
}

fn main() {
    if let Some(role) = child::role() {
        return server::run(&role);
    }
    child::end_after(LIMIT);
    let started = Instant::now();
    // All of them live the whole time.
    let mut pairs: Vec<_> = WORKERS
        .into_iter()
        .flat_map(|workers| Kind::ALL.map(|kind| Pair::start(kind, workers)))
        .collect();
    let token = pairs[0].on.server.token.clone();
    println!(
        "{} logical CPUs; {} connections, one request under way on each; a request of {} bytes with \
         a token of {}\n",
        std::thread::available_parallelism().unwrap(),
        load::CONNECTIONS,
        pairs[0].request.len(),
        token.len(),
    );

    for round in 0..=ROUNDS {
        for pair in &mut pairs {
            pair.round(round);
        }
    }
    table::print_pairs(&pairs, ROUNDS);

    let pair = &mut pairs[0];
    let mut asks = asks(&token);
    for round in 0..=ROUNDS {
        // None is always first.
        for turn in 0..asks.len() {
            let count = asks.len();
            let ask = &mut asks[(turn + round) % count];
            let slot = pair.on.load.slot(&ask.request, ask.status, SLOT / 2);
            ask.measured.add(round, &slot);
        }
    }
    table::print_asks(pair, &asks, ROUNDS);

    println!("\nThe run took {:.0} s.", started.elapsed().as_secs_f64());
    let all = pairs.iter().flat_map(|pair| [&pair.on, &pair.off]);
    let all = all.map(|side| &side.measured);
    let wrong: u64 = all
        .chain(asks.iter().map(|ask| &ask.measured))
        .map(|measured| measured.wrong)
        .sum();
    if wrong > 0 {
        println!("{wrong} answers had another status than expected.");
        std::process::exit(1);
    }
}

impl Pair {
    fn start(kind: Kind, workers: usize) -> Self {
        let (on, off) = (
            Side::start(kind, true, workers),
            Side::start(kind, false, workers),
        );
        let request = load::request(Some(&on.server.token));
        Self {
            kind,
            workers,
            on,
            off,
            request,
        }
    }

    fn round(&mut self, round: usize) {
        let mut sides = [&mut self.on, &mut self.off];
        if round % 2 == 1 {
            sides.reverse();
        }
        for side in sides {
            let slot = side.load.slot(&self.request, 200, SLOT);
            side.measured.add(round, &slot);
        }
    }
}

impl Side {
    fn start(kind: Kind, is_layered: bool, workers: usize) -> Self {
        let server = Server::start(kind, is_layered, workers);
        Self {
            load: Load::connect(&server, workers),
            server,
            measured: Measured::default(),
        }
    }
}

fn asks(token: &str) -> [Ask; 4] {
    let ask = |what, status, token: Option<&str>| Ask {
        what,
        request: load::request(token),
        status,
        measured: Measured::default(),
    };
    [
        ask("valid token", 200, Some(token)),
        ask("no credentials", 401, None),
        ask("forged token", 401, Some(&forged(token))),
        ask(
            "garbage of the same length",
            401,
            Some(&"x".repeat(token.len())),
        ),
    ]
}

/// All of it right but one character of the signature: not the last one, whose bits do not all count.
fn forged(token: &str) -> String {
    let mut token = token.to_owned();
    let at = token.rfind('.').unwrap() + 5;
    let other = if token.as_bytes()[at] == b'A' {
        "B"
    } else {
        "A"
    };
    token.replace_range(at..=at, other);
    token
}
