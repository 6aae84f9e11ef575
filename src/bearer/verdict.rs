//! What a source says of a token.

use std::{pin::Pin, sync::Arc};

use http::{Method, Uri};

use super::objection::Objection;
use crate::{resource_server::ResourceServer, session::Validated, time::Unix};

/// A kind of bearer token. It judges at once what it can.
pub(super) type Source = fn(&Arc<ResourceServer>, &Presented<'_>) -> Verdict;

/// A source, and its name for metrics: where it can be that of the sessions it makes.
pub(super) type NamedSource = (&'static str, Source);

/// A token, and the request that carries it.
#[derive(Clone, Copy)]
pub(super) struct Presented<'a> {
    pub(super) token: &'a str,
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    /// The time of the request: a session's times are counted from it, however long a question takes.
    pub(super) now: Unix,
}

/// The one answer of every source.
pub(super) enum Verdict {
    /// Not a token of this source: the next source is tried.
    NotMine,
    /// A token of this source that is not accepted. No other source is tried.
    Refused(Objection),
    /// A token of this source that is accepted.
    Session(Validated),
    /// The store or the provider decides.
    Ask(Question),
}

/// The verdict to come.
pub(super) type Question = Pin<Box<dyn Future<Output = Verdict> + Send>>;

impl Verdict {
    pub(super) fn ask(question: impl Future<Output = Self> + Send + 'static) -> Self {
        Self::Ask(Box::pin(question))
    }
}

impl From<Result<Validated, Objection>> for Verdict {
    fn from(found: Result<Validated, Objection>) -> Self {
        found.map_or_else(Self::Refused, Self::Session)
    }
}
