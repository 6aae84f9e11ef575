//! What a login, a refresh and a registration cost the server, in CPU time, beside as many bare
//! requests. `benches/README.md` says how to read it.
//!
//! ```sh
//! cargo bench --bench login
//! ```
//!
//! Three processes on loopback: this one is clients and browsers, one is the server, one the
//! provider.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement"
)]

mod table;

use std::time::{Duration, Instant};

use axum::routing::get;
use tokio::task::JoinSet;
use tower_oauth_proxy::OAuthProxyLayer;

use self::table::Table;
use testkit::Wire;
use testkit::measure::{
    child::{self, Child},
    host,
    login::config,
    person::{Person, Step},
    provider::{self, BRIEF},
    socket, usage,
};

/// Enough for a median, after one to warm up.
const ROUNDS: usize = 15;
/// Logins in a round, and how many of them are under way at once, each on a connection of its own.
const PEOPLE: usize = 320;
const CONNECTIONS: usize = 16;
/// Those who come back in each round, with a provider token that is fresh or has expired.
const QUIET_PEOPLE: usize = 160;
/// When such a token has expired, including the second that clocks are cut to.
const BRIEF_LIFE: Duration = Duration::from_millis(2100);
/// One for each login under way, and as many again for a pool that opens one too many at times.
const MOST_CONNECTIONS_TO_PROVIDER: u64 = 2 * CONNECTIONS as u64;
/// A run takes about a minute.
const LIMIT: Duration = Duration::from_secs(180);

fn main() {
    match child::role().as_deref() {
        None => {}
        Some([role]) if role == provider::ROLE => return provider::run(),
        Some([_, provider]) => return be_server(provider),
        Some(role) => panic!("no such role: {role:?}"),
    }
    child::end_after(LIMIT);
    let (_provider, origin) = provider::start();
    let mut server = Child::start(&format!("server {origin}"));
    let address = server.words().remove(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let fits = runtime.block_on(run(&server, &address, origin.trim_start_matches("http://")));
    if !fits {
        std::process::exit(1);
    }
}

/// One worker: what a second one costs in wake-ups is the runtime's and not ours.
fn be_server(provider: &str) {
    child::live_as_long_as_parent();
    host::block_on(1, async {
        let layer = OAuthProxyLayer::new(config(provider).build().unwrap());
        let (listener, address) = host::listen().await;
        println!("{address}");
        let bare = Exchange::new(provider);
        // Added last: outside the layer.
        let app = host::app().layer(layer);
        let app = app.route("/exchange", get(async move || bare.go().await));
        axum::serve(listener, app).await.unwrap();
    });
}

/// What a callback has to do with the provider, by the HTTP client alone.
#[derive(Clone)]
struct Exchange {
    client: reqwest::Client,
    url: reqwest::Url,
}

impl Exchange {
    fn new(provider: &str) -> Self {
        Self {
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: format!("{provider}/token").parse().unwrap(),
        }
    }

    async fn go(&self) -> &'static str {
        let form = "grant_type=authorization_code&code=floor-0000000~nonce-of-22-characters&\
                    code_verifier=a-verifier-of-43-characters-0123456789abcdef";
        let asked = self.client.post(self.url.clone()).body(form);
        let asked = asked.header("content-type", "application/x-www-form-urlencoded");
        let answer = asked.send().await.unwrap().bytes().await.unwrap();
        assert!(answer.len() > 1000, "{answer:?}");
        "ok"
    }
}

