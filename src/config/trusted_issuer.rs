//! An issuer that is trusted beside the providers: what it may vouch for.

use std::fmt;

use serde_json::{Map, Value};

use super::{scope_option::scope_set, workload::Workload};
use crate::{
    error::ConfigError,
    event::Told,
    limits::{MAX_PROVIDER_ID, MAX_TRUSTED_ISSUERS},
    oauth::{BaseUrl, ScopeSet, printable},
    provider::{ClaimRule, check_url, is_id, shown_url},
};

/// The option that names each.
pub(super) const OPTION: &str = "trusted_issuer";
/// API keys have subjects that begin with it.
const RESERVED: [&str; 1] = ["key"];
/// The claim that tells the tenants of one issuer apart.
const TENANT: &str = "tenant";

/// An issuer of JWTs that is trusted beside the providers: at an identity provider for enterprises, in a
/// cluster, in a CI system. It is good for what you say here and for nothing else.
///
/// - [`assertions`](Self::assertions): its people come in by way of an identity assertion (ID-JAG), without a
///   browser.
/// - [`workload`](Self::workload): a workload of it gets a token with its own. Follows a draft.
/// - [`access_tokens`](Self::access_tokens): its access tokens are accepted as they are.
///
/// Its keys are looked up in its discovery document, or at [`jwks_url`](Self::jwks_url), and kept as long as
/// they may be. A token with a key that is not known has them asked for again.
///
/// People and workloads of it are called `{id}|{sub}`, unless [`people_of`](Self::people_of) says that they are
/// those of a provider.
///
/// ```
/// use tower_oauth_proxy::{OAuthProxyConfig, TrustedIssuer, Workload, provider};
///
/// # let provider = provider::okta("acme.okta.com", "client-id", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8").id("okta");
/// let company = TrustedIssuer::new("acme", "https://acme.okta.com")
///     .people_of("okta")
///     .assertions();
/// let ci = TrustedIssuer::new("ci", "https://token.actions.githubusercontent.com")
///     .workload(Workload::subject("repo:acme/reports:ref:refs/heads/main").roles(["deployer"]));
/// let config = OAuthProxyConfig::builder(provider, "https://mcp.example.com")
///     .trusted_issuer(company)
///     .trusted_issuer(ci)
///     .build()?;
/// # let _ = config;
/// # Ok::<(), tower_oauth_proxy::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use = "an issuer is trusted once it is given to `trusted_issuer`"]
pub struct TrustedIssuer {
    pub(crate) id: String,
    pub(crate) issuer: String,
    pub(crate) jwks_url: Option<String>,
    /// The id of the provider whose people they are.
    pub(crate) people_of: Option<String>,
    /// By which `aud` its access tokens are for this service; empty, none is.
    pub(crate) audiences: Vec<String>,
    /// Whether its access tokens come in whoever they are of.
    pub(crate) unlisted_tokens: bool,
    /// Whether identity assertions are accepted, and of which clients.
    pub(crate) assertions: Option<Assertions>,
    pub(crate) workloads: Vec<Workload>,
    /// What each assertion has to say, of a person or of a workload.
    pub(crate) required: Vec<ClaimRule>,
}

/// Whose identity assertions are accepted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Assertions {
    /// Only these clients; `None` for all that the issuer names.
    pub(crate) clients: Option<Vec<String>>,
    /// Whether a client may be public.
    pub(crate) public_clients: bool,
}

