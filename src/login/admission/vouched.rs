//! People and workloads whom a trusted issuer vouches for: may they come in, and what is their grant?

use std::{borrow::Cow, sync::Arc};

use serde_json::{Map, Value};

use super::{admit::AdmissionError, operator::Demands};
use crate::{
    config::{LoginRequest, Occasion, Options, TrustedIssuer, TrustedIssuers, Workload},
    error::StorageError,
    grant::{
        About, Ending, Grant, GrantId, Grants, Phase, UpstreamGrant, is_named_by_provider, lifetime,
    },
    limits::MAX_CLOCK_AHEAD,
    oauth::{Resource, ScopeSet},
    provider::{Identity, Providers},
    time::Unix,
    token::{CarriedClaims, roles},
};

/// The admission of those who come by way of an assertion.
pub(crate) struct VouchedAdmission {
    options: Arc<Options>,
    grants: Arc<Grants>,
    ending: Ending,
    /// What is demanded of the people of each issuer, by its id.
    demands: Vec<(String, Demands)>,
}

/// What a client asks for, and in whose name.
pub(crate) struct Vouched<'a> {
    pub(crate) issuer: &'a TrustedIssuer,
    /// As the issuer calls them.
    pub(crate) subject: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) scopes: ScopeSet,
    pub(crate) resource: Resource,
    pub(crate) now: Unix,
    /// When the token ends, and the grant with it.
    pub(crate) until: Unix,
}

impl VouchedAdmission {
    pub(crate) fn new(
        issuers: &TrustedIssuers,
        providers: &Providers,
        options: &Arc<Options>,
        grants: &Arc<Grants>,
        ending: &Ending,
    ) -> Self {
        let demands = issuers.iter().map(|trusted| {
            let people = trusted.about.people_of.as_deref();
            let provider = people.and_then(|id| providers.of(id));
            let demands = Demands::new(options, provider.map(|provider| provider.about()));
            (trusted.about.id.clone(), demands)
        });
        Self {
            options: Arc::clone(options),
            grants: Arc::clone(grants),
            ending: ending.clone(),
            demands: demands.collect(),
        }
    }

    /// The grant of a person, when the operator lets them in: the lists and the hook are asked as at a login,
    /// with the assertion's claims.
    pub(crate) async fn person(
        &self,
        asked: Vouched<'_>,
        claims: Map<String, Value>,
    ) -> Result<Grant, AdmissionError> {
        let issuer = asked.issuer;
        let provider = issuer.people_of.as_ref().unwrap_or(&issuer.id);
        let named = self.name(provider, asked.subject)?.into_owned();
        let person = Identity::from_claims(claims);
        let request = LoginRequest {
            person: person.clone(),
            subject: named,
            provider: provider.clone(),
            client_id: asked.client_id.to_owned(),
            scopes: asked.scopes.clone(),
            resource: asked.resource.as_str().to_owned(),
            occasion: Occasion::Assertion,
        };
        let mut demands = self.demands.iter();
        let demands = demands.find(|(id, _)| *id == issuer.id);
        // Each issuer has its own.
        let (_, demands) = demands.ok_or(AdmissionError::Ambiguous)?;
        let answered = demands.ask(request, None).await;
        answered.map_err(AdmissionError::Operator)?;
        let options = &self.options;
        let claims = options
            .custom_claims_passthrough
            .collect(None, Some(&person.claims));
        let roles = roles(&options.role_claims, [&person.claims]);
        let provider = provider.clone();
        Ok(grant(asked, About::Person, provider, claims.into(), roles))
    }

    /// The grant of a workload. There is no person whom the lists or the hook could be asked about: the operator
    /// named it.
    pub(crate) fn workload(
        &self,
        asked: Vouched<'_>,
        workload: &Workload,
    ) -> Result<Grant, AdmissionError> {
        let id = asked.issuer.id.clone();
        self.name(&id, asked.subject)?;
        let (claims, roles) = (CarriedClaims::default(), workload.roles.clone());
        Ok(grant(asked, About::Workload, id, claims, roles))
    }

    /// How a person or a workload is named here.
    pub(crate) fn name<'a>(
        &self,
        provider: &str,
        subject: &'a str,
    ) -> Result<Cow<'a, str>, AdmissionError> {
        let name = Some(subject).filter(|subject| is_named_by_provider(subject));
        let name = name.and_then(|subject| self.grants.name(provider, subject));
        name.ok_or(AdmissionError::Ambiguous)
    }

    /// Writes the grant, and lists it. A person has no more grants than `grants_per_person`; of a workload there
    /// may be any number at once.
    pub(crate) async fn keep(&self, id: GrantId, grant: &Grant) -> Result<(), StorageError> {
        let now = grant.created_at;
        let end = grant.upstream.expires_at.unwrap_or(now);
        // An instance whose clock is behind takes the token for longer.
        let ttl = lifetime::ttl_until(end + MAX_CLOCK_AHEAD, now);
        self.grants.create(&id, grant, ttl).await?;
        let named = self.grants.subject_of(grant);
        self.grants.list(&id, &named, &grant.client_id, ttl).await;
        if grant.about() == Some(About::Person) {
            let limit = self.options.grants_per_person;
            self.ending.end_surplus(id, &named, limit).await;
        }
        Ok(())
    }
}

fn grant(
    asked: Vouched<'_>,
    about: About,
    provider: String,
    claims: CarriedClaims,
    roles: Vec<String>,
) -> Grant {
    Grant {
        provider,
        client_id: asked.client_id.to_owned(),
        subject: asked.subject.to_owned(),
        scopes: asked.scopes,
        resource: asked.resource,
        roles,
        claims,
        phase: Phase::Asserted {
            issuer: asked.issuer.id.clone(),
            about,
        },
        created_at: asked.now,
        proven_at: asked.now,
        listed_until: Unix::EPOCH,
        step: 0,
        seen_client: None,
        upstream: UpstreamGrant::none(asked.until),
    }
}
