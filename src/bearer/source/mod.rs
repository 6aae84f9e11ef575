//! The kinds of bearer token: one file each, and one line here.

mod api_key;
mod by_issuer;
mod introspected;
mod own;
mod upstream;

use super::verdict::Source;
pub(super) use own::as_it_stands;

/// In the order in which they are tried. A source that recognises its tokens stands before one that
/// takes any: ours by their signature, keys by their prefix, those of an issuer by their `iss`.
pub(super) const SOURCES: &[Source] = &[
    own::judge,
    api_key::judge,
    by_issuer::judge,
    introspected::judge,
    upstream::judge,
];
