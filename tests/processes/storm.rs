//! `kill -9` at any moment, hundreds of times, under many people; then an audit.
//!
//! A process is killed at random, and on purpose where it hurts: when its request has arrived at
//! the provider, when the provider has done its work but not answered, and right after the answer.

mod audit;
mod person;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

pub(crate) use self::person::Person;
use crate::{
    front::Moment,
    world::{Backend, Dice, World},
};

const PROCESSES: usize = 3;
const PEOPLE: usize = 24;
/// The same grant is hit on purpose once in this time: a lease of a killed process lasts 7 seconds,
/// and somebody has to come through within the minute of a lost refresh answer.
const MERCY: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_processes_logs_nobody_out_on_sqlite() {
    storm(Backend::sqlite(), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_processes_logs_nobody_out_on_redis() {
    storm(Backend::redis(), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_rotating_provider_only_the_impossible_window_costs_a_login_on_sqlite() {
    storm(Backend::sqlite(), true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_rotating_provider_only_the_impossible_window_costs_a_login_on_redis() {
    storm(Backend::redis(), true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_rotating_provider_only_the_impossible_window_costs_a_login_on_postgres() {
    storm(Backend::postgres(), true).await;
}

/// What people saw.
#[derive(Default)]
pub(crate) struct Record {
    counts: Mutex<BTreeMap<&'static str, usize>>,
    logouts: Mutex<Vec<Logout>>,
    violations: Mutex<Vec<String>>,
    /// For each refresh token that was presented, the one that came back.
    successors: Mutex<HashMap<String, String>>,
}

/// A session that ended although nobody ended it.
#[derive(Debug, Clone)]
#[allow(dead_code, reason = "printed")]
pub(crate) struct Logout {
    /// The provider's code that the session began with.
    upstream_code: String,
    what: String,
}

impl Record {
    fn count(&self, what: &'static str) {
        *self.counts.lock().unwrap().entry(what).or_default() += 1;
    }

    pub(crate) fn counts(&self) -> BTreeMap<&'static str, usize> {
        self.counts.lock().unwrap().clone()
    }

    pub(crate) fn count_of(&self, what: &str) -> usize {
        self.counts().get(what).copied().unwrap_or_default()
    }

    /// Nobody was logged out, nothing failed.
    pub(crate) fn assert_undisturbed(&self) {
        let logouts = self.logouts.lock().unwrap();
        let violations = self.violations.lock().unwrap();
        assert!(
            logouts.is_empty() && violations.is_empty(),
            "{logouts:#?} {violations:#?}"
        );
    }

    fn violation(&self, what: String) {
        self.violations.lock().unwrap().push(what);
    }

    fn succeeded(&self, presented: &str, successor: &str) {
        let mut successors = self.successors.lock().unwrap();
        let known = successors
            .entry(presented.to_owned())
            .or_insert_with(|| successor.to_owned());
        if chain_link(known) != chain_link(successor) {
            drop(successors);
            self.violation("a grant has two live chains".to_owned());
        }
    }
}

/// Grant and generation of one of our refresh tokens: what is left without version, the key's name and
/// the MAC, which are others with another secret.
fn chain_link(refresh_token: &str) -> Vec<u8> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(refresh_token).unwrap();
    assert_eq!(bytes.len(), 57, "the layout has changed");
    bytes[5..25].to_vec()
}

async fn storm(backend: Backend, rotating: bool) {
    let mut dice = Dice::from_environment();
    let environment = [
        ("ACCESS_TOKEN_TTL", "15"),
        ("SESSION_CACHE_TTL", "1"),
        // The provider is never slow here, but the machine may be.
        ("UPSTREAM_TIMEOUT", "3"),
    ];
    let world = Arc::new(World::start(PROCESSES, backend, &environment).await);
    world.provider.configure(|settings| {
        settings.rotate = rotating;
        settings.expires_in = Some(6);
    });
    let seconds = std::env::var("STORM_SECONDS").map_or(35, |text| text.parse().unwrap());
    let until = Instant::now() + Duration::from_secs(seconds);
    let record = Arc::new(Record::default());

    kill_at_the_provider(&world, &record, dice.clone());
    let killer = {
        let (world, record, mut dice) = (world.clone(), record.clone(), Dice(dice.roll()));
        tokio::spawn(async move {
            while Instant::now() < until {
                tokio::time::sleep(dice.millis(100, 600)).await;
                let slot = usize::try_from(dice.below(PROCESSES as u64)).unwrap();
                world.fleet.restart(slot).await;
                record.count("kill at random");
            }
            world.front.no_more();
        })
    };
    let people: Vec<_> = (0..PEOPLE)
        .map(|number| Person::new(number, &world, &record, Dice(dice.roll())))
        .map(|person| tokio::spawn(person.live(until)))
        .collect();
    for person in people {
        person.await.expect("a person's task");
    }
    killer.await.unwrap();

    let slowest = world.fleet.slowest();
    let log = world.front.log();
    let report = audit::audit(&log, &world.fleet.deaths(), &record, rotating);
    println!("rotating={rotating} slowest answer {slowest:?}\n{report:#?}");
    println!("{:#?}", record.counts());
    let violations = record.violations.lock().unwrap().clone();
    assert!(
        violations.is_empty(),
        "{violations:#?}\nlogs: {}",
        world.fleet.logs.display()
    );
    assert!(
        slowest < Duration::from_secs(10),
        "an answer took {slowest:?}"
    );
    assert!(
        report.kills > usize::try_from(seconds).unwrap(),
        "a storm kills more often"
    );
    drop(record);
    let world = Arc::into_inner(world).expect("everybody is done");
    world.close();
}

/// Kills the process that asks, at one of three moments.
fn kill_at_the_provider(world: &Arc<World>, record: &Arc<Record>, dice: Dice) {
    let (fleet, record) = (world.fleet.clone(), record.clone());
    let dice = Arc::new(Mutex::new(dice));
    let spared = Arc::new(Mutex::new(HashMap::<String, Instant>::new()));
    world.front.at_each(move |moment, exchange| {
        let (fleet, record, incarnation) = (fleet.clone(), record.clone(), exchange.incarnation);
        let token = exchange.param("refresh_token").or(exchange.param("code"));
        let token = token.unwrap_or_default().to_owned();
        // A rotating provider gives the chain a new name; one that does not keeps it.
        let again = exchange.answer["refresh_token"].as_str().map(str::to_owned);
        let (fate, delay) = {
            let mut dice = dice.lock().unwrap();
            (dice.below(10), dice.millis(0, 30))
        };
        let mut spared = spared.lock().unwrap();
        if let (Some(again), Some(since)) = (again, spared.get(&token).copied()) {
            spared.insert(again, since);
        }
        let is_spared = spared.get(&token).is_some_and(|at| at.elapsed() < MERCY);
        let what = match (moment, fate) {
            _ if is_spared || token.is_empty() => None,
            (Moment::Before, 0) => Some("kill before the provider works"),
            (Moment::After, 0) => Some("kill before the provider answers"),
            (Moment::After, 1 | 2) => Some("kill after the provider answers"),
            _ => None,
        };
        if what.is_some() {
            spared.insert(token, Instant::now());
        }
        drop(spared);
        async move {
            let Some(what) = what else { return true };
            let kill = async move {
                if let Some(slot) = fleet.kill_incarnation(incarnation).await {
                    record.count(what);
                    tokio::spawn(async move { fleet.restart(slot).await });
                }
            };
            if what == "kill after the provider answers" {
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    kill.await;
                });
                return true;
            }
            kill.await;
            false
        }
    });
}
