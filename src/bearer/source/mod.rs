//! The kinds of bearer token: one file each, and one line here.

mod own;
mod upstream;

use super::verdict::Source;
pub(super) use own::as_it_stands;

/// In the order in which they are tried. A source that recognises its tokens stands before one that
/// takes any.
pub(super) const SOURCES: &[Source] = &[own::judge, upstream::judge];
