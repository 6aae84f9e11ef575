//! What ends at this hop (RFC 9110, 7.6.1).

use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header, request};

/// What a request said to this hop and to no other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hop {
    /// The client wants to speak WebSocket from here on.
    pub(crate) upgrades: bool,
    /// The client takes trailers.
    pub(crate) takes_trailers: bool,
    /// What `Connection` named: in trailers too.
    pub(crate) named: Vec<HeaderName>,
}

/// Fields of one connection. RFC 9110, 7.6.1: “Furthermore, intermediaries SHOULD remove or replace fields that are
/// known to require removal before forwarding, whether or not they appear as a connection-option, after applying
/// those fields' semantics.” `Trailer` stays: trailers pass.
const OF_ONE_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Takes from a request what is for this hop alone, and says what it was.
pub(crate) fn end_hop(parts: &mut request::Parts) -> Hop {
    let upgrades = upgrades_to_websocket(parts);
    let takes_trailers = has_token(&parts.headers, header::TE, "trailers");
    let named = remove(&mut parts.headers);
    // For the server behind this gateway is the client, and asks for nothing of the kind: what a client expects is
    // said to it as soon as its body is read.
    parts.headers.remove(header::EXPECT);
    // Programs of the CGI kind take it for the proxy that they should use (httpoxy, CVE-2016-5385).
    parts.headers.remove("proxy");
    Hop {
        upgrades,
        takes_trailers,
        named,
    }
}

/// Takes from an answer what is for this hop alone.
pub(crate) fn end_hop_of_answer(headers: &mut HeaderMap) {
    remove(headers);
}

/// What has no place in trailers (RFC 9110, 6.5.1): what frames a message, routes it, or says who sends it. A server
/// that merges trailers into the header would take it for that.
pub(crate) fn end_hop_of_trailers(trailers: &mut HeaderMap) {
    remove(trailers);
    for name in [
        header::AUTHORIZATION,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::COOKIE,
        header::HOST,
        header::SET_COOKIE,
        header::TRAILER,
    ] {
        trailers.remove(name);
    }
}

fn remove(headers: &mut HeaderMap) -> Vec<HeaderName> {
    // “Intermediaries MUST parse a received Connection header field before a message is forwarded and, for each
    // connection-option in this field, remove any header or trailer field(s) from the message with the same name as
    // the connection-option, and then remove the Connection header field itself (or replace it with the intermediary's
    // own control options for the forwarded message).”
    let named: Vec<HeaderName> = tokens(headers, header::CONNECTION)
        .filter_map(|token| token.parse().ok())
        // Framing is this gateway's own on the other side; a client does not take the body's type from it.
        .filter(|name| *name != header::CONTENT_LENGTH && *name != header::CONTENT_TYPE)
        .collect();
    for name in named.iter().chain(&OF_ONE_HOP) {
        headers.remove(name);
    }
    named
}

/// WebSocket and nothing else: over `h2c` a client could send what nobody looked at.
fn upgrades_to_websocket(parts: &request::Parts) -> bool {
    let mut protocols = parts.headers.get_all(header::UPGRADE).iter();
    let is_websocket = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"websocket");
    parts.version == Version::HTTP_11
        && parts.method == Method::GET
        && has_token(&parts.headers, header::CONNECTION, "upgrade")
        && protocols.next().is_some_and(is_websocket)
        && protocols.next().is_none()
}

fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|found| found.eq_ignore_ascii_case(token))
}

fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(fields: &[(&'static str, &'static str)]) -> request::Parts {
        let mut request = Request::get("/mcp").body(()).unwrap();
        for (name, value) in fields {
            let name = HeaderName::from_static(name);
            request
                .headers_mut()
                .append(name, HeaderValue::from_static(value));
        }
        request.into_parts().0
    }

    #[test]
    fn what_the_connection_names_ends_here() {
        let mut parts = parts(&[
            ("connection", "close, X-Secret"),
            ("connection", "mcp-name"),
            ("x-secret", "1"),
            ("mcp-name", "tool"),
            ("x-other", "2"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authorization", "Basic x"),
            ("transfer-encoding", "chunked"),
            ("te", "trailers, deflate"),
            ("trailer", "x-sum"),
            ("expect", "100-continue"),
            ("proxy", "http://evil.example"),
        ]);
        let hop = end_hop(&mut parts);
        assert!(hop.takes_trailers && !hop.upgrades);
        let mut left: Vec<_> = parts.headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["trailer", "x-other"]);
    }

    #[test]
    fn a_client_cannot_have_the_frame_of_its_body_removed() {
        let mut parts = parts(&[
            ("connection", "content-length, content-type"),
            ("content-length", "3"),
            ("content-type", "application/json"),
        ]);
        end_hop(&mut parts);
        assert_eq!(parts.headers.len(), 2);
    }

    #[test]
    fn an_upgrade_is_to_websocket_by_get_over_http_1_1() {
        let asks = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
        ];
        assert!(end_hop(&mut parts(&asks)).upgrades);
        for other in ["h2c", "websocket, h2c", "TLS/1.0", ""] {
            let asks = [("connection", "upgrade"), ("upgrade", other)];
            assert!(!end_hop(&mut parts(&asks)).upgrades, "{other}");
        }
        assert!(!end_hop(&mut parts(&[("upgrade", "websocket")])).upgrades);
        let mut post = parts(&asks);
        post.method = Method::POST;
        assert!(!end_hop(&mut post).upgrades);
        let mut second = parts(&asks);
        second.version = Version::HTTP_2;
        assert!(!end_hop(&mut second).upgrades);
    }

    #[test]
    fn trailers_say_nothing_that_frames_or_authenticates() {
        let mut trailers = parts(&[
            ("authorization", "Bearer x"),
            ("content-length", "0"),
            ("grpc-status", "0"),
        ])
        .headers;
        end_hop_of_trailers(&mut trailers);
        assert_eq!(trailers.len(), 1);
        assert!(trailers.contains_key("grpc-status"));
    }
}