async fn run(server: &Child, address: &str, provider: &str) -> bool {
    let started = Instant::now();
    let mut wires = Vec::new();
    for _ in 0..CONNECTIONS {
        wires.push(socket::connect(address).await);
    }
    let counts = socket::connect(provider).await;
    let mut people = Namer::default();
    let mut table = Table::default();
    // What the client without the layer has done.
    let mut bare = (0, 0);

    let mut quiet = people.new_ones("quiet-", QUIET_PEOPLE, &wires);
    quiet = all(quiet, Person::log_in).await;
    let mut brief = people.new_ones(BRIEF, QUIET_PEOPLE, &wires);
    brief = all(brief, Person::log_in).await;
    for round in 0..=ROUNDS {
        let renewable_at = Instant::now() + BRIEF_LIFE;
        // The first one has only warmed up.
        if round == 1 {
            table = Table::default();
        }
        let (spent, _) = measured(
            server,
            people.new_ones("floor-", PEOPLE, &wires),
            |person| person.idle(Step::ALL.len()),
        )
        .await;
        table.floor.push(spent / as_f64(Step::ALL.len()));
        let before = asked_provider(&counts).await;
        let asking = people.new_ones("floor-", PEOPLE, &wires);
        let (spent, _) = measured(server, asking, Person::exchange).await;
        table.exchange.push(spent);
        let after = asked_provider(&counts).await;
        bare.0 += after.0 - before.0;
        bare.1 += after.1 - before.1;

        let new = people.new_ones("whole-", PEOPLE, &wires);
        let (spent, logged_in) = measured(server, new, Person::log_in).await;
        table.login.push(spent);
        let (spent, _) = measured(server, logged_in, Person::refresh).await;
        table.refresh.push(spent);

        let mut new = people.new_ones("steps-", PEOPLE, &wires);
        for (step, spent_on) in Step::ALL.into_iter().zip(&mut table.steps) {
            let spent;
            (spent, new) = measured(server, new, move |person| person.take(step)).await;
            spent_on.push(spent);
        }

        let spent;
        (spent, quiet) = measured(server, quiet, Person::refresh).await;
        table.quiet_refresh.push(spent);

        // No sleep: a processor that has slept is slow for a good while after, in all that it does.
        while Instant::now() < renewable_at {
            let passing_time = people.new_ones("floor-", PEOPLE, &wires);
            all(passing_time, |person| person.idle(Step::ALL.len())).await;
        }
        let before = asked_provider(&counts).await.1;
        let spent;
        (spent, brief) = measured(server, brief, Person::refresh).await;
        let renewed = asked_provider(&counts).await.1 - before;
        assert_eq!(renewed, QUIET_PEOPLE as u64, "tokens renewed");
        table.renewal.push(spent);
    }
    table.print(ROUNDS, PEOPLE);

    let (connections, answers) = asked_provider(&counts).await;
    // One of them is ours, and the bare client has a pool of its own.
    let (connections, answers) = (connections - 1 - bare.0, answers - bare.1);
    let fits = connections <= MOST_CONNECTIONS_TO_PROVIDER;
    println!(
        "\n{answers} requests to the provider over {connections} connections (at most \
         {MOST_CONNECTIONS_TO_PROVIDER}: {}). The run took {:.0} s.",
        testkit::measure::figures::verdict(fits),
        started.elapsed().as_secs_f64()
    );
    fits
}

/// Connections that the provider has accepted, and its token answers.
async fn asked_provider(wire: &Wire) -> (u64, u64) {
    let reply = wire.get("/counts", &[]).await.expect(200).text();
    let (connections, answers) = reply.split_once(' ').unwrap();
    (connections.parse().unwrap(), answers.parse().unwrap())
}

/// Lets all of them do something; the server's CPU time for each, in microseconds.
async fn measured<F>(
    server: &Child,
    people: Vec<Person>,
    act: impl Fn(Person) -> F + Clone + Send + 'static,
) -> (f64, Vec<Person>)
where
    F: Future<Output = Person> + Send,
{
    let count = as_f64(people.len());
    let before = usage::cpu(server.pid());
    let people = all(people, act).await;
    let spent = usage::cpu(server.pid()) - before;
    (spent.as_secs_f64() * 1e6 / count, people)
}

/// One after the other on each connection, and all connections at once.
async fn all<F>(
    people: Vec<Person>,
    act: impl Fn(Person) -> F + Clone + Send + 'static,
) -> Vec<Person>
where
    F: Future<Output = Person> + Send,
{
    let mut queues: Vec<Vec<Person>> = Vec::new();
    queues.resize_with(CONNECTIONS, Vec::new);
    for person in people {
        queues[person.connection].push(person);
    }
    let mut tasks = JoinSet::new();
    for queue in queues {
        let act = act.clone();
        tasks.spawn(async move {
            let mut done = Vec::with_capacity(queue.len());
            for person in queue {
                done.push(act(person).await);
            }
            done
        });
    }
    tasks.join_all().await.concat()
}

/// Each name is used once.
#[derive(Default)]
struct Namer(usize);

impl Namer {
    fn new_ones(&mut self, prefix: &str, count: usize, wires: &[Wire]) -> Vec<Person> {
        let people = (0..count).map(|n| {
            let connection = n % CONNECTIONS;
            self.0 += 1;
            let subject = format!("{prefix}{:07}", self.0);
            Person::new(subject, connection, wires[connection].clone())
        });
        people.collect()
    }
}

#[allow(clippy::cast_precision_loss, reason = "hundreds")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
