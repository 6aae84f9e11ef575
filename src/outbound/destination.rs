//! Whether a request may go where a URL says. Addresses that a name leads to are judged when it is
//! looked up.

use std::net::IpAddr;

use url::{Host, Url};

use super::{
    address::{NamedBy, judge},
    networks::Networks,
};
use crate::limits::{MAX_DOCUMENT_URL, UNPRIVILEGED_PORT};

/// Why no request was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[rustfmt::skip]
pub(crate) enum Refusal {
    #[error("the URL is not one: {0}")]
    Form(&'static str),
    #[error("the URL is longer than {MAX_DOCUMENT_URL} bytes")]
    Length,
    #[error("the URL is not https")]
    Scheme,
    #[error("the URL holds a user or a password")]
    Credentials,
    #[error("the URL has a fragment")]
    Fragment,
    #[error("port {0} is for other protocols: 443, and ports from {UNPRIVILEGED_PORT} on, may be named")]
    Port(u16),
    #[error("{name} is {what}")]
    Name { name: String, what: &'static str },
    #[error("{address} is {what}")]
    Literal { address: IpAddr, what: &'static str },
    /// One such address refuses the name.
    #[error("{name} leads to {address}, {what}")]
    Leads { name: String, address: IpAddr, what: &'static str },
}

/// What the operator said about where documents may come from.
#[derive(Debug, Clone, Default)]
pub(super) struct Bounds {
    pub(super) open: Networks,
    /// A proxy looks the names up: what they lead to is not seen here.
    pub(super) is_proxied: bool,
}

/// The URL as it is sent, if it may be.
pub(super) fn destination(url: &str, named_by: NamedBy, bounds: &Bounds) -> Result<Url, Refusal> {
    if url.len() > MAX_DOCUMENT_URL {
        return Err(Refusal::Length);
    }
    let is_odd = |byte: u8| !byte.is_ascii_graphic() || byte == b'\\';
    if named_by == NamedBy::Stranger && url.bytes().any(is_odd) {
        // A parser drops or turns them, and another one does not.
        return Err(Refusal::Form("a character in it is no character of a URL"));
    }
    let parsed = Url::parse(url).map_err(|_| Refusal::Form("it cannot be parsed"))?;
    match (parsed.scheme(), named_by) {
        ("https", _) | ("http", NamedBy::Operator) => {}
        _ => return Err(Refusal::Scheme),
    }
    let Some(host) = parsed.host() else {
        return Err(Refusal::Form("it has no host"));
    };
    if named_by == NamedBy::Stranger {
        // An empty user is gone after parsing.
        let authority = url.split_once("://").map_or("", |(_, rest)| rest);
        let authority = authority.split(['/', '?', '#']).next();
        if authority.is_some_and(|authority| authority.contains('@')) {
            return Err(Refusal::Credentials);
        }
        if parsed.fragment().is_some() {
            return Err(Refusal::Fragment);
        }
        // `None` is 443.
        if let Some(port) = parsed.port().filter(|port| *port < UNPRIVILEGED_PORT) {
            return Err(Refusal::Port(port));
        }
    }
    let literal = match host {
        Host::Domain(name) if named_by == NamedBy::Stranger => {
            judge_name(name, bounds)?;
            None
        }
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
    };
    if let Some(address) = literal {
        judge(address, named_by, &bounds.open)
            .map_err(|what| Refusal::Literal { address, what })?;
    }
    Ok(parsed)
}

/// Names that lead inside wherever they are looked up. Where a network is open they may, and what they
/// lead to decides; where a proxy looks them up, this is all that can be said about them.
fn judge_name(name: &str, bounds: &Bounds) -> Result<(), Refusal> {
    if bounds.open.are_named() && !bounds.is_proxied {
        return Ok(());
    }
    match inward(name) {
        Some(what) => Err(Refusal::Name {
            name: name.to_owned(),
            what,
        }),
        None => Ok(()),
    }
}

/// RFC 6761, 6762, 7686, 8375, 9476; `internal` is reserved by ICANN for private use, and the others are
/// what people call their networks.
const INWARD: &[&str] = &[
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "test",
    "invalid",
    "onion",
    "alt",
    "home.arpa",
];

fn inward(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let ends_with = |zone: &&str| {
        let rest = name.strip_suffix(*zone);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if INWARD.iter().any(|zone| ends_with(&zone)) {
        return Some("a name inside a network");
    }
    (!name.contains('.')).then_some("a name without a dot, which is one inside a network")
}
