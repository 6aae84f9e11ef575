//! The store or the provider goes away and comes back.

use std::{
    process::Child,
    time::{Duration, Instant},
};

use crate::world::{Backend, World};
use testkit::{Answer, Browser, Client, Kind, Landing, Pkce, Reply, Tokens, wire::query_param};

const CACHE_SECONDS: u64 = 6;
/// The store's timeout of 3 s, and some for a machine under load; less than two waits for it.
const A_FEW_SECONDS: Duration = Duration::from_millis(5900);

#[derive(Clone, Copy)]
enum Fault {
    /// `kill -9`; started again with what is on the disk.
    Killed,
    /// Connections stay open, nobody answers.
    Frozen,
    /// Every command waits for longer than anybody waits for it.
    Slow,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_redis_is_dead() {
    store(Backend::redis(), Fault::Killed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_redis_is_frozen() {
    store(Backend::redis(), Fault::Frozen).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_redis_is_slow() {
    store(Backend::redis(), Fault::Slow).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_postgres_is_dead() {
    store(Backend::postgres(), Fault::Killed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_postgres_is_frozen() {
    store(Backend::postgres(), Fault::Frozen).await;
}

/// Somebody's migration holds the tables.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_postgres_is_locked() {
    store(Backend::postgres(), Fault::Slow).await;
}

async fn store(backend: Backend, fault: Fault) {
    let cache = CACHE_SECONDS.to_string();
    let environment = [("SESSION_CACHE_TTL", &*cache)];
    let mut world = World::start(3, backend, &environment).await;
    let people = People::before(&world).await;

    let locker = strike(&mut world.backend, fault);
    let reload = people.during(&world).await;
    heal(&mut world.backend, fault);
    if let Some(mut locker) = locker {
        locker.wait().unwrap();
    }

    people.after(&world, reload).await;
    world.close();
}

/// What holds the tables, where that is the fault.
fn strike(backend: &mut Backend, fault: Fault) -> Option<Child> {
    match (backend, fault) {
        (Backend::Redis(server), Fault::Killed) => server.kill(),
        (Backend::Redis(server), Fault::Frozen) => server.freeze(),
        (Backend::Redis(server), Fault::Slow) => {
            assert_eq!(server.cli(&["CLIENT", "PAUSE", "60000", "ALL"]), "OK");
        }
        (Backend::Postgres(server), Fault::Killed) => server.kill(),
        (Backend::Postgres(server), Fault::Frozen) => server.freeze(),
        (Backend::Postgres(server), Fault::Slow) => {
            let locks = "BEGIN; LOCK TABLE oauth_proxy_records; SELECT pg_sleep(60)";
            let locker = server.console("app").args(["-c", locks]).spawn().unwrap();
            while server.sql(&LOCKER.replace("what", "count(*)")) != "1" {
                std::thread::sleep(Duration::from_millis(20));
            }
            return Some(locker);
        }
        (Backend::Sqlite(_), _) => unreachable!(),
    }
    None
}

const LOCKER: &str = "SELECT what FROM pg_stat_activity WHERE wait_event = 'PgSleep'";

fn heal(backend: &mut Backend, fault: Fault) {
    match (backend, fault) {
        (Backend::Redis(server), Fault::Killed) => server.restart(),
        (Backend::Redis(server), Fault::Frozen) => server.thaw(),
        (Backend::Redis(server), Fault::Slow) => {
            assert_eq!(server.cli(&["CLIENT", "UNPAUSE"]), "OK");
        }
        (Backend::Postgres(server), Fault::Killed) => server.restart(),
        (Backend::Postgres(server), Fault::Frozen) => server.thaw(),
        (Backend::Postgres(server), Fault::Slow) => {
            server.sql(&LOCKER.replace("what", "pg_terminate_backend(pid)"));
        }
        (Backend::Sqlite(_), _) => unreachable!(),
    }
}

/// A file that somebody else holds locked: reads go on, writes come back later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_the_file_is_locked() {
    let world = World::start(3, Backend::sqlite(), &[]).await;
    let (bob, bobs) = world.logged_in().await;
    let (carol, pkce) = (world.client().await, Pkce::new());
    let callback = world.login(&carol, &pkce).await;

    let path = world.backend.dir().join("grants.db");
    let lock = rusqlite::Connection::open(path).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    world.fleet.slowest();
    bob.call("/mcp", &bobs.access).await.expect(200);
    later(&bob.refresh(bobs.refresh()).await);
    later(&carol.redeem(&callback, &pkce).await);
    let slowest = world.fleet.slowest();
    assert!(slowest < A_FEW_SECONDS, "an answer took {slowest:?}");
    lock.execute_batch("ROLLBACK").unwrap();
    drop(lock);

    Tokens::read(&bob.refresh(bobs.refresh()).await);
    Tokens::read(&carol.redeem(&callback, &pkce).await);
    world.close();
}

/// Alice's session is cached, Bob's is not, Carol has a code, Dave stands at the provider.
struct People {
    alice: (Client, Tokens),
    bob: (Client, Tokens),
    carol: (Client, Pkce, String),
    dave: (Client, Pkce, Browser, String),
}

impl People {
    async fn before(world: &World) -> Self {
        let bob = world.logged_in().await;
        let (carol, pkce) = (world.client().await, Pkce::new());
        let callback = world.login(&carol, &pkce).await;
        let carol = (carol, pkce, callback);

        let (dave, pkce) = (world.client().await, Pkce::new());
        let mut browser = Browser::new(&world.clock).knowing(world.fleet.wire());
        browser
            .open(&dave.authorize(&pkce, "client-state").url())
            .await
            .page();
        let at_the_provider = browser.press("approve").await.left();
        let browser = browser.knowing(world.provider.wire());

        let alice = world.logged_in().await;
        for slot in 0..world.fleet.len() {
            let here = crate::world::at(&alice.0, &world.fleet.wire_to(slot));
            here.call("/mcp", &alice.1.access).await.expect(200);
        }
        Self {
            alice,
            bob,
            carol,
            dave: (dave, pkce, browser, at_the_provider),
        }
    }

    /// Returns Dave's browser, and the page that he will reload.
    async fn during(&self, world: &World) -> (Browser, String) {
        let started = Instant::now();
        world.fleet.slowest();
        let (alice, alices) = &self.alice;
        for _ in 0..6 {
            alice.call("/mcp", &alices.access).await.expect(200);
        }
        let (bob, bobs) = &self.bob;
        let (carol, pkce, callback) = &self.carol;
        let (_, _, browser, at_the_provider) = &self.dave;
        let mut browser = browser.clone();
        let (called, refreshed, revoked, redeemed, landing) = tokio::join!(
            bob.call("/mcp", &bobs.access),
            bob.refresh(bobs.refresh()),
            bob.revoke(bobs.refresh()),
            carol.redeem(callback, pkce),
            browser.open(at_the_provider),
        );
        for reply in [&refreshed, &revoked, &redeemed] {
            later(reply);
        }
        let page = landing.page();
        for reply in [&called, &page.reply] {
            assert_eq!(reply.status, 503, "{reply:?}");
            assert!(reply.header("retry-after").is_some(), "{reply:?}");
        }
        // Nobody waits in a queue of those who wait.
        let asks = (0..30).map(|_| {
            let (bob, access) = (bob.clone(), bobs.access.clone());
            tokio::spawn(async move { bob.call("/mcp", &access).await })
        });
        for ask in asks.collect::<Vec<_>>() {
            ask.await.unwrap().expect(503);
        }
        while started.elapsed() < Duration::from_secs(CACHE_SECONDS + 1) {
            let reply = alice.call("/mcp", &alices.access).await;
            assert!(matches!(reply.status.as_u16(), 200 | 503), "{reply:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        alice.call("/mcp", &alices.access).await.expect(503);
        let slowest = world.fleet.slowest();
        println!("slowest answer {slowest:?}");
        assert!(slowest < A_FEW_SECONDS, "an answer took {slowest:?}");
        (browser, page.url)
    }

    /// Every token that was alive is alive.
    async fn after(&self, world: &World, (mut browser, page): (Browser, String)) {
        let started = Instant::now();
        let (bob, bobs) = &self.bob;
        while bob.call("/mcp", &bobs.access).await.status == 503 {
            assert!(started.elapsed() < Duration::from_secs(10), "no recovery");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        println!("well again after {:?}", started.elapsed());
        let (carol, pkce, callback) = &self.carol;
        let redeemed = again(|| carol.redeem(callback, pkce)).await;
        let carols = Tokens::read(&redeemed);
        carol.call("/mcp", &carols.access).await.expect(200);
        for (client, tokens) in [&self.alice, &self.bob] {
            client.call("/mcp", &tokens.access).await.expect(200);
            let renewed = Tokens::read(&again(|| client.refresh(tokens.refresh())).await);
            client.call("/mcp", &renewed.access).await.expect(200);
        }

        let (dave, pkce, ..) = &self.dave;
        let mut landing = browser.open(&page).await;
        while let Landing::Page(page) = &landing {
            assert_eq!(page.reply.status, 503, "{page:?}");
            assert!(started.elapsed() < Duration::from_secs(20), "no recovery");
            tokio::time::sleep(Duration::from_millis(100)).await;
            landing = browser.open(&page.url.clone()).await;
        }
        let callback = landing.left();
        assert_eq!(query_param(&callback, "error"), None, "{callback}");
        Tokens::read(&dave.redeem(&callback, pkce).await);
        let sent = world.front.log();
        let sent = sent
            .iter()
            .filter(|exchange| exchange.is("authorization_code"));
        assert_eq!(sent.count(), 4, "each code of the provider was sent once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_the_provider_answers_errors() {
    provider(Answer::Status(503)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_the_provider_hangs() {
    provider(Answer::Hang).await;
}

/// How long a client asks again.
const PATIENCE: Duration = Duration::from_secs(12);

async fn provider(answer: Answer) {
    let hangs = matches!(answer, Answer::Hang);
    let environment = [
        ("ACCESS_TOKEN_TTL", "600"),
        ("SESSION_CACHE_TTL", "1"),
        ("UPSTREAM_TIMEOUT", "2"),
    ];
    let world = World::start(3, Backend::sqlite(), &environment).await;
    world
        .provider
        .configure(|settings| settings.expires_in = Some(3));
    let (client, tokens) = world.logged_in().await;
    world.provider.always(Kind::Token, answer);
    tokio::time::sleep(Duration::from_secs(4)).await;

    world.fleet.slowest();
    for _ in 0..2 {
        for slot in 0..world.fleet.len() {
            let here = crate::world::at(&client, &world.fleet.wire_to(slot));
            let (called, refreshed) = tokio::join!(
                here.call("/mcp", &tokens.access),
                here.refresh(tokens.refresh()),
            );
            called.expect(503);
            later(&refreshed);
        }
    }
    let slowest = world.fleet.slowest();
    // The provider's timeout, and the store's.
    assert!(
        slowest < Duration::from_secs(6),
        "an answer took {slowest:?}"
    );
    world.provider.always(Kind::Token, Answer::Normal);

    // What never came may still come, with a refresh token that replaces ours: it is awaited for the
    // provider's two seconds and sixty more.
    let patience = match hangs {
        true => Duration::from_secs(62) + PATIENCE,
        false => PATIENCE,
    };
    let renewed = Tokens::read(&again_within(patience, || client.refresh(tokens.refresh())).await);
    client.call("/mcp", &renewed.access).await.expect(200);
    client.call("/mcp", &tokens.access).await.expect(200);
    world.close();
}

async fn again<F: Future<Output = Reply>>(ask: impl Fn() -> F) -> Reply {
    again_within(PATIENCE, ask).await
}

/// As a client does that honours Retry-After, only sooner.
async fn again_within<F: Future<Output = Reply>>(patience: Duration, ask: impl Fn() -> F) -> Reply {
    let started = Instant::now();
    loop {
        let reply = ask().await;
        if reply.status != 503 || started.elapsed() > patience {
            return reply;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[track_caller]
fn later(reply: &Reply) {
    reply.refused(503, "temporarily_unavailable");
    assert!(reply.header("retry-after").is_some(), "{reply:?}");
}
