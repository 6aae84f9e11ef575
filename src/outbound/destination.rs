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
        // As it was written: a parser adds or drops slashes, and drops an empty user.
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("https") || rest.starts_with('/') {
            return Err(Refusal::Form("https:// and a host are not its beginning"));
        }
        let authority = rest.split(['/', '?', '#']).next();
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
    if INWARD.iter().any(ends_with) {
        return Some("a name inside a network");
    }
    (!name.contains('.')).then_some("a name without a dot, which is one inside a network")
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn bounds(open: &[&str], is_proxied: bool) -> Bounds {
        let open = Networks::parse(open.iter().copied()).unwrap();
        Bounds { open, is_proxied }
    }

    fn stranger(url: &str) -> Result<Url, Refusal> {
        destination(url, NamedBy::Stranger, &Bounds::default())
    }

    fn operator(url: &str) -> Result<Url, Refusal> {
        destination(url, NamedBy::Operator, &Bounds::default())
    }

    #[test]
    fn an_address_is_refused_in_every_spelling_that_leads_to_it() {
        for host in [
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0X7F.0.0.1",
            "0x7f.1",
            "0177.0.0.1",
            "0177.0x0.1",
            "017700000001",
            "127.0.0.0x1",
            "%31%32%37.0.0.1",
            "127%2e0%2e0%2e1",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[0000::0001]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::FFFF:7F00:0001]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::7f00:1]",
            "[2002:7f00:1::]",
            "[2001::1]",
            "[fe80::1]",
            "[fd00::1]",
            "[ff02::1]",
            "[::]",
            "0",
            "0.0.0.0",
            "10.1",
            "0xa9fea9fe",
            "2852039166",
            "100.64.0.1",
            "255.255.255.255",
        ] {
            let refused = stranger(&format!("https://{host}/client.json")).unwrap_err();
            assert!(
                matches!(refused, Refusal::Literal { .. }),
                "{host}: {refused}"
            );
        }
        // In other letters, which a browser reads as digits.
        for host in ["１２７.0.0.1", "①②⑦.⓪.⓪.①", "127。0。0。1"] {
            assert!(stranger(&format!("https://{host}/")).is_err(), "{host}");
        }
        // A zone has no place in a URL, and more than four bytes are none.
        for host in [
            "[fe80::1%25eth0]",
            "[fe80::1%eth0]",
            "256.0.0.1",
            "0x100000000",
            "1.2.3.4.5",
        ] {
            let refused = stranger(&format!("https://{host}/")).unwrap_err();
            assert!(matches!(refused, Refusal::Form(_)), "{host}: {refused}");
        }
        for host in [
            "8.8.8.8",
            "134744072",
            "[2606:4700::1111]",
            "[64:ff9b::808:808]",
        ] {
            assert!(stranger(&format!("https://{host}/")).is_ok(), "{host}");
        }
    }

    #[test]
    fn names_that_lead_inside_anywhere_are_refused_and_names_like_them_are_not() {
        for name in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "localhost.localdomain",
            "printer.local",
            "metadata.google.internal",
            "metadata.google.internal.",
            "router.home.arpa",
            "home.arpa",
            "git.corp",
            "nas.lan",
            "intranet",
            "kubernetes",
            "kubernetes.default.svc.cluster.local",
            "hidden.onion",
            "a.intranet",
            "a.private",
            "a.home",
            "a.test",
            "a.invalid",
            "a.alt",
        ] {
            let refused = stranger(&format!("https://{name}/")).unwrap_err();
            assert!(matches!(refused, Refusal::Name { .. }), "{name}: {refused}");
            // An operator may have a provider there.
            assert!(operator(&format!("https://{name}/")).is_ok(), "{name}");
            // Where a network is open, what the name leads to decides.
            let url = format!("https://{name}/");
            let named_by = NamedBy::Stranger;
            assert!(destination(&url, named_by, &bounds(&["10.0.0.0/8"], false)).is_ok());
            // Where a proxy looks it up, nothing else would.
            assert!(destination(&url, named_by, &bounds(&["10.0.0.0/8"], true)).is_err());
        }
        for name in [
            "client.example",
            "mylocalhost.com",
            "local.example",
            "thelan.example",
            "internal.example.com.",
            "xn--bcher-kva.example",
        ] {
            assert!(stranger(&format!("https://{name}/")).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_stranger_names_https_without_user_and_fragment_at_a_port_for_it() {
        let long = format!("https://client.example/{}", "a".repeat(MAX_DOCUMENT_URL));
        for (url, refusal) in [
            ("http://client.example/", Refusal::Scheme),
            ("ftp://client.example/", Refusal::Scheme),
            ("file:///etc/passwd", Refusal::Scheme),
            ("gopher://client.example/", Refusal::Scheme),
            ("https://user@client.example/", Refusal::Credentials),
            ("https://:secret@client.example/", Refusal::Credentials),
            ("https://@client.example/", Refusal::Credentials),
            ("https://client.example/#part", Refusal::Fragment),
            ("https://client.example/#", Refusal::Fragment),
            ("https://client.example:22/", Refusal::Port(22)),
            ("https://client.example:25/", Refusal::Port(25)),
            ("https://client.example:80/", Refusal::Port(80)),
            ("https://client.example:0/", Refusal::Port(0)),
            ("https://client.example:1023/", Refusal::Port(1023)),
            (&long, Refusal::Length),
        ] {
            assert_eq!(stranger(url), Err(refusal), "{url}");
        }
        for url in [
            "https://client.example",
            "https://client.example:443/",
            "https://client.example:1024/",
            "https://client.example:8443/client.json?v=1",
            "https://client.example/a@b",
            "HTTPS://CLIENT.example/",
            long.get(..MAX_DOCUMENT_URL).unwrap(),
            "https://client.example?next=https://a@b/",
        ] {
            assert!(stranger(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_url_that_two_parsers_may_read_differently_is_refused() {
        for url in [
            "",
            "client.example",
            "//client.example/",
            "https://",
            "https:\\\\client.example\\",
            "https://client.example\\@127.0.0.1/",
            "https://client.example /",
            " https://client.example/",
            "https://client.example/\n",
            "ht\ttps://client.example/",
            "https://client.example/\u{0}",
            "https://clіent.example/",
            "https:client.example/",
            "https:/client.example/",
            "https:///client.example/",
            "https:/127.0.0.1/",
            "https:/user@client.example/?://",
        ] {
            let refused = stranger(url).unwrap_err();
            assert!(matches!(refused, Refusal::Form(_)), "{url:?}: {refused}");
        }
    }

    #[test]
    fn an_operator_may_be_inside_but_never_at_a_metadata_service() {
        for url in [
            "http://127.0.0.1:8080/",
            "https://10.0.0.1/",
            "http://keycloak/realms/a",
            "https://[fd00::1]/",
            "https://idp.example:88/",
        ] {
            assert!(operator(url).is_ok(), "{url}");
        }
        for url in [
            "http://169.254.169.254/latest/meta-data/",
            "http://0xa9fea9fe/",
            "http://[::ffff:169.254.169.254]/",
            "http://[fd00:ec2::254]/",
            "https://100.100.100.200/",
        ] {
            let refused = operator(url).unwrap_err();
            assert!(
                matches!(refused, Refusal::Literal { .. }),
                "{url}: {refused}"
            );
        }
        assert_eq!(operator("ftp://idp.example/"), Err(Refusal::Scheme));
        assert!(operator("idp.example").is_err());
    }

    /// One part of an IPv4 address in one of its spellings, or several parts as one number.
    fn number(value: u32, spelling: u8) -> String {
        match spelling % 4 {
            0 => value.to_string(),
            1 => format!("{value:#x}"),
            2 => format!("0X{value:04X}"),
            _ => format!("0{value:o}"),
        }
    }

    fn spelled(address: Ipv4Addr, parts: u8, spellings: [u8; 4], dot: bool) -> String {
        let [a, b, c, d] = address.octets().map(u32::from);
        let parts = match parts % 4 {
            0 => vec![a << 24 | b << 16 | c << 8 | d],
            1 => vec![a, b << 16 | c << 8 | d],
            2 => vec![a, b, c << 8 | d],
            _ => vec![a, b, c, d],
        };
        let parts = parts.into_iter().zip(spellings);
        let parts: Vec<_> = parts
            .map(|(value, spelling)| number(value, spelling))
            .collect();
        parts.join(".") + if dot { "." } else { "" }
    }

    fn verdict(url: &str) -> Result<(), &'static str> {
        match stranger(url) {
            Ok(_) => Ok(()),
            Err(Refusal::Literal { what, .. }) => Err(what),
            Err(other) => panic!("{url}: {other}"),
        }
    }

    proptest! {
        #[test]
        fn every_spelling_of_an_address_gets_the_verdict_of_the_address(
            // Half of them from where it matters.
            bits in prop_oneof![any::<u32>(), (0x7f00_0000..=0x7f00_ffffu32), (0xa9fe_0000..=0xa9fe_ffffu32)],
            parts: u8, spellings: [u8; 4], dot: bool,
        ) {
            let address = Ipv4Addr::from_bits(bits);
            let none = Networks::default();
            let expected = judge(IpAddr::V4(address), NamedBy::Stranger, &none);
            let host = spelled(address, parts, spellings, dot);
            prop_assert_eq!(verdict(&format!("https://{host}/")), expected, "{}", host);
            let mapped = address.to_ipv6_mapped();
            prop_assert_eq!(verdict(&format!("https://[{mapped}]/")), expected);
            let [.., high, low] = mapped.segments();
            let hex = format!("https://[0:0:0:0:0:FFFF:{high:04x}:{low:X}]/");
            prop_assert_eq!(verdict(&hex), expected);
        }

        #[test]
        fn an_ipv6_address_gets_its_verdict_however_long_it_is_written(bits: u128) {
            let address = Ipv6Addr::from_bits(bits);
            let none = Networks::default();
            let expected = judge(IpAddr::V6(address), NamedBy::Stranger, &none);
            let long = address.segments().map(|part| format!("{part:04X}")).join(":");
            prop_assert_eq!(verdict(&format!("https://[{address}]/")), expected);
            prop_assert_eq!(verdict(&format!("https://[{long}]/")), expected);
        }

        #[test]
        fn no_url_makes_it_panic_and_what_passes_is_https_with_a_host(url in "(https:/{0,3})?[ -~]{0,40}") {
            if let Ok(url) = stranger(&url) {
                prop_assert_eq!(url.scheme(), "https");
                prop_assert!(url.has_host() && url.username().is_empty() && url.fragment().is_none());
            }
        }
    }
}
