//! What an assertion that is brought as a grant allows: to which client, for which scopes and resource.

use crate::{
    assertion::GrantKind,
    client::Client,
    config::{Assertions, Workload},
    endpoint::{refusal::Refusal, token::presented_grant::PresentedGrant},
    error::OAuthErrorCode,
    event::Reason,
    grant::scopes,
    oauth::{Params, Resource, ScopeSet, describable},
    proxy::Proxy,
};

/// What it allows of what was asked for.
pub(super) struct Allowed<'a> {
    pub(super) scopes: ScopeSet,
    pub(super) resource: Resource,
    /// The rule of a workload; `None` where it is about a person.
    pub(super) workload: Option<&'a Workload>,
}

impl<'a> PresentedGrant<'a> {
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
            let text = "none of the scopes is offered here and allowed by the assertion";
            self.explained(wrong(text.to_owned()), "allows none of the scopes")
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
            return Err(self.explained(refusal, "came from a client that does not authenticate"));
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
            let text = "name one resource of this service that the assertion is for";
            let refusal = Refusal::new(Reason::Resource, OAuthErrorCode::InvalidTarget, text);
            self.explained(refusal, "is for another resource")
        })
    }
}
