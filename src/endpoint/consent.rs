//! `GET` and `POST {base}/oauth/consent`: the person decides (MCP security best practices, confused
//! deputy).
//!
//! The page is shown only to the browser that holds the request cookie. What the form knows (the
//! login's id and a form token) is never the `state` towards the provider: that is made after the
//! approval, so a callback without one has nothing to match.

use http::{HeaderMap, HeaderValue, StatusCode, request::Parts};
use http_body::Body;

use super::{answer, authorize, redirect::Target, refusal::Refusal, request, same_site};
use crate::{
    body::OwnResponse,
    client::{ClientKind, Identified},
    config::Consent,
    error::{BoxError, OAuthError, OAuthErrorCode},
    event::{Event, Reason, Step},
    grant::scopes,
    key::constant_time_eq,
    login::transaction::{Login, PendingRequest},
    oauth::ScopeSet,
    page::{self, ConsentPage, Trust},
    proxy::Proxy,
    route,
};

const DENIED_CLIENT: (&str, &str) = (
    "This app may not log in here",
    "The operator of this server has blocked it. Nothing was changed.",
);
const UNAVAILABLE: (&str, &str) = (
    "The login cannot go on right now",
    "Something that this server needs does not answer. Reload this page in a moment.",
);

/// `GET`: the page. May be fetched more than once, and before the person wants it (some browsers
/// do): it changes nothing.
pub(super) async fn show(proxy: &Proxy, parts: &Parts) -> OwnResponse {
    let pending = request::query(parts)
        .ok()
        .and_then(|params| params.get("txn").map(str::to_owned))
        .and_then(|id| find(proxy, &parts.headers, &id));
    let Some(pending) = pending else {
        return not_here(proxy, "no request cookie of this login");
    };
    let client = match proxy.clients.identify(pending.request.client.id()).await {
        Identified::Client(client) => client,
        Identified::Unknown(why) => return not_here(proxy, why),
        Identified::Denied => {
            let refusal = Refusal::new(
                Reason::DeniedClient,
                OAuthErrorCode::InvalidClient,
                "the operator denied the client",
            );
            return stopped(proxy, &pending, &refusal, DENIED_CLIENT);
        }
        Identified::Later(error) => return stopped(proxy, &pending, &error.into(), UNAVAILABLE),
    };
    let request = &pending.request;
    let html = page::consent(&ConsentPage {
        service: proxy.service_name(),
        provider: &proxy.provider.about().name,
        client: client.name.as_deref(),
        target: &request.redirect_uri.display_target(),
        trust: match client.kind {
            ClientKind::Configured => Trust::Configured,
            _ if request.redirect_uri.is_on_this_computer() => Trust::Local,
            _ => Trust::Address,
        },
        scopes: &request.scopes,
        resource: request.resource.as_str(),
        action: &proxy.options.base.join(route::CONSENT),
        transaction: &pending.id,
        form_token: &pending.form_token,
    });
    answer::page(StatusCode::OK, html)
}

/// `POST`: the decision.
pub(super) async fn decide<B>(proxy: &Proxy, parts: &Parts, body: B) -> OwnResponse
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let headers = &parts.headers;
    if !same_site::is_own_form(proxy, headers) {
        return not_here(proxy, "the form was posted from another site");
    }
    let params = match request::form(parts, body).await {
        Ok(params) => params,
        Err(refusal) => {
            proxy.emit(&refusal.event(Step::Consent));
            let words = "Nothing was changed. Start the login from your app again.";
            let html = page::message(proxy.service_name(), "This form cannot be read", words);
            return answer::page(refusal.error.status, html);
        }
    };
    let pending = params.get("txn").and_then(|id| find(proxy, headers, id));
    let Some(pending) = pending else {
        return not_here(proxy, "no request cookie of this login");
    };
    let form_token = params.get("csrf").unwrap_or_default();
    if !constant_time_eq(form_token.as_bytes(), pending.form_token.as_bytes()) {
        return not_here(proxy, "the form token is another one");
    }
    match params.get("decision") {
        Some("approve") => {
            proxy.emit(&Event::done(Step::Consent).transaction(&pending.id));
            let approval = remembered(proxy, headers, &pending);
            let pending = pending.approved();
            send_to_provider(proxy, headers, pending, StatusCode::SEE_OTHER, approval)
        }
        Some("deny") => denied(proxy, &pending),
        _ => not_here(proxy, "no decision in the form"),
    }
}

