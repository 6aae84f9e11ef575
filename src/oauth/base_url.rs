//! The operator's public URL, which is the issuer.

use std::{fmt, sync::Arc};

use super::{StrictUri, UriFault};
use crate::{error::ConfigError, limits::MAX_BASE_URL};

const OPTION: &str = "base_url";

/// The public URL below which the proxy is reached, kept byte for byte as the operator gave it,
/// but for one trailing slash.
///
/// This one string is the issuer in metadata, redirects and tokens, which clients compare byte for
/// byte (RFC 8414 section 3.3, RFC 9207 section 2.4).
#[derive(Clone)]
pub(crate) struct BaseUrl {
    url: Arc<str>,
    origin: Arc<str>,
    path: Arc<str>,
    parts: Arc<StrictUri>,
}

impl BaseUrl {
    /// Reads the URL. https is required except for a loopback host.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the URL is not absolute, is plain http to another host, has a query,
    /// fragment, user information, or a path with empty, dot or percent-encoded segments.
    pub(crate) fn parse(url: &str) -> Result<Self, ConfigError> {
        // What stands before an `@` may be a password.
        let shown = if url.contains('@') { "the URL" } else { url };
        let refuse = |why: String| ConfigError::new(OPTION, format!("`{shown}` {why}"));
        let parts = StrictUri::parse(url, MAX_BASE_URL).map_err(|fault| refuse(advice(fault)))?;
        if !parts.is_web() {
            return Err(refuse("must begin with https://".to_owned()));
        }
        if parts.scheme() == "http" && !parts.is_loopback() {
            return Err(refuse(
                "must be https; plain http is accepted for localhost only. Behind a proxy that \
                 ends TLS, give the URL that clients see"
                    .to_owned(),
            ));
        }
        if parts.query().is_some() {
            return Err(refuse("must not have a query".to_owned()));
        }
        let kept = url.strip_suffix('/').unwrap_or(url);
        // The path as given less the dropped slash; the rest of the string is the origin.
        let path = parts.path();
        let path = path.strip_suffix('/').unwrap_or(path);
        let odd = |segment: &str| segment.is_empty() || segment.contains(['%', '@', ':']);
        if path.split('/').skip(1).any(odd) {
            return Err(refuse(
                "must not have empty or percent-encoded segments, `@` or `:` in its path"
                    .to_owned(),
            ));
        }
        let origin = kept.strip_suffix(path).unwrap_or(kept);
        Ok(Self {
            url: kept.into(),
            origin: origin.into(),
            path: path.into(),
            parts: Arc::new(parts),
        })
    }

    /// The whole URL, which is the issuer: `https://h/api`.
    pub(crate) fn as_str(&self) -> &str {
        &self.url
    }

    /// The part before the path: `https://h`.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The path: empty, or `/api` without a trailing slash.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The URL of a path below this one; `path` begins with `/`.
    #[must_use]
    pub(crate) fn join(&self, path: &str) -> String {
        [self.as_str(), path].concat()
    }

    /// Whether cookies can be `Secure`.
    pub(crate) fn is_https(&self) -> bool {
        self.parts.scheme() == "https"
    }

    /// Whether both go to the same scheme, host and port, however these are written.
    pub(crate) fn has_origin_of(&self, other: &StrictUri) -> bool {
        let here = &self.parts;
        here.scheme() == other.scheme()
            && here.host() == other.host()
            && here.effective_port() == other.effective_port()
    }

    /// Whether the text may be a URL of this host. Where it is not, it need not be taken apart.
    pub(crate) fn may_be_host_of(&self, url: &str) -> bool {
        let host = self.parts.host();
        let rest = url.split_once("://").map(|(_, rest)| rest);
        let begins = rest.and_then(|rest| rest.get(..host.len()));
        begins.is_some_and(|begins| begins.eq_ignore_ascii_case(host))
    }
}

fn advice(fault: UriFault) -> String {
    match fault {
        UriFault::NotAbsolute => "must be a whole URL, such as https://mcp.example.com".to_owned(),
        UriFault::Character => {
            "holds a character that no URL may hold; write a non-ASCII host as xn--…".to_owned()
        }
        fault => fault.to_string(),
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BaseUrl").field(&self.as_str()).finish()
    }
}

impl PartialEq for BaseUrl {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

impl Eq for BaseUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_kept_byte_for_byte_but_for_one_trailing_slash() {
        for (given, kept, origin, path) in [
            (
                "https://h.example",
                "https://h.example",
                "https://h.example",
                "",
            ),
            (
                "https://h.example/",
                "https://h.example",
                "https://h.example",
                "",
            ),
            (
                "https://H.example:443/Api/v1/",
                "https://H.example:443/Api/v1",
                "https://H.example:443",
                "/Api/v1",
            ),
            (
                "http://localhost:8080/api",
                "http://localhost:8080/api",
                "http://localhost:8080",
                "/api",
            ),
            (
                "http://[::1]:8080",
                "http://[::1]:8080",
                "http://[::1]:8080",
                "",
            ),
        ] {
            let base = BaseUrl::parse(given).unwrap();
            assert_eq!(
                (base.as_str(), base.origin(), base.path()),
                (kept, origin, path)
            );
            assert_eq!(base.join("/oauth/token"), format!("{kept}/oauth/token"));
        }
    }

    #[test]
    fn plain_http_is_for_this_computer_only() {
        assert!(BaseUrl::parse("http://127.0.0.1:3000").is_ok());
        assert!(!BaseUrl::parse("http://localhost").unwrap().is_https());
        assert!(BaseUrl::parse("https://h.example").unwrap().is_https());
        for url in [
            "http://h.example",
            "http://localhost.evil.example",
            "http://0.0.0.0:80",
        ] {
            let error = BaseUrl::parse(url).unwrap_err();
            assert_eq!(error.option(), "base_url");
            assert!(error.to_string().contains("https"), "{error}");
        }
    }

    #[test]
    fn a_url_that_could_be_read_two_ways_is_refused() {
        for url in [
            "",
            "h.example",
            "/api",
            "ftp://h.example",
            "myapp://h",
            "https://h.example?x",
            "https://h.example#",
            "https://u@h.example",
            "https://h.example//",
            "https://h.example//a",
            "https://h.example/a//b",
            "https://h.example/a/../b",
            "https://h.example/%61",
            "https://h.example/a\\b",
            "https://bücher.example",
            "https://h.example/a b",
            "http://2130706433",
            "https://h.example:0443",
            "https://h.example/a@b",
        ] {
            assert!(BaseUrl::parse(url).is_err(), "{url}");
        }
    }
}
