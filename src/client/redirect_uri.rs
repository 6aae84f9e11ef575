//! Redirect URIs: RFC 6749 section 3.1.2, RFC 8252 section 7, RFC 9700 section 2.1.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use url::form_urlencoded;

use crate::oauth::{StrictUri, UriFault};

/// The longest redirect URI, in bytes; the longest of a known client has about 120.
const MAX_BYTES: usize = 1024;
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
/// What an authorization answer carries: a redirect URI that brings its own makes two of it.
const ANSWER_PARAMS: [&str; 4] = ["code", "state", "iss", "error"];

/// Where a client wants its answer: https anywhere, http on this computer, or an app's own scheme.
///
/// Compares, displays and serializes as the string that the client gave.
#[derive(Clone)]
pub struct RedirectUri {
    raw: Arc<str>,
    uri: Arc<StrictUri>,
}

/// Why a string is no redirect URI; each text goes on from "the redirect URI".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRedirectUri {
    /// Not an absolute URI that everybody reads in the same way; says why.
    #[error("{0}")]
    Uri(&'static str),
    /// A scheme that scripts or files hide behind.
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
    /// [`InvalidRedirectUri`]: not absolute, a fragment, user information, dot segments in any
    /// encoding, a host with several spellings, http to another computer, a scheme such as
    /// `javascript`.
    pub fn parse(raw: &str) -> Result<Self, InvalidRedirectUri> {
        let scheme = raw.split(':').next().unwrap_or_default();
        if FORBIDDEN_SCHEMES
            .iter()
            .any(|bad| bad.eq_ignore_ascii_case(scheme.trim()))
        {
            return Err(InvalidRedirectUri::Scheme);
        }
        let uri = StrictUri::parse(raw, MAX_BYTES)
            .map_err(|fault| InvalidRedirectUri::Uri(why(fault)))?;
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
    pub fn as_str(&self) -> &str {
        &self.raw
    }

    pub(crate) fn uri(&self) -> &StrictUri {
        &self.uri
    }

    /// `http(s)` to this computer.
    pub(crate) fn is_loopback(&self) -> bool {
        self.uri.is_loopback()
    }

    /// Whether an authorization request with this URI may use that registration: the very same
    /// string, but for the port of http on this computer, which the system assigns when the client
    /// starts to listen (RFC 8252 section 7.3).
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

    /// Where a person is about to be sent, in words for the consent page; not escaped for HTML.
    pub(crate) fn display_target(&self) -> String {
        let (scheme, host) = (self.uri.scheme(), self.uri.host());
        if self.is_loopback() {
            return format!("{host} (this computer)");
        }
        if !self.uri.is_web() {
            return format!("{scheme}:// (an app on this computer)");
        }
        match self.uri.port() {
            None | Some(443) => host.to_owned(),
            Some(port) => format!("{host}:{port}"),
        }
    }

    /// This URI with parameters added to its query; the rest stays byte for byte (RFC 6749 section
    /// 3.1.2). Spaces become `%20`, which every decoder reads, where some leave a `+` standing.
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
        UriFault::Character => "holds a character that no URI may hold",
        UriFault::NotAbsolute => "is not absolute, with a scheme and a path",
        UriFault::Fragment => "has a fragment",
        UriFault::UserInfo => "has user information before its host",
        UriFault::Authority => "has a host or port that cannot be read in one way only",
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn uri(raw: &str) -> RedirectUri {
        RedirectUri::parse(raw).unwrap_or_else(|error| panic!("{raw} {error}"))
    }

    fn matches(asked: &str, registered: &str) -> bool {
        uri(asked).matches_registered(&uri(registered))
    }

    #[test]
    fn the_callbacks_of_real_clients_are_redirect_uris() {
        for raw in [
            "https://claude.ai/api/mcp/auth_callback",
            "https://chatgpt.com/connector/oauth/AbC-1_2",
            "https://chatgpt.com/connector_platform_oauth_redirect",
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "https://vscode.dev/redirect",
            "http://127.0.0.1/",
            "http://127.0.0.1:33418/",
            "http://127.0.0.1:33418",
            "http://localhost:3334/oauth/callback",
            "http://localhost:6274/oauth/callback/debug",
            "http://[::1]:8080/callback",
            "https://global.consent.azure-apim.net/redirect/cr1a2-5ftool-5f0123456789abcdef",
            "com.example.app:/oauth2redirect/example-provider",
            "vscode://vscode.github-authentication/did-authenticate?nonce=1",
        ] {
            assert_eq!(uri(raw).as_str(), raw);
        }
    }

    #[test]
    fn a_scheme_of_scripts_or_files_is_refused_in_any_spelling() {
        for raw in [
            "javascript:alert(1)",
            "JavaScript://localhost/%0aalert(1)",
            " javascript:alert(1)",
            "java\nscript://x/",
            "\u{1}javascript://x/",
            "data:text/html,x",
            "data://x/y",
            "file:///etc/passwd",
            "file://localhost/x",
            "vbscript://x/",
            "blob:https://x/y",
            "about:blank",
            "about://blank/",
            "view-source:https://x/",
            "ws://localhost/",
            "wss://x/",
            "ftp://localhost/",
            "urn:ietf:wg:oauth:2.0:oob",
        ] {
            assert!(RedirectUri::parse(raw).is_err(), "{raw:?}");
        }
    }

    #[test]
    fn plain_http_goes_to_this_computer_only() {
        for raw in [
            "http://evil.example/",
            "http://localhost.evil.example/",
            "http://localhost./",
            "http://127.0.0.1.evil.example/",
            "http://128.0.0.1/",
            "http://0.0.0.0/",
            "http://10.0.0.1/",
            "http://[::ffff:7f00:1]/",
        ] {
            assert_eq!(
                RedirectUri::parse(raw),
                Err(InvalidRedirectUri::PlainHttp),
                "{raw}"
            );
        }
    }

    #[test]
    fn what_two_parsers_read_differently_is_refused() {
        for raw in [
            "http://localhost:80@evil.example/",
            "http://localhost:80@evil.example",
            "https://claude.ai@evil.example/api/mcp/auth_callback",
            "https://evil.example\\@claude.ai/",
            "https://claude.ai\\.evil.example/",
            "https://claude.ai/a/../b",
            "https://claude.ai/a/%2e%2e/b",
            "https://claude.ai/a/.%2E/b",
            "https://claude.ai/cb\n",
            "https://claude.ai/cb\r\nSet-Cookie:x",
            "https://claude.ai/cb x",
            "https://claude.ai/cb#x",
            "https://cl\u{430}ude.ai/cb",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://127.1/",
            "http://localhost:80:80/",
            "http://localhost:99999/",
            "https:claude.ai/cb",
            "https:///claude.ai/cb",
            "//claude.ai/cb",
            "/cb",
            "",
        ] {
            assert!(RedirectUri::parse(raw).is_err(), "{raw:?}");
        }
        let long = format!("https://h.example/{}", "a".repeat(MAX_BYTES));
        assert!(RedirectUri::parse(&long).is_err());
    }

    #[test]
    fn a_query_that_brings_a_part_of_the_answer_is_refused() {
        for raw in [
            "https://h/cb?code=1",
            "https://h/cb?x=1&st%61te=2",
            "https://h/cb?iss",
        ] {
            assert_eq!(
                RedirectUri::parse(raw),
                Err(InvalidRedirectUri::AnswerParameter),
                "{raw}"
            );
        }
        assert!(RedirectUri::parse("https://h/cb?codec=1").is_ok());
    }

    #[test]
    fn only_the_port_of_plain_http_on_this_computer_may_vary() {
        assert!(matches("http://127.0.0.1:59656/", "http://127.0.0.1/"));
        assert!(matches("http://127.0.0.1:59656", "http://127.0.0.1:33418/"));
        assert!(matches(
            "http://localhost:1/cb?x=1",
            "http://localhost:2/cb?x=1"
        ));
        assert!(matches("http://[::1]:1/cb", "http://[::1]:2/cb"));
        assert!(matches("https://h.example/cb", "https://h.example/cb"));
        for (asked, registered) in [
            ("http://localhost:1/cb", "http://127.0.0.1:1/cb"),
            ("http://127.0.0.2/", "http://127.0.0.1/"),
            ("http://localhost:1/cb/", "http://localhost:1/cb"),
            ("http://localhost:1/CB", "http://localhost:1/cb"),
            ("http://localhost:1/cb/x", "http://localhost:1/cb"),
            ("http://localhost:1/cb?x", "http://localhost:1/cb"),
            ("http://localhost:1/cb?", "http://localhost:1/cb"),
            ("https://localhost:1/cb", "http://localhost:1/cb"),
            ("https://localhost:2/cb", "https://localhost:1/cb"),
            ("https://h.example:8443/cb", "https://h.example/cb"),
            ("https://h.example:443/cb", "https://h.example/cb"),
            ("https://h.example/", "https://h.example"),
            ("https://H.example/cb", "https://h.example/cb"),
            ("myapp://localhost:2/cb", "myapp://localhost:1/cb"),
            ("myapp2://cb/", "myapp://cb/"),
        ] {
            assert!(!matches(asked, registered), "{asked} for {registered}");
        }
    }

    #[test]
    fn the_consent_page_names_the_host_that_is_really_meant() {
        for (raw, shown) in [
            ("https://Claude.ai/api/cb", "claude.ai"),
            ("https://h.example:8443/", "h.example:8443"),
            ("http://localhost:3334/cb", "localhost (this computer)"),
            ("http://[::1]:1/", "[::1] (this computer)"),
            (
                "cursor://claude.ai/cb",
                "cursor:// (an app on this computer)",
            ),
            (
                "com.example.app:/cb",
                "com.example.app:// (an app on this computer)",
            ),
            ("https://xn--cude-0nd1d.example/", "xn--cude-0nd1d.example"),
        ] {
            assert_eq!(uri(raw).display_target(), shown);
        }
    }

    #[test]
    fn parameters_join_the_query_that_is_there() {
        let params = [("code", "a+b c&d"), ("state", "é=#\r\n")];
        let added = "code=a%2Bb%20c%26d&state=%C3%A9%3D%23%0D%0A";
        for (raw, joined) in [
            ("https://h/cb", format!("https://h/cb?{added}")),
            ("https://h/cb?", format!("https://h/cb?{added}")),
            (
                "https://h/cb?x=%20y",
                format!("https://h/cb?x=%20y&{added}"),
            ),
            ("app://h/", format!("app://h/?{added}")),
        ] {
            assert_eq!(uri(raw).with_query(&params), joined);
        }
        assert_eq!(uri("https://h/cb").with_query(&[]), "https://h/cb");
    }

    proptest! {
        #[test]
        fn an_answer_never_leaves_the_host_of_its_redirect_uri(
            raw in "(https://h\\.example|http://localhost|app:/)[:0-9a-z/?=&.@;%-]{0,20}",
            value in any::<String>(),
        ) {
            if let Ok(redirect) = RedirectUri::parse(&raw) {
                let answer = url::Url::parse(&redirect.with_query(&[("state", &value)])).unwrap();
                let before = url::Url::parse(&raw).unwrap();
                prop_assert_eq!(answer.host_str(), before.host_str());
                prop_assert_eq!(answer.path(), before.path());
                let state = answer.query_pairs().find(|(name, _)| name == "state");
                prop_assert_eq!(&*state.unwrap().1, &value);
            }
        }
    }
}
