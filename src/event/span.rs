//! The span that a request to one of our endpoints runs in, so that what other code logs meanwhile can be joined.

use tracing::{Metadata, Span, field::Empty};

use super::who::Who;

const NAME: &str = "oauth";
const TARGET: &str = "tower_oauth_proxy";

/// A span for the work on one request, or for work that outlives its request.
///
/// Its ids are filled in by [`mark_span`] as soon as they are known.
pub(crate) fn span(endpoint: &'static str) -> Span {
    tracing::info_span!(target: TARGET, NAME, endpoint, login = Empty, grant = Empty, client = Empty)
}

/// The same for work that must not keep the span of a request open, which may be somebody else's.
pub(crate) fn span_of_its_own(endpoint: &'static str) -> Span {
    tracing::info_span!(
        target: TARGET, parent: None, NAME, endpoint, login = Empty, grant = Empty, client = Empty
    )
}

/// Writes the ids into the span that this runs in, where that is one of ours: a field of the same name in someone
/// else's is left alone. Where no one listens, nothing is put together for it. Once for each id: some subscribers
/// write a field anew beside the old one.
pub(crate) fn mark_span(who: impl FnOnce() -> Who) {
    let span = Span::current();
    let is_ours = |meta: &Metadata<'_>| meta.name() == NAME && meta.target() == TARGET;
    if !span.metadata().is_some_and(is_ours) {
        return;
    }
    let Who {
        login,
        grant,
        client,
        ..
    } = who();
    for (name, value) in [("login", login), ("grant", grant), ("client", client)] {
        if let Some(value) = value {
            span.record(name, value.as_str());
        }
    }
}
