//! Strangers cost nothing: neither records nor memory.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use testkit::{Pkce, Proxy, client::native_metadata};

/// How much the process may grow, in bytes. A record of 1 KiB for each registration would be ten
/// times this.
const SLACK: u64 = 10 << 20;

/// The process's resident memory, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = status.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

async fn register(proxy: &Proxy, turn: usize) -> testkit::Client {
    let callback = format!("http://127.0.0.1/callback/{turn}");
    proxy.register(&native_metadata(&callback)).await
}

async fn authorize(proxy: &Proxy, client: &testkit::Client) {
    let url = client.authorize(&Pkce::new(), "state").url();
    let path = url.strip_prefix(&proxy.wire.origin).unwrap();
    let reply = proxy.wire.get(path, &[]).await;
    assert!(reply.status.is_redirection(), "{reply:?}");
}

#[tokio::test]
async fn a_hundred_thousand_registrations_and_ten_thousand_requests_leave_nothing_behind() {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    for turn in 0..2_000 {
        let client = register(&proxy, turn).await;
        authorize(&proxy, &client).await;
    }
    proxy.forget_events();
    store.forget();
    let before = resident();
    for turn in 0..100_000 {
        let client = register(&proxy, turn).await;
        if turn % 10 == 0 {
            authorize(&proxy, &client).await;
        }
        if turn % 1_000 == 0 {
            // The kit remembers; the proxy must not.
            proxy.forget_events();
            assert_eq!(store.writes(), 0);
            store.forget();
        }
    }
    assert_eq!(store.records(), 0);
    if let (Some(before), Some(after)) = (before, resident()) {
        let grown = after.saturating_sub(before);
        assert!(grown < SLACK, "grew by {grown} bytes");
    }
}
