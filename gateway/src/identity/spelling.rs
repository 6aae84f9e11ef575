//! The headers that only the gateway may set, in every spelling that a server could read as one of them.

use http::{HeaderMap, HeaderName};

/// What each of the gateway's own headers begins with. All are taken out of each request, those too that are set by
/// no one today: a later version may set them.
const OWN: &str = "x-auth-";

/// The names that other gateways give to who is calling: the server behind may believe them still.
const OF_OTHERS: &[&str] = &[
    "remote-user",
    "remote-email",
    "remote-groups",
    "remote-name",
    "x-remote-user",
    "x-remote-group",
    "x-remote-extra-scopes",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-access-token",
    "x-authenticated-user",
    "x-webauth-user",
    "x-goog-authenticated-user-email",
    "x-goog-authenticated-user-id",
    "x-goog-iap-jwt-assertion",
    "x-ms-client-principal",
    "x-ms-client-principal-id",
    "x-ms-client-principal-name",
    "x-amzn-oidc-data",
    "x-amzn-oidc-identity",
    "x-amzn-oidc-accesstoken",
    "cf-access-jwt-assertion",
    "cf-access-authenticated-user-email",
];

/// Which headers of a client never pass.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reserved(Vec<HeaderName>);

impl Reserved {
    /// Beside those that are always reserved, the ones that the operator named.
    pub(super) fn new(names: impl IntoIterator<Item = HeaderName>) -> Self {
        Self(names.into_iter().collect())
    }

    /// Takes them out, however often they are there. Trailers too.
    pub(crate) fn strip(&self, headers: &mut HeaderMap) {
        let found = headers.keys().filter(|name| self.has(name.as_str()));
        // Mostly none, which allocates nothing.
        let found: Vec<HeaderName> = found.cloned().collect();
        for name in found {
            headers.remove(name);
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        begins_like(name, OWN)
            || OF_OTHERS.iter().any(|other| is_like(name, other))
            || self.0.iter().any(|own| is_like(name, own.as_str()))
    }
}

/// Whether a header has a meaning of its own in HTTP, for proxies or for MCP, so that no identity may stand in it.
pub(crate) fn is_reserved_elsewhere(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "accept",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "last-event-id",
        "origin",
        "referer",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-real-ip",
    ];
    const STARTS: &[&str] = &["proxy-", "mcp-", "access-control-", "sec-"];
    NAMES.iter().any(|other| is_like(name, other))
        || STARTS.iter().any(|start| begins_like(name, start))
}

/// Whether a server could take the one for the other. CGI, WSGI, PHP and Ruby's Rack know headers as
/// `HTTP_X_AUTH_SUBJECT`: case is gone, and so is what stood for `_`.
pub(super) fn is_like(name: &str, other: &str) -> bool {
    name.len() == other.len() && begins_like(name, other)
}

fn begins_like(name: &str, start: &str) -> bool {
    name.len() >= start.len()
        && name
            .bytes()
            .zip(start.bytes())
            .all(|(a, b)| folded(a) == folded(b))
}

/// Each character that is no letter or digit is one and the same.
fn folded(byte: u8) -> u8 {
    match byte.is_ascii_alphanumeric() {
        true => byte.to_ascii_lowercase(),
        false => b'-',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(names: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for name in names {
            headers.append(
                name.parse::<HeaderName>().unwrap(),
                "admin".parse().unwrap(),
            );
        }
        headers
    }

    #[test]
    fn no_spelling_of_an_identity_header_passes() {
        let reserved = Reserved::new([HeaderName::from_static("x-team")]);
        let mut all = headers(&[
            "x-auth-subject",
            "X-Auth-Subject",
            "X-AUTH-ROLES",
            "x_auth_subject",
            "x-auth_subject",
            "X_Auth-Email",
            "x.auth.subject",
            "x~auth!subject",
            "x-auth-something-of-tomorrow",
            "x-team",
            "X_TEAM",
            "x-forwarded-user",
            "x_forwarded_user",
            "remote_user",
            "cf-access-jwt-assertion",
        ]);
        reserved.strip(&mut all);
        assert_eq!(all, HeaderMap::new());
    }

    #[test]
    fn a_header_that_is_there_twice_goes_twice() {
        let mut all = headers(&["x-auth-subject", "x-auth-subject", "accept"]);
        Reserved::default().strip(&mut all);
        assert_eq!(all.keys().collect::<Vec<_>>(), ["accept"]);
    }

    #[test]
    fn other_headers_pass() {
        let names = [
            "accept",
            "x-auth",
            "x-authority",
            "x-teams",
            "mcp-name",
            "x-request-id",
            "authorization",
        ];
        let mut all = headers(&names);
        Reserved::new([HeaderName::from_static("x-team")]).strip(&mut all);
        assert_eq!(all.len(), names.len());
    }
}
