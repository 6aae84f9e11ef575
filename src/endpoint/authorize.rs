//! `GET {base}/oauth/authorize`: the authorization request (RFC 6749 section 4.1.1, PKCE RFC 7636
//! section 4.3, `resource` RFC 8707 section 2).
//!
//! The rules stand in `login::request`. An unknown client or an unproven redirect URI is answered
//! with a page and never with a redirect; every other error goes back to the client. Nothing is
//! stored: what was validated is sealed into the browser's request cookie.

use http::{HeaderMap, request::Parts};

use super::{
    browser_client::client_in_browser, on_register, onward, redirect::Target, refusal::Refusal,
    request, same_site, visit::Visit,
};
use crate::{
    body::OwnResponse,
    client::{Client, RedirectUri},
    error::OAuthErrorCode as Code,
    event::{Reason, Step, Who},
    login::request::{proven_redirect_uri, validated},
    oauth::{Params, ParamsError},
    page::Situation,
    proxy::Proxy,
};

pub(super) async fn handle(proxy: &Proxy, parts: &Parts) -> OwnResponse {
    // Both would only cost the person cookies: one for a login that they did not ask for, and the one
    // of a waiting login that has to make room for it.
    if same_site::is_prefetch(&parts.headers) {
        return same_site::not_before_it_is_wanted(proxy, Step::Authorize);
    }
    let visit = Visit::of(proxy, parts);
    if same_site::is_embedded_elsewhere(&parts.headers) {
        let text = "another site put the login into its page";
        let refusal = Refusal::new(Reason::Browser, Code::InvalidRequest, text);
        return refusal.into_page(proxy, Step::Authorize, Situation::Embedded, &visit);
    }
    let (params, repeated) = match parameters(parts) {
        Ok(read) => read,
        Err(refusal) => {
            let situation = Situation::UnreadableRequest;
            return refusal.into_page(proxy, Step::Authorize, situation, &visit);
        }
    };
    let visit = visit.speaking(params.get("ui_locales"));
    let (client, redirect_uri) = match target(proxy, &params).await {
        Ok(target) => target,
        Err((refusal, situation)) => {
            let refusal = repeated.unwrap_or(refusal);
            let refusal = refusal.about(asked(&params, Who::default()));
            let again = again(&parts.headers, situation);
            return refusal.into_page_with(proxy, Step::Authorize, situation, &visit, again);
        }
    };
    let validated = match repeated {
        Some(refusal) => Err(refusal),
        None => validated(&params, &client, &redirect_uri, &proxy.options)
            .map_err(|error| Refusal::from(error).detail(error.told(&params, &proxy.options))),
    };
    match validated {
        Ok(request) => {
            // To the person and not to the client: here they can try again, and the client waits for them.
            if let Err(over) = proxy.quotas.login(proxy.clock.now()) {
                let (situation, step) = (Situation::Crowded, Step::Authorize);
                let again = again(&parts.headers, situation);
                let refusal = Refusal::from(over).about(request.who());
                return refusal.into_page_with(proxy, step, situation, &visit, again);
            }
            let hint = params.get("login_hint");
            onward::go_on(proxy, &parts.headers, &client, request, hint).await
        }
        Err(refusal) => {
            let (who, host) = (client.who(), redirect_uri.shown_address());
            let refusal = refusal.about(asked(&params, who.redirect_host(&host)));
            proxy.emit(&refusal.event(Step::Authorize));
            let state = params.get_raw("state");
            Target::new(&redirect_uri, state).refuse(proxy, &refusal, Vec::new())
        }
    }
}

/// The parameters, and the refusal when one is repeated: the others still say whose request it is.
///
/// RFC 6749 section 3.1: "Request and response parameters MUST NOT be included more than once."
fn parameters(parts: &Parts) -> Result<(Params, Option<Refusal>), Refusal> {
    let (name, first) = match request::query(parts) {
        Ok(params) => return Ok((params, None)),
        Err(ParamsError::Duplicate { name, first }) => (name, first),
        Err(error) => return Err(error.into()),
    };
    let refusal = Refusal::from(ParamsError::Duplicate {
        name,
        first: Params::default(),
    });
    // It may be the redirect URI that is repeated, and then nothing says which one was meant.
    match first.get("redirect_uri") {
        Some(_) => Ok((first, Some(refusal))),
        None => Err(refusal),
    }
}

/// What was asked for, beside what is known of the client: none of it is proven.
fn asked(params: &Params, known: Who) -> Who {
    let asked = |name| params.get(name).unwrap_or_default();
    let who = Who::default().client(asked("client_id"), None);
    known.or(who.access(asked("resource"), asked("scope")))
}

/// Proves who is asking, and where the answer may go.
async fn target(
    proxy: &Proxy,
    params: &Params,
) -> Result<(Client, RedirectUri), (Refusal, Situation)> {
    let Some(client_id) = params.get("client_id") else {
        let text = "client_id is missing";
        let refusal = Refusal::new(Reason::MissingParameter, Code::InvalidRequest, text);
        return Err((refusal, Situation::UnknownClient));
    };
    let client = client_in_browser(proxy, client_id).await?;
    let redirect_uri = proven_redirect_uri(params, &client, &proxy.options).map_err(|why| {
        let refusal = Refusal::new(Reason::RedirectUri, Code::InvalidRequest, "redirect_uri");
        let refusal = refusal
            .detail(why.told(params, &client))
            .about(client.who());
        (refusal, Situation::UnprovenRedirect)
    })?;
    let asked = on_register::ask_of_document(proxy, &client).await;
    asked.map_err(|(refusal, situation)| (refusal.about(client.who()), situation))?;
    Ok((client, redirect_uri))
}

/// A way to try again, where that may help. The link leads to where the browser is already. It stands there only for
/// a person who came by themselves: what follows a link of ours counts as their own step, and a login that another
/// site began must not become that.
fn again(headers: &HeaderMap, situation: Situation) -> Option<&'static str> {
    let may_pass = matches!(
        situation,
        Situation::NoDocument | Situation::CannotStart | Situation::Crowded
    );
    (may_pass && same_site::is_by_the_person(headers)).then_some("")
}
