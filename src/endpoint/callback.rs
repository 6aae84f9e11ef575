//! `GET {base}/oauth/callback`: the provider sends the person back (RFC 6749 section 4.1.2, RFC
//! 9207 section 2.4, OpenID Connect Core section 3.1.3). `POST` for a provider that posts its answer
//! (OAuth 2.0 Form Post Response Mode).
//!
//! Only the browser that approved holds the login cookie that the `state` answers. From there on
//! every outcome goes back to the client as a redirect, never as a bare error page: a client that
//! hears nothing waits for ever.

use std::sync::Arc;

use http::{StatusCode, request::Parts};
use http_body::Body;

use super::{
    admission::{self, login_failed},
    answer,
    redirect::Target,
    refusal::Refusal,
    request, same_site,
};
use crate::{
    body::OwnResponse,
    error::{BoxError, OAuthErrorCode as Code},
    event::{Event, Reason, Step},
    limits::{MAX_QUERY, STORE_TIMEOUT},
    login::{Claimed, Login, Outcome, Returned, Said},
    oauth::ParamsError,
    page::Situation,
    provider::TokenAnswer,
    proxy::Proxy,
};

pub(super) async fn handle(proxy: &Arc<Proxy>, parts: &Parts) -> OwnResponse {
    if same_site::is_prefetch(&parts.headers) {
        return same_site::not_before_it_is_wanted(proxy, Step::Callback);
    }
    let query = parts.uri.query().unwrap_or_default();
    if query.len() > MAX_QUERY {
        return unreadable(proxy, &ParamsError::TooLong.into());
    }
    let returned = Returned::read(query.as_bytes());
    let state = returned.state().unwrap_or_default();
    let ttl = proxy.options.transaction_ttl;
    let Some(login) = proxy.cookies.login(&parts.headers, state, ttl, proxy.now()) else {
        return not_here(proxy, "no login cookie answers to this state");
    };
    let login = Arc::new(login);
    let Some(place) = proxy.arrivals.place() else {
        return unavailable(proxy, &login, &crowded());
    };
    let arrival = proxy.arrivals.of(&login.state, proxy.now());
    let code = code(proxy, &returned).map(str::to_owned);
    // In a task of its own: a person who reloads the page must not drop what the provider's
    // single-use code was spent for. The reload finds it.
    let work = {
        let (proxy, login, arrival) = (Arc::clone(proxy), Arc::clone(&login), Arc::clone(&arrival));
        let tasks = proxy.tasks.clone();
        tasks.spawn(async move {
            let _place = place;
            let outcome = arrival
                .outcome
                .get_or_try_init(|| arrive(&proxy, code, &login));
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

/// The answer came as a form, posted by the provider's page: across sites, and so without the login
/// cookie, which is `SameSite=Lax`. It is sent on once, as the same answer in a query.
///
/// RFC 6265bis has browsers send the cookie along then: the redirect's request is a navigation by a
/// safe method. Nothing is read or kept here, so the post can do nothing that a link could not.
pub(super) async fn posted<B>(proxy: &Proxy, parts: &Parts, body: B) -> OwnResponse
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let form = match request::form_bytes(parts, body).await {
        Ok(form) => form,
        Err(refusal) => return unreadable(proxy, &refusal),
    };
    let query = Returned::read(&form).to_query();
    if query.len() > MAX_QUERY {
        let text = "the provider's answer is too large";
        return unreadable(
            proxy,
            &Refusal::new(Reason::TooLarge, Code::InvalidRequest, text),
        );
    }
    let here = format!("{}?{query}", proxy.options.callback_url);
    answer::redirect(StatusCode::SEE_OTHER, &here, Vec::new())
}

/// Goes back to the client, with a code or an error.
fn answer_client(proxy: &Proxy, login: &Login, outcome: &Outcome) -> OwnResponse {
    let target = Target::of(&login.request);
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
async fn arrive(
    proxy: &Arc<Proxy>,
    code: Result<String, Refusal>,
    login: &Login,
) -> Result<Outcome, Refusal> {
    let code = match code {
        Ok(code) => code,
        Err(refusal) => return Ok(refused(refusal)),
    };
    let patience = proxy
        .options
        .upstream_request_timeout
        .saturating_add(STORE_TIMEOUT);
    let turn = proxy.arrivals.turn(patience).await;
    let _turn = turn.ok_or_else(crowded)?;
    let claim = match proxy.claims.claim(&login.state, patience).await? {
        Claimed::Ours(claim) => claim,
        Claimed::Used => return Ok(refused(replayed())),
        Claimed::Busy => {
            let refusal = Refusal::unavailable(Reason::Contention);
            return Err(refusal.detail("another instance did not finish in time"));
        }
    };
    let tokens = match claim.keep_during(exchange(proxy, &code, login)).await {
        Ok(tokens) => tokens,
        Err(refusal) => {
            claim.end().await;
            return Ok(refused(refusal));
        }
    };
    let granted = match claim.mark_used().await {
        // The provider's tokens are dropped on a refusal and not revoked: many providers would end
        // the person's other grants along with them.
        Ok(true) => admission::admit(proxy, login, &tokens).await,
        // Another instance went on with it, and gives the grant.
        Ok(false) => Err(replayed()),
        Err(error) => Err(error.into()),
    };
    Ok(match granted {
        Ok((code, id)) => Outcome::Granted { code, id },
        Err(refusal) => refused(refusal),
    })
}

fn crowded() -> Refusal {
    Refusal::unavailable(Reason::Busy).detail("as many callbacks are at work as this process takes")
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

/// The provider's code, or what the client hears instead.
fn code<'a>(proxy: &Proxy, returned: &'a Returned<'_>) -> Result<&'a str, Refusal> {
    let is_foreign =
        |iss: Option<&str>| iss.is_some_and(|iss| !proxy.provider.about().admits_issuer(iss, None));
    match returned.said() {
        Said::Code { iss, .. } | Said::Error { iss, .. } if is_foreign(iss) => {
            Err(login_failed(Reason::ProviderDenied).detail("iss is another issuer's"))
        }
        Said::Code { code, .. } => Ok(code),
        Said::Error {
            error, description, ..
        } => Err(provider_error(error, description)),
        Said::Nothing(why) => Err(login_failed(Reason::ProviderMalformed).detail(why)),
    }
}

/// Trades it for the provider's tokens.
async fn exchange(proxy: &Proxy, code: &str, login: &Login) -> Result<TokenAnswer, Refusal> {
    let options = &proxy.options;
    let verifier = options.upstream_pkce.then(|| login.verifier.expose());
    let resource = options
        .forward_resource
        .then(|| login.request.resource.as_str());
    let extra = &options.extra_token_params;
    proxy
        .provider
        .exchange_code(code, verifier, &options.callback_url, resource, extra)
        .await
        .map_err(|error| Refusal::from(&error))
}

/// What the provider said instead of a code (RFC 6749 section 4.1.2.1, OpenID Connect Core section
/// 3.1.2.6). Its words go to the operator; the client gets the code it can act on.
fn provider_error(error: &str, description: &str) -> Refusal {
    let code = match error {
        // The person said no; the others are what LinkedIn, Apple and Facebook call it.
        "access_denied" | "user_cancelled_login" | "user_cancelled_authorize" | "user_cancelled"
        | "user_denied" | "consent_required"
        // The person would have to do something that they did not.
        | "login_required" | "interaction_required" | "account_selection_required"
        | "unmet_authentication_requirements" => Code::AccessDenied,
        "temporarily_unavailable" => Code::TemporarilyUnavailable,
        _ => Code::ServerError,
    };
    let text = "the identity provider refused the login";
    Refusal::new(Reason::ProviderDenied, code, text).detail(format!("{error}: {description}"))
}

fn not_here(proxy: &Proxy, detail: &'static str) -> OwnResponse {
    proxy.emit(&Event::refused(Step::Callback, Reason::Browser).detail(detail));
    answer::message(proxy, StatusCode::BAD_REQUEST, Situation::NotThisBrowser)
}

fn unreadable(proxy: &Proxy, refusal: &Refusal) -> OwnResponse {
    proxy.emit(&refusal.event(Step::Callback));
    answer::message(proxy, refusal.error.status, Situation::UnreadableAnswer)
}

fn already_used(proxy: &Proxy, login: &Login) -> OwnResponse {
    let event = Event::refused(Step::Callback, Reason::Replayed);
    proxy.emit(&event.transaction(&login.id));
    answer::message(proxy, StatusCode::BAD_REQUEST, Situation::AlreadyUsed)
}

fn unavailable(proxy: &Proxy, login: &Login, refusal: &Refusal) -> OwnResponse {
    proxy.emit(&refusal.event(Step::Callback).transaction(&login.id));
    answer::message(
        proxy,
        StatusCode::SERVICE_UNAVAILABLE,
        Situation::CannotFinish,
    )
}
