//! Grants that were made of an assertion: who else vouches for people and workloads, and what for.

use std::{borrow::Cow, sync::Arc};

use super::{
    record::{About, Grant, Phase},
    subjects::SEPARATOR,
};

/// Another issuer, as far as grants are concerned.
#[derive(Debug, Clone)]
pub(crate) struct Voucher {
    pub(crate) id: String,
    /// Whether its assertions about people are accepted.
    pub(crate) people: bool,
    /// Whether its assertions about workloads are.
    pub(crate) workloads: bool,
}

/// All of them; clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vouchers(Arc<[Voucher]>);

impl Vouchers {
    pub(crate) fn new(all: impl IntoIterator<Item = Voucher>) -> Self {
        Self(all.into_iter().collect())
    }

    /// Whether one of them has this id.
    pub(crate) fn have(&self, id: &str) -> bool {
        self.0.iter().any(|voucher| voucher.id == id)
    }

    /// Whether what this grant was made of would still be accepted; a grant of a login is none of theirs.
    pub(super) fn stand_behind(&self, grant: &Grant) -> bool {
        let Phase::Asserted { issuer, about } = &grant.phase else {
            return true;
        };
        let mut of = self.0.iter().filter(|voucher| voucher.id == *issuer);
        of.any(|voucher| match about {
            About::Person => voucher.people,
            About::Workload => voucher.workloads,
        })
    }

    /// How a person or a workload of one of them is named here, whatever the operator calls the people of
    /// providers. `None`: it has no such id.
    pub(super) fn name(&self, id: &str, subject: &str) -> Option<Cow<'static, str>> {
        let qualified = || format!("{id}{SEPARATOR}{subject}").into();
        self.have(id).then(qualified)
    }
}

impl Grant {
    /// What an assertion's grant is about; `None` of a login's.
    pub(crate) fn about(&self) -> Option<About> {
        match &self.phase {
            Phase::Asserted { about, .. } => Some(*about),
            Phase::Pending(_) | Phase::Active { .. } | Phase::Spent(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_by_a_trusted_issuer_is_named_by_its_id_and_no_one_else_is() {
        let vouchers = Vouchers::new([Voucher {
            id: "acme".to_owned(),
            people: true,
            workloads: false,
        }]);
        assert_eq!(vouchers.name("acme", "7").as_deref(), Some("acme|7"));
        assert_eq!(vouchers.name("github", "7"), None);
    }
}