/// Everything secret of the login is made now, sealed into the login cookie, and the browser sent to
/// the provider.
pub(super) fn send_to_provider(
    proxy: &Proxy,
    headers: &HeaderMap,
    pending: PendingRequest,
    status: StatusCode,
    approval: Option<HeaderValue>,
) -> OwnResponse {
    let (options, now) = (&proxy.options, proxy.now());
    let login = Login::begin(pending, &proxy.provider.about().id, now);
    let ttl = options.transaction_ttl;
    let Ok(mut cookies) = proxy.cookies.set_login(headers, &login, ttl, now) else {
        return authorize::too_large(proxy, &login.request, status);
    };
    cookies.extend(approval);

    let provider = proxy.provider.about();
    let scope = upstream_scopes(proxy, &login.request.scopes).join(" ");
    let challenge = login.verifier.challenge_s256();
    let mut params = vec![
        ("redirect_uri", options.callback_url.as_str()),
        ("state", login.state.as_str()),
    ];
    if !scope.is_empty() {
        params.push(("scope", scope.as_str()));
    }
    if scope.split(' ').any(|scope| scope == "openid") {
        params.push(("nonce", login.nonce.as_str()));
    }
    if options.upstream_pkce {
        params.push(("code_challenge", challenge.as_str()));
        params.push(("code_challenge_method", "S256"));
    }
    if options.forward_resource {
        params.push(("resource", login.request.resource.as_str()));
    }
    let wishes = &login.request.wishes;
    let extra = provider.with_wishes(
        &options.extra_authorization_params,
        wishes.prompt(),
        wishes.others(),
    );
    let url = provider.authorization_url(&params, &extra);
    answer::redirect(status, &url, cookies)
}

/// What the provider is asked for: the scopes of the request by the provider's names, and those by
/// which the proxy itself learns who the person is.
pub(super) fn upstream_scopes(proxy: &Proxy, requested: &ScopeSet) -> Vec<String> {
    let options = &proxy.options;
    let mut asked = scopes::for_provider(requested, &options.offered_scopes);
    let provider = proxy.provider.about();
    let email = match options.allow_list.is_wanted() {
        true => provider.email_scope(&options.offered_scopes),
        false => None,
    };
    for scope in ["openid"].into_iter().chain(email) {
        if options.offered_scopes.contains(scope) {
            asked = asked.with(scope).unwrap_or(asked);
        }
    }
    provider.scopes_to_upstream(asked.iter())
}

fn find(proxy: &Proxy, headers: &HeaderMap, id: &str) -> Option<PendingRequest> {
    let ttl = proxy.options.transaction_ttl;
    proxy.cookies.request(headers, id, ttl, proxy.now())
}

fn remembered(proxy: &Proxy, headers: &HeaderMap, pending: &PendingRequest) -> Option<HeaderValue> {
    if proxy.options.consent != Consent::Remember {
        return None;
    }
    let now = proxy.now();
    let approvals = proxy
        .cookies
        .approvals(headers, now)
        .with(&pending.request, now);
    proxy.cookies.set_approvals(&approvals)
}

fn denied(proxy: &Proxy, pending: &PendingRequest) -> OwnResponse {
    let event = Event::refused(Step::Consent, Reason::PersonDenied);
    proxy.emit(&event.transaction(&pending.id));
    let target = Target {
        redirect_uri: &pending.request.redirect_uri,
        state: pending.request.state.as_deref(),
    };
    let error = OAuthError::new(OAuthErrorCode::AccessDenied, "the person denied access");
    let cookies = proxy.cookies.clear_request(pending);
    target.with_error(proxy, StatusCode::SEE_OTHER, &error, cookies)
}

/// The login waits in this browser, and its client may not be shown to the person now.
fn stopped(
    proxy: &Proxy,
    pending: &PendingRequest,
    refusal: &Refusal,
    (title, words): (&str, &str),
) -> OwnResponse {
    proxy.emit(&refusal.event(Step::Consent).transaction(&pending.id));
    let status = match refusal.error.status {
        StatusCode::SERVICE_UNAVAILABLE => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    let html = page::message(proxy.service_name(), title, words);
    answer::page(status, html)
}

/// The answer to everything that is not this browser's own login in progress.
fn not_here(proxy: &Proxy, detail: impl std::fmt::Display) -> OwnResponse {
    proxy.emit(&Event::refused(Step::Consent, Reason::Browser).detail(detail));
    let html = page::message(
        proxy.service_name(),
        "This login is not waiting in this browser",
        "It may have ended, or it was started in another browser. Nothing was changed. Start the \
         login from your app again, and allow cookies for this site.",
    );
    answer::page(StatusCode::BAD_REQUEST, html)
}
