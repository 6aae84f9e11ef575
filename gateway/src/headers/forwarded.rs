//! What the server behind is told about the client's connection.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::settings::PublicName;

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// `None` at a Unix socket.
    pub(crate) address: Option<IpAddr>,
    /// A proxy of the operator's: what it says about its own client is passed on.
    pub(crate) is_trusted: bool,
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What others call the client, its host or its path. Whatever a client says of these is removed.
const SAID_BY_PROXIES: [&str; 17] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-server",
    "x-forwarded-scheme",
    "x-forwarded-ssl",
    "x-forwarded-uri",
    "x-forwarded-client-cert",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "x-original-url",
    "x-rewrite-url",
];

/// Replaces all of it by what this gateway knows: the address of the peer, and its own public name.
///
/// RFC 9110, 7.6.3: “An HTTP-to-HTTP gateway MUST send an appropriate Via header field in each inbound request
/// message”.
pub(crate) fn tell_of_peer(
    headers: &mut HeaderMap,
    peer: Option<Peer>,
    public: &PublicName,
    version: http::Version,
) {
    let told = believed(headers, peer);
    for name in SAID_BY_PROXIES {
        headers.remove(name);
    }
    let own = peer
        .and_then(|peer| peer.address)
        .map(|address| address.to_string());
    let chain: Vec<_> = told.into_iter().chain(own).collect();
    if let Ok(chain) = HeaderValue::from_str(&chain.join(", "))
        && !chain.is_empty()
    {
        headers.insert(FORWARDED_FOR, chain);
    }
    if let Ok(host) = HeaderValue::from_str(public.host.as_str()) {
        headers.insert(FORWARDED_HOST, host);
    }
    let scheme = if public.is_https { "https" } else { "http" };
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(scheme));
    let via = match version {
        http::Version::HTTP_2 => "2.0 tower-oauth-gateway",
        http::Version::HTTP_10 => "1.0 tower-oauth-gateway",
        _ => "1.1 tower-oauth-gateway",
    };
    headers.append(header::VIA, HeaderValue::from_static(via));
}

/// The chain that a trusted proxy tells, address by address. What is no address is left out, with all that stands
/// before it: that part nobody vouches for.
fn believed(headers: &HeaderMap, peer: Option<Peer>) -> Vec<String> {
    if !peer.is_some_and(|peer| peer.is_trusted) {
        return Vec::new();
    }
    let lines = headers.get_all(FORWARDED_FOR).into_iter();
    let entries: Vec<&str> = lines
        .flat_map(|line| line.to_str().unwrap_or("?").split(','))
        .map(str::trim)
        .collect();
    let addresses = entries.iter().rev();
    let addresses = addresses.map_while(|entry| entry.parse::<IpAddr>().ok());
    let mut chain: Vec<_> = addresses.take(MAX_CHAIN).map(|a| a.to_string()).collect();
    chain.reverse();
    chain
}

/// More proxies than that stand in no chain.
const MAX_CHAIN: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn told(peer: Peer, said: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in said {
            let name = HeaderName::from_static(name);
            headers.append(name, HeaderValue::from_static(value));
        }
        let public = PublicName::of("https://mcp.example.com/api").unwrap();
        tell_of_peer(&mut headers, Some(peer), &public, http::Version::HTTP_11);
        headers
    }

    fn stranger() -> Peer {
        Peer {
            address: Some([203, 0, 113, 9].into()),
            is_trusted: false,
        }
    }

    #[test]
    fn a_client_says_nothing_about_its_own_address() {
        let headers = told(
            stranger(),
            &[
                ("x-forwarded-for", "10.0.0.1"),
                ("forwarded", "for=10.0.0.1;host=evil"),
                ("x-real-ip", "10.0.0.1"),
                ("x-forwarded-host", "evil.example"),
                ("x-forwarded-proto", "http"),
                ("x-original-url", "/admin"),
            ],
        );
        assert_eq!(headers["x-forwarded-for"], "203.0.113.9");
        assert_eq!(headers["x-forwarded-host"], "mcp.example.com");
        assert_eq!(headers["x-forwarded-proto"], "https");
        assert_eq!(headers["via"], "1.1 tower-oauth-gateway");
        assert_eq!(headers.len(), 4);
    }

    #[test]
    fn a_trusted_proxy_says_who_its_client_was() {
        let proxy = Peer {
            is_trusted: true,
            ..stranger()
        };
        let headers = told(
            proxy,
            &[
                ("x-forwarded-for", "198.51.100.4"),
                ("x-forwarded-for", "192.0.2.1, 2001:db8::1"),
                ("x-forwarded-host", "evil.example"),
            ],
        );
        let chain = "198.51.100.4, 192.0.2.1, 2001:db8::1, 203.0.113.9";
        assert_eq!(headers["x-forwarded-for"], chain);
        assert_eq!(headers["x-forwarded-host"], "mcp.example.com");
    }

    #[test]
    fn behind_what_is_no_address_nothing_is_believed() {
        let proxy = Peer {
            is_trusted: true,
            address: None,
        };
        let headers = told(
            proxy,
            &[("x-forwarded-for", "10.0.0.1, unknown, 192.0.2.1")],
        );
        assert_eq!(headers["x-forwarded-for"], "192.0.2.1");
    }
}
