//! Tokens of machines. No grant stands behind one, so what is asked at first sight is the machine itself: whether
//! it is still configured, and what it may now; whether the operator denied it; whether it revoked the token.

use std::sync::Arc;

use crate::{
    bearer::{objection::Objection, verdict::Verdict},
    client::Machine,
    event::{Reason, Who},
    oauth::{Resource, ScopeSet, describable},
    proxy::Proxy,
    session::{AuthSession, Inner, LoginName, TokenSource, UpstreamTokens, Validated},
    time::Unix,
    token::{AccessClaims, CarriedClaims},
};

/// A token that this proxy signed, and that is good by the clock.
struct MachineToken {
    client_id: String,
    jti: Box<str>,
    scopes: ScopeSet,
    roles: Vec<String>,
    resource: Resource,
    expires_at: Unix,
}

pub(super) fn judge(proxy: &Arc<Proxy>, claims: &AccessClaims<'_>, now: Unix) -> Verdict {
    // No other token lacks a grant. RFC 9068 section 2.2, `sub`: "In cases of access tokens obtained through
    // grants where no resource owner is involved, such as the client credentials grant, the value of "sub"
    // SHOULD correspond to an identifier the authorization server uses to indicate the client application."
    if !claims.gid.is_empty() || claims.sub != claims.client_id {
        return Verdict::Refused(Objection::invalid());
    }
    if !Resource::is_issued(&claims.aud, &proxy.options.base) {
        return Verdict::Refused(Objection::elsewhere());
    }
    let token = match token(claims, proxy.clients.machine(&claims.client_id)) {
        Ok(token) => token,
        Err(objection) => return Verdict::Refused(objection),
    };
    let proxy = Arc::clone(proxy);
    Verdict::ask(async move { validated(&proxy, token, now).await.into() })
}

/// What the token may, by the machine of now: what was taken from it is gone from its tokens too.
fn token(claims: &AccessClaims<'_>, machine: Option<&Machine>) -> Result<MachineToken, Objection> {
    let Some(machine) = machine else {
        let why = "is not configured as a machine";
        return Err(refused(Reason::UnknownClient, &claims.client_id, why));
    };
    let scopes = machine.scopes.narrowed_to(&claims.scope);
    Ok(MachineToken {
        client_id: claims.client_id.clone().into_owned(),
        jti: (&*claims.jti).into(),
        scopes: scopes.map_err(|_| Objection::invalid())?,
        roles: machine.roles.clone(),
        resource: Resource::of_issued(&claims.aud),
        expires_at: claims.exp,
    })
}

async fn validated(proxy: &Proxy, token: MachineToken, now: Unix) -> Result<Validated, Objection> {
    // Before the store is asked: see `Revocations::mark`.
    let mark = proxy.grantless.mark(&token.client_id);
    if proxy.clients.is_denied(&token.client_id).await? {
        let why = "was denied by the operator";
        return Err(refused(Reason::DeniedClient, &token.client_id, why));
    }
    if proxy.grantless.is_revoked(&token.jti).await? {
        let why = "revoked the token";
        return Err(refused(Reason::GrantEnded, &token.client_id, why));
    }
    let until = proxy.sessions.end_of_life(now);
    let scopes = proxy.options.scope_implications.hold(token.scopes);
    Ok(Validated {
        is_sufficient: scopes.cover(&proxy.options.required_scopes),
        fresh_until: token.expires_at.min(until),
        mark: Some(mark),
        session: AuthSession::new(Inner {
            source: TokenSource::ClientCredentials,
            subject: token.client_id.clone(),
            provider_subject: None,
            provider: None,
            client_id: token.client_id,
            scopes,
            claims: CarriedClaims::default(),
            roles: token.roles,
            resource: token.resource,
            expires_at: token.expires_at,
            grant_id: Some(LoginName::Token(token.jti)),
            upstream: UpstreamTokens::none(),
            renewal: None,
            challenges: Some(proxy.challenges.clone()),
        }),
    })
}

fn refused(reason: Reason, client_id: &str, why: &str) -> Objection {
    let who = Who::default().client(client_id, None);
    let who = who.person(Some(client_id), None);
    let client_id = describable(client_id);
    let objection = Objection::withdrawn(reason).about(who);
    objection.detail(format!("client `{client_id}` {why}"))
}
