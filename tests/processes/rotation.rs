//! The operator's secret changes while people work.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    storm::{Person, Record},
    world::{Backend, Dice, World},
};
use testkit::{Browser, Pkce, Tokens, wire::query_param};

const OLD: &str = "Vq3tY8sLr1ZpK6wXb0NfUe7JmGh2Dc5A";
const NEW: &str = "t5QxW9cE2nRk7HvB4yMzJ8fLs1PdG6uT";
/// Between two processes of a roll, so that people meet both.
const STEP: Duration = Duration::from_millis(1500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rolls_are_seen_by_nobody_on_sqlite() {
    rotate(Backend::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rolls_are_seen_by_nobody_on_redis() {
    rotate(Backend::redis()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rolls_are_seen_by_nobody_on_postgres() {
    rotate(Backend::postgres()).await;
}

/// The current and the previous secret of each roll: first all accept the new one, then all use it.
const ROLLS: [(&str, &str); 2] = [(OLD, NEW), (NEW, OLD)];

/// Rolls all processes twice.
async fn rotate(backend: Backend) {
    let dice = Dice::from_environment();
    let environment = [("ACCESS_TOKEN_TTL", "15"), ("SESSION_CACHE_TTL", "1")];
    let world = Arc::new(World::start(3, backend, &environment).await);
    world
        .provider
        .configure(|settings| settings.expires_in = Some(6));
    assert_eq!(OLD.len(), 32);
    let early = Early::before(&world).await;

    let record = Arc::new(Record::default());
    let time = STEP * u32::try_from(3 * ROLLS.len() + 2).unwrap();
    let people = people(&world, &record, dice, Instant::now() + time);
    for (current, previous) in ROLLS {
        world.fleet.tell("SECRET_KEY", current);
        world.fleet.tell("SECRET_KEY_PREVIOUS", previous);
        for slot in 0..world.fleet.len() {
            tokio::time::sleep(STEP).await;
            world.fleet.roll(slot).await;
        }
    }
    for person in people {
        person.await.expect("a person's task");
    }
    println!("{:#?}", record.counts());
    record.assert_undisturbed();
    assert_eq!(record.count_of("503"), 0);
    assert_eq!(record.count_of("login began again"), 0);
    early.after(&world).await;
    let world = Arc::into_inner(world).expect("everybody is done");
    world.close();
}

fn people(
    world: &Arc<World>,
    record: &Arc<Record>,
    mut dice: Dice,
    until: Instant,
) -> Vec<tokio::task::JoinHandle<()>> {
    // Every fifth replays its codes: not here.
    let numbers = (0..15).filter(|number| number % 5 != 0);
    numbers
        .map(|number| Person::new(number, world, record, Dice(dice.roll())))
        .map(|person| tokio::spawn(person.live(until)))
        .collect()
}

/// What began before the first roll and ends after the last.
struct Early {
    idle: (testkit::Client, Tokens),
    with_code: (testkit::Client, Pkce, String),
    at_provider: (testkit::Client, Pkce, Browser, String),
}

impl Early {
    async fn before(world: &World) -> Self {
        let idle = world.logged_in().await;
        let (client, pkce) = (world.client().await, Pkce::new());
        let callback = world.login(&client, &pkce).await;
        let with_code = (client, pkce, callback);
        let (client, pkce) = (world.client().await, Pkce::new());
        let mut browser = Browser::new(&world.clock).knowing(world.fleet.wire());
        browser
            .open(&client.authorize(&pkce, "client-state").url())
            .await
            .page();
        let at_provider = browser.press("approve").await.left();
        let browser = browser.knowing(world.provider.wire());
        Self {
            idle,
            with_code,
            at_provider: (client, pkce, browser, at_provider),
        }
    }

    async fn after(self, world: &World) {
        let (client, tokens) = &self.idle;
        Tokens::read(&client.refresh(tokens.refresh()).await);
        let (client, pkce, callback) = &self.with_code;
        Tokens::read(&client.redeem(callback, pkce).await);
        let (client, pkce, mut browser, url) = self.at_provider;
        let callback = browser.open(&url).await.left();
        assert_eq!(query_param(&callback, "error"), None, "{callback}");
        let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
        for slot in 0..world.fleet.len() {
            let here = crate::world::at(&client, &world.fleet.wire_to(slot));
            here.call("/mcp", &tokens.access).await.expect(200);
        }
    }
}
