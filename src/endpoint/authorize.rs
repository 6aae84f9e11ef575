//! `GET {base}/oauth/authorize`: the authorization request (RFC 6749 section 4.1.1, PKCE RFC 7636
//! section 4.3, `resource` RFC 8707 section 2).
//!
//! An unknown client or an unproven redirect URI is answered with a page and never with a redirect;
//! everything after that goes back to the client. Nothing is stored: what was validated is sealed
//! into the browser's request cookie.

use http::{HeaderMap, StatusCode, request::Parts};

use super::{answer, consent, redirect::Target, refusal::Refusal, request, same_site};
use crate::{
    body::OwnResponse,
    client::{Client, ClientKind, Identified, RedirectUri},
    config::Consent,
    error::OAuthErrorCode as Code,
    event::{Event, Reason, Step},
    login::{
        WishError, Wishes,
        transaction::{AuthorizationRequest, PendingRequest},
    },
    oauth::{CodeChallenge, Params, ParamsError, PkceError, Resource, ScopeSet},
    page,
    proxy::Proxy,
    route,
};

pub(super) async fn handle(proxy: &Proxy, parts: &Parts) -> OwnResponse {
    // Both would only cost the person cookies: of a login that they did not ask for, and of one that
    // waits and has to make room.
    if same_site::is_prefetch(&parts.headers) {
        return same_site::not_before_it_is_wanted(proxy, Step::Authorize);
    }
    if same_site::is_embedded_elsewhere(&parts.headers) {
        let text = "another site put the login into its page";
        let refusal = Refusal::new(Reason::Browser, Code::InvalidRequest, text);
        return page_for(proxy, &refusal, EMBEDDED);
    }
    // Of a query with a repeated parameter, the others still say whose it is.
    let (params, repeated) = match request::query(parts) {
        Ok(params) => (params, None),
        Err(ParamsError::Duplicate { name, first }) => {
            let error = ParamsError::Duplicate {
                name,
                first: Params::default(),
            };
            (first, Some(Refusal::from(error)))
        }
        Err(error) => return page_for(proxy, &error.into(), UNREADABLE),
    };
    if let Some(refusal) = &repeated
        && params.get("redirect_uri").is_none()
    {
        // It may be the one that is repeated: then nobody knows which was meant.
        return page_for(proxy, refusal, UNREADABLE);
    }
    let (client, redirect_uri) = match target(proxy, &params).await {
        Ok(target) => target,
        Err((refusal, words)) => {
            let refusal = repeated.unwrap_or(refusal);
            return page_for(proxy, &refusal, words);
        }
    };
    let target = Target {
        redirect_uri: &redirect_uri,
        state: params.get_raw("state"),
    };
    let validated = match repeated {
        Some(refusal) => Err(refusal),
        None => validate(proxy, &params, &client, &redirect_uri),
    };
    match validated {
        Ok(request) => go_on(proxy, &parts.headers, &client, request),
        Err(refusal) => {
            proxy.emit(&refusal.event(Step::Authorize));
            target.refuse(proxy, &refusal, Vec::new())
        }
    }
}

/// Words for the person, where there is nobody to redirect to.
type Words = (&'static str, &'static str);

const UNREADABLE: Words = (
    "This login link cannot be read",
    "Nothing was changed. Start the login from your app again.",
);
const EMBEDDED: Words = (
    "A login needs a window of its own",
    "Another site put this address into its page. Nothing was changed. Start the login from your app.",
);
const UNKNOWN_CLIENT: Words = (
    "This app is not known here",
    "Its registration is not valid at this server. Remove the server from your app and add it \
     again, so that the app registers anew.",
);
const UNPROVEN_REDIRECT: Words = (
    "This app asks for an address that is not its own",
    "The login would send your access to an address that the app did not register. It was stopped. \
     If you just updated the app, remove the server from it and add it again.",
);
const UNAVAILABLE: Words = (
    "The login cannot start just now",
    "Something that this server needs does not answer. Try again in a moment.",
);

