//! Which addresses are of the public internet, and which never lead to a document.
//!
//! The ranges are those of the IANA registries of special-purpose addresses (RFC 6890). They are written
//! out: the standard library's own list is unstable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::networks::Networks;

/// Who named a URL: it decides where the request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamedBy {
    /// The operator, or a document that the operator named: it may be inside.
    Operator,
    /// Anybody: it has to be on the public internet, or in a network that the operator opened.
    Stranger,
}

/// Who makes us ask: it decides whether we are still asked to when strangers have asked a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AskedBy {
    Anyone,
    /// A client with a login here, which has shown its code or refresh token: of those there are no more than
    /// people logged in.
    Login,
}

/// Whether a request may go to this address; the error says what the address is.
pub(super) fn judge(
    address: IpAddr,
    named_by: NamedBy,
    open: &Networks,
) -> Result<(), &'static str> {
    if is_metadata(address) {
        return Err("a cloud's metadata service");
    }
    match (named_by, inside(address)) {
        (NamedBy::Stranger, Some(what)) if !open.contain(plain(address)) => Err(what),
        _ => Ok(()),
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(start: [u16; 4], length: u8) -> Ipv6Net {
    let [a, b, c, d] = start;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), length)
}

const INSIDE_V4: &[(Ipv4Net, &str)] = &[
    (v4(0, 0, 0, 0, 32), "the unspecified address"),
    (v4(0, 0, 0, 0, 8), "an address of this network"),
    (v4(10, 0, 0, 0, 8), "a private address"),
    (v4(100, 64, 0, 0, 10), "an address behind a carrier's NAT"),
    (v4(127, 0, 0, 0, 8), "a loopback address"),
    (v4(169, 254, 0, 0, 16), "a link-local address"),
    (v4(172, 16, 0, 0, 12), "a private address"),
    (v4(192, 0, 0, 0, 24), "an address of a protocol"),
    (v4(192, 0, 2, 0, 24), "an address for documentation"),
    (v4(192, 88, 99, 0, 24), "a relay of 6to4"),
    (v4(192, 168, 0, 0, 16), "a private address"),
    (v4(198, 18, 0, 0, 15), "an address for benchmarks"),
    (v4(198, 51, 100, 0, 24), "an address for documentation"),
    (v4(203, 0, 113, 0, 24), "an address for documentation"),
    (v4(224, 0, 0, 0, 4), "a multicast address"),
    (v4(255, 255, 255, 255, 32), "the broadcast address"),
    (v4(240, 0, 0, 0, 4), "a reserved address"),
];

/// The part of IPv6 that is given to the public internet. What lies outside and has no name here is
/// reserved.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0], 3);

const INSIDE_V6: &[(Ipv6Net, &str)] = &[
    (v6([0; 4], 128), "the unspecified address"),
    (
        Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128),
        "a loopback address",
    ),
    (v6([0; 4], 96), "an IPv4-compatible address"),
    (v6([0x64, 0xff9b, 1, 0], 48), "an address of a local NAT64"),
    (v6([0x100, 0, 0, 0], 64), "an address that discards"),
    // Teredo, benchmarks, ORCHID and more; before the rest of 2001::/23.
    (v6([0x2001, 0, 0, 0], 32), "an address of Teredo"),
    (v6([0x2001, 2, 0, 0], 48), "an address for benchmarks"),
    (v6([0x2001, 0, 0, 0], 23), "an address of a protocol"),
    (
        v6([0x2001, 0xdb8, 0, 0], 32),
        "an address for documentation",
    ),
    (v6([0x2002, 0, 0, 0], 16), "an address of 6to4"),
    (v6([0x3fff, 0, 0, 0], 20), "an address for documentation"),
    (v6([0xfc00, 0, 0, 0], 7), "a private address"),
    (v6([0xfe80, 0, 0, 0], 10), "a link-local address"),
    (v6([0xfec0, 0, 0, 0], 10), "a site-local address"),
    (v6([0xff00, 0, 0, 0], 8), "a multicast address"),
];

