//! `GET {base}/oauth/callback`: the provider sends the person back (RFC 6749 section 4.1.2, RFC
//! 9207 section 2.4, OpenID Connect Core section 3.1.3).
//!
//! Only the browser that approved holds the login cookie that the `state` answers. From there on
//! every outcome goes back to the client as a redirect, never as a bare error page: a client that
//! hears nothing waits for ever.

use std::sync::Arc;

use http::{StatusCode, request::Parts};

use super::{answer, consent, redirect::Target, refusal::Refusal, request};
use crate::{
    body::OwnResponse,
    error::OAuthErrorCode as Code,
    event::{Event, Reason, Step},
    grant::{
        CodeMark, Grant, GrantId, PendingCode, Phase, UpstreamGrant, code_hash, new_code, scopes,
    },
    limits::HOOK_TIMEOUT,
    login::{Identity, IdentityError, Outcome, transaction::Login},
    oauth::Params,
    page,
    proxy::Proxy,
    token::{decode_unverified, roles},
    upstream::TokenAnswer,
};

pub(super) async fn handle(proxy: &Arc<Proxy>, parts: &Parts) -> OwnResponse {
    let Ok(params) = request::query(parts) else {
        let detail = "the query is malformed or repeats a parameter";
        return not_here(proxy, Reason::Malformed, detail);
    };
    let state = params.get("state").unwrap_or_default();
    let ttl = proxy.settings.transaction_ttl;
    let Some(login) = proxy.cookies.login(&parts.headers, state, ttl, proxy.now()) else {
        return not_here(
            proxy,
            Reason::Browser,
            "no login cookie answers to this state",
        );
    };
    let login = Arc::new(login);
    let arrival = proxy.arrivals.of(&login.state, proxy.now());
    // In a task of its own: a person who reloads the page must not drop what the provider's
    // single-use code was spent for. The reload finds it.
    let work = {
        let (proxy, login, arrival) = (Arc::clone(proxy), Arc::clone(&login), Arc::clone(&arrival));
        tokio::spawn(async move {
            let outcome = arrival
                .outcome
                .get_or_try_init(|| arrive(&proxy, &params, &login));
            outcome.await.map(drop)
        })
    };
    match work.await {
        Ok(Ok(())) => {}
        Ok(Err(refusal)) => return unavailable(proxy, &login, &refusal),
        Err(_) => {
            let refusal = Refusal::unavailable(Reason::ProviderUnavailable);
            return unavailable(proxy, &login, &refusal.detail("the task ended early"));
        }
    }
    let Some(outcome) = arrival.outcome.get() else {
        return already_used(proxy, &login);
    };
    if !arrival.give() {
        return already_used(proxy, &login);
    }
    answer_client(proxy, &login, outcome)
}

/// Goes back to the client, with a code or an error.
fn answer_client(proxy: &Proxy, login: &Login, outcome: &Outcome) -> OwnResponse {
    let target = Target {
        redirect_uri: &login.request.redirect_uri,
        state: login.request.state.as_deref(),
    };
    let cookies = proxy.cookies.clear(login);
    match outcome {
        Outcome::Granted { code, id } => {
            let event = Event::done(Step::Callback).transaction(&login.id);
            proxy.emit(&event.grant(id.to_string()));
            target.with_code(proxy, code, cookies)
        }
        Outcome::Refused {
            reason: Reason::Replayed,
            ..
        } => already_used(proxy, login),
        Outcome::Refused { reason, error } => {
            let refusal = Refusal::from_error(*reason, error.clone());
            proxy.emit(&refusal.event(Step::Callback).transaction(&login.id));
            target.refuse(proxy, &refusal, cookies)
        }
    }
}

/// The error is for now: nothing was consumed, and the person may reload the page.
async fn arrive(proxy: &Arc<Proxy>, params: &Params, login: &Login) -> Result<Outcome, Refusal> {
    if proxy.grants.callback_was_used(&login.state).await? {
        return Ok(refused(replayed()));
    }
    let tokens = match exchange(proxy, params, login).await {
        Ok(tokens) => tokens,
        Err(refusal) => return Ok(refused(refusal)),
    };
    match complete(proxy, login, &tokens).await {
        Ok((code, id)) => Ok(Outcome::Granted { code, id }),
        // The provider's tokens are dropped and not revoked: many providers would end the person's
        // other grants along with them.
        Err(refusal) => Ok(refused(refusal)),
    }
}

fn refused(refusal: Refusal) -> Outcome {
    Outcome::Refused {
        reason: refusal.reason,
        error: refusal.error,
    }
}

fn replayed() -> Refusal {
    Refusal::new(
        Reason::Replayed,
        Code::InvalidRequest,
        "this login was already used",
    )
}

/// Trades the provider's code for its tokens.
async fn exchange(proxy: &Proxy, params: &Params, login: &Login) -> Result<TokenAnswer, Refusal> {
    let settings = &proxy.settings;
    if let Some(iss) = params.get("iss")
        && !proxy.upstream.provider().issuer.admits_redirect(iss)
    {
        return Err(login_failed(Reason::ProviderDenied).detail("iss is another issuer's"));
    }
    if let Some(error) = params.get("error") {
        return Err(provider_error(error, params.get("error_description")));
    }
    let code = params
        .get("code")
        .ok_or_else(|| login_failed(Reason::ProviderMalformed).detail("no code, no error"))?;
    let verifier = settings.upstream_pkce.then(|| login.verifier.expose());
    let resource = settings
        .forward_resource
        .then(|| login.request.resource.as_str());
    let extra = &settings.extra_token_params;
    proxy
        .upstream
        .exchange_code(code, verifier, &settings.callback_url, resource, extra)
        .await
        .map_err(|error| Refusal::from(&error))
}

