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

fn is_metadata(address: IpAddr) -> bool {
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