impl TrustedIssuer {
    /// The issuer with this URL, which stands in the `iss` of its tokens, byte for byte. The id is 1 to 32 of
    /// `a-z`, `0-9` and `-`, stands before the subjects of its people, and is no provider's id.
    pub fn new(id: impl Into<String>, issuer: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            issuer: issuer.into(),
            jwks_url: None,
            people_of: None,
            audiences: Vec::new(),
            unlisted_tokens: false,
            assertions: None,
            workloads: Vec::new(),
            required: Vec::new(),
        }
    }

    /// Where its key set is. Default: where its discovery document says.
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.jwks_url = Some(url.into());
        self
    }

    /// Its people are those of the provider with this id: the same subjects as at a login, the same lists, the
    /// same limit of grants. Default: they are people of their own.
    ///
    /// Only where both call one person by the same `sub`, as an Okta tenant does as provider and as issuer of
    /// assertions. **The issuer can then speak for each person of that provider.**
    pub fn people_of(mut self, provider: impl Into<String>) -> Self {
        self.people_of = Some(provider.into());
        self
    }

    /// Accepts only assertions, of people and of workloads, that have this claim with one of these values, or with
    /// an array that has one; each call is a condition of its own. Default: no condition. Access tokens are not
    /// asked for it.
    ///
    /// Of an issuer that serves **several tenants** name yours, for two tenants may call two people by one `sub`:
    /// an assertion with a `tenant` is refused until there is a condition on it.
    ///
    /// ```
    /// use tower_oauth_proxy::TrustedIssuer;
    ///
    /// let issuer = TrustedIssuer::new("acme", "https://login.example.com")
    ///     .assertion_claim("tenant", ["acme"])
    ///     .assertions();
    /// # let _ = issuer;
    /// ```
    pub fn assertion_claim<I: IntoIterator<Item: Into<String>>>(
        mut self,
        claim: impl Into<String>,
        values: I,
    ) -> Self {
        let values = values.into_iter().map(Into::into);
        self.required
            .push(ClaimRule::new(OPTION, [claim.into()], values));
        self
    }

    /// Accepts identity assertions (ID-JAG: `draft-ietf-oauth-identity-assertion-authz-grant`, MCP's
    /// *enterprise-managed authorization*) for its people. Default: none are accepted.
    ///
    /// The client presents the assertion at the token endpoint, with the grant type
    /// `urn:ietf:params:oauth:grant-type:jwt-bearer`, and authenticates. The assertion names the client, and so
    /// does this issuer decide which clients its people may use. The people are asked for as at a login: allow
    /// lists, and [`on_login`](crate::OAuthProxyConfigBuilder::on_login) with
    /// [`Occasion::Assertion`](crate::Occasion::Assertion).
    pub fn assertions(mut self) -> Self {
        self.assertions.get_or_insert_default();
        self
    }

    /// The same, but of these clients alone, by their `client_id`.
    pub fn assertions_for<I: IntoIterator<Item: Into<String>>>(mut self, clients: I) -> Self {
        let assertions = self.assertions.get_or_insert_default();
        let named = assertions.clients.get_or_insert_default();
        named.extend(clients.into_iter().map(Into::into));
        self
    }

    /// Accepts assertions of clients that do not authenticate too. Default: they are refused.
    ///
    /// Weaker: who gets hold of an assertion before its client uses it can use it instead. The draft, section
    /// *Client Authentication*: "This specification SHOULD only be supported for confidential clients."
    pub fn assertions_of_public_clients(mut self) -> Self {
        self.assertions.get_or_insert_default().public_clients = true;
        self
    }

    /// Whether tokens are made from what it signs.
    pub(crate) fn grants(&self) -> bool {
        self.assertions.is_some() || !self.workloads.is_empty()
    }

    /// Why what it signed with these claims is not accepted, for the operator; `None` when it is.
    ///
    /// OpenID Connect Enterprise Extensions has `tenant` for an issuer with several: their people are told apart by
    /// both claims.
    pub(crate) fn refusal(&self, claims: &Map<String, Value>) -> Option<Told> {
        let is_about_tenant = |rule: &ClaimRule| rule.claims().iter().any(|name| name == TENANT);
        if claims.get(TENANT).is_some_and(|tenant| !tenant.is_null())
            && !self.required.iter().any(is_about_tenant)
        {
            let why = format!(
                "it has a `{TENANT}`, and no `assertion_claim` of the issuer says which one is meant"
            );
            return Some(why.into());
        }
        let refusal = |rule: &ClaimRule| rule.refusal(&[claims]);
        let why = self.required.iter().find_map(refusal)?;
        Some(why.after("`assertion_claim`: it ", "`assertion_claim`: it "))
    }

    /// Refuses what cannot work by itself.
    fn check(&self, base: &BaseUrl) -> Result<(), ConfigError> {
        let refuse = |why: String| {
            let id = printable(&self.id, MAX_PROVIDER_ID);
            Err(ConfigError::new(OPTION, format!("`{id}` {why}")))
        };
        if !is_id(&self.id) {
            let rule = "is no id: give it 1 to 32 characters of a-z, 0-9 and -";
            return refuse(rule.to_owned());
        }
        if RESERVED.contains(&self.id.as_str()) {
            return refuse("is reserved: give it another id".to_owned());
        }
        let urls = [
            ("issuer", Some(&self.issuer)),
            ("jwks_url", self.jwks_url.as_ref()),
        ];
        for (what, url) in urls {
            if let Some(url) = url
                && let Err(why) = check_url(url)
            {
                return refuse(format!("has the {what} {}, which {why}", shown_url(url)));
            }
        }
        // RFC 8414 section 2: "a URL that uses the "https" scheme and has no query or fragment components".
        if self.issuer.contains('?') {
            let issuer = shown_url(&self.issuer);
            return refuse(format!(
                "has the issuer {issuer} with a query, which no issuer has"
            ));
        }
        // The draft, section "Cross-Domain Use": "the Identity Provider MUST NOT issue access tokens in response
        // to an ID-JAG it issued itself."
        if self.issuer.strip_suffix('/').unwrap_or(&self.issuer) == base.as_str() {
            return refuse("has this service's own base URL as its issuer".to_owned());
        }
        let clients = self.assertions.as_ref().and_then(|it| it.clients.as_ref());
        let entries = self.audiences.iter().chain(clients.into_iter().flatten());
        if entries.clone().any(|entry| entry.trim().is_empty())
            || clients.is_some_and(Vec::is_empty)
        {
            let why = "has an empty entry or list (is an environment variable unset?)";
            return refuse(why.to_owned());
        }
        if self.audiences.is_empty() && !self.grants() {
            let why = "is trusted with nothing: call assertions, workload or access_tokens";
            return refuse(why.to_owned());
        }
        if let Some(Err(error)) = self
            .required
            .iter()
            .map(ClaimRule::check)
            .find(Result::is_err)
        {
            return refuse(format!(
                "has an assertion_claim that cannot be met: {error}"
            ));
        }
        if self.unlisted_tokens && self.audiences.is_empty() {
            let why = "has no access tokens: leave out access_tokens_without_allow_lists";
            return refuse(why.to_owned());
        }
        if !self.required.is_empty() && !self.grants() {
            return refuse("has no assertions: leave out assertion_claim".to_owned());
        }
        if self.people_of.is_some() && self.audiences.is_empty() && self.assertions.is_none() {
            return refuse("has no people: leave out people_of".to_owned());
        }
        Ok(())
    }
}

