//! From the provider's answer to a grant: who is it, may they come in, what was granted.

use std::sync::Arc;

use super::refusal::Refusal;
use crate::{
    config::{LoginRequest, Occasion},
    error::OAuthErrorCode as Code,
    event::Reason,
    grant::{CodeMark, Grant, GrantId, Known, Phase, UpstreamGrant, code_hash, new_code, scopes},
    login::{Login, admission::NotAdmitted, departure},
    provider::TokenAnswer,
    provider::{Identity, IdentityError},
    proxy::Proxy,
};

/// The client's code, and the grant that it stands for.
pub(super) async fn admit(
    proxy: &Arc<Proxy>,
    login: &Login,
    tokens: &TokenAnswer,
) -> Result<(String, GrantId), Refusal> {
    let options = &proxy.options;
    let person = identify(proxy, tokens, login).await?;
    ask_operator(proxy, login, &person).await?;
    let id = GrantId::random();
    let code = new_code(&id);
    let grant = grant(proxy, login, tokens, person, id, &code)?;
    let ttl = options.authorization_code_ttl;
    proxy.grants.create(&id, &grant, ttl).await?;
    // Listed once it exists, and before anybody holds its code; that may fail.
    if !proxy.mode.is_passthrough() {
        let (subject, client_id) = (&grant.subject, &grant.client_id);
        proxy.grants.list(&id, subject, client_id, ttl).await;
        let limit = options.grants_per_person;
        proxy.ending.end_surplus(id, subject, limit).await;
    }
    Ok((code, id))
}

async fn identify(proxy: &Proxy, tokens: &TokenAnswer, login: &Login) -> Result<Identity, Refusal> {
    let nonce = departure::sent_nonce(proxy.provider.about(), &proxy.options, login);
    proxy
        .admission
        .identify(tokens, nonce, proxy.now())
        .await
        .map_err(|error| match error {
            IdentityError::Upstream(error) => Refusal::from(&error),
            other => login_failed(Reason::IdToken).detail(other),
        })
}

/// The operator's lists and hook.
async fn ask_operator(proxy: &Proxy, login: &Login, person: &Identity) -> Result<(), Refusal> {
    let request = LoginRequest {
        person: person.clone(),
        client_id: login.request.client.id().to_owned(),
        scopes: login.request.scopes.clone(),
        resource: login.request.resource.as_str().to_owned(),
        occasion: Occasion::Login,
    };
    proxy
        .admission
        .ask_operator(request)
        .await
        .map_err(|no| match no {
            NotAdmitted::No {
                reason,
                description,
                detail,
            } => Refusal::new(reason, Code::AccessDenied, description).detail(detail),
            NotAdmitted::Later { detail } => {
                Refusal::unavailable(Reason::HookDenied).detail(detail)
            }
        })
}

/// The record that waits for the client to redeem its code.
fn grant(
    proxy: &Proxy,
    login: &Login,
    tokens: &TokenAnswer,
    person: Identity,
    id: GrantId,
    code: &str,
) -> Result<Grant, Refusal> {
    let (request, now) = (&login.request, proxy.now());
    let scopes = scopes::granted(&request.scopes, tokens.scope.as_ref());
    if scopes.is_empty() && !request.scopes.is_empty() {
        let text = "the identity provider granted none of the requested scopes";
        return Err(Refusal::new(Reason::Scope, Code::AccessDenied, text));
    }
    let Known { claims, roles } = proxy.admission.known(
        &person.claims,
        person.subject.as_deref(),
        tokens.access_token(),
    );
    let ttl = proxy.options.authorization_code_ttl.as_secs();
    Ok(Grant {
        provider: proxy.provider.about().id.clone(),
        client_id: request.client.id().to_owned(),
        subject: person.subject.unwrap_or_else(|| format!("grant:{id}")),
        scopes,
        resource: request.resource.clone(),
        claims,
        roles,
        upstream: UpstreamGrant::new(tokens, now),
        phase: Phase::Pending(CodeMark {
            hash: code_hash(code),
            expires_at: now.saturating_add(ttl),
            redirect_uri: request.redirect_uri.as_str().into(),
            challenge: request.challenge.clone(),
        }),
        created_at: now,
        proven_at: now,
        listed_until: 0,
        stamp: 0,
        step: 0,
    })
}

pub(super) fn login_failed(reason: Reason) -> Refusal {
    let text = "the identity provider did not complete the login";
    Refusal::new(reason, Code::ServerError, text)
}
