//! Proof of life: is a grant's person still who they were, and may they still come in?

use serde_json::{Map, Value};

use super::{
    admit::Admission,
    known,
    operator::NotAdmitted,
    renewed::{RenewalFault, RenewedIdToken, judge_id_token},
};
use crate::{
    config::{LoginRequest, Occasion},
    event::{Event, Reason, Step},
    grant::{Grant, GrantId, Look, Proven, is_named_by_provider},
    jose::unverified_claims,
    provider::TokenAnswer,
    provider::{IdTokenError, Identity, IdentityError, UpstreamError},
    time::Unix,
};

impl Admission {
    /// See [`ProofOfLife::read`](crate::grant::ProofOfLife::read).
    pub(super) fn read(
        &self,
        id: GrantId,
        grant: &Grant,
        renewed: &TokenAnswer,
        now: Unix,
    ) -> Option<Look> {
        let (said, fault) = match self.id_token_here(grant, renewed, now)? {
            RenewedIdToken::AnotherPerson => return Some(another_person("the renewed ID token")),
            RenewedIdToken::Same(claims) => (Some(claims), None),
            RenewedIdToken::Absent => (None, None),
            RenewedIdToken::Refused(fault) => (None, Some(fault)),
        };
        let more = self.in_access_token(grant, Some(renewed));
        if self.options.on_login.is_some() || self.needs_userinfo(said.as_ref(), more.as_ref()) {
            return None;
        }
        if let Some(fault) = fault {
            self.not_used(id, &fault);
        }
        let known = said
            .clone()
            .or_else(|| self.said_before_beside(grant, more.as_ref()));
        let person = person_of(grant, known);
        if let Err(no) = self.demands.ask_lists(&person, more.as_ref()) {
            return Some(no.into());
        }
        Some(Look::Proven(self.proven(grant, Some(renewed), said, None)))
    }

    /// See [`ProofOfLife::can_ask`](crate::grant::ProofOfLife::can_ask).
    pub(super) fn can_ask(&self) -> bool {
        self.can_ask_provider() || self.demands.are_made()
    }

    /// See [`ProofOfLife::can_ask_provider`](crate::grant::ProofOfLife::can_ask_provider).
    pub(super) fn can_ask_provider(&self) -> bool {
        self.provider.may_have_userinfo()
    }

    /// See [`ProofOfLife::ask`](crate::grant::ProofOfLife::ask). The provider first: the operator judges what is true now.
    pub(super) async fn look(
        &self,
        id: GrantId,
        grant: &Grant,
        renewed: Option<&TokenAnswer>,
        now: Unix,
    ) -> Look {
        let said = match self.id_token_of(grant, renewed, now).await {
            Ok(RenewedIdToken::AnotherPerson) => return another_person("the renewed ID token"),
            Ok(RenewedIdToken::Same(claims)) => Some(claims),
            Ok(RenewedIdToken::Absent) => None,
            Ok(RenewedIdToken::Refused(fault)) => {
                self.not_used(id, &fault);
                None
            }
            Err(error) => return trouble(&error),
        };
        let more = self.in_access_token(grant, renewed);
        let asked = match self.needs_userinfo(said.as_ref(), more.as_ref()) {
            false => None,
            true => match self.ask_provider(grant, renewed, said.as_ref()).await {
                Ok(person) => person,
                Err(look) => return look,
            },
        };
        // A token from before is no newer word than userinfo's.
        let more = match (&asked, renewed) {
            (Some(person), None) => more.map(|more| beside(more, &person.claims)),
            _ => more,
        };
        // Silence of what is older than a renewal would be: that may still say it.
        if let (Some(person), None) = (&asked, renewed)
            && grant.upstream.can_renew()
        {
            let sources: Vec<_> = [&person.claims].into_iter().chain(&more).collect();
            if !self.demands.are_spoken_of(&sources) {
                return Look::TokenRefused;
            }
        }
        let newer = renewed.and(more.as_ref());
        let known = said
            .clone()
            .or_else(|| self.said_before_beside(grant, newer));
        let person = match &asked {
            Some(person) => person.clone(),
            None => person_of(grant, known),
        };
        let request = LoginRequest {
            person,
            subject: self.grants.subject_of(grant).into_owned(),
            provider: self.provider.about().id.clone(),
            client_id: grant.client_id.clone(),
            scopes: grant.scopes.clone(),
            resource: grant.resource.as_str().to_owned(),
            occasion: Occasion::Recheck,
        };
        match self.demands.ask(request, more.as_ref()).await {
            Ok(()) => Look::Proven(self.proven(grant, renewed, said, asked)),
            Err(no) => no.into(),
        }
    }