/// What is wrong with the trusted issuers, alone and together. `providers`: the ids of the providers of people;
/// `scopes`: all that can be granted here.
pub(super) fn check_trusted_issuers(
    issuers: &[TrustedIssuer],
    providers: &[&str],
    base: &BaseUrl,
    scopes: &ScopeSet,
) -> Result<(), ConfigError> {
    if issuers.len() > MAX_TRUSTED_ISSUERS {
        let count = issuers.len();
        let why = format!("{count} issuers are more than {MAX_TRUSTED_ISSUERS}");
        return Err(ConfigError::new(OPTION, why));
    }
    for (before, issuer) in issuers.iter().enumerate() {
        issuer.check(base)?;
        let refuse = |why: String| {
            let id = &issuer.id;
            Err(ConfigError::new(OPTION, format!("`{id}` {why}")))
        };
        if providers.contains(&issuer.id.as_str()) {
            return refuse(
                "is a provider's id: people of both could have one name; give it another id, and say \
                 people_of where they are the same people"
                    .to_owned(),
            );
        }
        for other in issuers.iter().take(before) {
            if other.id == issuer.id {
                return refuse("is the id of two issuers: give one another id".to_owned());
            }
            if other.issuer == issuer.issuer {
                let (url, other) = (shown_url(&issuer.issuer), &other.id);
                return refuse(format!("and `{other}` are both {url}: put them together"));
            }
        }
        if let Some(people) = &issuer.people_of
            && !providers.contains(&people.as_str())
        {
            let people = printable(people, MAX_PROVIDER_ID);
            return refuse(format!(
                "has people_of `{people}`, which is no provider's id"
            ));
        }
        for workload in &issuer.workloads {
            if let Err(why) = workload.check() {
                return refuse(why);
            }
            let named = scope_set(OPTION, &workload.scopes)?;
            if let Some(unknown) = named.iter().find(|scope| !scopes.contains(scope)) {
                return refuse(format!(
                    "has a workload with the scope `{unknown}`, which is not one of `scopes`"
                ));
            }
        }
    }
    Ok(())
}

/// Where this proxy issues no tokens of its own, none can be made of assertions.
pub(super) fn check_grants_nothing(issuers: &[TrustedIssuer]) -> Result<(), ConfigError> {
    match issuers.iter().find(|issuer| issuer.grants()) {
        None => Ok(()),
        Some(issuer) => Err(ConfigError::new(
            OPTION,
            format!(
                "`{}` is trusted with assertions or workloads, and passthrough issues no tokens of this proxy: \
                 leave out one of the two",
                issuer.id
            ),
        )),
    }
}

impl fmt::Debug for TrustedIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedIssuer")
            .field("id", &self.id)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
