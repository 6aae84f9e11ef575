//! The operator's secret changes while people work.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    common::{Browser, Pkce, Tokens, wire::query_param},
    storm::{Person, Record},
    world::{Backend, Dice, World},
};

const OLD: &str = "an operator's secret of 32 bytes";
const NEW: &str = "another secret, of 32 bytes also";
/// Between two processes of a roll, so that people meet both.
const STEP: Duration = Duration::from_millis(1500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rolls_are_seen_by_nobody_on_sqlite() {
    rotate(Backend::sqlite(), &[(OLD, NEW), (NEW, OLD)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rolls_are_seen_by_nobody_on_redis() {
    rotate(Backend::redis(), &[(OLD, NEW), (NEW, OLD)]).await;
}

/// Not how it is done: while some processes do not know the new secret yet, they cannot read what the
/// others have written. People are told to come back, and nobody is logged out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_roll_costs_waiting_and_logs_nobody_out_on_sqlite() {
    rotate(Backend::sqlite(), &[(NEW, OLD)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_roll_costs_waiting_and_logs_nobody_out_on_redis() {
    rotate(Backend::redis(), &[(NEW, OLD)]).await;
}

/// Rolls all processes once for each pair of a current and a previous secret.
async fn rotate(backend: Backend, rolls: &[(&str, &str)]) {
    let dice = Dice::from_environment();
    let environment = [("ACCESS_TOKEN_TTL", "15"), ("SESSION_CACHE_TTL", "1")];
    let world = Arc::new(World::start(3, backend, &environment).await);
    world
        .provider
        .configure(|settings| settings.expires_in = Some(6));
    assert_eq!(OLD.len(), 32);
    let early = Early::before(&world).await;

    let record = Arc::new(Record::default());
    let time = STEP * u32::try_from(3 * rolls.len() + 2).unwrap();
    // In one roll there is a time when some know the new secret and others do not.
    let is_mixed = rolls.len() == 1;
    let people = people(&world, &record, dice, is_mixed, Instant::now() + time);
    for (current, previous) in rolls {
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
    if !is_mixed {
        assert_eq!(record.count_of("503"), 0);
        assert_eq!(record.count_of("login began again"), 0);
    }
    early.after(&world).await;
    let world = Arc::into_inner(world).expect("everybody is done");
    world.close();
}

fn people(
    world: &Arc<World>,
    record: &Arc<Record>,
    mut dice: Dice,
    is_mixed: bool,
    until: Instant,
) -> Vec<tokio::task::JoinHandle<()>> {
    // Every fifth replays its codes: not here.
    let numbers = (0..15).filter(|number| number % 5 != 0);
    numbers
        .map(|number| Person::new(number, world, record, Dice(dice.roll())))
        .map(|person| match is_mixed {
            true => person.among_other_secrets(),
            false => person,
        })
        .map(|person| tokio::spawn(person.live(until)))
        .collect()
}

/// What began before the first roll and ends after the last.
struct Early {
    idle: (crate::common::Client, Tokens),
    with_code: (crate::common::Client, Pkce, String),
    at_provider: (crate::common::Client, Pkce, Browser, String),
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
