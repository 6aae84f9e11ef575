//! Who of one provider's people may log in: its organizations, its claims.

use super::{claim_rule::ClaimRule, dialect::Names, provider::Provider};
use crate::{
    error::ConfigError,
    limits::MAX_ALLOWED_ORGANIZATIONS,
    oauth::{ScopeSet, printable},
};

pub(crate) const ORGANIZATIONS: &str = "allowed_organizations";

/// # Who may log in
///
/// Beside what the configuration says of all people
/// ([`allowed_domains`](crate::OAuthProxyConfigBuilder::allowed_domains),
/// [`allowed_groups`](crate::OAuthProxyConfigBuilder::allowed_groups) and so on), of this provider's alone. A
/// person has to meet each option.
impl Provider {
    /// Lets only people in who belong to one of these organizations at the provider. What that is, and how
    /// it is written, depends on the provider:
    ///
    /// | preset | an organization is | read from |
    /// |---|---|---|
    /// | `google` | a Workspace, by its primary domain: `example.com` | the ID token's `hd` |
    /// | `azure` | a tenant, by its id | the ID token's `tid` |
    /// | `github`, `github_app` | an organization `acme`, or a team of it, `acme/platform`, by its slug | its API, with the person's token; the claim `organizations` then has the first one of the list that they are an active member of |
    /// | `auth0`, `workos` | an organization, by its id | the claim `org_id` |
    /// | `slack` | a workspace, by its id: `T0RR` | the ID token's `https://slack.com/team_id` |
    ///
    /// Other providers know none, and the configuration says so. A second call adds to the list. It is asked at
    /// login and at each later look at the person, as the lists of addresses are: a no ends the grant. Where
    /// the provider's API does not answer, a login fails, and what was known stands for a while. Where it does not
    /// let the person's token ask (GitHub: the organization restricts apps, or the token is older than this
    /// option), the person is no member, and the event has the provider's words.
    ///
    /// ```
    /// use tower_oauth_proxy::provider;
    ///
    /// let staff = provider::google("id.apps.googleusercontent.com", "client-secret")
    ///     .allowed_organizations(["example.com", "example.org"]);
    /// assert!(staff.check().is_ok());
    ///
    /// let developers = provider::github("client-id", "client-secret")
    ///     .allowed_organizations(["acme", "partner/mcp-users"]);
    /// assert!(developers.check().is_ok());
    /// assert!(developers.allowed_organizations(["acme/platform/web"]).check().is_err());
    ///
    /// let tenants = provider::azure("organizations", "client-id", "client-secret")
    ///     .allowed_organizations(["11111111-2222-3333-4444-555555555555"]);
    /// assert!(tenants.check().is_ok());
    /// assert!(tenants.allowed_organizations([""]).check().is_err());
    /// ```
    #[must_use]
    pub fn allowed_organizations<I: IntoIterator<Item: Into<String>>>(
        mut self,
        organizations: I,
    ) -> Self {
        let known = self.organizations.get_or_insert_default();
        known.extend(organizations.into_iter().map(Into::into));
        self
    }

    /// Lets only people of this provider in whose claim has one of these values: as
    /// [`allowed_claim`](crate::OAuthProxyConfigBuilder::allowed_claim), which speaks of all providers.
    #[must_use]
    pub fn allowed_claim<I: IntoIterator<Item: Into<String>>>(
        mut self,
        claim: impl Into<String>,
        values: I,
    ) -> Self {
        let values = values.into_iter().map(Into::into);
        let rule = ClaimRule::new("allowed_claim", [claim.into()], values);
        self.claim_rules.push(rule);
        self
    }

