//! What a live grant takes: whole logins, each of another person with another client.

use tokio::task::JoinSet;
use tower_oauth_proxy::{OAuthProxyConfigBuilder, OAuthProxyLayer};

use testkit::measure::{
    child::{Child, live_as_long_as_parent},
    figures::verdict,
    login::{config, in_process},
    person::Person,
    provider::{ACCESS_TOKEN_BYTES, REFRESH_TOKEN_BYTES, id_token},
    records::{Recorder, bytes, growth_of_memory, live_and_passing},
    usage::Resident,
};

pub(crate) const ROLE: &str = "grants";
const GRANTS: usize = 20_000;
const WARM_UP: usize = 1000;
/// At once, as far as one thread can.
const TOGETHER: usize = 16;
/// Besides the provider's own tokens, in bytes.
const GOAL: u64 = 2000;
/// What the proxy sends to the provider.
const NONCE_BYTES: usize = 22;

/// Measures in processes of their own, and prints the table.
pub(crate) fn print(provider: &str) {
    let mut child = Child::start(&format!("{ROLE} {provider}"));
    let grown = child.numbers()[0];
    drop(child);

    // The same again, to know what lives longer than ten minutes without waiting for so long.
    let recorder = Recorder::default();
    on_one_thread(async {
        let config = config(provider).token_storage(recorder.clone());
        log_in(config, &[GRANTS], |_| {}).await;
    });
    let (live, passing) = live_and_passing(recorder.records());
    let [live_size, passing_size] =
        [&live, &passing].map(|records| per_grant(bytes(records) as u64));
    let [live_grown, passing_grown] =
        [&live, &passing].map(|records| per_grant(growth_of_memory(records)));

    let id_token = id_token("person-00000001", &"n".repeat(NONCE_BYTES)).len();
    let tokens = (ACCESS_TOKEN_BYTES + REFRESH_TOKEN_BYTES + id_token) as u64;
    println!("\nBytes per live grant, of {GRANTS} logins by as many clients:\n");
    println!("| | bytes | records |");
    println!("|---|---:|---:|");
    println!(
        "| resident, right after the logins | {} | |",
        per_grant(grown)
    );
    println!(
        "| what lives as long as the grant: resident, in a process with nothing else | {live_grown} | |"
    );
    let each = |records: usize| records / GRANTS;
    println!(
        "| … its keys and sealed values | {live_size} | {} |",
        each(live.len())
    );
    println!(
        "| … of it the provider's tokens: access {ACCESS_TOKEN_BYTES}, refresh \
         {REFRESH_TOKEN_BYTES}, ID {id_token} | {tokens} | |"
    );
    println!("| what is over after ten minutes: resident | {passing_grown} | |");
    println!(
        "| … its keys and sealed values | {passing_size} | {} |",
        each(passing.len())
    );
    println!(
        "\nBesides the provider's tokens {} bytes resident (goal ≤ {GOAL}: {}).",
        live_grown.saturating_sub(tokens),
        verdict(live_grown <= GOAL + tokens),
    );
}

/// The measured process.
pub(crate) fn run(provider: &str) {
    live_as_long_as_parent();
    on_one_thread(async {
        let mut before = None;
        log_in(config(provider), &[WARM_UP, GRANTS], |_| {
            let now = Resident::here().all;
            match before {
                None => before = Some(now),
                Some(before) => println!("{}", now - before),
            }
        })
        .await;
    });
}

/// One heap, as long as the allocator has one for each thread.
fn on_one_thread(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work);
}

/// Logs people in, in parts, with a word after each part.
async fn log_in(config: OAuthProxyConfigBuilder, parts: &[usize], mut after: impl FnMut(usize)) {
    let wire = in_process(&OAuthProxyLayer::new(config.build().unwrap()));
    let mut people = 0;
    for part in parts {
        let mut logins = JoinSet::new();
        for _ in 0..*part {
            if logins.len() == TOGETHER {
                logins.join_next().await.unwrap().unwrap();
            }
            people += 1;
            let person = Person::new(format!("person-{people:08}"), 0, wire.clone());
            logins.spawn(async { drop(person.log_in().await) });
        }
        logins.join_all().await;
        after(*part);
    }
}

fn per_grant(bytes: u64) -> u64 {
    bytes / GRANTS as u64
}
