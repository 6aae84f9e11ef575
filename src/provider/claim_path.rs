//! A claim by its name, or by a path into another one.

use serde_json::{Map, Value};

/// The claim of this name; one that begins with a slash is a path. RFC 6901 section 4: in a step of a path
/// `~1` stands for `/`, then `~0` for `~`.
pub(crate) fn claim_at<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let Some(path) = name.strip_prefix('/') else {
        return claims.get(name);
    };
    let (first, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
    claims.get(&unescaped(first))?.pointer(rest)
}

/// The member of the claims that a name or a path begins with.
pub(crate) fn first_of(name: &str) -> String {
    match name.strip_prefix('/') {
        None => name.to_owned(),
        Some(path) => unescaped(path.split('/').next().unwrap_or_default()),
    }
}

fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}