    /// The conditions on this provider's people. One that cannot be met stays one that cannot be met.
    pub(crate) fn people_rules(&self) -> Vec<ClaimRule> {
        let mut rules = self.claim_rules.clone();
        if let Some(wanted) = &self.organizations {
            let about = self.dialect.organizations();
            let claim = about.as_ref().map_or("organizations", |about| about.claim);
            let wanted = wanted.iter().map(|entry| match &about {
                Some(about) => (about.entry)(entry.trim()).unwrap_or_default(),
                None => String::new(),
            });
            rules.push(ClaimRule::new(ORGANIZATIONS, [claim.to_owned()], wanted));
        }
        rules
    }

    /// Whether anything is said here of who may log in.
    pub(crate) fn judges_people(&self) -> bool {
        self.organizations.is_some() || !self.claim_rules.is_empty()
    }

    /// What is wrong with the conditions themselves.
    pub(super) fn check_allowed(&self) -> Result<(), ConfigError> {
        if let Some(wanted) = &self.organizations {
            let refuse = |why: String| Err(ConfigError::new(ORGANIZATIONS, why));
            let Some(about) = self.dialect.organizations() else {
                let name = &self.name;
                return refuse(format!(
                    "{name} says nothing of organizations: name a claim in `allowed_claim`, or ask in \
                     `on_login`"
                ));
            };
            let wrong = wanted.iter().find_map(|entry| {
                let error = (about.entry)(entry.trim()).err()?;
                Some(format!("{:?} {error}", printable(entry, 100)))
            });
            if let Some(why) = wrong {
                return refuse(why);
            }
            if about.memberships.is_some() && wanted.len() > MAX_ALLOWED_ORGANIZATIONS {
                return refuse(format!(
                    "{} are more than {MAX_ALLOWED_ORGANIZATIONS}: each may take a request at a login",
                    wanted.len()
                ));
            }
        }
        self.people_rules().iter().try_for_each(ClaimRule::check)
    }

    /// Whether a login can bring the claims of this condition, when these scopes are what may be asked for;
    /// else what to change.
    pub(crate) fn can_name(&self, rule: &ClaimRule, offered: &ScopeSet) -> Result<(), String> {
        let asks = |wanted: &str| {
            let is_wanted = |scope: &str| self.ours(scope) == wanted;
            offered.iter().any(is_wanted) || self.upstream_scopes.iter().any(|s| is_wanted(s))
        };
        let about = self.dialect.organizations();
        let about = about.filter(|about| about.memberships.is_some());
        let asked = about.filter(|_| self.organizations.is_some());
        let mut faults = Vec::new();
        for claim in rule.claims() {
            let name = &self.name;
            faults.push(match self.dialect.names(claim) {
                Names::Perhaps => return Ok(()),
                Names::Never(_) if asked.is_some_and(|asked| asked.claim == claim) => return Ok(()),
                Names::WithScope(scope) if asks(scope) => return Ok(()),
                Names::WithScope(scope) => format!(
                    "{name} gives no `{claim}` without the scope `{scope}`: add it to `scopes`"
                ),
                Names::Never(instead) => format!(
                    "{name} never gives the claim `{claim}`, so its people could not log in: use \
                     {instead}; conditions on another provider's people belong on that `Provider`"
                ),
            });
        }
        Err(faults.swap_remove(0))
    }

    /// The scopes to ask for in each login, where they are offered, so that these conditions can be judged,
    /// whatever scopes the client asks for: mostly a claim comes with the scope of its name.
    pub(crate) fn scopes_for<'a>(
        &self,
        rules: impl IntoIterator<Item = &'a ClaimRule>,
    ) -> Vec<&'a str> {
        let claims = rules.into_iter().flat_map(ClaimRule::claims);
        let scope = |claim: &'a String| match self.dialect.names(claim) {
            Names::WithScope(scope) => Some(scope),
            Names::Perhaps => Some(claim.as_str()),
            Names::Never(_) => None,
        };
        claims.filter_map(scope).collect()
    }

    /// The scope without which memberships cannot be asked about.
    pub(super) fn membership_scope(&self) -> Option<&'static str> {
        self.organizations.as_ref()?;
        self.dialect.organizations()?.memberships?.scope
    }
}
