//! An assertion that is brought as a grant: whose it is, and whether its issuer signed it.

use std::fmt::Display;

use serde_json::{Map, Value};

use crate::{
    assertion::JwtGrant,
    config::Trusted,
    endpoint::refusal::Refusal,
    event::{Reason, Told, Who},
    jose::unverified_claims,
    login::admission::AdmissionError,
    oauth::describable,
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

/// A refusal that names no issuer: none of ours.
fn unknown(reason: Reason, why: impl Display) -> Refusal {
    Refusal::grant(reason).detail(format_args!("the assertion is refused: {why}"))
}

impl<'a> PresentedGrant<'a> {
    /// RFC 7523 section 3, item 9: "The authorization server MUST reject JWTs with an invalid signature or MAC."
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

    /// The same in an event's fields.
    pub(super) fn about(&self) -> Who {
        let email = self.claims.get("email").and_then(Value::as_str);
        let who = Who::default().person(Some(&self.said.subject), email);
        let who = who.provider(&self.trusted.about.id);
        match &self.said.client_id {
            Some(client) => who.client(client, None),
            None => who,
        }
    }

    /// `invalid_grant`, with all of it for the operator.
    pub(super) fn refuse(&self, reason: Reason, why: impl Into<Told>) -> Refusal {
        let (who, id) = (self.who(), &self.trusted.about.id);
        let told = why.into().after(
            &format!("the assertion about {who} is refused: "),
            &format!("an assertion of issuer `{id}` is refused: "),
        );
        Refusal::grant(reason).told(told).about(self.about())
    }

    /// Another refusal, with what the assertion does for the operator.
    pub(super) fn explained(&self, refusal: Refusal, does: &str) -> Refusal {
        let id = &self.trusted.about.id;
        let told = Told::of_person(
            format!("the assertion about {} {does}", self.who()),
            format!("an assertion of issuer `{id}` {does}"),
        );
        refusal.told(told).about(self.about())
    }
}

/// What a workload is called as a client, where it names no other: it can be denied by that name.
pub(super) async fn own_name(
    proxy: &Proxy,
    presented: &PresentedGrant<'_>,
) -> Result<String, Refusal> {
    let (id, subject) = (&presented.trusted.about.id, &presented.said.subject);
    let name = proxy.vouched.name(id, subject);
    let name =
        name.map_err(|error: AdmissionError| presented.refuse(Reason::IdToken, error.to_string()))?;
    match proxy.clients.is_denied(&name).await? {
        true => Err(presented.refuse(Reason::DeniedClient, "the operator denied it as a client")),
        false => Ok(name.into_owned()),
    }
}
