//! A claim by its name, or by a path into another one.

use serde_json::{Map, Value};

/// The claim of this name; one that begins with a slash is a path. RFC 6901 section 4: in a step of a path
/// `~1` stands for `/`, then `~0` for `~`.
pub(crate) fn claim_at<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let Some(path) = name.strip_prefix('/') else {
        return claims.get(name);
    };
    let (first, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
    let first = first.replace("~1", "/").replace("~0", "~");
    claims.get(&first)?.pointer(rest)
}
