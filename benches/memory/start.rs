//! What a process takes that has just started, and how long it takes to answer.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tower_oauth_proxy::OAuthProxyLayer;

use testkit::measure::{
    child::{Child, live_as_long_as_parent},
    figures::{median, ratio, spread, verdict},
    host,
    login::config,
    usage::Resident,
};

/// The role of [`be_server`], with `on` or `off`.
pub(crate) const SERVER: &str = "server";
/// The role of [`time_http_client`].
pub(crate) const HTTP_CLIENT: &str = "http-client";
/// Enough for a median.
const STARTS: usize = 21;
const WORKERS: usize = 2;
/// What a process does after its first answer is done by then.
const SETTLED: Duration = Duration::from_millis(300);
/// Of a process with the layer, in bytes.
const RESIDENT_GOAL: usize = 12_000_000;
/// Until the first answer.
const START_GOAL_MS: f64 = 20.0;

/// What a started server has done when; the times are of this machine's clock, in nanoseconds.
const STAGES: [&str; 6] = [
    "process, until `main`",
    "tokio runtime",
    "configuration, `build()`",
    "`OAuthProxyLayer::new`, `layer`",
    "listen",
    "first answer",
];

/// The sizes of servers that have answered once.
pub(crate) fn print_resident() {
    println!("Resident size of an axum server after its first answer:\n");
    println!("| layer | kB | of it anonymous, kB | goal |");
    println!("|---|---:|---:|---|");
    for layer in ["off", "on"] {
        let mut server = Child::start(&format!("{SERVER} {layer}"));
        ask(&server.words()[0]);
        thread::sleep(SETTLED);
        let Resident { all, anonymous } = Resident::of(server.pid());
        let goal = match layer {
            "on" => format!(
                "< {} kB: {}",
                RESIDENT_GOAL / 1000,
                verdict(all < RESIDENT_GOAL)
            ),
            _ => String::new(),
        };
        println!(
            "| {layer} | {} | {} | {goal} |",
            all / 1000,
            anonymous / 1000
        );
    }
}

/// The starts of servers with and without the layer, in turn.
pub(crate) fn print_times() {
    let (mut on, mut off) = (Times::default(), Times::default());
    let mut client = Vec::new();
    for turn in 0..STARTS {
        // Neither always comes right after the same neighbour.
        if turn % 2 == 0 {
            on.add(&start("on"));
            off.add(&start("off"));
        } else {
            off.add(&start("off"));
            on.add(&start("on"));
        }
        client.push(millis(Child::start(HTTP_CLIENT).numbers()[0]));
    }
    println!("\nStart of a process until its first answer, in ms, median of {STARTS} starts:\n");
    println!("| | with the layer | without |");
    println!("|---|---:|---:|");
    for (stage, (on, off)) in STAGES.iter().zip(on.stages.iter().zip(&off.stages)) {
        println!("| {stage} | {:.2} | {:.2} |", median(on), median(off));
    }
    let all = |times: &Times| {
        let (low, median, high) = spread(times.all.iter().copied());
        format!("{median:.2} ({low:.2}–{high:.2})")
    };
    println!("| all | {} | {} |", all(&on), all(&off));
    println!(
        "\nWith the layer × {:.2} of without; goal < {START_GOAL_MS:.0} ms: {}. The HTTP client towards \
         the provider alone, in a process of its own: {:.2} ms of `build()`.",
        ratio(&on.all, &off.all),
        verdict(median(&on.all) < START_GOAL_MS),
        median(&client),
    );
}

#[derive(Default)]
struct Times {
    stages: [Vec<f64>; STAGES.len()],
    all: Vec<f64>,
}

impl Times {
    /// From the moments at which the stages began, and the end.
    fn add(&mut self, moments: &[u64]) {
        for (stage, pair) in self.stages.iter_mut().zip(moments.windows(2)) {
            stage.push(millis(pair[1].saturating_sub(pair[0])));
        }
        self.all.push(millis(moments[STAGES.len()] - moments[0]));
    }
}

/// Starts a server, and asks it as soon as it listens.
fn start(layer: &str) -> Vec<u64> {
    let mut moments = vec![now()];
    let mut server = Child::start(&format!("{SERVER} {layer}"));
    let words = server.words();
    ask(&words[0]);
    let end = now();
    moments.extend(words[1..].iter().map(|word| word.parse::<u64>().unwrap()));
    moments.push(end);
    moments
}

/// That process: says where it listens, and when it was how far.
pub(crate) fn be_server(layer: &str) {
    let main = now();
    live_as_long_as_parent();
    host::block_on(WORKERS, async {
        let mut moments = vec![main, now()];
        let mut app = host::app();
        if layer == "on" {
            // No login takes place.
            let config = config("http://127.0.0.1:9").build().unwrap();
            moments.push(now());
            app = app.layer(OAuthProxyLayer::new(config));
        } else {
            moments.push(now());
        }
        moments.push(now());
        let (listener, address) = host::listen().await;
        moments.push(now());
        let moments: Vec<_> = moments.iter().map(u64::to_string).collect();
        println!("{address} {}", moments.join(" "));
        axum::serve(listener, app).await.unwrap();
    });
}

/// How long the HTTP client takes that the layer makes: it reads the system's root certificates.
pub(crate) fn time_http_client() {
    let start = Instant::now();
    let client = reqwest::Client::builder().build();
    println!("{}", start.elapsed().as_nanos());
    drop(client.unwrap());
}

/// One request, on a connection of its own.
fn ask(address: &str) {
    let mut socket = TcpStream::connect(address).unwrap();
    let request = "GET /health HTTP/1.1\r\nhost: proxy.example\r\nconnection: close\r\n\r\n";
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// Nanoseconds since the Unix epoch: what two processes can compare.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_nanos()).unwrap()
}

#[allow(clippy::cast_precision_loss, reason = "seconds at most")]
fn millis(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}
