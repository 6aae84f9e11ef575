//! Strangers who go as far as a stranger can: registration, consent, a callback with a code that
//! the provider never issued. They leave nothing in the store for longer than the seconds of a claim,
//! and nothing that grows in memory.
//! (`tests/flood.rs` counts registrations and authorization requests, in a process of its own.)

use std::{collections::BTreeSet, process::Command, sync::Arc, time::Duration};

use tower_oauth_proxy::{TokenStorage, provider::generic};

use crate::support::at_once;
use testkit::{
    Pkce, Proxy, Store, html,
    proxy::{BASE, builder_from},
};

/// Registers, approves and calls back with garbage, without a browser's bookkeeping: each time as
/// somebody new. `turn` makes the metadata differ.
async fn stranger(proxy: &Proxy, turn: usize) {
    let wire = &proxy.wire;
    let callback = format!("http://127.0.0.1/callback/{turn}");
    let metadata = testkit::client::native_metadata(&callback);
    let client = proxy.register(&metadata).await;
    let url = client.authorize(&Pkce::new(), "state").url();
    let asked = wire.get(path(&url, &wire.origin), &[]).await.expect(302);
    let request_cookie = cookie(&asked);
    let cookies = [("cookie", &*request_cookie)];
    let page = wire
        .get(path(asked.location(), &wire.origin), &cookies)
        .await;
    let form = html::forms(&page.expect(200).text()).remove(0);
    let mut fields: Vec<_> = form.hidden.iter().map(|(k, v)| (&**k, &**v)).collect();
    fields.push(("decision", "approve"));
    let headers = [
        ("cookie", &*request_cookie),
        ("origin", &*wire.origin),
        ("sec-fetch-site", "same-origin"),
    ];
    let approved = wire
        .form("/oauth/consent", &fields, &headers)
        .await
        .expect(303);
    let login_cookie = cookie(&approved);
    let state = testkit::wire::query_param(approved.location(), "state").unwrap();
    let query = format!("/oauth/callback?code=garbage-{turn}&state={state}");
    let reply = wire
        .get(&query, &[("cookie", &login_cookie)])
        .await
        .expect(302);
    assert!(reply.location().contains("?error="), "{reply:?}");
}

fn path<'a>(url: &'a str, origin: &str) -> &'a str {
    url.strip_prefix(origin).unwrap()
}

fn cookie(reply: &testkit::Reply) -> String {
    let mut set = reply.headers.get_all("set-cookie").iter();
    let line = set.next().unwrap().to_str().unwrap();
    line.split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_codes_after_an_approval_leave_nothing_after_three_seconds() {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    for turn in 0..50 {
        stranger(&proxy, turn).await;
    }
    let claims = claims(&store);
    assert_eq!(claims.len(), 50);
    proxy.clock.advance(Duration::from_millis(3_001));
    for claim in &claims {
        assert_eq!(store.get(claim).await.unwrap(), None);
    }
    // A login that succeeds is remembered: the look would show it.
    let client = proxy.client().await;
    store.forget();
    proxy.journey(&client).await;
    proxy.clock.advance(Duration::from_millis(3_001));
    let marks: Vec<_> = store.seen().into_iter().map(|seen| seen.key).collect();
    let mark = marks
        .iter()
        .find(|key| key.starts_with("callback:"))
        .unwrap();
    assert!(store.get(mark).await.unwrap().is_some());
}

/// The keys of the claims that were written, and nothing else was, besides the name that an instance
/// leaves of its secret.
fn claims(store: &Store) -> BTreeSet<String> {
    let seen = store.seen().into_iter();
    let written = seen.filter(|seen| seen.verb != "get").map(|seen| seen.key);
    let (claims, others): (BTreeSet<_>, BTreeSet<_>) =
        written.partition(|key| key.starts_with("callback:"));
    assert!(
        others.iter().all(|key| key.starts_with("secret:")),
        "{others:?}"
    );
    claims
}

/// Run by the test below, alone in its process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures its process's memory: run by another test, alone"]
async fn alone_strangers_leave_the_memory_flat() {
    const ROUNDS: usize = 1_000;
    // The kit's provider remembers every request: this one is a closed port.
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    let nobody = generic(
        "http://127.0.0.1:1/a",
        "http://127.0.0.1:1/t",
        "id",
        "secret",
    );
    let builder = builder_from(nobody, BASE).token_storage(store.clone());
    let (provider, clock) = (proxy.provider.clone(), proxy.clock.clone());
    let proxy = Arc::new(Proxy::built(provider, clock, BASE, builder));
    let round = async |from: usize| {
        // The kit remembers each step; the proxy must not.
        for turn in 0..ROUNDS / 50 {
            let start = from + turn * 50;
            at_once(2, |half| {
                let proxy = proxy.clone();
                async move {
                    for turn in 0..25 {
                        stranger(&proxy, start + half * 25 + turn).await;
                    }
                }
            })
            .await;
            proxy.forget_events();
            assert!(claims(&store).len() <= 50);
            store.forget();
            proxy.clock.advance(Duration::from_secs(4));
        }
    };
    round(0).await;
    let before = resident();
    round(ROUNDS).await;
    round(2 * ROUNDS).await;
    round(3 * ROUNDS).await;
    let grown = resident().saturating_sub(before);
    println!("grew by {grown} bytes in {} logins", 3 * ROUNDS);
    // Each used callback is a bounded cache's entry of some 200 bytes. A session or a record for
    // each login would be several times this.
    assert!(grown < 3 << 20, "grew by {grown} bytes");
}

#[cfg(target_os = "linux")]
#[test]
fn strangers_leave_the_memory_flat() {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "growth::alone_strangers_leave_the_memory_flat"])
        .args(["--ignored", "--nocapture", "--test-threads=1"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

/// The process's resident memory in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}
