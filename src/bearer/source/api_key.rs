//! API keys of the configuration: judged here, without a question.

use std::sync::Arc;

use crate::{
    api_key::{Found, HeldKey},
    bearer::{
        objection::Objection,
        verdict::{Presented, Verdict},
    },
    event::Who,
    resource_server::ResourceServer,
    session::{AuthSession, Inner, TokenSource, UpstreamTokens, Validated},
    time::Unix,
    token::CarriedClaims,
};

pub(super) fn judge(server: &Arc<ResourceServer>, presented: &Presented<'_>) -> Verdict {
    let refused = |objection: Objection, why: &str| Verdict::Refused(objection.detail(why));
    match server.sources.keys.look_up(presented.token) {
        Found::Other => Verdict::NotMine,
        Found::Mistyped => refused(
            Objection::invalid(),
            "it begins like an API key, and its checksum does not fit: it is mistyped or cut off",
        ),
        Found::Unknown => refused(
            Objection::invalid(),
            "it is an API key, and none of the configuration: it was removed, or is of another server",
        ),
        Found::Key(key) if key.is_over(presented.now) => {
            let why = format!("the API key `{}` has expired", key.name);
            let (subject, who) = (key.subject(), Who::default());
            let who = who.client(&subject, None).person(Some(&subject), None);
            refused(Objection::expired().about(who), &why)
        }
        Found::Key(key) => Verdict::Session(session(server, key, presented.now)),
    }
}

fn session(server: &ResourceServer, key: &HeldKey, now: Unix) -> Validated {
    let expires_at = key.expires_at.unwrap_or(Unix::NEVER);
    let subject = key.subject();
    let options = &server.options;
    let scopes = options.scope_implications.hold(key.scopes.clone());
    Validated {
        is_sufficient: scopes.cover(&options.required_scopes),
        fresh_until: expires_at.min(server.sessions.end_of_life(now)),
        mark: None,
        session: AuthSession::new(Inner {
            source: TokenSource::ApiKey,
            client_id: subject.clone(),
            subject,
            provider_subject: None,
            provider: None,
            scopes,
            claims: CarriedClaims::default(),
            roles: key.roles.clone(),
            resource: key.resource.clone(),
            expires_at,
            grant_id: None,
            renewal: None,
            upstream: UpstreamTokens::none(),
            challenges: Some(server.challenges.clone()),
        }),
    }
}