/// Proves who is asking and where the answer may go.
async fn target(proxy: &Proxy, params: &Params) -> Result<(Client, RedirectUri), (Refusal, Words)> {
    let unknown = |reason, detail: &dyn std::fmt::Display| {
        let refusal = Refusal::new(reason, Code::InvalidClient, "unknown client").detail(detail);
        (refusal, UNKNOWN_CLIENT)
    };
    let client_id = params
        .get("client_id")
        .ok_or_else(|| unknown(Reason::MissingParameter, &"client_id is missing"))?;
    let client = match proxy.clients.identify(client_id).await {
        Identified::Client(client) => client,
        Identified::Unknown(why) => return Err(unknown(Reason::UnknownClient, &why)),
        Identified::Denied => {
            let detail = "the operator denied the client";
            return Err(unknown(Reason::DeniedClient, &detail));
        }
        Identified::Later(error) => return Err((error.into(), UNAVAILABLE)),
    };
    let unproven = |detail: &'static str| {
        let error = Refusal::new(Reason::RedirectUri, Code::InvalidRequest, "redirect_uri");
        (error.detail(detail), UNPROVEN_REDIRECT)
    };
    let redirect_uri = match params.get("redirect_uri") {
        Some(raw) => RedirectUri::parse(raw).map_err(|_| unproven("redirect_uri is malformed"))?,
        // RFC 6749 section 3.1.2.3: it may be left out when exactly one is registered.
        None => match client.redirect_uris.as_slice() {
            [only] => only.clone(),
            _ => return Err(unproven("redirect_uri is missing")),
        },
    };
    if !client.owns(&redirect_uri) {
        return Err(unproven("redirect_uri is not registered"));
    }
    // The policy may have become stricter since the client registered.
    if client.kind != ClientKind::Configured
        && !proxy.options.redirect_policy.permits(&redirect_uri)
    {
        return Err(unproven(
            "redirect_uri is not allowed by the redirect policy",
        ));
    }
    Ok((client, redirect_uri))
}

/// Every other rule, in the order in which a client would want to hear of it.
fn validate(
    proxy: &Proxy,
    params: &Params,
    client: &Client,
    redirect_uri: &RedirectUri,
) -> Result<AuthorizationRequest, Refusal> {
    let options = &proxy.options;
    let wrong = |reason, code, text: &'static str| Refusal::new(reason, code, text);
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => {
            let text = "only response_type=code is served";
            return Err(wrong(
                Reason::UnsupportedType,
                Code::UnsupportedResponseType,
                text,
            ));
        }
        None => {
            let text = "response_type is missing";
            return Err(wrong(Reason::MissingParameter, Code::InvalidRequest, text));
        }
    }
    if params
        .get("response_mode")
        .is_some_and(|mode| mode != "query")
    {
        let text = "only response_mode=query is served";
        return Err(wrong(Reason::UnsupportedType, Code::InvalidRequest, text));
    }
    // RFC 9101: parameters inside a JWT would pass by every rule here.
    if params.get("request").is_some() || params.get("request_uri").is_some() {
        let text = "request objects are not served";
        return Err(wrong(Reason::UnsupportedType, Code::InvalidRequest, text));
    }
    let challenge = challenge(params, options.allow_plain_pkce)?;
    let scopes = scopes(params.get("scope"), client.scope.as_ref(), &options.scopes)?;
    let resource = Resource::asked_for(params, &options.base)
        .map_err(|error| Refusal::new(Reason::Resource, Code::InvalidTarget, error.to_string()))?
        .unwrap_or_else(|| Resource::base(&options.base));
    let wishes = Wishes::read(params, &options.pass_on).map_err(|error| {
        let code = match error {
            WishError::NobodyAsked => Code::InteractionRequired,
            WishError::MaxAge => Code::InvalidRequest,
        };
        Refusal::new(Reason::UnsupportedType, code, error.to_string())
    })?;
    Ok(AuthorizationRequest {
        client: client.seen(),
        redirect_uri: redirect_uri.clone(),
        state: params.get_raw("state").map(str::to_owned),
        challenge,
        scopes,
        resource,
        wishes,
    })
}

fn challenge(params: &Params, allow_plain: bool) -> Result<CodeChallenge, Refusal> {
    let Some(challenge) = params.get("code_challenge") else {
        return Err(Refusal::new(
            Reason::Pkce,
            Code::InvalidRequest,
            "PKCE is required: code_challenge is missing",
        ));
    };
    CodeChallenge::parse(challenge, params.get("code_challenge_method"), allow_plain).map_err(
        |error: PkceError| Refusal::new(Reason::Pkce, Code::InvalidRequest, error.to_string()),
    )
}