    /// Userinfo or the provider's own API, with the newest access token there is.
    async fn ask_provider(
        &self,
        grant: &Grant,
        renewed: Option<&TokenAnswer>,
        said: Option<&Map<String, Value>>,
    ) -> Result<Option<Identity>, Look> {
        let access_token = newest_access_token(grant, renewed);
        let before = self.said_before(grant);
        let before = before.map(|before| self.demands.beside_rules(before));
        let asked = self.provider.identity_again(access_token, said, before);
        let person = match asked.await {
            Ok(Some(person)) => person,
            // Known only now, of a provider that names its URLs itself: no one vouched for the person.
            Ok(None) if renewed.is_none() => {
                return Err(Look::Later {
                    reason: Reason::ProviderUnavailable,
                    detail:
                        "the provider's document names no userinfo: its token is renewed instead"
                            .into(),
                });
            }
            Ok(None) => return Ok(None),
            Err(IdentityError::SubjectMismatch) => return Err(another_person("userinfo")),
            Err(IdentityError::Upstream(error)) => {
                // A token that was only just issued is not refused for the person's sake: then userinfo
                // is in trouble.
                let is_refused =
                    renewed.is_none() && matches!(error, UpstreamError::TokenRefused { .. });
                return Err(match is_refused {
                    true => Look::TokenRefused,
                    false => trouble(&error),
                });
            }
            Err(error @ IdentityError::IdToken(_)) => {
                return Err(Look::Later {
                    reason: Reason::IdToken,
                    detail: error.to_string().into(),
                });
            }
        };
        let is_same = person.subject.as_deref() == Some(&*grant.subject);
        if is_named_by_provider(&grant.subject) && !is_same {
            return Err(another_person("userinfo"));
        }
        Ok(Some(person))
    }

    /// Whether userinfo has to be asked: as at login where no ID token speaks, or the operator wants
    /// both, and where the lists are about an address or a claim that a renewal's ID token leaves out. No rule
    /// says that it repeats the login's, so that alone puts no one out.
    fn needs_userinfo(
        &self,
        said: Option<&Map<String, Value>>,
        more: Option<&Map<String, Value>>,
    ) -> bool {
        let is_enough = said.is_some_and(|said| {
            let sources: Vec<_> = [said].into_iter().chain(more).collect();
            !self.provider.about().always_userinfo && self.demands.are_spoken_of(&sources)
        });
        self.can_ask_provider() && !is_enough
    }

    /// The claims of the newest access token, where it is for us and about this person.
    fn in_access_token(
        &self,
        grant: &Grant,
        renewed: Option<&TokenAnswer>,
    ) -> Option<Map<String, Value>> {
        let subject = is_named_by_provider(&grant.subject).then_some(&*grant.subject);
        let access_token = newest_access_token(grant, renewed);
        self.audiences.claims_for_us(access_token, subject)
    }

    /// The renewal's ID token, verified by keys that may have to be fetched first. Without them nothing is
    /// known of it.
    async fn id_token_of(
        &self,
        grant: &Grant,
        renewed: Option<&TokenAnswer>,
        now: Unix,
    ) -> Result<RenewedIdToken, UpstreamError> {
        let Some(token) = renewed.and_then(TokenAnswer::id_token) else {
            return Ok(RenewedIdToken::Absent);
        };
        // "it SHOULD NOT have a `nonce` Claim" (section 12.2): compared with the login's instead.
        let checked = self.provider.id_token(token, None, now).await?;
        Ok(judged(grant, checked))
    }

