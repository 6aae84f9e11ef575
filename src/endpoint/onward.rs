//! From a valid authorization request to the consent page, or past it to the provider.

use http::{HeaderMap, StatusCode};

use super::{
    answer,
    redirect::{self, Target},
    refusal::Refusal,
    same_site,
};
use crate::{
    body::OwnResponse,
    client::Client,
    config::Consent,
    event::{Event, Step, mark_span},
    login::{AuthorizationRequest, RequestedLogin, Start, choice},
    proxy::Proxy,
    route,
};

/// To the consent page, or past it where the operator or the person said so before, and it is known which
/// provider the login goes to.
pub(super) async fn go_on(
    proxy: &Proxy,
    headers: &HeaderMap,
    client: &Client,
    request: AuthorizationRequest,
    login_hint: Option<&str>,
) -> OwnResponse {
    let (options, now) = (&proxy.options, proxy.now());
    let chosen = choice::by_rule(options, client, &request, login_hint);
    let open = match choice::open(&proxy.providers, chosen.as_deref(), &request.scopes) {
        Ok(open) => open,
        Err(error) => {
            let refusal = Refusal::from(&error).about(request.who());
            proxy.emit(&refusal.event(Step::Authorize));
            return Target::of(&request).refuse(proxy, &refusal, Vec::new());
        }
    };
    let is_by_the_person = same_site::is_by_the_person(headers);
    let wants_page =
        request.wishes.want_consent() || request.wishes.want_choice() && open.len() > 1;
    let past_consent = match options.consent {
        Consent::Always => None,
        Consent::External | Consent::Disabled => match open.as_slice() {
            [only] => Some(*only),
            _ => None,
        },
        Consent::Remember if !is_by_the_person || wants_page => None,
        Consent::Remember => {
            choice::approved(&open, &proxy.cookies.approvals(headers, now), &request)
        }
    };
    let start = Start {
        from_elsewhere: !is_by_the_person,
        provider: chosen,
    };
    let requested = RequestedLogin::new(request, start, now);
    let who = requested.who();
    mark_span(|| who.clone());
    let event = Event::done(Step::Authorize).about(who);
    let to = past_consent.or(open.first().copied().filter(|_| open.len() == 1));
    proxy.emit(&match to {
        Some(provider) => event.provider(&provider.about().id),
        None => event,
    });
    if let Some(provider) = past_consent {
        let status = StatusCode::FOUND;
        return redirect::to_provider(proxy, headers, requested, provider, status, None).await;
    }
    let ttl = options.transaction_ttl;
    match proxy.cookies.set_request(headers, &requested, ttl, now) {
        Ok(cookies) => {
            let page = format!(
                "{}?login={}",
                options.base.join(route::CONSENT),
                requested.id
            );
            answer::redirect(StatusCode::FOUND, &page, cookies)
        }
        Err(_) => redirect::too_large(proxy, &requested.request, StatusCode::FOUND),
    }
}
