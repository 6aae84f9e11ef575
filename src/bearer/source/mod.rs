//! The kinds of bearer token: one file each, and one line here.

mod api_key;
mod by_issuer;
mod introspected;
mod own;
mod upstream;

use std::slice;

use super::verdict::NamedSource;
use crate::metrics::NO_SOURCE;

pub(super) use own::as_it_stands;

/// In the order in which they are tried. A source that recognises its tokens stands before one that
/// takes any: ours by their signature, keys by their prefix, those of an issuer by their `iss`.
pub(super) const SOURCES: &[NamedSource] = &[
    ("own", own::judge),
    ("api_key", api_key::judge),
    ("trusted_issuer", by_issuer::judge),
    ("introspection", introspected::judge),
    ("provider", upstream::judge),
];

/// The name of the source before those that are not tried yet.
pub(super) fn last_tried(untried: &slice::Iter<'_, NamedSource>) -> &'static str {
    let tried = SOURCES.len().checked_sub(untried.len() + 1);
    let last = tried.and_then(|at| SOURCES.get(at));
    last.map_or(NO_SOURCE, |(name, _)| name)
}
