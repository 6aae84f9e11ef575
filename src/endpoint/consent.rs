//! `GET` and `POST {base}/oauth/consent`: the person decides (MCP security best practices, confused
//! deputy).
//!
//! The page is shown only to the browser that holds the request cookie. What the form knows (the
//! login's id and a form token) is never the `state` sent to the provider: that is made after the
//! approval, so a callback without one has nothing to match.

use http::{HeaderMap, HeaderValue, StatusCode, request::Parts};
use http_body::Body;

use super::{
    consent_page, not_here,
    own_form::{self, Undecided},
    redirect::{self, Target},
    refusal::Refusal,
    request,
    visit::Visit,
};
use crate::{
    body::OwnResponse,
    config::Consent,
    error::{BoxError, OAuthError, OAuthErrorCode},
    event::{Event, Reason, Step},
    login::{RequestedLogin, choice},
    proxy::Proxy,
};

/// `GET`: the page. May be fetched more than once, and before the person wants it (some browsers
/// do): it changes nothing.
pub(super) fn show(proxy: &Proxy, parts: &Parts) -> OwnResponse {
    let visit = Visit::of(proxy, parts);
    let params = request::query(parts).unwrap_or_default();
    let id = params.get("login").unwrap_or_default();
    match RequestedLogin::find(proxy, &parts.headers, id) {
        Some(requested) => consent_page::page(proxy, &requested, false, &visit),
        None => not_here::page(proxy, Step::Consent, id, &visit),
    }
}

/// `POST`: the decision.
pub(super) async fn decide<B>(proxy: &Proxy, parts: &Parts, body: B) -> OwnResponse
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let (headers, visit) = (&parts.headers, Visit::of(proxy, parts));
    let (params, requested) =
        match own_form::read::<RequestedLogin, _>(proxy, parts, body, &visit).await {
            Ok(form) => form,
            Err(response) => return response,
        };
    match params.get("decision") {
        Some("approve") => approved(proxy, requested, params.get("provider"), visit).await,
        Some("deny") => denied(proxy, headers, &requested),
        _ => not_here::not_ours(proxy, Step::Consent, "no decision in the form", &visit),
    }
}

/// The person said yes. Where there are several providers they chose one, and one of those that are open to
/// this login: by now it may be another list than the page had.
async fn approved(
    proxy: &Proxy,
    requested: RequestedLogin,
    provider: Option<&str>,
    visit: Visit<'_>,
) -> OwnResponse {
    let (chosen, scopes) = (&requested.start.provider, &requested.request.scopes);
    let open = match choice::open(&proxy.providers, chosen.as_deref(), scopes) {
        Ok(open) => open,
        Err(error) => {
            let refusal = Refusal::from(&error).about(requested.who());
            proxy.emit(&refusal.event(Step::Consent));
            let cookies = over(proxy, visit.headers(), &requested);
            let target = Target::of(&requested.request).in_login(&requested.id);
            return target.with_error(proxy, StatusCode::SEE_OTHER, &refusal.error, cookies);
        }
    };
    let choice = match (provider, open.as_slice()) {
        (None, [only]) => Some(*only),
        (None, _) => None,
        (Some(id), open) => open.iter().copied().find(|of| of.about().id == id),
    };
    let Some(provider) = choice else {
        let event = Event::refused(Step::Consent, Reason::UnknownProvider).about(requested.who());
        proxy.emit(&event.detail("the form names none of the providers that are open"));
        return consent_page::page(proxy, &requested, true, &visit);
    };
    let (headers, id) = (visit.headers(), &provider.about().id);
    let event = Event::done(Step::Consent).provider(id);
    proxy.emit(&event.about(requested.who()));
    let approval = remembered(proxy, headers, &requested, id);
    let (requested, status) = (requested.approved(), StatusCode::SEE_OTHER);
    redirect::to_provider(proxy, headers, requested, provider, status, approval).await
}

fn remembered(
    proxy: &Proxy,
    headers: &HeaderMap,
    requested: &RequestedLogin,
    provider: &str,
) -> Option<HeaderValue> {
    if proxy.options.consent != Consent::Remember {
        return None;
    }
    let now = proxy.now();
    let all = proxy.providers.iter().map(|of| of.about().id.as_str());
    let others = all.filter(|id| *id != provider);
    let approvals =
        proxy
            .cookies
            .approvals(headers, now)
            .with(&requested.request, provider, others, now);
    proxy.cookies.set_approvals(&approvals)
}

fn denied(proxy: &Proxy, headers: &HeaderMap, requested: &RequestedLogin) -> OwnResponse {
    let event = Event::refused(Step::Consent, Reason::PersonDenied);
    proxy.emit(&event.about(requested.who()));
    let target = Target::of(&requested.request).in_login(&requested.id);
    let error = OAuthError::new(OAuthErrorCode::AccessDenied, "the person denied access");
    let cookies = over(proxy, headers, requested);
    target.with_error(proxy, StatusCode::SEE_OTHER, &error, cookies)
}

/// The cookies of a login that goes no further.
fn over(proxy: &Proxy, headers: &HeaderMap, requested: &RequestedLogin) -> Vec<HeaderValue> {
    let (ttl, now) = (proxy.options.transaction_ttl, proxy.now());
    proxy.cookies.finish_request(headers, requested, ttl, now)
}
