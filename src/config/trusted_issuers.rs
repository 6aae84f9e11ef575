//! The trusted issuers with their keys.

use std::sync::Arc;

use super::trusted_issuer::TrustedIssuer;
use crate::{
    grant::{Voucher, Vouchers},
    provider::{IssuerKeys, Lookups},
};

/// An issuer, and the keys that it signs with.
#[derive(Debug)]
pub(crate) struct Trusted {
    pub(crate) about: TrustedIssuer,
    pub(crate) keys: IssuerKeys,
}

/// All of them. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrustedIssuers(Arc<[Trusted]>);

impl TrustedIssuers {
    pub(super) fn new(issuers: Vec<TrustedIssuer>, lookups: &Lookups) -> Self {
        let trusted = |about: TrustedIssuer| {
            let keys = match &about.jwks_url {
                Some(url) => IssuerKeys::at(lookups, url),
                None => IssuerKeys::discovered(lookups, &about.issuer),
            };
            Trusted { about, keys }
        };
        Self(issuers.into_iter().map(trusted).collect())
    }

    /// The one with this URL, byte for byte.
    pub(crate) fn issuing(&self, iss: &str) -> Option<&Trusted> {
        self.iter().find(|trusted| trusted.about.issuer == iss)
    }

    /// What grants have to know of them.
    pub(crate) fn vouchers(&self) -> Vouchers {
        let voucher = |trusted: &Trusted| Voucher {
            id: trusted.about.id.clone(),
            people: trusted.about.assertions.is_some(),
            workloads: !trusted.about.workloads.is_empty(),
        };
        Vouchers::new(self.iter().map(voucher))
    }

    /// Whether any of them has workloads that get tokens.
    pub(crate) fn have_workloads(&self) -> bool {
        self.iter()
            .any(|trusted| !trusted.about.workloads.is_empty())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Trusted> {
        self.0.iter()
    }
}
