//! `GET {base}/oauth/callback`: the provider sends the person back (RFC 6749 section 4.1.2, RFC
//! 9207 section 2.4, OpenID Connect Core section 3.1.3).
//!
//! Only the browser that approved holds the login cookie that the `state` answers. From there on
//! every outcome goes back to the client as a redirect, never as a bare error page: a client that
//! hears nothing waits for ever.

use std::sync::Arc;

use http::{StatusCode, request::Parts};

use super::{
    admission::{self, login_failed},
    answer,
    redirect::Target,
    refusal::Refusal,
    request,
};
use crate::{
    body::OwnResponse,
    error::OAuthErrorCode as Code,
    event::{Event, Reason, Step},
    grant::GrantId,
    login::{Outcome, transaction::Login},
    oauth::Params,
    page,
    proxy::Proxy,
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
        let tasks = proxy.tasks.clone();
        tasks.spawn(async move {
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
    // Two instances can be asked at the same moment; one of them gives the grant.
    if !proxy
        .grants
        .mark_callback(&login.state, proxy.settings.transaction_ttl)
        .await?
    {
        return Err(replayed());
    }
    admission::admit(proxy, login, tokens).await
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
