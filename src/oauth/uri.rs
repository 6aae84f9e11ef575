//! One strict reading of a URI: RFC 3986 as the protocol needs it, checked against the WHATWG one.
//!
//! Attacks on redirect URIs live where two parsers disagree: `http://localhost:80@evil.example`,
//! `http://localhost\@evil.example`, `http://2130706433`, `/a/%2e%2e/b`. So a URI is taken apart
//! here by the plain grammar, then by the `url` crate as a browser would, and refused unless both
//! read the same. Nothing is normalised: what was given is what is kept.

use url::{Host, Url};

/// A URI with a scheme and a path, and no userinfo, dot segment or fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StrictUri {
    /// In lower case.
    scheme: Box<str>,
    /// In lower case; `None` for `scheme:/path`, empty for `scheme:///path`.
    host: Option<Box<str>>,
    /// As given; a default port is not added.
    port: Option<u16>,
    path: Box<str>,
    query: Option<Box<str>>,
    loopback: bool,
}

/// Why a string is not read as a URI; each text goes on from "the URI".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UriFault {
    #[error("is too long")]
    TooLong,
    #[error("holds a character that no URI may hold")]
    Character,
    #[error("is not absolute, with a scheme and a path")]
    NotAbsolute,
    #[error("has a fragment")]
    Fragment,
    #[error("has user information (`@`) before its host")]
    UserInfo,
    #[error("has a host or port that cannot be read in one way only")]
    Authority,
    #[error("has a dot segment, or an encoded slash or control character, in its path")]
    Path,
    #[error("is read differently by browsers")]
    Ambiguous,
}

impl StrictUri {
    /// Takes `raw` apart, at most `limit` bytes of it.
    pub(crate) fn parse(raw: &str, limit: usize) -> Result<Self, UriFault> {
        if raw.len() > limit {
            return Err(UriFault::TooLong);
        }
        if !has_only_uri_characters(raw) {
            return Err(UriFault::Character);
        }
        let (scheme, rest) = split_scheme(raw).ok_or(UriFault::NotAbsolute)?;
        if rest.contains('#') {
            return Err(UriFault::Fragment);
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(authority), path)
            }
            None => (None, rest),
        };
        // `myapp:callback`, `urn:...:oob`, and `http:/h`, which browsers read as `http://h`.
        let web = is_web(scheme);
        if authority.is_none() && (web || !path.starts_with('/')) {
            return Err(UriFault::NotAbsolute);
        }
        let (host, port) = match authority {
            Some(authority) => {
                let (host, port) = split_authority(authority)?;
                if host.is_empty() && (web || port.is_some()) {
                    return Err(UriFault::Authority);
                }
                (Some(host), port)
            }
            None => (None, None),
        };
        if !is_single_reading(path) {
            return Err(UriFault::Path);
        }
        let mut uri = Self {
            scheme: scheme.to_ascii_lowercase().into(),
            host: host.map(|host| host.to_ascii_lowercase().into()),
            port,
            path: path.into(),
            query: query.map(Into::into),
            loopback: false,
        };
        let browser = Url::parse(raw).map_err(|_| UriFault::Authority)?;
        if !uri.is_read_alike(&browser) {
            return Err(UriFault::Ambiguous);
        }
        uri.loopback = web && browser.host().is_some_and(|host| is_loopback(&host));
        Ok(uri)
    }

    fn is_read_alike(&self, browser: &Url) -> bool {
        let default_port = match &*self.scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        // A decimal, octal, hexadecimal or shortened address has another spelling here.
        let host = browser.host_str().unwrap_or_default();
        browser.scheme() == &*self.scheme
            && host.eq_ignore_ascii_case(self.host.as_deref().unwrap_or_default())
            && browser.port().or(default_port) == self.port.or(default_port)
            && (browser.path() == &*self.path || (self.path.is_empty() && browser.path() == "/"))
            && browser.query() == self.query.as_deref()
            && browser.fragment().is_none()
            && browser.username().is_empty()
            && browser.password().is_none()
    }

    pub(crate) fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host in lower case; empty when there is none.
    pub(crate) fn host(&self) -> &str {
        self.host.as_deref().unwrap_or_default()
    }

    /// Whether `//` stands after the scheme.
    pub(crate) fn has_authority(&self) -> bool {
        self.host.is_some()
    }

    /// The port as given.
    pub(crate) fn port(&self) -> Option<u16> {
        self.port
    }

    /// The port as given, or the scheme's own.
    pub(crate) fn effective_port(&self) -> Option<u16> {
        self.port.or(match self.scheme() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        })
    }

    /// The path as given, which may be empty after a host.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The path, `/` when it is empty: the same thing for http (RFC 3986 section 6.2.3).
    pub(crate) fn path_or_root(&self) -> &str {
        if self.path.is_empty() {
            "/"
        } else {
            &self.path
        }
    }

    pub(crate) fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// `http` or `https`, as opposed to an app's own scheme.
    pub(crate) fn is_web(&self) -> bool {
        is_web(&self.scheme)
    }

    /// `http(s)` to `localhost`, 127.0.0.0/8 or `[::1]`: RFC 8252 section 7.3.
    pub(crate) fn is_loopback(&self) -> bool {
        self.loopback
    }
}

fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Only the name itself: `localhost.` and `x.localhost` are left to the resolver, and can leave
/// this computer.
fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// RFC 3986 section 2, with every `%` followed by two hexadecimal digits. No spaces, controls,
/// backslashes, or anything outside ASCII.
fn has_only_uri_characters(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    bytes.iter().enumerate().all(|(i, b)| match b {
        b'%' => {
            let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
            digit(i + 1) && digit(i + 2)
        }
        b if b.is_ascii_alphanumeric() => true,
        b => b"-._~:/?#[]@!$&'()*+,;=".contains(b),
    })
}

/// `scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )`
fn split_scheme(raw: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = raw.split_once(':')?;
    let tail = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.bytes().all(tail);
    valid.then_some((scheme, rest))
}

fn split_authority(authority: &str) -> Result<(&str, Option<u16>), UriFault> {
    // `http://localhost:80@evil.example` (a peer's CVE): everything before `@` is decoration.
    if authority.contains('@') {
        return Err(UriFault::UserInfo);
    }
    let end_of_host = match authority.find(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end_of_host);
    let inside = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let valid = match inside {
        Some(v6) => v6.bytes().all(|b| b.is_ascii_hexdigit() || b == b':'),
        None => host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')),
    };
    if !valid {
        return Err(UriFault::Authority);
    }
    let port = match port.strip_prefix(':') {
        Some(digits) => {
            let number = digits.parse().map_err(|_| UriFault::Authority)?;
            // `:080`, `:+80`, `:` and `:99999` are spellings that other parsers read differently.
            if u16::to_string(&number) != digits {
                return Err(UriFault::Authority);
            }
            Some(number)
        }
        None if port.is_empty() => None,
        None => return Err(UriFault::Authority),
    };
    Ok((host, port))
}

/// Whether every server reads a path as the same place: no dot segment in any encoding, and no encoded
/// slash, backslash, percent sign or control character that a server might decode into one.
pub(crate) fn is_single_reading(path: &str) -> bool {
    let encoded = |bad: fn(u8) -> bool| {
        path.match_indices('%')
            .filter_map(|(at, _)| hex_pair(path.as_bytes().get(at + 1..at + 3)?))
            .any(bad)
    };
    !has_dot_segment(path) && !encoded(|b| matches!(b, b'/' | b'\\' | b'%') || b.is_ascii_control())
}

/// Whether some segment is `.` or `..` once everything is decoded, however often it was encoded.
///
/// Slashes count in every spelling (`%2f`, `\`, `%255c`), and what follows a `;` in a segment does
/// not (`/a/..;/b` climbs on servers that know path parameters). Control characters count as dot
/// segments, because some servers drop them. Allocates nothing: it stands on the bearer path.
pub(crate) fn has_dot_segment(path: &str) -> bool {
    let mut dots = Some(0_usize);
    let is_dots = |dots: Option<usize>| matches!(dots, Some(1 | 2));
    for byte in deeply_decoded(path.as_bytes()) {
        match byte {
            b'/' | b'\\' => {
                if is_dots(dots) {
                    return true;
                }
                dots = Some(0);
            }
            b'.' => dots = dots.map(|n| n + 1),
            b';' if is_dots(dots) => return true,
            // The first byte of an overlong `.` or `/` (`%c0%ae`), which UTF-8 never holds.
            0xc0 | 0xc1 => return true,
            b if b.is_ascii_control() => return true,
            _ => dots = None,
        }
    }
    is_dots(dots)
}

/// Decodes `%2e`, `%252e`, `%25252e` … in one pass, each to one byte.
fn deeply_decoded(mut rest: &[u8]) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let (&first, mut tail) = rest.split_first()?;
        rest = tail;
        if first != b'%' {
            return Some(first);
        }
        while let Some(deeper) = tail.strip_prefix(b"25") {
            if hex_pair(deeper).is_none() {
                break;
            }
            tail = deeper;
        }
        let Some(byte) = hex_pair(tail) else {
            return Some(first);
        };
        rest = tail.get(2..).unwrap_or_default();
        Some(byte)
    })
}

/// The byte that the first two hexadecimal digits spell.
pub(crate) fn hex_pair(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests;