/// From the provider's tokens to a code for the client.
async fn complete(
    proxy: &Proxy,
    login: &Login,
    tokens: &TokenAnswer,
) -> Result<(String, GrantId), Refusal> {
    let settings = &proxy.settings;
    // Two instances can be asked at the same moment; one of them gives the grant.
    if !proxy
        .grants
        .mark_callback(&login.state, settings.transaction_ttl)
        .await?
    {
        return Err(replayed());
    }
    let person = identify(proxy, tokens, login).await?;
    admit(proxy, &person).await?;
    let id = GrantId::random();
    let code = new_code(&id);
    let grant = grant(proxy, login, tokens, person, id, &code)?;
    // Listed before it exists: what exists is always listed.
    if settings.token_swap {
        let (listed_for, now) = (settings.refresh_token_ttl, proxy.now());
        proxy
            .grants
            .index(&id, &grant.subject, &grant.client_id, listed_for, now)
            .await?;
    }
    proxy
        .grants
        .create(&id, &grant, settings.authorization_code_ttl)
        .await?;
    Ok((code, id))
}

async fn identify(proxy: &Proxy, tokens: &TokenAnswer, login: &Login) -> Result<Identity, Refusal> {
    let scopes = consent::upstream_scopes(proxy, &login.request.scopes);
    let asked_openid = scopes.iter().any(|scope| scope == "openid");
    let nonce = asked_openid.then_some(login.nonce.as_str());
    proxy
        .upstream
        .identity(tokens, nonce, proxy.now())
        .await
        .map_err(|error| match error {
            IdentityError::Upstream(error) => Refusal::from(&error),
            other => login_failed(Reason::IdToken).detail(other),
        })
}

/// The operator's lists and hook.
async fn admit(proxy: &Proxy, person: &Identity) -> Result<(), Refusal> {
    let settings = &proxy.settings;
    if !settings.allow_list.admits(person) {
        let text = "this account may not use this service";
        return Err(Refusal::new(Reason::NotAllowed, Code::AccessDenied, text));
    }
    let Some(hook) = &settings.on_login else {
        return Ok(());
    };
    match tokio::time::timeout(HOOK_TIMEOUT, hook(person.clone())).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(no)) => Err(Refusal::new(
            Reason::HookDenied,
            Code::AccessDenied,
            no.into_description(),
        )),
        Err(_) => Err(Refusal::unavailable(Reason::HookDenied).detail("on_login timed out")),
    }
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
    let claims = proxy
        .settings
        .claims
        .collect(tokens.access_token(), Some(&person.claims));
    let in_access_token = decode_unverified(tokens.access_token()).unwrap_or_default();
    let roles = roles(
        &proxy.settings.role_claims,
        [&person.claims, &in_access_token],
    );
    let ttl = proxy.settings.authorization_code_ttl.as_secs();
    Ok(Grant {
        client_id: request.client_id.clone(),
        subject: person.subject.unwrap_or_else(|| format!("grant:{id}")),
        scopes,
        resource: request.resource.clone(),
        claims,
        roles,
        upstream: UpstreamGrant::new(tokens, now),
        phase: Phase::Pending(PendingCode {
            mark: CodeMark {
                hash: code_hash(code),
                expires_at: now.saturating_add(ttl),
            },
            redirect_uri: request.redirect_uri.clone(),
            challenge: request.challenge.clone(),
        }),
        indexed_at: now,
        stamp: 0,
        step: 0,
    })
}

/// What the provider said instead of a code (RFC 6749 section 4.1.2.1). Its words go to the
/// operator; the client gets the code it can act on.
fn provider_error(error: &str, description: Option<&str>) -> Refusal {
    let code = match error {
        "access_denied"
        | "login_required"
        | "interaction_required"
        | "consent_required"
        | "account_selection_required" => Code::AccessDenied,
        "temporarily_unavailable" => Code::TemporarilyUnavailable,
        _ => Code::ServerError,
    };
    let text = "the identity provider refused the login";
    let description = description.unwrap_or_default();
    Refusal::new(Reason::ProviderDenied, code, text).detail(format!("{error}: {description}"))
}

fn login_failed(reason: Reason) -> Refusal {
    let text = "the identity provider did not complete the login";
    Refusal::new(reason, Code::ServerError, text)
}

fn not_here(proxy: &Proxy, reason: Reason, detail: &'static str) -> OwnResponse {
    proxy.emit(&Event::refused(Step::Callback, reason).detail(detail));
    let html = page::message(
        proxy.service_name(),
        "This login does not belong to this browser",
        "It may be over, already used, or it was started in another browser. If somebody sent you \
         this link, do not use it. Otherwise start the login from your app again, and allow cookies \
         for this site.",
    );
    answer::page(StatusCode::BAD_REQUEST, html)
}

fn already_used(proxy: &Proxy, login: &Login) -> OwnResponse {
    let event = Event::refused(Step::Callback, Reason::Replayed);
    proxy.emit(&event.transaction(&login.id));
    let html = page::message(
        proxy.service_name(),
        "This login was already used",
        "If your app is still waiting, start the login from it again. You can close this page.",
    );
    answer::page(StatusCode::BAD_REQUEST, html)
}

fn unavailable(proxy: &Proxy, login: &Login, refusal: &Refusal) -> OwnResponse {
    proxy.emit(&refusal.event(Step::Callback).transaction(&login.id));
    let html = page::message(
        proxy.service_name(),
        "The login cannot be finished just now",
        "Something that this server needs does not answer. Nothing was lost: reload this page in a \
         moment.",
    );
    answer::page(StatusCode::SERVICE_UNAVAILABLE, html)
}
