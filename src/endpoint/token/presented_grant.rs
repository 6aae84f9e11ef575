//! An assertion that is brought as a grant: whose it is, whether its issuer signed it, and what it allows.

use std::fmt::Display;

use serde_json::{Map, Value};

use crate::{
    assertion::{GrantKind, JwtGrant},
    client::Client,
    config::{Assertions, Trusted, Workload},
    endpoint::refusal::Refusal,
    error::OAuthErrorCode,
    event::Reason,
    grant::scopes,
    jose::unverified_claims,
    login::admission::AdmissionError,
    oauth::{Params, Resource, ScopeSet, describable},
    provider::KeysError,
    proxy::Proxy,
    route,
};

/// One that its issuer signed, and that is for us, now.
pub(super) struct PresentedGrant<'a> {
    pub(super) trusted: &'a Trusted,
    pub(super) said: JwtGrant,
    pub(super) claims: Map<String, Value>,
}

/// What it allows of what was asked for.
pub(super) struct Allowed<'a> {
    pub(super) scopes: ScopeSet,
    pub(super) resource: Resource,
    /// The rule of a workload; `None` where it is about a person.
    pub(super) workload: Option<&'a Workload>,
}

/// A refusal that names no issuer: none of ours.
fn unknown(reason: Reason, why: impl Display) -> Refusal {
    Refusal::grant(reason).detail(format_args!("the assertion is refused: {why}"))
}

impl<'a> PresentedGrant<'a> {
    /// RFC 7521 section 5.2: "The authorization server MUST validate the assertion's signature in order to verify
    /// the Issuer of the assertion."
    pub(super) async fn verified(proxy: &'a Proxy, assertion: &str) -> Result<Self, Refusal> {
        let claims = unverified_claims(assertion)
            .ok_or_else(|| unknown(Reason::InvalidToken, "it is not a signed JWT"))?;
        let iss = claims
            .get("iss")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let trusted = proxy.trusted_issuers.issuing(iss);
        let trusted = trusted.filter(|trusted| trusted.about.grants());
        let trusted = trusted.ok_or_else(|| {
            let iss = describable(iss);
            unknown(
                Reason::WrongAudience,
                format_args!(
                    "its issuer `{iss}` is no trusted_issuer with assertions or workloads"
                ),
            )
        })?;
        let id = &trusted.about.id;
        let refused =
            |reason, why: &dyn Display| unknown(reason, format_args!("of issuer `{id}`: {why}"));
        let jwt = trusted.keys.verify(assertion).await;
        let jwt = jwt.map_err(|error| match error {
            KeysError::Unreadable(error) => Refusal::unavailable(Reason::ProviderUnavailable)
                .detail(format_args!("the keys of trusted issuer `{id}`: {error}")),
            KeysError::Signature(error) => refused(Reason::InvalidToken, &error),
        })?;
        let base = &proxy.options.base;
        let said = JwtGrant::read(&jwt, base, &base.join(route::TOKEN), proxy.now());
        Ok(Self {
            trusted,
            said: said.map_err(|fault| refused(fault.reason(), &fault))?,
            claims: jwt.claims,
        })
    }

    /// Whom it is about, for the operator.
    pub(super) fn who(&self) -> String {
        let (subject, id) = (describable(&self.said.subject), &self.trusted.about.id);
        match &self.said.client_id {
            Some(client) => {
                let client = describable(client);
                format!("subject {subject} of issuer `{id}`, for client `{client}`")
            }
            None => format!("workload {subject} of issuer `{id}`"),
        }
    }

    /// `invalid_grant`, with all of it for the operator.
    pub(super) fn refuse(&self, reason: Reason, why: impl Display) -> Refusal {
        let who = self.who();
        Refusal::grant(reason).detail(format_args!("the assertion about {who} is refused: {why}"))
    }

