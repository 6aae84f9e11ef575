//! Private networks that the operator opened for documents that strangers name.

use std::net::IpAddr;

use ipnet::IpNet;

/// The networks that were opened; none by default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Networks(Vec<IpNet>);

impl Networks {
    /// Reads networks such as `10.0.0.0/8`, or single addresses. The error names the value.
    pub(crate) fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let nets: Result<_, _> = texts.into_iter().map(network).collect();
        nets.map(Self)
    }

    pub(super) fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }

    pub(super) fn are_named(&self) -> bool {
        !self.0.is_empty()
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let single = || text.parse::<IpAddr>().ok().map(IpNet::from);
    let Some(net) = text.parse::<IpNet>().ok().or_else(single) else {
        return Err(format!(
            "{text:?} is no network: write it as 10.0.0.0/8 or fd00:1234::/32"
        ));
    };
    if net.prefix_len() == 0 {
        return Err(format!(
            "{text:?} opens every address: name the networks that are meant"
        ));
    }
    let start = net.trunc();
    if start != net {
        return Err(format!(
            "{text:?} has bits beyond its prefix: write {start}, or the one address alone"
        ));
    }
    Ok(net)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_read_and_a_single_address_is_one() {
        let networks = Networks::parse(["10.0.0.0/8", "192.168.1.1", "fd00::/8"]).unwrap();
        for (address, expected) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("192.168.1.1", true),
            ("192.168.1.0", false),
            ("fd12::1", true),
            ("fc12::1", false),
        ] {
            assert_eq!(
                networks.contain(address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
        assert!(networks.are_named());
        assert!(!Networks::default().are_named());
    }

    #[test]
    fn what_is_no_network_is_refused_with_its_value_and_what_to_write() {
        for (text, says) in [
            ("", "is no network"),
            ("10.0.0.0/33", "is no network"),
            ("10.0.0", "is no network"),
            ("intranet", "is no network"),
            (" 10.0.0.0/8", "is no network"),
            ("10.1.2.3/8", "write 10.0.0.0/8"),
            ("fd00::1/8", "write fd00::/8"),
            ("0.0.0.0/0", "opens every address"),
            ("::/0", "opens every address"),
        ] {
            let error = Networks::parse(["10.0.0.0/8", text]).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }
}
