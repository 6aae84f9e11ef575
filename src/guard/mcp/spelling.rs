//! What a method names, and whether a call is written in the one way that every server reads as we do.

use url::Url;

/// What a method names besides itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tool,
    Prompt,
    Resource,
}

/// The methods whose names have rules of their own. The two of subscriptions are those of revisions before 2026-07-28.
const NAMING: &[(&str, Kind)] = &[
    ("tools/call", Kind::Tool),
    ("prompts/get", Kind::Prompt),
    ("resources/read", Kind::Resource),
    ("resources/subscribe", Kind::Resource),
    ("resources/unsubscribe", Kind::Resource),
];

/// What begins a connection or keeps it.
const HELLO: &[&str] = &["initialize", "server/discover", "ping"];

const NOTIFICATIONS: &str = "notifications/";

/// The other methods of clients, of all revisions.
const OTHERS: &[&str] = &[
    "completion/complete",
    "logging/setLevel",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "subscriptions/listen",
    "tasks/cancel",
    "tasks/get",
    "tasks/list",
    "tasks/result",
    "tasks/update",
    "tools/list",
];

/// Why no guard is asked about `Tools/Call`.
pub(super) const OTHER_CAPITALS: &str = "the method is written with other capitals";

impl Kind {
    /// What the method names. A server that does not mind capitals would take `Tools/Call` for a call of a tool, and
    /// `Tools/List` for what a rule of `tools/list` keeps.
    pub(super) fn of(method: &str) -> Result<Option<Self>, &'static str> {
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the method has a character that no method has");
        }
        for (naming, kind) in NAMING {
            if *naming == method {
                return Ok(Some(*kind));
            }
        }
        let is_other = |known: &str| known != method && known.eq_ignore_ascii_case(method);
        match begins_otherwise(method, NOTIFICATIONS) || known().any(is_other) {
            true => Err(OTHER_CAPITALS),
            false => Ok(None),
        }
    }
}

fn known() -> impl Iterator<Item = &'static str> {
    let naming = NAMING.iter().map(|(method, _)| *method);
    naming.chain(HELLO.iter().chain(OTHERS).copied())
}

/// Whether it is a method of MCP's, as MCP writes it.
pub(super) fn is_known(method: &str) -> bool {
    method.starts_with(NOTIFICATIONS) || known().any(|known| known == method)
}

/// Whether it begins so, but for the capitals.
pub(super) fn begins_otherwise(method: &str, beginning: &str) -> bool {
    let own = method.as_bytes().get(..beginning.len());
    own.is_some_and(|own| {
        own != beginning.as_bytes() && own.eq_ignore_ascii_case(beginning.as_bytes())
    })
}

/// What begins a connection or keeps it, and calls nothing.
pub(super) fn is_hello(method: &str) -> bool {
    HELLO.contains(&method) || method.starts_with(NOTIFICATIONS)
}

/// A server that trims names, or ends them at a control character, would see another one than we do.
pub(super) fn is_plain(name: &str) -> bool {
    let has_space = name.starts_with(char::is_whitespace) || name.ends_with(char::is_whitespace);
    !has_space && !name.contains(char::is_control)
}

/// Whether no other spelling means the same by RFC 3986 section 6.2.2, nor by a server that is less strict: no dot
/// segments and no empty ones, nothing encoded that could stand for itself or for a separator, no capitals in the
/// scheme, and nothing that the URL Standard's parser writes otherwise. The MCP SDKs in TypeScript and Python look a
/// resource up as that parser writes it: `file:/a` and `file://localhost/a` are `file:///a` to them.
pub(super) fn is_written_plainly(uri: &str) -> bool {
    let (scheme, rest) = uri.split_once(':').unwrap_or(("", uri));
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let path = path.strip_prefix("//").unwrap_or(path);
    let mut encoded = uri.split('%').skip(1);
    !scheme.bytes().any(|byte| byte.is_ascii_uppercase())
        && Url::parse(uri).map_or(true, |parsed| parsed.as_str() == uri)
        && !uri.contains('\\')
        && !path.contains("//")
        && !has_ignored_end(scheme, rest)
        && !path.split('/').any(|segment| matches!(segment, "." | ".."))
        && encoded.all(|after| after.get(..2).is_some_and(is_needed))
}

/// Whether a URI that passes can have this pattern. A rule of another one would let through what it means to keep.
pub(super) fn may_be_met(pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        None => is_written_plainly(pattern),
        Some(beginning) => ["", "x", "/x", "//x/x"]
            .iter()
            .any(|rest| is_written_plainly(&[beginning, rest].concat())),
    }
}

/// Whether it ends in what is not looked at where the rest names a file, or is fetched.
fn has_ignored_end(scheme: &str, rest: &str) -> bool {
    match scheme {
        "file" => rest.contains(['?', '#']),
        "http" | "https" => rest.contains('#'),
        _ => false,
    }
}

/// Whether these two digits stand for a byte that has to be encoded, in their one spelling.
fn is_needed(digits: &str) -> bool {
    let is_upper_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
    let byte = u8::from_str_radix(digits, 16).unwrap_or_default();
    digits.bytes().all(is_upper_hex)
        && !byte.is_ascii_control()
        && !byte.is_ascii_alphanumeric()
        && !b"-._~/\\%".contains(&byte)
}
