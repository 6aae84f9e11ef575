//! One journey, every step of which goes to another process.

use std::time::{Duration, Instant};

use crate::{
    fleet::SERVED_BY,
    world::{Backend, World, at},
};
use testkit::{
    Client, Pkce, Reply, Tokens,
    client::{CALLBACK, native_metadata},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_at_another_process_on_sqlite() {
    journey(Backend::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_at_another_process_on_redis() {
    journey(Backend::redis()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_at_another_process_on_postgres() {
    journey(Backend::postgres()).await;
}

const CACHE_SECONDS: u64 = 2;

async fn journey(backend: Backend) {
    let cache = CACHE_SECONDS.to_string();
    let world = World::start(3, backend, &[("SESSION_CACHE_TTL", &cache)]).await;
    let [a, b, c] = [0, 1, 2].map(|slot| world.fleet.wire_to(slot));

    let client = Client::register(&a, "", &native_metadata(CALLBACK)).await;
    let pkce = Pkce::new();
    // Authorize at B, the consent page at C, its answer at A, the callback at B.
    let mut browser = world.browser_at(world.fleet.wire_from(1));
    let url = client.authorize(&pkce, "client-state").url();
    browser.open(&url).await.page().reply.expect(200);
    let callback = browser.press("approve").await.left();
    let served: Vec<_> = browser
        .history
        .iter()
        .filter_map(|visit| served_by(&visit.reply))
        .collect();
    assert_eq!(served, [1, 2, 0, 1], "{:#?}", browser.history);

    let tokens = Tokens::read(&at(&client, &c).redeem(&callback, &pkce).await);
    // Every process caches the session.
    for wire in [&a, &b, &c] {
        at(&client, wire)
            .call("/mcp", &tokens.access)
            .await
            .expect(200);
    }
    let renewed = Tokens::read(&at(&client, &a).refresh(tokens.refresh()).await);
    // The answer could have been lost: the next process gives the same successor.
    let again = Tokens::read(&at(&client, &c).refresh(tokens.refresh()).await);
    assert_eq!(again.refresh, renewed.refresh);
    at(&client, &c)
        .call("/mcp", &renewed.access)
        .await
        .expect(200);
    at(&client, &b).revoke(renewed.refresh()).await.expect(200);

    let revoked = Instant::now();
    at(&client, &b)
        .call("/mcp", &renewed.access)
        .await
        .expect(401);
    while at(&client, &c).call("/mcp", &renewed.access).await.status == 200 {
        assert!(
            revoked.elapsed() < Duration::from_secs(CACHE_SECONDS + 1),
            "the revocation goes unseen"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for wire in [&a, &b, &c] {
        for access in [&tokens.access, &renewed.access] {
            wait_for_401(&at(&client, wire), access, revoked).await;
        }
        at(&client, wire)
            .refresh(renewed.refresh())
            .await
            .refused(400, "invalid_grant");
    }
    world.close();
}

async fn wait_for_401(client: &Client, access: &str, revoked: Instant) {
    let mut reply = client.call("/mcp", access).await;
    while reply.status == 200 && revoked.elapsed() < Duration::from_secs(CACHE_SECONDS + 1) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        reply = client.call("/mcp", access).await;
    }
    reply.expect(401);
}

fn served_by(reply: &Reply) -> Option<usize> {
    reply.header(SERVED_BY)?.parse().ok()
}