/// The NAT64 of RFC 6052, section 2.1: its last four octets are the IPv4 address that is reached.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0], 96);
const LOCAL_NAT64: Ipv6Net = v6([0x64, 0xff9b, 1, 0], 48);
/// `::ffff:0:a.b.c.d` of RFC 2765: a translator reaches the IPv4 address.
const TRANSLATED: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96);
const COMPATIBLE: Ipv6Net = v6([0; 4], 96);

/// What this address is, where it is not one of the public internet.
pub(super) fn inside(address: IpAddr) -> Option<&'static str> {
    match plain(address) {
        IpAddr::V4(address) => {
            let mut named = INSIDE_V4.iter();
            named
                .find(|(net, _)| net.contains(&address))
                .map(|(_, what)| *what)
        }
        IpAddr::V6(address) => {
            let named = INSIDE_V6.iter().find(|(net, _)| net.contains(&address));
            let reserved = || (!GLOBAL_V6.contains(&address)).then_some("a reserved address");
            named.map(|(_, what)| *what).or_else(reserved)
        }
    }
}

/// The IPv4 address that is reached by an IPv4-mapped one, or through the well-known NAT64: hosts with
/// IPv6 alone see the whole of IPv4 there. RFC 6052 section 3.1: "The Well-Known Prefix MUST NOT be used
/// to represent non-global IPv4 addresses"; so those are judged as what they stand for.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) if NAT64.contains(&v6) => IpAddr::V4(last_four(v6)),
        address => address.to_canonical(),
    }
}

