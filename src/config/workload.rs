//! A workload of a trusted issuer: which ones, and what they may.

use serde_json::{Map, Value};

use crate::{
    limits::{MAX_ROLE_BYTES, MAX_ROLES, MAX_SUBJECT},
    oauth::printable,
    provider::ClaimRule,
};

/// What may stand before the `*` of a pattern. Issuers put names together with these.
const SEPARATORS: [char; 3] = [':', '/', '|'];
/// What errors call the option.
const CLAIM: &str = "trusted_issuer";

/// Workloads that get tokens with those of their platform: see [`TrustedIssuer::workload`]. **Follows a draft.**
///
/// ```
/// use tower_oauth_proxy::Workload;
///
/// let deploys = Workload::subject("repo:acme/reports:ref:refs/heads/main")
///     .claim("repository_id", ["74"])
///     .scopes(["reports:write"])
///     .roles(["deployer"]);
/// let agents = Workload::subject("system:serviceaccount:agents:*");
/// # let _ = (deploys, agents);
/// ```
///
/// [`TrustedIssuer::workload`]: crate::TrustedIssuer::workload
#[derive(Debug, Clone)]
#[must_use = "a workload gets tokens once it is given to a trusted issuer"]
pub struct Workload {
    pub(crate) subject: String,
    pub(crate) claims: Vec<ClaimRule>,
    pub(crate) scopes: Vec<String>,
    pub(crate) roles: Vec<String>,
}

impl Workload {
    /// The workload with this `sub`, or all whose `sub` begins with what stands before a trailing `*`. Before
    /// the `*` stands a separator: `:`, `/` or `|`. A bare `*` is refused.
    ///
    /// **Name as much as you can.** `repo:acme/reports:*` has the runs of pull requests too, which a stranger
    /// can open.
    pub fn subject(pattern: impl Into<String>) -> Self {
        Self {
            subject: pattern.into(),
            claims: Vec::new(),
            scopes: Vec::new(),
            roles: Vec::new(),
        }
    }

    /// The same, but only when this claim has one of these values, or is an array that has one. Each call is a
    /// condition of its own.
    pub fn claim<I: IntoIterator<Item: Into<String>>>(
        mut self,
        claim: impl Into<String>,
        values: I,
    ) -> Self {
        let values = values.into_iter().map(Into::into);
        self.claims
            .push(ClaimRule::new(CLAIM, [claim.into()], values));
        self
    }

    /// What it may ask for, of what is offered to clients; it gets all of them when it asks for none. Default:
    /// none.
    pub fn scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// The roles of its sessions. Default: none.
    pub fn roles<I: IntoIterator<Item: Into<String>>>(mut self, roles: I) -> Self {
        self.roles.extend(roles.into_iter().map(Into::into));
        self
    }

    /// Whether a workload of this name and these claims is meant.
    pub(crate) fn is(&self, subject: &str, claims: &Map<String, Value>) -> bool {
        let is_named = match self.subject.strip_suffix('*') {
            None => self.subject == subject,
            Some(start) => subject
                .strip_prefix(start)
                .is_some_and(|rest| !rest.is_empty()),
        };
        is_named
            && self
                .claims
                .iter()
                .all(|rule| rule.refusal(&[claims]).is_none())
    }

    /// Why it cannot work, in words that follow the issuer's id.
    pub(super) fn check(&self) -> Result<(), String> {
        let subject = printable(&self.subject, MAX_SUBJECT);
        let refuse = |why: &str| Err(format!("has a workload {subject:?} {why}"));
        if self.subject.is_empty()
            || self.subject.len() > MAX_SUBJECT
            || self.subject.contains(char::is_control)
        {
            return refuse("that is no subject of 1 to 255 bytes without control characters");
        }
        if self.subject == "*" {
            return refuse("that fits everyone of the issuer: name more before the `*`");
        }
        if let Some((start, rest)) = self.subject.split_once('*') {
            if !rest.is_empty() {
                return refuse(
                    "with a `*` that is not its last character: only one at the end counts",
                );
            }
            let Some(named) = start.strip_suffix(SEPARATORS) else {
                return refuse(
                    "with a `*` that does not follow `:`, `/` or `|`: it would fit names that merely begin \
                     alike",
                );
            };
            if named.is_empty() || named.ends_with(SEPARATORS) {
                return refuse("that fits everyone of the issuer: name more before the `*`");
            }
        }
        if let Some(Err(error)) = self
            .claims
            .iter()
            .map(ClaimRule::check)
            .find(Result::is_err)
        {
            return refuse(&format!("with a condition that cannot be met: {error}"));
        }
        let is_role = |role: &String| !role.trim().is_empty() && role.len() <= MAX_ROLE_BYTES;
        if self.roles.len() > MAX_ROLES || !self.roles.iter().all(is_role) {
            return refuse("with more than 64 roles, or one that is not 1 to 256 bytes");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is(pattern: &str, subject: &str) -> bool {
        let workload = Workload::subject(pattern);
        assert_eq!(workload.check(), Ok(()));
        workload.is(subject, &Map::new())
    }

    #[test]
    fn a_workload_is_named_exactly_or_by_all_that_stands_before_a_separator() {
        assert!(is(
            "repo:acme/x:ref:refs/heads/main",
            "repo:acme/x:ref:refs/heads/main"
        ));
        for other in [
            "repo:acme/x:ref:refs/heads/main2",
            "repo:acme/x",
            "REPO:acme/x",
            "",
        ] {
            assert!(!is("repo:acme/x:ref:refs/heads/main", other), "{other}");
        }
        assert!(is("repo:acme/*", "repo:acme/x:pull_request"));
        for other in [
            "repo:acme/",
            "repo:acme",
            "repo:acme-evil/x",
            " repo:acme/x",
        ] {
            assert!(!is("repo:acme/*", other), "{other}");
        }
    }

    #[test]
    fn a_star_stands_alone_at_the_end_behind_a_separator_and_a_name() {
        for pattern in [
            "*",
            ":*",
            "/*",
            "spiffe://*",
            "repo:acme*",
            "repo:*/x",
            "repo:acme/**",
            "",
            "a\nb",
        ] {
            assert!(Workload::subject(pattern).check().is_err(), "{pattern:?}");
        }
        for pattern in [
            "repo:acme/*",
            "spiffe://acme.example/ns/a/*",
            "a:*",
            "a|*",
            "a",
        ] {
            assert_eq!(Workload::subject(pattern).check(), Ok(()), "{pattern:?}");
        }
        assert!(Workload::subject("a").roles([""]).check().is_err());
        assert!(Workload::subject("a").claim("", ["x"]).check().is_err());
        assert!(Workload::subject("a").claim("x", [""; 0]).check().is_err());
    }

    #[test]
    fn each_condition_on_a_claim_has_to_be_met() {
        let workload = Workload::subject("a")
            .claim("id", ["74"])
            .claim("ref", ["main", "next"]);
        let is = |claims: Value| workload.is("a", claims.as_object().unwrap());
        assert!(is(json!({"id": 74, "ref": "next"})));
        for claims in [
            json!({"id": 74}),
            json!({"id": "74", "ref": "dev"}),
            json!({}),
        ] {
            assert!(!is(claims.clone()), "{claims}");
        }
    }
}
