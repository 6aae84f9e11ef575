//! The protected resource that a token is for: RFC 8707.

use std::{convert::Infallible, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    BaseUrl, Params, StrictUri,
    uri::{has_dot_segment, hex_pair, is_single_reading},
};
use crate::limits::MAX_RESOURCE;

/// A protected resource: the base URL, or a path below it.
///
/// The string is the base URL as the operator gave it, then the path as the client gave it. That is
/// what clients compare with the URL that was typed (RFC 9728 section 3.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Resource(Arc<str>);

/// The URI given as `resource` is not this server, or not one clear path on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the resource is not one of this server")]
#[non_exhaustive]
pub(crate) struct InvalidTarget;

impl Resource {
    /// The base URL itself, which covers all below it.
    pub(crate) fn base(base: &BaseUrl) -> Self {
        Self(base.as_str().into())
    }

    /// Reads a `resource` parameter: the base URL or a URL below it. Scheme, host and port are compared as
    /// parsed; the query is dropped, because no path of ours depends on one.
    ///
    /// RFC 8707 section 2: "Its value MUST be an absolute URI, as specified by Section 4.3 of [RFC3986]. The
    /// URI MUST NOT include a fragment component."
    pub(crate) fn parse(raw: &str, base: &BaseUrl) -> Result<Self, InvalidTarget> {
        if !base.may_be_host_of(raw) {
            return Err(InvalidTarget);
        }
        // Mostly it is the base URL as given, and what follows has one reading or none.
        if below(raw, base.as_str()).is_some_and(|rest| rest.bytes().all(is_path_byte)) {
            let path = raw.get(base.origin().len()..).ok_or(InvalidTarget)?;
            return Self::at(base, path).ok_or(InvalidTarget);
        }
        Self::parse_strictly(raw, base)
    }

    fn parse_strictly(raw: &str, base: &BaseUrl) -> Result<Self, InvalidTarget> {
        let uri = StrictUri::parse(raw, MAX_RESOURCE).map_err(|_| InvalidTarget)?;
        if !base.has_origin_of(&uri) {
            return Err(InvalidTarget);
        }
        Self::at(base, uri.path()).ok_or(InvalidTarget)
    }

    /// The one resource that a request names, `None` when it names none.
    ///
    /// The same one twice is one: client libraries add what their caller named already. Different
    /// ones are refused, for a token here has one audience. RFC 8707 section 2: "an authorization
    /// server [...] unwilling to issue a token that is good for multiple resources [...] SHOULD"
    /// answer `invalid_target`.
    pub(crate) fn asked_for(
        params: &Params,
        base: &BaseUrl,
    ) -> Result<Option<Self>, InvalidTarget> {
        let mut asked = None;
        for raw in params.get_all("resource") {
            let resource = Self::parse(raw, base)?;
            match &asked {
                Some(before) if *before != resource => return Err(InvalidTarget),
                _ => asked = Some(resource),
            }
        }
        Ok(asked)
    }

    /// The resource at a request's whole path, the base URL's own path included. `None` when it is
    /// not below the base URL, or odd: empty or dot segments, a needless or doubtful escape.
    pub(crate) fn at(base: &BaseUrl, path: &str) -> Option<Self> {
        let below = Self::below(base, path)?;
        Some(Self([base.as_str(), below].concat().into()))
    }

    /// What [`at`](Self::at) puts behind the base URL: empty, or beginning with `/`.
    pub(crate) fn below<'a>(base: &BaseUrl, path: &'a str) -> Option<&'a str> {
        let below = below(path, base.path())?;
        let clear = is_single_reading(path)
            && !path.contains("//")
            && path.bytes().all(is_path_byte)
            && !has_needless_escape(path);
        if !clear || base.as_str().len() + below.len() > MAX_RESOURCE {
            return None;
        }
        Some(if below == "/" { "" } else { below })
    }

    /// Whether this is the audience of a token that was issued under this base URL:
    /// [`as_str`](Self::as_str) of some resource, and so not parsed as a stranger's word is.
    pub(crate) fn is_issued(audience: &str, base: &BaseUrl) -> bool {
        below(audience, base.as_str()).is_some()
    }

    /// The resource of an audience that was issued.
    pub(crate) fn of_issued(audience: &str) -> Self {
        Self(audience.into())
    }

    /// Whether a token for this resource is good at a request's whole path.
    ///
    /// One for `{base}/mcp` is good at `/mcp`, `/mcp/` and `/mcp/x`, never at `/mcpx` or
    /// `/mcp/../x`; one for the base URL is good everywhere below it. Allocates nothing.
    pub(crate) fn covers(&self, base: &BaseUrl, request_path: &str) -> bool {
        let Some(own) = self.0.strip_prefix(base.as_str()) else {
            return false;
        };
        if !own.is_empty() && !own.starts_with('/') {
            return false;
        }
        let own = own.strip_suffix('/').unwrap_or(own);
        if own.is_empty() && base.path().is_empty() {
            return true;
        }
        let asked = below(request_path, base.path()).and_then(|path| below(path, own));
        // The resource itself is one clear path.
        asked.is_some_and(|rest| rest.is_empty() || !has_dot_segment(rest))
    }

    /// Whether this is the other resource or below it.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        let other = other.0.strip_suffix('/').unwrap_or(&other.0);
        below(&self.0, other).is_some()
    }

    /// The resource as it stands in `aud` and in metadata.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Resource {
    // Only what was serialized before comes back; `covers` compares with the base URL on every use.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::text::deserialize(deserializer, |resource| {
            Ok::<_, Infallible>(Self::of_issued(resource))
        })
    }
}

