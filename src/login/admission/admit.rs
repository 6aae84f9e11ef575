//! From the provider's answer to a grant: who is it, may they come in, what was granted. Every grant
//! of the proxy is made here, whatever brought the provider's answer.

use std::{borrow::Cow, sync::Arc, time::Duration};

use bytes::Bytes;

use super::{
    known,
    operator::{Demands, NotAdmitted},
};
use crate::{
    config::{LoginRequest, Occasion, Options},
    error::StorageError,
    event::{Events, Who},
    grant::{
        Ending, Grant, GrantId, Grants, Phase, UpstreamGrant, is_named_by_provider, scopes, unnamed,
    },
    oauth::{Resource, ScopeSet},
    provider::{Identity, IdentityError, ProviderClient, TokenAnswer},
    time::Unix,
    token::Audiences,
};

/// One provider's word about a person, and the operator's.
pub(crate) struct Admission {
    pub(crate) provider: Arc<ProviderClient>,
    pub(super) options: Arc<Options>,
    pub(super) audiences: Audiences,
    pub(super) demands: Demands,
    pub(super) events: Arc<Events>,
    pub(super) grants: Arc<Grants>,
    pub(super) ending: Ending,
    /// Whether grants live on after their code: then they are listed, and counted for each person.
    pub(super) keeps_grants: bool,
}

/// What a client asks for, and the grant that it gets.
pub(crate) struct Application<'a> {
    pub(crate) client_id: &'a str,
    /// What the login saw of a client that can say something else by now.
    pub(crate) seen_client: Option<Bytes>,
    pub(crate) scopes: &'a ScopeSet,
    pub(crate) resource: &'a Resource,
    /// What the ID token has to repeat, when one was asked for.
    pub(crate) nonce: Option<&'a str>,
    /// The new grant's name.
    pub(crate) id: GrantId,
    /// Where its life begins, asked for when it does: until then userinfo and the hook take their
    /// time. And how long it lasts from there.
    pub(crate) phase: &'a (dyn Fn() -> Phase + Sync),
    pub(crate) ttl: Duration,
    /// Whether older grants of the person make room for it now: one that waits for the person's word does
    /// not cost them another yet.
    pub(crate) makes_room: bool,
}

/// Why nothing was granted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdmissionError {
    /// The provider's answer does not say who it is.
    #[error(transparent)]
    Identity(IdentityError),
    /// The operator does not let the person in, or could not be asked.
    #[error(transparent)]
    Operator(NotAdmitted),
    /// Their name at this provider could be a person's of another, or a machine's.
    #[error("the person cannot be told from a person of another provider, or from a machine")]
    Ambiguous,
    #[error("the identity provider granted none of the requested scopes")]
    NoScope,
    #[error(transparent)]
    Store(StorageError),
}

/// Who came in, and for events the grant that they have now.
pub(crate) struct Admitted {
    pub(crate) person: Identity,
    pub(crate) who: Who,
}

/// Why nothing was granted, and to whom, as far as that is known.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(crate) struct NotGranted {
    pub(crate) error: AdmissionError,
    pub(crate) who: Who,
}

impl Admission {
    pub(crate) fn new(
        provider: Arc<ProviderClient>,
        options: Arc<Options>,
        events: Arc<Events>,
        grants: Arc<Grants>,
        ending: Ending,
        keeps_grants: bool,
    ) -> Self {
        Self {
            demands: Demands::new(&options, Some(provider.about())),
            audiences: known::audiences(provider.about(), provider.terms(), &options),
            provider,
            options,
            events,
            grants,
            ending,
            keeps_grants,
        }
    }

    /// Makes the grant, when the provider's answer names a person whom the operator lets in, and says who it is.
    ///
    /// # Errors
    ///
    /// [`NotGranted`]. Nothing was written then, or, where the store did not answer, a grant that
    /// no client holds anything of.
    pub(crate) async fn admit(
        &self,
        asked: Application<'_>,
        answer: &TokenAnswer,
        now: Unix,
    ) -> Result<Admitted, Box<NotGranted>> {
        let mut who = Who::default();
        match self.admitted(asked, answer, now, &mut who).await {
            Ok(person) => Ok(Admitted { person, who }),
            Err(error) => Err(Box::new(NotGranted { error, who })),
        }
    }

    /// The same. `who` learns what becomes known of the person and the grant.
    async fn admitted(
        &self,
        asked: Application<'_>,
        answer: &TokenAnswer,
        now: Unix,
        who: &mut Who,
    ) -> Result<Identity, AdmissionError> {
        let person = self.provider.identity(answer, asked.nonce, now).await;
        let person = person.map_err(AdmissionError::Identity)?;
        let (subject, email) = (person.subject.as_deref(), person.email.as_deref());
        *who = Who::default().person(subject, email);
        let provider = &self.provider.about().id;
        let named = match &person.subject {
            // A name of ours is for those whom the provider does not name.
            Some(subject) if !is_named_by_provider(subject) => None,
            Some(subject) => self.grants.name(provider, subject).map(Cow::into_owned),
            None => Some(unnamed(asked.id)),
        };
        let named = named.ok_or(AdmissionError::Ambiguous)?;
        *who = Who::default().person(Some(&named), email);
        let request = LoginRequest {
            person: person.clone(),
            subject: named.clone(),
            provider: provider.clone(),
            client_id: asked.client_id.to_owned(),
            scopes: asked.scopes.clone(),
            resource: asked.resource.as_str().to_owned(),
            occasion: Occasion::Login,
        };
        let subject = person.subject.as_deref();
        let more = self.audiences.claims_for_us(answer.access_token(), subject);
        let answered = self.demands.ask(request, more.as_ref()).await;
        answered.map_err(AdmissionError::Operator)?;
        let (id, ttl) = (asked.id, asked.ttl);
        let grant = self.grant(&asked, answer, &person, now)?;
        let said = std::mem::take(who);
        *who = said
            .grant(id)
            .access(grant.resource.as_str(), &grant.scopes);
        let created = self.grants.create(&id, &grant, ttl).await;
        created.map_err(AdmissionError::Store)?;
        // Listed once it exists, and before its client holds anything; that may fail.
        if self.keeps_grants {
            let limit = self.options.grants_per_person;
            self.grants.list(&id, &named, &grant.client_id, ttl).await;
            if asked.makes_room {
                self.ending.end_surplus(id, &named, limit).await;
            }
        }
        Ok(person)
    }

    fn grant(
        &self,
        asked: &Application<'_>,
        answer: &TokenAnswer,
        person: &Identity,
        now: Unix,
    ) -> Result<Grant, AdmissionError> {
        let scopes = scopes::granted(
            asked.scopes,
            answer.scope.as_ref(),
            &self.options.scope_implications,
        );
        if scopes.is_empty() && !asked.scopes.is_empty() {
            return Err(AdmissionError::NoScope);
        }
        let known = known::known(
            &self.options,
            &self.audiences,
            &person.claims,
            person.subject.as_deref(),
            answer.access_token(),
        );
        Ok(Grant {
            provider: self.provider.about().id.clone(),
            client_id: asked.client_id.to_owned(),
            subject: match &person.subject {
                Some(subject) => subject.clone(),
                None => unnamed(asked.id),
            },
            scopes,
            resource: asked.resource.clone(),
            claims: known.claims,
            roles: known.roles,
            upstream: UpstreamGrant::new(answer, now),
            phase: (asked.phase)(),
            created_at: now,
            proven_at: now,
            listed_until: Unix::EPOCH,
            step: 0,
            seen_client: asked.seen_client.clone(),
        })
    }
}
