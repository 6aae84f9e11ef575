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
