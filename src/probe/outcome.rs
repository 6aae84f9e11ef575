//! What a probe found.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};

use crate::{limits::MAX_DETAIL, oauth::printable};

/// What [`OAuthProxyHandle::probe`](crate::OAuthProxyHandle::probe) found.
///
/// `Display` is a line for each part, and [`to_json`](Self::to_json) the same as data: for the operator. They name
/// hosts and say what is wrong with them, so to strangers a readiness endpoint shows its status alone.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Probe {
    /// Each part that was asked, the store first.
    pub checks: Vec<ProbeCheck>,
}

/// What was found of one part.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ProbeCheck {
    /// Which part.
    pub part: ProbedPart,
    /// Which of several: the id of the provider or the trusted issuer.
    pub name: Option<String>,
    /// What is wrong, in words for the operator; `None` where it works.
    pub fault: Option<String>,
    /// How long it took to answer, or not to.
    pub took: Duration,
    /// When it was asked. A provider that answered is not asked again for a minute.
    pub asked_at: SystemTime,
}

/// A part of a running proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProbedPart {
    /// The store: a record is written, read and removed.
    Store,
    /// A provider: its document about itself and its keys, or where it has neither, whether its token endpoint
    /// answers.
    Provider,
    /// A trusted issuer: its keys.
    Issuer,
    /// The clock of this server, held against those of the providers.
    Clock,
}

impl ProbedPart {
    /// A name for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Provider => "provider",
            Self::Issuer => "issuer",
            Self::Clock => "clock",
        }
    }
}

impl fmt::Display for ProbedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Probe {
    /// Whether this instance can serve those who are logged in: its store works. A provider that is down stops new
    /// logins and renewals, at every instance alike, so it does not make one unready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let mut faulty = self.faulty();
        !faulty.any(|check| check.part == ProbedPart::Store)
    }

    /// Whether every part works.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.faulty().next().is_none()
    }

    /// The parts that do not work.
    pub fn faulty(&self) -> impl Iterator<Item = &ProbeCheck> {
        self.checks.iter().filter(|check| check.fault.is_some())
    }

    /// The same as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let check = |check: &ProbeCheck| {
            let since = check.asked_at.duration_since(SystemTime::UNIX_EPOCH);
            json!({
                "part": check.part.as_str(),
                "name": check.name,
                "is_well": check.fault.is_none(),
                "fault": check.fault,
                "milliseconds": u64::try_from(check.took.as_millis()).unwrap_or(u64::MAX),
                "asked_at": since.map_or(0, |since| since.as_secs()),
            })
        };
        json!({
            "is_ready": self.is_ready(),
            "is_well": self.is_well(),
            "checks": self.checks.iter().map(check).collect::<Vec<_>>(),
        })
    }

    pub(super) fn find(&self, part: ProbedPart, name: Option<&str>) -> Option<&ProbeCheck> {
        let is_it = |check: &&ProbeCheck| check.part == part && check.name.as_deref() == name;
        self.checks.iter().find(is_it)
    }
}

impl ProbeCheck {
    pub(super) fn new(
        part: ProbedPart,
        name: Option<&str>,
        fault: Option<String>,
        took: Duration,
        asked_at: SystemTime,
    ) -> Self {
        Self {
            part,
            name: name.map(str::to_owned),
            fault: fault.map(|words| printable(&words, MAX_DETAIL)),
            took,
            asked_at,
        }
    }

    /// As events and logs name it.
    pub(super) fn title(&self) -> String {
        match &self.name {
            Some(name) => format!("{} {name}", self.part),
            None => self.part.to_string(),
        }
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, check) in self.checks.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            check.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for ProbeCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (title, took) = (self.title(), self.took.as_millis());
        match &self.fault {
            None => write!(f, "{title}: works ({took} ms)"),
            Some(fault) => write!(f, "{title}: DOES NOT WORK: {fault} ({took} ms)"),
        }
    }
}
