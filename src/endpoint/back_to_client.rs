//! What a login came to, told to the client that waits.

use http::StatusCode;

use super::{account_page, redirect::Target, refusal::Refusal, visit::Visit};
use crate::{
    body::OwnResponse,
    event::{Event, Reason, Step},
    login::{Login, LoginError, Outcome},
    metrics,
    page::Situation,
    proxy::Proxy,
};

/// Goes back to the client, with a code or an error, or first to the page that shows the account.
pub(super) fn answer(
    proxy: &Proxy,
    login: &Login,
    outcome: &Outcome,
    visit: &Visit<'_>,
) -> OwnResponse {
    let (target, headers) = (
        Target::of(&login.request).in_login(&login.id),
        visit.headers(),
    );
    let (ttl, now) = (proxy.options.transaction_ttl, proxy.now());
    let over = |has_access| {
        let cookies = &proxy.cookies;
        cookies.finish_login(headers, login, has_access, ttl, now)
    };
    match outcome {
        Ok(granted) => {
            counted(proxy, login, None);
            let event = Event::done(Step::Callback).about(granted.who.clone());
            proxy.emit(&event.about(login.who()));
            match &granted.account {
                Some(name) => account_page::go_there(proxy, headers, login, granted, name),
                None => target.with_code(proxy, StatusCode::FOUND, &granted.code, over(true)),
            }
        }
        Err(error) => {
            let refusal = Refusal::from(error).about(login.who());
            if let LoginError::Replayed = error {
                // The client has heard already.
                let visit = visit.of_login(login);
                return refusal.into_page(proxy, Step::Callback, Situation::AlreadyUsed, &visit);
            }
            counted(proxy, login, Some(refusal.reason));
            proxy.emit(&refusal.event(Step::Callback));
            target.refuse(proxy, &refusal, over(false))
        }
    }
}

/// Every login that came back counts once, as what it came to.
fn counted(proxy: &Proxy, login: &Login, reason: Option<Reason>) {
    let client = || proxy.clients.counted_as(&login.request.client);
    metrics::login(client, &login.provider, reason.map(Reason::as_str));
}