/// What of `path` stands below `prefix`, on a segment boundary: empty, or beginning with `/`.
fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// `pchar`, `/` and `%`: RFC 3986 section 3.3.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte)
}

/// Whether an escape is broken, or spells what needs none: `/%6dcp` is `/mcp` to a router but not
/// to us.
fn has_needless_escape(path: &str) -> bool {
    path.match_indices('%').any(|(at, _)| {
        let digits = path.as_bytes().get(at + 1..).unwrap_or_default();
        hex_pair(digits)
            .is_none_or(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base(url: &str) -> BaseUrl {
        BaseUrl::parse(url).unwrap()
    }

    fn at(path: &str) -> Resource {
        Resource::at(&base("https://h.example/api"), path).unwrap()
    }

    #[test]
    fn the_resource_is_the_base_url_as_given_and_the_path_as_asked() {
        let base = base("https://H.example:443/api");
        for (raw, resource) in [
            ("https://h.example/api", "https://H.example:443/api"),
            ("https://h.example/api/", "https://H.example:443/api"),
            (
                "https://h.example:443/api/mcp",
                "https://H.example:443/api/mcp",
            ),
            (
                "https://H.EXAMPLE/api/mcp/?x=/../y",
                "https://H.example:443/api/mcp/",
            ),
            (
                "https://h.example/api/a%20b",
                "https://H.example:443/api/a%20b",
            ),
        ] {
            assert_eq!(Resource::parse(raw, &base).unwrap().as_str(), resource);
        }
    }

    #[test]
    fn another_origin_or_a_path_outside_is_no_target() {
        let base = base("https://h.example/api");
        for raw in [
            "",
            "/api",
            "api",
            "http://h.example/api",
            "http://h.example:443/api",
            "https://h.example:8443/api",
            "https://evil.example/api",
            "https://h.example",
            "https://h.example/",
            "https://h.example/apix",
            "https://h.example/API",
            "https://h.example/api#",
            "https://h.example@evil.example/api",
            "https://u@h.example/api",
            "https://h.example.evil.example/api",
            "https://h.example/api/../x",
            "https://h.example/x/../api",
            "https://h.example/api/%2e%2e/x",
            "https://h.example/api//x",
            "https://h.example//api",
            "https://h.example/api\\x",
            "https://h.example/%61pi",
            "https://h.example/api/%6dcp",
            "https://h.example/api/a%2fb",
            "https://h.example/api/..;/x",
            "urn:x",
            "https://h.example/api/x y",
        ] {
            assert_eq!(Resource::parse(raw, &base), Err(InvalidTarget), "{raw}");
        }
        let long = format!("https://h.example/api/{}", "a".repeat(MAX_RESOURCE));
        assert_eq!(Resource::parse(&long, &base), Err(InvalidTarget));
    }

    #[test]
    fn the_same_resource_twice_is_one_and_different_ones_are_no_target() {
        let base = base("https://h.example");
        let asked = |raw: &str| Resource::asked_for(&Params::parse(raw).unwrap(), &base);
        let mcp = Resource::at(&base, "/mcp").unwrap();
        for raw in [
            "resource=https://h.example/mcp",
            "resource=https://h.example/mcp&resource=https://h.example/mcp",
            "resource=https://h.example/mcp&resource=&resource=https://H.example:443/mcp",
        ] {
            assert_eq!(asked(raw), Ok(Some(mcp.clone())), "{raw}");
        }
        assert_eq!(asked("resource="), Ok(None));
        for raw in [
            "resource=https://h.example/mcp&resource=https://h.example/other",
            "resource=https://h.example/mcp&resource=https://h.example/mcp/x",
            "resource=https://h.example/mcp&resource=https://evil.example/mcp",
            "resource=https://evil.example/mcp&resource=https://h.example/mcp",
        ] {
            assert_eq!(asked(raw), Err(InvalidTarget), "{raw}");
        }
    }

    #[test]
    fn an_odd_request_path_names_no_resource() {
        let base = base("https://h.example");
        for path in [
            "//mcp", "/a//b", "/a/../b", "/%6dcp", "/a%2fb", "/a%", "/a\\b", "/a?b", "a", "*", "/é",
        ] {
            assert_eq!(Resource::at(&base, path), None, "{path}");
        }
        assert_eq!(
            Resource::at(&base, "/").unwrap().as_str(),
            "https://h.example"
        );
        assert_eq!(Resource::at(&base, "").unwrap(), Resource::base(&base));
    }

    #[test]
    fn a_token_covers_its_path_and_below_on_segment_boundaries() {
        let base = base("https://h.example/api");
        for resource in [at("/api/mcp"), at("/api/mcp/")] {
            for path in [
                "/api/mcp",
                "/api/mcp/",
                "/api/mcp/x",
                "/api/mcp/x%2fy",
                "/api/mcp//x",
            ] {
                assert!(resource.covers(&base, path), "{path}");
            }
            for path in [
                "/api",
                "/api/",
                "/api/mcpx",
                "/api/MCP",
                "/mcp",
                "/api/other",
                "/api/mcp/../other",
                "/api/mcp/%2e%2e/other",
                "/api/mcp/..%2fother",
                "/api/mcp/%252e%252e/other",
                "/api/mcp/..;/other",
                "/api/mcp\\..\\other",
                "//api/mcp",
                "",
                "*",
            ] {
                assert!(!resource.covers(&base, path), "{path}");
            }
        }
    }

    #[test]
    fn a_token_for_the_base_covers_all_below_it_and_nothing_outside() {
        let base_url = base("https://h.example/api");
        let all = Resource::base(&base_url);
        assert!(all.covers(&base_url, "/api") && all.covers(&base_url, "/api/any%2fthing"));
        for path in ["/", "/apix", "/api/../x", "/other"] {
            assert!(!all.covers(&base_url, path), "{path}");
        }
        let root = base("https://h.example");
        for path in ["/", "/x/../y", "*", ""] {
            assert!(Resource::base(&root).covers(&root, path), "{path}");
        }
        // A token from before the base URL changed is good nowhere.
        assert!(!all.covers(&base("https://other.example/api"), "/api"));
        assert!(!all.covers(&base("https://h.example/ap"), "/ap/i"));
    }

    #[test]
    fn an_issued_audience_is_the_base_url_or_below_it() {
        let base = base("https://h.example/api");
        for audience in ["https://h.example/api", "https://h.example/api/mcp"] {
            assert!(Resource::is_issued(audience, &base), "{audience}");
            assert_eq!(Resource::of_issued(audience).as_str(), audience);
        }
        for audience in [
            "",
            "https://h.example",
            "https://h.example/apix",
            "https://h.example/api?x",
            "https://h.example/api.evil.example/",
            "https://other.example/api",
            "http://h.example/api",
            "*",
        ] {
            assert!(!Resource::is_issued(audience, &base), "{audience}");
        }
    }

    #[test]
    fn within_means_equal_or_below_on_a_segment_boundary() {
        let (all, mcp) = (at("/api"), at("/api/mcp"));
        assert!(mcp.is_within(&all) && mcp.is_within(&mcp) && at("/api/mcp/x").is_within(&mcp));
        assert!(at("/api/mcp/").is_within(&mcp) && mcp.is_within(&at("/api/mcp/")));
        assert!(!all.is_within(&mcp) && !at("/api/mcpx").is_within(&mcp));
    }

    proptest! {
        #[test]
        fn the_short_way_to_a_resource_and_the_strict_one_lead_to_the_same(
            origin in "((https?|HTTPS|x|)(://|:/|:|//)(u@)?([hH]\\.example|\\[::1\\]|h\\.exampl)(\\.evil|:443|:80|:)?)",
            tail in "(/|api|mcp|\\.|\\.\\.|%2e|%2f|%20|%|\\\\|\\?|#|;|'|\"|\\^|\\||@|:|é| |[!-~]){0,8}",
        ) {
            for base in ["https://h.example", "https://H.example:443/api", "http://[::1]:80/api"] {
                let base = self::base(base);
                for raw in [format!("{origin}{tail}"), base.join(&tail), format!("{origin}/api{tail}")] {
                    let strict = Resource::parse_strictly(&raw, &base);
                    prop_assert_eq!(Resource::parse(&raw, &base), strict, "{}", raw);
                }
            }
        }

        #[test]
        fn what_is_covered_is_below_even_after_a_server_decodes_it(
            tail in "(/|\\.|%2e|%2f|%25|5c|\\\\|;|a|mcp){0,12}"
        ) {
            let base = base("https://h.example");
            let mcp = Resource::at(&base, "/mcp").unwrap();
            let path = format!("/mcp{tail}");
            if mcp.covers(&base, &path) {
                let mut decoded = path;
                for _ in 0..6 {
                    let browser = url::Url::parse(&format!("https://h.example{decoded}")).unwrap();
                    prop_assert!(browser.path().starts_with("/mcp"), "{}", browser);
                    decoded = decoded.replace("%2e", ".").replace("%2f", "/")
                        .replace("%5c", "\\").replace("%25", "%");
                }
            }
        }
    }
}