/// Which scopes a request is about.
///
/// Unknown ones are dropped (claude.ai has sent `claudeai`); none left is `invalid_scope`. None
/// named: those of the registration, which are a default and never a cap, else all.
/// `offline_access` is always accepted.
fn scopes(
    requested: Option<&str>,
    registered: Option<&ScopeSet>,
    configured: &ScopeSet,
) -> Result<ScopeSet, Refusal> {
    let invalid = |text: String| Refusal::new(Reason::Scope, Code::InvalidScope, text);
    let known = |scopes: &ScopeSet| {
        scopes.retain(|scope| scope == "offline_access" || configured.contains(scope))
    };
    let Some(requested) = requested else {
        let default = registered.map(known).filter(|scopes| !scopes.is_empty());
        return Ok(default.unwrap_or_else(|| configured.clone()));
    };
    let requested = ScopeSet::parse(requested).map_err(|error| invalid(error.to_string()))?;
    let granted = known(&requested);
    if granted.is_empty() && !configured.is_empty() {
        return Err(invalid(
            "none of the requested scopes exists here".to_owned(),
        ));
    }
    Ok(granted)
}

/// To the consent page, or past it where the operator or the person said so before.
fn go_on(
    proxy: &Proxy,
    headers: &HeaderMap,
    client: &Client,
    request: AuthorizationRequest,
) -> OwnResponse {
    let (options, now) = (&proxy.options, proxy.now());
    let skips = match options.consent {
        Consent::Always => false,
        Consent::External | Consent::Disabled => true,
        Consent::Remember => {
            same_site::is_by_the_person(headers)
                && !request.wishes.want_consent()
                && proxy.cookies.approvals(headers, now).covers(&request)
        }
    };
    let from_elsewhere = !same_site::is_by_the_person(headers);
    let pending = PendingRequest::new(request, from_elsewhere, now);
    let event = Event::done(Step::Authorize).transaction(&pending.id);
    proxy.emit(&event.detail(client.name.as_deref().unwrap_or("")));
    if skips {
        return consent::send_to_provider(proxy, headers, pending, StatusCode::FOUND, None);
    }
    let ttl = options.transaction_ttl;
    match proxy.cookies.set_request(headers, &pending, ttl, now) {
        Ok(cookies) => {
            let page = format!("{}?txn={}", options.base.join(route::CONSENT), pending.id);
            answer::redirect(StatusCode::FOUND, &page, cookies)
        }
        Err(_) => too_large(proxy, &pending.request, StatusCode::FOUND),
    }
}

/// The request does not fit into a cookie, or beside the logins that wait: the client's `state` is
/// too long.
pub(super) fn too_large(
    proxy: &Proxy,
    request: &AuthorizationRequest,
    status: StatusCode,
) -> OwnResponse {
    let text =
        "the request is too large: shorten state, or finish the logins that wait in this browser";
    let refusal = Refusal::new(Reason::TooLarge, Code::InvalidRequest, text);
    proxy.emit(&refusal.event(Step::Authorize));
    let target = Target {
        redirect_uri: &request.redirect_uri,
        state: request.state.as_deref(),
    };
    target.with_error(proxy, status, &refusal.error, Vec::new())
}

fn page_for(proxy: &Proxy, refusal: &Refusal, (title, words): Words) -> OwnResponse {
    proxy.emit(&refusal.event(Step::Authorize));
    let status = match refusal.error.status {
        StatusCode::SERVICE_UNAVAILABLE => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    answer::page(status, page::message(proxy.service_name(), title, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(scopes: &str) -> ScopeSet {
        ScopeSet::parse(scopes).unwrap()
    }

    #[test]
    fn unknown_scopes_are_dropped_and_only_none_left_is_invalid() {
        let all = set("openid read write");
        let granted = |asked, registered: Option<&ScopeSet>| {
            scopes(asked, registered, &all).map(|scopes| scopes.to_string())
        };
        assert_eq!(granted(Some("read claudeai"), None).unwrap(), "read");
        assert_eq!(
            granted(Some("claudeai"), None).unwrap_err().error.code,
            Code::InvalidScope
        );
        assert_eq!(granted(None, None).unwrap(), "openid read write");
        assert_eq!(granted(None, Some(&set("read"))).unwrap(), "read");
        assert_eq!(
            granted(None, Some(&set("gone"))).unwrap(),
            "openid read write"
        );
        // A registration's scope is a default, never a cap.
        assert_eq!(granted(Some("write"), Some(&set("read"))).unwrap(), "write");
        assert_eq!(
            granted(Some("read offline_access"), None).unwrap(),
            "read offline_access"
        );
        assert_eq!(
            granted(Some("a\"b"), None).unwrap_err().error.code,
            Code::InvalidScope
        );
        assert_eq!(scopes(Some("x"), None, &set("")).unwrap().to_string(), "");
    }
}