    /// What of it the issuer and the operator allow to this client.
    pub(super) fn allowed(
        &self,
        proxy: &Proxy,
        client: Option<&Client>,
        params: &Params,
    ) -> Result<Allowed<'a>, Refusal> {
        let about = &self.trusted.about;
        if let Some(why) = about.refusal(&self.claims) {
            return Err(self.refuse(Reason::NotAllowed, why));
        }
        let (workload, named, offered) = match self.said.kind {
            GrantKind::Workload => {
                let mut rules = about.workloads.iter();
                let rule = rules.find(|rule| rule.is(&self.said.subject, &self.claims));
                let rule = rule.ok_or_else(|| {
                    self.refuse(
                        Reason::NotAllowed,
                        "no `workload` of the issuer is this one",
                    )
                })?;
                let named = ScopeSet::of_what_fits(rule.scopes.iter().map(String::as_str));
                (Some(rule), Some(named), &proxy.options.scopes)
            }
            GrantKind::Identity => {
                let Some(assertions) = &about.assertions else {
                    let why = "the issuer is not trusted with `assertions`";
                    return Err(self.refuse(Reason::NotAllowed, why));
                };
                self.check_client(client, assertions)?;
                let people = about.people_of.as_deref();
                let provider = people.and_then(|id| proxy.providers.of(id));
                let offered = provider.map(|provider| &provider.terms().scopes);
                let offered = offered.unwrap_or(&proxy.options.scopes);
                (None, self.said.scopes.clone(), offered)
            }
        };
        let default = client.and_then(|client| client.scope.as_ref());
        let wrong = |text: String| Refusal::new(Reason::Scope, OAuthErrorCode::InvalidScope, text);
        let asked = params.get("scope").map(ScopeSet::parse).transpose();
        let asked = asked.map_err(|error| wrong(error.to_string()))?;
        let scopes = scopes::asserted(asked.as_ref(), named.as_ref(), default, offered);
        let scopes = scopes.ok_or_else(|| {
            wrong("none of the scopes is offered here and allowed by the assertion".to_owned())
                .detail(format_args!(
                    "the assertion about {} allows none of them",
                    self.who()
                ))
        })?;
        let resource = self.resource(proxy, params)?;
        Ok(Allowed {
            scopes,
            resource,
            workload,
        })
    }

    /// The draft: "The client_id claim MUST identify the same client as the client authentication in the request."
    /// And: "This specification SHOULD only be supported for confidential clients."
    fn check_client(&self, client: Option<&Client>, rule: &Assertions) -> Result<(), Refusal> {
        let allows = |client: &&Client| rule.public_clients || !client.is_public();
        let Some(client) = client.filter(allows) else {
            let text = "an identity assertion is for a client that authenticates";
            let refusal = Refusal::new(
                Reason::ClientAuthentication,
                OAuthErrorCode::InvalidClient,
                text,
            );
            return Err(refusal.detail(format_args!("{text}: that about {}", self.who())));
        };
        if self.said.client_id.as_deref() != Some(&client.id) {
            let id = describable(&client.id);
            let why = format_args!("it came from client `{id}`").to_string();
            return Err(self.refuse(Reason::ForeignClient, why));
        }
        let is_named = |named: &Vec<String>| named.contains(&client.id);
        if !rule.clients.as_ref().is_none_or(is_named) {
            let why = "the client is none of `assertions_for`";
            return Err(self.refuse(Reason::NotAllowed, why));
        }
        Ok(())
    }

    /// The one resource that the token is for. MCP's profile, section 5.1: "the issued access token MUST be
    /// audience-restricted to the MCP Server identified by the resource claim in the ID-JAG".
    fn resource(&self, proxy: &Proxy, params: &Params) -> Result<Resource, Refusal> {
        let named = self.said.resources.as_slice();
        let resource = match (Resource::asked_for(params, &proxy.options.base), named) {
            (Ok(None), []) => Some(Resource::base(&proxy.options.base)),
            (Ok(None), [one]) => Some(one.clone()),
            (Ok(Some(asked)), named) => {
                let is_within = |named: &Resource| asked.is_within(named);
                (named.is_empty() || named.iter().any(is_within)).then_some(asked)
            }
            (Ok(None), _) | (Err(_), _) => None,
        };
        resource.ok_or_else(|| {
            Refusal::new(
                Reason::Resource,
                OAuthErrorCode::InvalidTarget,
                "name one resource of this service that the assertion is for",
            )
            .detail(format_args!(
                "the assertion about {} is for another resource",
                self.who()
            ))
        })
    }
}

/// What a workload is called as a client, where it names no other: it can be denied by that name.
pub(super) async fn own_name(
    proxy: &Proxy,
    presented: &PresentedGrant<'_>,
) -> Result<String, Refusal> {
    let (id, subject) = (&presented.trusted.about.id, &presented.said.subject);
    let name = proxy.vouched.name(id, subject);
    let name = name.map_err(|error: AdmissionError| presented.refuse(Reason::IdToken, error))?;
    match proxy.clients.is_denied(&name).await? {
        true => Err(presented.refuse(Reason::DeniedClient, "the operator denied it as a client")),
        false => Ok(name.into_owned()),
    }
}
