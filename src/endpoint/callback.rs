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
    account_page, answer, back_to_client, not_here, refusal::Refusal, request, same_site,
    visit::Visit,
};
use crate::{
    body::OwnResponse,
    error::{BoxError, OAuthErrorCode as Code},
    event::{Reason, Step, mark_span},
    limits::{MAX_BODY, MAX_QUERY},
    login::{NoCode, NotNow, Returned},
    oauth::ParamsError,
    page::Situation,
    proxy::Proxy,
};

pub(super) async fn handle(proxy: &Proxy, parts: &Parts) -> OwnResponse {
    if same_site::is_prefetch(&parts.headers) {
        return same_site::not_before_it_is_wanted(proxy, Step::Callback);
    }
    let visit = Visit::of(proxy, parts);
    let query = parts.uri.query().unwrap_or_default();
    let Some(returned) = Returned::read(query.as_bytes(), MAX_QUERY) else {
        return unreadable(proxy, ParamsError::TooLong.into(), &visit);
    };
    let state = returned.state().unwrap_or_default();
    let ttl = proxy.options.transaction_ttl;
    let Some(login) = proxy.cookies.login(&parts.headers, state, ttl, proxy.now()) else {
        return no_login(proxy, &returned, state, &visit);
    };
    mark_span(|| login.who());
    let Some(admission) = proxy.admissions.of(&login.provider) else {
        let detail = format!("the login went to the provider `{}`", login.provider);
        let refusal = Refusal::new(Reason::Browser, Code::InvalidRequest, detail);
        let (refusal, visit) = (refusal.about(login.who()), visit.of_login(&login));
        return refusal.into_page(proxy, Step::Callback, Situation::NotThisBrowser, &visit);
    };
    let provider = admission.provider.about();
    let code = match admission.provider.terms().callback_path == parts.uri.path() {
        true => match admission.provider.resolved().await {
            Ok(known) => {
                let names_issuer = known.names_issuer || admission.provider.terms().names_issuer;
                returned.code(|iss| provider.admits_issuer(iss, None), names_issuer)
            }
            Err(error) => Err(NoCode::Provider(error)),
        },
        // RFC 9700 section 4.4.2.2: "If there is a mismatch, the client MUST abort the flow."
        false => Err(NoCode::OtherCallback),
    };
    let (login, code) = (Arc::new(login), code.map(str::to_owned));
    let completed = proxy
        .completion
        .complete(Arc::clone(admission), Arc::clone(&login), code);
    match completed.await {
        Ok(outcome) => back_to_client::answer(proxy, &login, &outcome, &visit),
        Err(not_now) => {
            let situation = match not_now {
                NotNow::Crowded => Situation::Crowded,
                _ => Situation::CannotFinish,
            };
            let refusal = Refusal::from(not_now).about(login.who());
            let (visit, step) = (visit.of_login(&login), Step::Callback);
            refusal.into_page_with(proxy, step, situation, &visit, Some(""))
        }
    }
}

/// Whether the provider of this callback posts its answers.
pub(super) fn may_be_posted(proxy: &Proxy, parts: &Parts) -> bool {
    let provider = proxy.providers.returning_to(parts.uri.path());
    provider.is_some_and(|provider| provider.about().posts_answer)
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
    let visit = Visit::of(proxy, parts);
    let form = match request::form_bytes(parts, body).await {
        Ok(form) => form,
        Err(refusal) => return unreadable(proxy, refusal, &visit),
    };
    // A posted answer may bring what is not sent on, such as an ID token.
    let query = Returned::read(&form, MAX_BODY).map(|returned| returned.to_query());
    let Some(query) = query.filter(|query| query.len() <= MAX_QUERY) else {
        let text = "the provider's answer is too large";
        let refusal = Refusal::new(Reason::TooLarge, Code::InvalidRequest, text);
        return unreadable(proxy, refusal, &visit);
    };
    let provider = proxy.providers.returning_to(parts.uri.path());
    let provider = provider.unwrap_or(proxy.providers.main());
    let here = format!("{}?{query}", provider.terms().callback_url);
    answer::redirect(StatusCode::SEE_OTHER, &here, Vec::new())
}

/// This browser holds no login that the answer belongs to.
fn no_login(proxy: &Proxy, returned: &Returned<'_>, state: &str, visit: &Visit<'_>) -> OwnResponse {
    let (headers, cookies) = (visit.headers(), &proxy.cookies);
    let (ttl, now) = (proxy.options.transaction_ttl, proxy.now());
    // A reload, while the person is asked about their account.
    if let Some(id) = cookies.account_after(headers, state, ttl, now) {
        return account_page::back_there(proxy, &id);
    }
    if returned.is_denial() && cookies.finished(headers, state, ttl, now).is_none() {
        return not_here::cancelled(proxy, visit);
    }
    not_here::page(proxy, Step::Callback, state, visit)
}

fn unreadable(proxy: &Proxy, refusal: Refusal, visit: &Visit<'_>) -> OwnResponse {
    refusal.into_page(proxy, Step::Callback, Situation::UnreadableAnswer, visit)
}
