//! What the provider's ledger and the deaths of processes say about what people saw.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::Record;
use crate::front::Exchange;

/// A process that died this long after the provider's answer may not have stored it: a verb of the
/// store may take three seconds, and it is tried again.
const STORED: Duration = Duration::from_secs(5);
/// Two renewals of one grant within this time are one too many; a token lives for six.
const APART: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
#[allow(dead_code, reason = "printed")]
pub(super) struct Report {
    pub(super) kills: usize,
    codes_redeemed_at_the_provider: usize,
    renewals_at_the_provider: usize,
    /// The provider had answered, and the process died before it had stored the answer.
    impossible_windows: usize,
    excused_logouts: usize,
}

pub(super) fn audit(
    log: &[Exchange],
    deaths: &[(u32, Instant)],
    record: &Record,
    rotating: bool,
) -> Report {
    let deaths = Deaths(deaths.iter().copied().collect());
    let succeeded = |grant_type: &str| {
        let is = |exchange: &&Exchange| exchange.is(grant_type) && exchange.status == 200;
        log.iter().filter(is).count()
    };
    let mut report = Report {
        kills: deaths.0.len(),
        codes_redeemed_at_the_provider: succeeded("authorization_code"),
        renewals_at_the_provider: succeeded("refresh_token"),
        ..Report::default()
    };

    for presentations in presented(log, "authorization_code", "code").values() {
        for again in presentations.windows(2) {
            // What the provider never worked on stands last, although it may have come first: its
            // process was killed while it waited.
            let died_waiting = again[1].worked.is_none() && deaths.soon_after(again[1]);
            if !deaths.soon_after(again[0]) && !died_waiting {
                record.violation(format!("two living processes sent one code: {again:#?}"));
            }
        }
    }
    for presentations in presented(log, "refresh_token", "refresh_token").values() {
        for again in presentations.windows(2) {
            if again[0].status != 200 || deaths.soon_after(again[0]) {
                continue;
            }
            let (Some(first), Some(second)) = (again[0].worked, again[1].worked) else {
                continue;
            };
            if rotating || second.duration_since(first) < APART {
                record.violation(format!("a living process renewed already: {again:#?}"));
            }
        }
        if rotating && presentations.len() > 1 && presentations[0].status == 200 {
            report.impossible_windows += 1;
        }
    }

    let chains = chains(log);
    for logout in record.logouts.lock().unwrap().iter() {
        let mine = |exchange: &&Exchange| {
            let token = exchange.param("refresh_token");
            exchange.is("refresh_token")
                && token.and_then(|token| chains.get(token)) == Some(&logout.upstream_code)
        };
        let mine: Vec<_> = log.iter().filter(mine).collect();
        let refused = mine.iter().find(|exchange| exchange.status == 400);
        let lost = refused.and_then(|refused| {
            let same = |e: &&&Exchange| e.params == refused.params && e.status == 200;
            mine.iter().find(same)
        });
        if rotating && lost.is_some_and(|lost| deaths.soon_after(lost)) {
            report.excused_logouts += 1;
        } else {
            record.violation(format!("logged out without excuse: {logout:#?} {mine:#?}"));
        }
    }
    report
}

struct Deaths(HashMap<u32, Instant>);

impl Deaths {
    /// Whether the process died before it can be expected to have stored what it was told.
    fn soon_after(&self, exchange: &Exchange) -> bool {
        let Some(died) = self.0.get(&exchange.incarnation) else {
            return false;
        };
        exchange
            .worked
            .is_none_or(|worked| died.saturating_duration_since(worked) < STORED)
    }
}

/// The requests that presented the same thing, in order of the provider's work.
fn presented<'a>(
    log: &'a [Exchange],
    grant_type: &str,
    name: &str,
) -> HashMap<&'a str, Vec<&'a Exchange>> {
    let mut all: HashMap<_, Vec<_>> = HashMap::new();
    for exchange in log.iter().filter(|exchange| exchange.is(grant_type)) {
        if let Some(value) = exchange.param(name) {
            all.entry(value).or_default().push(exchange);
        }
    }
    for exchanges in all.values_mut() {
        exchanges.sort_by_key(|exchange| (exchange.worked.is_none(), exchange.worked));
    }
    all
}

/// For each refresh token of the provider, the code that its chain began with.
fn chains(log: &[Exchange]) -> HashMap<&str, String> {
    let mut chains: HashMap<&str, String> = HashMap::new();
    let mut all: Vec<_> = log
        .iter()
        .filter(|exchange| exchange.status == 200)
        .collect();
    all.sort_by_key(|exchange| exchange.worked);
    for exchange in all {
        let Some(issued) = exchange.answer["refresh_token"].as_str() else {
            continue;
        };
        let origin = match (exchange.param("code"), exchange.param("refresh_token")) {
            (Some(code), _) => Some(code.to_owned()),
            (_, Some(presented)) => chains.get(presented).cloned(),
            _ => None,
        };
        if let Some(origin) = origin {
            chains.insert(issued, origin);
        }
    }
    chains
}
