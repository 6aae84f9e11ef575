//! Asks all parts at once, and tells what has changed since.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{
    of_clock, of_store,
    outcome::{Probe, ProbeCheck, ProbedPart},
};
use crate::{
    event::{Event, Reason, Step},
    limits::{PROBE_PATIENCE, PROVIDER_PROBE_AGAIN, PROVIDER_PROBE_INTERVAL},
    provider::Reached,
    proxy::Proxy,
    resource_server::ResourceServer,
    time::Unix,
};

/// What was found of one, with its rank in the report, and the clock that it spoke of.
type Found = (usize, ProbeCheck, Option<(Unix, Duration)>);

/// Every part; those that were asked a moment ago are as they were `before`.
pub(super) async fn ask(server: &ResourceServer, before: Option<&Probe>) -> Probe {
    let mut asking = JoinSet::new();
    let mut found: Vec<Found> = Vec::new();
    let now = server.now();
    if let Some(proxy) = &server.proxy {
        ask_store(&mut asking, proxy);
        for (rank, (part, name)) in (1..).zip(named(proxy)) {
            match before.and_then(|probe| recent(probe, part, &name, now)) {
                Some(check) => found.push((rank, check, None)),
                None => ask_named(&mut asking, proxy, rank, part, name),
            }
        }
    }
    while let Some(answer) = asking.join_next().await {
        found.extend(answer.ok());
    }
    if let Some(proxy) = &server.proxy {
        found.extend(broken(proxy, &found, server.now()));
    }
    found.sort_by_key(|(rank, ..)| *rank);
    let clocks = found.iter().filter_map(|(_, _, clock)| *clock);
    let clocks: Vec<_> = clocks.collect();
    let mut checks: Vec<ProbeCheck> = found.into_iter().map(|(_, check, _)| check).collect();
    checks.extend(clock(server.now(), &clocks, before));
    tell(server, &checks, before);
    Probe { checks }
}

/// Those whose task never came back: it panicked, in a store of the operator's own, say.
fn broken(proxy: &Proxy, found: &[Found], now: Unix) -> Vec<Found> {
    let named = named(proxy).map(|(part, name)| (part, Some(name)));
    let all = [(ProbedPart::Store, None)].into_iter().chain(named);
    let missing = (0..)
        .zip(all)
        .filter(|(rank, _)| !found.iter().any(|(it, ..)| it == rank));
    let broken = missing.map(|(rank, (part, name))| {
        let fault = Some("it broke while it was asked (a panic)".to_owned());
        let took = Duration::ZERO;
        let check = ProbeCheck::new(part, name.as_deref(), fault, took, now.into());
        (rank, check, None)
    });
    broken.collect()
}

/// Each that has a name, in the order of the report.
fn named(proxy: &Proxy) -> impl Iterator<Item = (ProbedPart, String)> {
    let providers = proxy.providers.iter();
    let providers = providers.map(|it| (ProbedPart::Provider, it.about().id.clone()));
    let issuers = proxy.trusted_issuers.iter();
    providers.chain(issuers.map(|it| (ProbedPart::Issuer, it.about.id.clone())))
}

/// What was found of it, where that is not long ago.
fn recent(before: &Probe, part: ProbedPart, name: &str, now: Unix) -> Option<ProbeCheck> {
    let check = before.find(part, Some(name))?;
    let holds = match check.fault {
        None => PROVIDER_PROBE_INTERVAL,
        Some(_) => PROVIDER_PROBE_AGAIN,
    };
    let asked_at = Unix::from(check.asked_at);
    (asked_at <= now && now < asked_at + holds).then(|| check.clone())
}

fn ask_store(asking: &mut JoinSet<Found>, proxy: &Arc<Proxy>) {
    let (proxy, asked_at) = (Arc::clone(proxy), SystemTime::from(proxy.now()));
    asking.spawn(async move {
        let (fault, took) = bounded(of_store::fault(&proxy.vault)).await;
        let fault = fault.unwrap_or_else(|| Some(LATE.to_owned()));
        let check = ProbeCheck::new(ProbedPart::Store, None, fault, took, asked_at);
        (0, check, None)
    });
}

fn ask_named(
    asking: &mut JoinSet<Found>,
    proxy: &Arc<Proxy>,
    rank: usize,
    part: ProbedPart,
    name: String,
) {
    let (proxy, asked_at) = (Arc::clone(proxy), SystemTime::from(proxy.now()));
    asking.spawn(async move {
        let (reached, took) = bounded(reach(&proxy, part, &name)).await;
        let Reached { fault, clock } = reached.unwrap_or_else(|| Reached {
            fault: Some(LATE.to_owned()),
            clock: None,
        });
        let check = ProbeCheck::new(part, Some(&name), fault, took, asked_at);
        (rank, check, clock.map(|clock| (clock, took)))
    });
}

async fn reach(proxy: &Proxy, part: ProbedPart, name: &str) -> Reached {
    if part == ProbedPart::Provider {
        return match proxy.providers.of(name) {
            Some(provider) => provider.reach().await,
            None => Reached::default(),
        };
    }
    let mut issuers = proxy.trusted_issuers.iter();
    match issuers.find(|trusted| trusted.about.id == name) {
        Some(trusted) => trusted.keys.reach().await,
        None => Reached::default(),
    }
}

const LATE: &str = "it did not answer in time";

/// `None`: not in time.
async fn bounded<T>(asking: impl Future<Output = T>) -> (Option<T>, Duration) {
    let begin = Instant::now();
    let answer = timeout(PROBE_PATIENCE, asking).await;
    (answer.ok(), begin.elapsed())
}

/// As it was, where no one was asked who could say.
fn clock(now: Unix, clocks: &[(Unix, Duration)], before: Option<&Probe>) -> Option<ProbeCheck> {
    if clocks.is_empty() {
        return before?.find(ProbedPart::Clock, None).cloned();
    }
    let fault = of_clock::fault(now, clocks);
    let (part, took) = (ProbedPart::Clock, Duration::ZERO);
    Some(ProbeCheck::new(part, None, fault, took, now.into()))
}

/// An event for each part that stopped working, or works again: not one for each probe.
fn tell(server: &ResourceServer, checks: &[ProbeCheck], before: Option<&Probe>) {
    for check in checks {
        let known = before.and_then(|probe| probe.find(check.part, check.name.as_deref()));
        let was_faulty = known.is_some_and(|known| known.fault.is_some());
        let event = match &check.fault {
            Some(_) if was_faulty => continue,
            Some(_) => Event::refused(Step::Probe, reason(check.part)),
            None if was_faulty => Event::done(Step::Probe),
            None => continue,
        };
        let event = match (check.part, &check.name) {
            (ProbedPart::Provider, Some(id)) => event.provider(id),
            _ => event,
        };
        server.emit(&event.detail(check));
    }
}

fn reason(part: ProbedPart) -> Reason {
    match part {
        ProbedPart::Store => Reason::StoreUnavailable,
        ProbedPart::Provider | ProbedPart::Issuer => Reason::ProviderUnavailable,
        ProbedPart::Clock => Reason::Clock,
    }
}
