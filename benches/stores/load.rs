//! The measured requests, and their rates.

use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{CALLERS, STORES};
use testkit::measure::{
    figures::{cell, ratio},
    login::{Deployment, Grant},
};
use testkit::{Reply, Tokens};

/// How long one verb is measured on one store, each round, at most.
const SLOT: Duration = Duration::from_millis(200);
/// At most this many codes are there to be redeemed in a slot, which may end sooner: each costs a
/// login beforehand.
const CODES: usize = 1500;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Verb {
    Redeem,
    Refresh,
    Bearer,
}

impl Verb {
    /// In this order: the codes of a slot become the grants of the next two.
    pub(crate) const ALL: [Self; 3] = [Self::Redeem, Self::Refresh, Self::Bearer];

    fn title(self) -> &'static str {
        match self {
            Self::Redeem => "codes redeemed",
            Self::Refresh => "refreshes",
            Self::Bearer => "cold bearer validations",
        }
    }
}

/// Measures one verb for a moment; its rate per second. `expected` is what it was before.
pub(crate) async fn slot(
    on: &mut Deployment,
    verb: Verb,
    callers: usize,
    expected: Option<f64>,
) -> f64 {
    match verb {
        Verb::Redeem => redeem(on, callers, expected).await,
        Verb::Refresh => refresh(on, callers).await,
        Verb::Bearer => bearer(on, callers).await,
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of people"
)]
async fn redeem(on: &mut Deployment, callers: usize, expected: Option<f64>) -> f64 {
    // No more logins than the slot has room for, even on a good moment.
    let room = expected.map_or(CODES, |rate| (rate * SLOT.as_secs_f64() * 2.0) as usize);
    let codes = Arc::new(on.log_in(room.clamp(callers * 2, CODES)).await);
    let (client, pkce) = (Arc::new(on.client.clone()), Arc::new(on.pkce.clone()));
    let done = all(callers, codes.len(), move |n| {
        let (client, pkce, codes) = (client.clone(), pkce.clone(), codes.clone());
        async move { client.redeem_code(&codes[n], &pkce).await }
    });
    let Done { rate, replies } = done.await;
    on.grants = replies.iter().map(|(_, reply)| held(reply)).collect();
    rate
}

/// Each grant once: a second refresh would need the first one's answer.
async fn refresh(on: &mut Deployment, callers: usize) -> f64 {
    let client = Arc::new(on.client.clone());
    let grants = Arc::new(on.grants.clone());
    let done = all(callers, grants.len(), move |n| {
        let (client, grants) = (client.clone(), grants.clone());
        async move { client.refresh(&grants[n].refresh).await }
    });
    let Done { rate, replies } = done.await;
    for (n, reply) in &replies {
        on.grants[*n] = held(reply);
    }
    rate
}

/// The session cache is off, so that each one asks the store.
async fn bearer(on: &mut Deployment, callers: usize) -> f64 {
    let client = Arc::new(on.client.clone());
    let grants = Arc::new(on.grants.clone());
    let done = all(callers, usize::MAX, move |n| {
        let (client, grants) = (client.clone(), grants.clone());
        async move { client.call("/mcp", &grants[n % grants.len()].access).await }
    });
    done.await.rate
}

fn held(reply: &Reply) -> Grant {
    Grant::of(Tokens::read(reply))
}

struct Done {
    rate: f64,
    replies: Vec<(usize, Reply)>,
}

/// Does jobs 0, 1, 2 … with this many callers at once, until none is left or the slot ends.
/// Every answer must be 200.
async fn all<A, F>(callers: usize, jobs: usize, ask: A) -> Done
where
    A: Fn(usize) -> F + Clone + Send + 'static,
    F: Future<Output = Reply> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (next, ask) = (next.clone(), ask.clone());
        tasks.spawn(async move {
            let mut replies = Vec::new();
            while start.elapsed() < SLOT {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= jobs {
                    break;
                }
                replies.push((n, ask(n).await.expect(200)));
            }
            replies
        });
    }
    let replies = tasks.join_all().await.concat();
    let seconds = start.elapsed().as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "thousands")]
    let rate = replies.len() as f64 / seconds;
    Done { rate, replies }
}

/// All rates of the run, round by round.
#[derive(Default)]
pub(crate) struct Rates(HashMap<Of, Vec<f64>>);

type Of = (Verb, usize, &'static str);

impl Rates {
    pub(crate) fn add(&mut self, of: Of, rate: f64) {
        self.0.entry(of).or_default().push(rate);
    }

    pub(crate) fn last(&self, of: Of) -> Option<f64> {
        self.0.get(&of)?.last().copied()
    }

    /// Throws away what only warmed up.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    /// A table, as Markdown.
    pub(crate) fn print(&self, rounds: usize) {
        println!(
            "Per second: median of {rounds} rounds (slowest–fastest); × memory in the same round, \
             median:\n"
        );
        println!("| | callers | {} |", STORES.join(" | "));
        println!("|---|---:|{}", "---:|".repeat(STORES.len()));
        for verb in Verb::ALL {
            for callers in CALLERS {
                let memory = &self.0[&(verb, callers, "memory")];
                let cells = STORES.map(|store| {
                    let rates = &self.0[&(verb, callers, store)];
                    let cell = cell(rates, 0);
                    if store == "memory" {
                        return cell;
                    }
                    format!("{cell} × {:.2}", ratio(rates, memory))
                });
                println!("| {} | {callers} | {} |", verb.title(), cells.join(" | "));
            }
        }
    }
}