fn last_four(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

/// Credentials of the machine are given away here, to each request that reaches it.
const METADATA: &[IpAddr] = &[
    // AWS, Google Cloud, Azure and most others.
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    // AWS: tasks of ECS, pods of EKS.
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    // Google Cloud, by IPv6.
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    // Alibaba Cloud.
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    // Oracle Cloud.
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    // Azure's wire server; the address looks public and leads to the host.
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
];

/// Whether it leads to one of them, plainly or carried in an IPv6 address.
pub(crate) fn is_metadata(address: IpAddr) -> bool {
    let carried = match address {
        IpAddr::V4(_) => Vec::new(),
        IpAddr::V6(address) => carried(address),
    };
    METADATA.contains(&address) || carried.iter().any(|it| METADATA.contains(&IpAddr::V4(*it)))
}

/// Every IPv4 address that an IPv6 one may stand for, whatever takes it there.
fn carried(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let [_, _, c2, c3, c4, c5, c6, c7, _, c9, c10, c11, c12, ..] = address.octets();
    let last = last_four(address);
    let mut carried = Vec::new();
    let ends_with_it = [NAT64, TRANSLATED, COMPATIBLE];
    if address.to_ipv4_mapped().is_some() || ends_with_it.iter().any(|net| net.contains(&address)) {
        carried.push(last);
    }
    if LOCAL_NAT64.contains(&address) {
        // RFC 6052 section 2.2: after a prefix of 48, 56, 64 or 96 bits, and never in bits 64 to 71.
        carried.extend([
            Ipv4Addr::new(c6, c7, c9, c10),
            Ipv4Addr::new(c7, c9, c10, c11),
            Ipv4Addr::new(c9, c10, c11, c12),
            last,
        ]);
    }
    match address.segments() {
        // RFC 3056 section 2.
        [0x2002, ..] => carried.push(Ipv4Addr::new(c2, c3, c4, c5)),
        // RFC 4380 section 4: the server, and the client with every bit turned.
        [0x2001, 0, ..] => {
            carried.push(Ipv4Addr::new(c4, c5, c6, c7));
            carried.push(Ipv4Addr::from_bits(!last.to_bits()));
        }
        _ => {}
    }
    carried
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn stranger(text: &str) -> Result<(), &'static str> {
        judge(ip(text), NamedBy::Stranger, &Networks::default())
    }

    fn open(networks: &[&str]) -> Networks {
        Networks::parse(networks.iter().copied()).unwrap()
    }

    #[test]
    fn every_kind_of_address_inside_is_refused_from_its_first_to_its_last() {
        for (first, last, what) in [
            ("0.0.0.0", "0.0.0.0", "the unspecified address"),
            ("0.0.0.1", "0.255.255.255", "an address of this network"),
            ("10.0.0.0", "10.255.255.255", "a private address"),
            (
                "100.64.0.0",
                "100.127.255.255",
                "an address behind a carrier's NAT",
            ),
            ("127.0.0.0", "127.255.255.255", "a loopback address"),
            ("169.254.0.0", "169.254.255.255", "a link-local address"),
            ("172.16.0.0", "172.31.255.255", "a private address"),
            ("192.0.0.0", "192.0.0.255", "an address of a protocol"),
            ("192.0.2.0", "192.0.2.255", "an address for documentation"),
            ("192.88.99.0", "192.88.99.255", "a relay of 6to4"),
            ("192.168.0.0", "192.168.255.255", "a private address"),
            ("198.18.0.0", "198.19.255.255", "an address for benchmarks"),
            (
                "198.51.100.0",
                "198.51.100.255",
                "an address for documentation",
            ),
            (
                "203.0.113.0",
                "203.0.113.255",
                "an address for documentation",
            ),
            ("224.0.0.0", "239.255.255.255", "a multicast address"),
            ("240.0.0.0", "255.255.255.254", "a reserved address"),
            (
                "255.255.255.255",
                "255.255.255.255",
                "the broadcast address",
            ),
            ("::", "::", "the unspecified address"),
            ("::1", "::1", "a loopback address"),
            ("::2", "::ffff:ffff", "an IPv4-compatible address"),
            (
                "::ffff:0.0.0.0",
                "::ffff:0.0.0.0",
                "the unspecified address",
            ),
            ("::ffff:10.0.0.1", "::ffff:127.0.0.1", "inside"),
            ("::ffff:0:a00:1", "::ffff:0:808:808", "a reserved address"),
            (
                "64:ff9b::10.0.0.1",
                "64:ff9b::10.9.9.9",
                "a private address",
            ),
            (
                "64:ff9b::127.0.0.1",
                "64:ff9b::127.9.9.9",
                "a loopback address",
            ),
            (
                "64:ff9b:1::",
                "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
                "an address of a local NAT64",
            ),
            (
                "100::",
                "100::ffff:ffff:ffff:ffff",
                "an address that discards",
            ),
            (
                "2001::",
                "2001:0:ffff:ffff:ffff:ffff:ffff:ffff",
                "an address of Teredo",
            ),
            (
                "2001:2::",
                "2001:2:0:ffff:ffff:ffff:ffff:ffff",
                "an address for benchmarks",
            ),
            (
                "2001:10::",
                "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
                "an address of a protocol",
            ),
            (
                "2001:db8::",
                "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                "an address for documentation",
            ),
            (
                "2002::",
                "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "an address of 6to4",
            ),
            (
                "3fff::",
                "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
                "an address for documentation",
            ),
            ("5f00::", "5f00:ffff::", "a reserved address"),
            (
                "4000::",
                "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "a reserved address",
            ),
            (
                "fc00::",
                "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "a private address",
            ),
            (
                "fe80::",
                "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "a link-local address",
            ),
            (
                "fec0::",
                "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "a site-local address",
            ),
            (
                "ff00::",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "a multicast address",
            ),
        ] {
            for address in [first, last] {
                let refused = stranger(address).unwrap_err();
                assert!(what == "inside" || refused == what, "{address}: {refused}");
                // What the operator names may be there.
                let none = Networks::default();
                assert_eq!(judge(ip(address), NamedBy::Operator, &none), Ok(()));
            }
        }
    }

    #[test]
    fn the_neighbours_of_every_kind_are_of_the_public_internet() {
        for address in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2000::",
            "2001:200::",
            "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001:db9::",
            "2003::",
            "2a00:1450:4001:800::200e",
            "3ffe:ffff::",
            "3fff:1000::",
        ] {
            assert_eq!(stranger(address), Ok(()), "{address}");
        }
    }

    const METADATA_BY_ANY_WAY: &[&str] = &[
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        // Mapped, compatible, translated.
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        // NAT64: well-known, and local with a prefix of 48, 56, 64 and 96 bits.
        "64:ff9b::169.254.169.254",
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:a9:fe:a9fe::",
        "64:ff9b:1:0:a9:fea9:fe00:0",
        "64:ff9b:1::169.254.169.254",
        // 6to4; Teredo as its server, and as its client.
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::",
        "2001:0:808:808:0:0:5601:5601",
    ];

    #[test]
    fn metadata_services_are_refused_whoever_names_them_and_whatever_is_open() {
        let open = open(&["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"]);
        for address in METADATA_BY_ANY_WAY {
            for named_by in [NamedBy::Operator, NamedBy::Stranger] {
                let judged = judge(ip(address), named_by, &open);
                assert_eq!(judged, Err("a cloud's metadata service"), "{address}");
            }
        }
        // Their neighbours can be opened.
        for address in ["169.254.169.253", "fd00:ec2::253", "2002:a9fe:a9fd::1"] {
            assert_eq!(judge(ip(address), NamedBy::Stranger, &open), Ok(()));
        }
    }

    #[test]
    fn a_network_that_was_opened_is_reached_in_each_spelling_and_no_other_is() {
        let open = open(&["10.20.0.0/16", "fd12:3456::/32", "192.168.1.1"]);
        for (address, expected) in [
            ("10.20.0.0", true),
            ("10.20.255.255", true),
            ("::ffff:10.20.1.1", true),
            ("64:ff9b::10.20.1.1", true),
            ("10.19.255.255", false),
            ("10.21.0.0", false),
            ("::ffff:10.21.0.0", false),
            ("2002:a14:101::", false),
            ("::10.20.1.1", false),
            ("192.168.1.1", true),
            ("192.168.1.2", false),
            ("fd12:3456::1", true),
            ("fd12:3457::1", false),
            ("127.0.0.1", false),
            ("8.8.8.8", true),
        ] {
            let judged = judge(ip(address), NamedBy::Stranger, &open);
            assert_eq!(judged.is_ok(), expected, "{address}");
        }
    }

    proptest! {
        /// The standard library knows these kinds; its whole list is unstable.
        #[test]
        fn what_the_standard_library_knows_as_inside_is_inside(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            let known = address.is_private() || address.is_loopback() || address.is_link_local()
                || address.is_broadcast() || address.is_documentation() || address.is_multicast()
                || address.is_unspecified();
            prop_assert!(!known || inside(IpAddr::V4(address)).is_some(), "{address}");
            // It is judged alike in both forms that lead to it.
            for carried in [address.to_ipv6_mapped(), nat64(address)] {
                prop_assert_eq!(inside(IpAddr::V6(carried)), inside(IpAddr::V4(address)));
            }
        }

        #[test]
        fn nothing_outside_of_global_unicast_is_public(bits: u128) {
            let address = Ipv6Addr::from_bits(bits);
            let is_global = bits >> 125 == 1;
            let is_inside = inside(IpAddr::V6(address)).is_some();
            prop_assert!(is_global || is_inside, "{address}");
        }
    }

    fn nat64(address: Ipv4Addr) -> Ipv6Addr {
        Ipv6Addr::from_bits(NAT64.network().to_bits() | u128::from(address.to_bits()))
    }
}