    /// The same with the keys that are here; `None` where they are not.
    fn id_token_here(
        &self,
        grant: &Grant,
        renewed: &TokenAnswer,
        now: Unix,
    ) -> Option<RenewedIdToken> {
        let Some(token) = renewed.id_token() else {
            return Some(RenewedIdToken::Absent);
        };
        let checked = self.provider.id_token_here(token, None, now)?;
        Some(judged(grant, checked))
    }

    fn not_used(&self, id: GrantId, fault: &RenewalFault) {
        let event = Event::refused(Step::UpstreamRefresh, Reason::IdToken);
        let detail = format!("the renewed ID token is not used: {fault}");
        self.events
            .emit(&event.grant(id.to_string()).detail(detail));
    }

    /// What sessions show from now on. `said` is a checked ID token's, `asked` who userinfo names.
    fn proven(
        &self,
        grant: &Grant,
        renewed: Option<&TokenAnswer>,
        said: Option<Map<String, Value>>,
        asked: Option<Identity>,
    ) -> Proven {
        let id_token = match said {
            Some(_) => renewed.and_then(TokenAnswer::id_token).map(str::to_owned),
            None => None,
        };
        let access_token = newest_access_token(grant, renewed);
        let is_new = renewed.is_some() || asked.is_some();
        let claims = asked
            .map(|person| person.claims)
            .or(said)
            .or_else(|| self.said_before(grant));
        let subject = is_named_by_provider(&grant.subject).then_some(&*grant.subject);
        // Where nothing new is said of the person, what was known stands.
        let speaks = claims.is_some() || self.in_access_token(grant, renewed).is_some();
        let known = (is_new && speaks).then(|| {
            let claims = claims.unwrap_or_default();
            known::known(
                &self.options,
                &self.audiences,
                &claims,
                subject,
                access_token,
            )
        });
        Proven { known, id_token }
    }

    /// The claims of the ID token that the grant holds: it was checked when it came.
    /// The same without what a newer access token says of the lists' claims: who has left a group must not stay
    /// in it by the word of the login.
    fn said_before_beside(
        &self,
        grant: &Grant,
        newer: Option<&Map<String, Value>>,
    ) -> Option<Map<String, Value>> {
        let mut before = self.said_before(grant)?;
        if let Some(newer) = newer {
            let kept = self.demands.beside_rules(before.clone());
            before.retain(|name, _| kept.contains_key(name) || !newer.contains_key(name));
        }
        Some(before)
    }

    fn said_before(&self, grant: &Grant) -> Option<Map<String, Value>> {
        let id_token = grant.upstream.id_token.as_deref();
        let claims = id_token.and_then(unverified_claims)?;
        Some(self.provider.about().dialect.standard_claims(claims))
    }
}

/// What the older claims say and the newer ones do not.
fn beside(mut older: Map<String, Value>, newer: &Map<String, Value>) -> Map<String, Value> {
    older.retain(|name, _| !newer.contains_key(name));
    older
}

fn newest_access_token<'a>(grant: &'a Grant, renewed: Option<&'a TokenAnswer>) -> &'a str {
    match renewed {
        Some(renewed) => renewed.access_token(),
        None => &grant.upstream.access_token,
    }
}

fn judged(grant: &Grant, checked: Result<Map<String, Value>, IdTokenError>) -> RenewedIdToken {
    judge_id_token(checked, grant.upstream.id_token.as_deref(), &grant.subject)
}

/// The person, as far as an ID token knows them.
fn person_of(grant: &Grant, claims: Option<Map<String, Value>>) -> Identity {
    let mut person = Identity::from_claims(claims.unwrap_or_default());
    person.subject = is_named_by_provider(&grant.subject).then(|| grant.subject.clone());
    person
}

fn another_person(what: &str) -> Look {
    Look::No {
        reason: Reason::IdToken,
        detail: format!("{what} is about another person than the login was").into(),
    }
}

fn trouble(error: &UpstreamError) -> Look {
    Look::Later {
        reason: Reason::ProviderUnavailable,
        detail: error.told(),
    }
}

impl From<NotAdmitted> for Look {
    fn from(no: NotAdmitted) -> Self {
        match no {
            NotAdmitted::No { reason, detail, .. } => Self::No { reason, detail },
            NotAdmitted::Later { detail } => Self::Later {
                reason: Reason::HookDenied,
                detail,
            },
        }
    }
}
