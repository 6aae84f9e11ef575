//! What strangers leave behind who register and start logins that they never finish: nothing.

use std::{
    env,
    time::{Duration, Instant},
};

use tower_oauth_proxy::OAuthProxyLayer;

use testkit::measure::{
    child::{Child, live_as_long_as_parent},
    figures::verdict,
    login::{config, in_process},
    records::Recorder,
    usage::Resident,
};
use testkit::{
    Client, Pkce, Wire,
    client::{CALLBACK, native_metadata},
};

pub(crate) const ROLE: &str = "strangers";
/// How many of each; fewer if this variable says so.
const COUNT: u64 = 1_000_000;
const COUNT_VARIABLE: &str = "BENCH_STRANGERS";
/// What the allocator and every cache take once: they have it before the first look.
const WARM_UP: u64 = 10_000;
/// A slow machine makes fewer.
const AT_MOST: Duration = Duration::from_secs(45);
/// Of both together, in bytes.
const GOAL: i64 = 1_000_000;

/// Measures in a process of its own, and prints the table.
pub(crate) fn print() {
    let count = env::var(COUNT_VARIABLE).map_or(COUNT, |count| count.parse().unwrap());
    let mut child = Child::start(&format!("{ROLE} {count}"));
    let registered = Grown::read(&mut child);
    let authorized = Grown::read(&mut child);
    let records = child.numbers()[0];

    println!("\nGrowth by strangers, after {WARM_UP} of each, in process:\n");
    println!("| | how many | resident, kB | bytes each | µs each, with the client's part |");
    println!("|---|---:|---:|---:|---:|");
    registered.print("registrations");
    authorized.print("authorization requests, each a login in progress");
    let sum = registered.bytes + authorized.bytes;
    println!(
        "\nTogether {} kB (goal < {} kB: {}), and {records} records in the store.",
        sum / 1000,
        GOAL / 1000,
        verdict(sum < GOAL && records == 0),
    );
}

/// One line of the child's.
struct Grown {
    count: u64,
    bytes: i64,
    micros: u64,
}

impl Grown {
    fn read(child: &mut Child) -> Self {
        let words = child.words();
        let [count, bytes, micros] = &words[..] else {
            panic!("{words:?}");
        };
        Self {
            count: count.parse().unwrap(),
            bytes: bytes.parse().unwrap(),
            micros: micros.parse().unwrap(),
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "megabytes and minutes")]
    fn print(&self, what: &str) {
        let each = |all: f64| all / self.count as f64;
        println!(
            "| {what} | {} | {} | {:.2} | {:.1} |",
            self.count,
            self.bytes / 1000,
            each(self.bytes as f64),
            each(self.micros as f64),
        );
    }
}

/// The measured process. One thread, so that the allocator has one heap.
pub(crate) fn run(count: u64) {
    live_as_long_as_parent();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = Recorder::default();
        // No request gets as far as the provider.
        let config = config("http://127.0.0.1:9").token_storage(store.clone());
        let wire = in_process(&OAuthProxyLayer::new(config.build().unwrap()));
        let client = register(&wire, WARM_UP, 0).await;
        authorize(&client, WARM_UP, 0).await;

        measure(count, async |part, from| {
            register(&wire, part, from).await;
        })
        .await;
        measure(count, async |part, from| {
            authorize(&client, part, from).await;
        })
        .await;
        println!("{}", store.records().len());
    });
}

/// Does so many in parts, each with its size and the number of the first; says how the process grew.
async fn measure(count: u64, act: impl AsyncFn(u64, u64)) {
    let before = Resident::here();
    let start = Instant::now();
    let mut done = 0;
    while done < count && start.elapsed() < AT_MOST {
        let part = WARM_UP.min(count - done);
        act(part, done).await;
        done += part;
    }
    let [now, before] =
        [Resident::here(), before].map(|resident| i64::try_from(resident.all).unwrap());
    println!("{done} {} {}", now - before, start.elapsed().as_micros());
}

/// Each with a name of its own; the last one.
async fn register(wire: &Wire, count: u64, from: u64) -> Client {
    let mut metadata = native_metadata(CALLBACK);
    let mut last = None;
    for n in from..from + count {
        metadata["client_name"] = format!("Stranger {n:09}").into();
        last = Some(Client::register(wire, "", &metadata).await);
    }
    last.unwrap()
}

/// Each with a state of its own, up to the consent page, which stays unopened.
async fn authorize(client: &Client, count: u64, from: u64) {
    let pkce = Pkce::new();
    for n in from..from + count {
        let url = client.authorize(&pkce, &format!("state-{n:09}")).url();
        client.wire.get(&url, &[]).await.expect(302);
    }
}
