//! What a live grant takes. Real logins are recorded, redeemed and refreshed once; what they left
//! behind is then written to an empty store of each kind.

use std::{fs, path::Path, sync::Arc};

use tokio::task::JoinSet;
use tower_oauth_proxy::storage::{PostgresStorage, SqliteStorage, TokenStorage};

use crate::{connected, deployed};
use testkit::Tokens;
use testkit::measure::{
    provider::{ACCESS_TOKEN_BYTES, REFRESH_TOKEN_BYTES},
    records::{Recorder, Records, bytes, growth_of_memory, live_and_passing, put},
};
use testkit::{postgres, redis::Server};

const GRANTS: usize = 4000;

/// Measures and prints the table.
pub(crate) async fn print(provider: &str, dir: &Path, redis: &Server, postgres: &postgres::Server) {
    let (live, passing) = live_and_passing(recorded(provider).await);
    let (value, passing) = (per_grant(bytes(&live)), per_grant(bytes(&passing)));
    let records = live.len();

    let memory = per_grant(usize::try_from(growth_of_memory(&live)).unwrap());
    let live = Arc::new(live);
    let sqlite = sqlite(dir, &live).await;
    let redis = in_redis(redis, &live).await;
    let postgres = in_postgres(postgres, &live).await;

    println!("\nBytes per live grant, over {GRANTS} grants in {records} records:\n");
    println!("| | bytes | × key and value |");
    println!("|---|---:|---:|");
    println!("| key and sealed value | {value:.0} | 1.00 |");
    let rows = [
        ("memory: resident size", memory),
        ("sqlite: size of the file", sqlite),
        ("redis: `used_memory`", redis),
        ("postgres: the tables with their indexes", postgres),
    ];
    for (what, size) in rows {
        println!("| {what} | {size:.0} | {:.2} |", size / value);
    }
    println!(
        "\nOf a grant the provider's access token is {ACCESS_TOKEN_BYTES} bytes and its refresh token \
         {REFRESH_TOKEN_BYTES}; with them comes an ID token. Not counted: {passing:.0} bytes for each \
         login, which are gone after ten minutes."
    );
}

/// Everything that the logins left in a store.
async fn recorded(provider: &str) -> Records {
    let recorder = Recorder::default();
    let mut on = deployed("recorder", provider, recorder.clone()).await;
    for code in on.log_in(GRANTS).await {
        let tokens = Tokens::read(&on.client.redeem_code(&code, &on.pkce).await);
        on.client.refresh(tokens.refresh()).await.expect(200);
    }
    recorder.records()
}

/// Growth of the file from the empty store's; the last connection to close checkpoints.
async fn sqlite(dir: &Path, records: &Arc<Records>) -> f64 {
    let path = dir.join("size.db");
    drop(SqliteStorage::open(&path).unwrap());
    let empty = fs::metadata(&path).unwrap().len();
    let store = Arc::new(SqliteStorage::open(&path).unwrap());
    fill(store.clone(), records).await;
    drop(Arc::into_inner(store).expect("nobody else has it"));
    assert!(!dir.join("size.db-wal").exists(), "not checkpointed");
    let full = fs::metadata(&path).unwrap().len();
    per_grant(usize::try_from(full - empty).unwrap())
}

async fn in_redis(server: &Server, records: &Arc<Records>) -> f64 {
    let store = Arc::new(connected(server).await);
    let used = || {
        let info = server.cli(&["INFO", "memory"]);
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("used_memory:"));
        line.unwrap().trim().parse::<usize>().unwrap()
    };
    let empty = used();
    fill(store, records).await;
    per_grant(used() - empty)
}

/// Growth of the tables, with what is kept beside them and their indexes. Those that the rates left are full of
/// dead rows: these are made anew.
async fn in_postgres(server: &postgres::Server, records: &Arc<Records>) -> f64 {
    let store = PostgresStorage::builder(server.url()).schema("sizes");
    let store = Arc::new(store.connect().await.unwrap());
    let used = || {
        let tables = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class \
                      WHERE relkind = 'r' AND relnamespace = 'sizes'::regnamespace";
        server.app(tables).parse::<usize>().unwrap()
    };
    let empty = used();
    fill(store, records).await;
    per_grant(used() - empty)
}

async fn fill(store: Arc<impl TokenStorage>, records: &Arc<Records>) {
    let mut tasks = JoinSet::new();
    for caller in 0..16 {
        let (store, records) = (store.clone(), records.clone());
        tasks.spawn(async move {
            for (key, (value, ttl)) in records.iter().skip(caller).step_by(16) {
                put(&*store, key, value.clone(), *ttl).await;
            }
        });
    }
    tasks.join_all().await;
}

#[allow(clippy::cast_precision_loss, reason = "megabytes")]
fn per_grant(bytes: usize) -> f64 {
    bytes as f64 / GRANTS as f64
}
