//! Who may log in, by groups and claims: the options of all people.

use crate::{error::ConfigError, provider::ClaimRule};

const GROUPS: &str = "allowed_groups";
const CLAIM: &str = "allowed_claim";

/// What the operator says of all people, whatever their provider.
#[derive(Debug, Clone, Default)]
pub(crate) struct PeopleRules {
    groups: Option<Vec<String>>,
    group_claims: Option<Vec<String>>,
    claims: Vec<ClaimRule>,
}

impl PeopleRules {
    pub(crate) fn want_groups(&mut self, groups: impl Iterator<Item = String>) {
        self.groups.get_or_insert_default().extend(groups);
    }

    pub(crate) fn read_groups_from(&mut self, claims: impl Iterator<Item = String>) {
        self.group_claims = Some(claims.collect());
    }

    pub(crate) fn want_claim(&mut self, claim: String, values: impl Iterator<Item = String>) {
        self.claims.push(ClaimRule::new(CLAIM, [claim], values));
    }

    /// Each has to be met.
    pub(crate) fn rules(&self) -> Vec<ClaimRule> {
        let groups = self.groups.clone().map(|groups| {
            let claims = self.group_claims.clone();
            let claims = claims.unwrap_or_else(|| vec!["groups".to_owned()]);
            ClaimRule::new(GROUPS, claims, groups)
        });
        groups.into_iter().chain(self.claims.clone()).collect()
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.groups.is_some() || !self.claims.is_empty()
    }

    /// # Errors
    ///
    /// [`ConfigError`] for a rule that no one could meet, and for names that nothing is read from.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.group_claims.is_some() && self.groups.is_none() {
            return Err(ConfigError::new(
                "group_claims",
                "there are no groups to compare with: call allowed_groups, or leave this out",
            ));
        }
        self.rules().iter().try_for_each(ClaimRule::check)
    }
}
