//! Redirect URIs: RFC 6749 section 3.1.2, RFC 8252 section 7, RFC 9700 section 2.1.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use url::form_urlencoded;

use crate::{
    limits::MAX_REDIRECT_URI,
    oauth::{StrictUri, UriFault},
};

/// Schemes that run a script, show what an attacker wrote, or read this computer's files.
const FORBIDDEN_SCHEMES: [&str; 11] = [
    "javascript",
    "data",
    "file",
    "vbscript",
    "blob",
    "about",
    "view-source",
    "filesystem",
    "ws",
    "wss",
    "ftp",
];
/// Parameters of an authorization answer: a redirect URI that has one already would carry it twice.
const ANSWER_PARAMS: [&str; 4] = ["code", "state", "iss", "error"];

/// Where a client wants its answer: https anywhere, http on this computer, or an app's own scheme.
///
/// Compares, displays and serializes as the string that the client gave.
#[derive(Clone)]
pub(crate) struct RedirectUri {
    raw: Arc<str>,
    uri: Arc<StrictUri>,
}

/// Why a string is not a redirect URI. Each text continues "the redirect URI".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidRedirectUri {
    /// Not an absolute URI that every parser reads in the same way; says why.
    #[error("{0}")]
    Uri(&'static str),
    /// A scheme that runs scripts or opens files.
    #[error("has a scheme that is never allowed")]
    Scheme,
    /// Plain http to a host that is not this computer.
    #[error("must be https, or http on localhost")]
    PlainHttp,
    /// A query with a parameter of the answer, such as `code`.
    #[error("has a query parameter that belongs to the answer")]
    AnswerParameter,
}

impl RedirectUri {
    /// Reads a redirect URI of at most 1024 bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidRedirectUri`]: not absolute, a fragment, user information or any other `@`, dot
    /// segments in any encoding, a host with several spellings, http to another computer, a scheme such as
    /// `javascript`.
    pub(crate) fn parse(raw: &str) -> Result<Self, InvalidRedirectUri> {
        let scheme = raw.split(':').next().unwrap_or_default();
        if FORBIDDEN_SCHEMES
            .iter()
            .any(|bad| bad.eq_ignore_ascii_case(scheme.trim()))
        {
            return Err(InvalidRedirectUri::Scheme);
        }
        // RFC 6749 section 3.1.2: "The redirection endpoint URI MUST be an absolute URI [...] The endpoint
        // URI MUST NOT include a fragment component."
        let uri = StrictUri::parse(raw, MAX_REDIRECT_URI)
            .map_err(|fault| InvalidRedirectUri::Uri(why(fault)))?;
        // RFC 3986 allows it in a path or query, but some parsers take what follows the last one as the
        // host: `http://127.0.0.1:9000/@evil.example`.
        if raw.contains('@') {
            return Err(InvalidRedirectUri::Uri("has an `@`: write it as %40"));
        }
        if uri.scheme() == "http" && !uri.is_loopback() {
            return Err(InvalidRedirectUri::PlainHttp);
        }
        let query = uri.query().unwrap_or_default();
        let mut names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
        if names.any(|name| ANSWER_PARAMS.contains(&&*name)) {
            return Err(InvalidRedirectUri::AnswerParameter);
        }
        Ok(Self {
            raw: raw.into(),
            uri: Arc::new(uri),
        })
    }

    /// The string as the client gave it.
    pub(crate) fn as_str(&self) -> &str {
        &self.raw
    }

    pub(crate) fn uri(&self) -> &StrictUri {
        &self.uri
    }

    /// `http(s)` to this computer.
    pub(crate) fn is_loopback(&self) -> bool {
        self.uri.is_loopback()
    }

    /// Whether an authorization request with this URI may use that registration. RFC 6749 section
    /// 3.1.2.3: "the authorization server MUST compare the two URIs using simple string comparison".
    ///
    /// The port of http on this computer is the exception, because the system assigns it when the
    /// client starts to listen. RFC 8252 section 7.3: "The authorization server MUST allow any port to be
    /// specified at the time of the request for loopback IP redirect URIs".
    pub(crate) fn matches_registered(&self, registered: &Self) -> bool {
        if self.raw == registered.raw {
            return true;
        }
        let (here, there) = (&self.uri, &registered.uri);
        let any_port = |uri: &StrictUri| uri.scheme() == "http" && uri.is_loopback();
        any_port(here)
            && any_port(there)
            // `localhost` is not `127.0.0.1`: another listener may own the other name.
            && here.host() == there.host()
            && here.path_or_root() == there.path_or_root()
            && here.query() == there.query()
    }

    /// Whether the answer goes to a program on the person's computer, which no address identifies.
    pub(crate) fn is_on_this_computer(&self) -> bool {
        self.is_loopback() || !self.uri().is_web()
    }

    /// What of it tells a person where the answer goes: host and port, or the scheme where it is an app's own.
    /// Not escaped for HTML.
    pub(crate) fn shown_address(&self) -> String {
        let (scheme, host) = (self.uri.scheme(), self.uri.host());
        if self.is_loopback() {
            return host.to_owned();
        }
        if !self.uri.is_web() {
            return format!("{scheme}://");
        }
        match self.uri.port() {
            None | Some(443) => host.to_owned(),
            Some(port) => format!("{host}:{port}"),
        }
    }

    /// The same for every port on this computer, which changes with each start of a client. A remembered
    /// approval holds it: it never changes.
    pub(crate) fn place(&self) -> String {
        let address = self.shown_address();
        match self.is_loopback() {
            true => format!("{address} (this computer)"),
            false if self.is_on_this_computer() => format!("{address} (an app on this computer)"),
            false => address,
        }
    }

    /// This URI with parameters added to its query. The rest stays byte for byte: RFC 6749 section 3.1.2,
    /// the query "MUST be retained when adding additional query parameters". Spaces become `%20`, which
    /// every decoder reads; some do not decode `+`.
    pub(crate) fn with_query(&self, params: &[(&str, &str)]) -> String {
        let mut out = self.raw.as_ref().to_owned();
        for (name, value) in params {
            out.push(match self.uri.query() {
                None if out.len() == self.raw.len() => '?',
                Some("") if out.len() == self.raw.len() => {
                    encode_into(&mut out, name, value);
                    continue;
                }
                _ => '&',
            });
            encode_into(&mut out, name, value);
        }
        out
    }
}

fn encode_into(out: &mut String, name: &str, value: &str) {
    for piece in form_urlencoded::byte_serialize(name.as_bytes()) {
        out.push_str(if piece == "+" { "%20" } else { piece });
    }
    out.push('=');
    for piece in form_urlencoded::byte_serialize(value.as_bytes()) {
        out.push_str(if piece == "+" { "%20" } else { piece });
    }
}

fn why(fault: UriFault) -> &'static str {
    match fault {
        UriFault::TooLong => "is longer than 1024 characters",
        UriFault::Character => "has a character that no URI may have",
        UriFault::NotAbsolute => "is not absolute, with a scheme and a path",
        UriFault::Fragment => "has a fragment",
        UriFault::UserInfo => "has user information before its host",
        UriFault::Authority => "has a host or port that parsers read differently",
        UriFault::Path => "has a dot segment or an encoded slash in its path",
        UriFault::Ambiguous => "is read differently by browsers",
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedirectUri").field(&self.raw).finish()
    }
}

impl PartialEq for RedirectUri {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl Eq for RedirectUri {}

impl Serialize for RedirectUri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RedirectUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = String::deserialize(deserializer)?;
        Self::parse(&raw).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
