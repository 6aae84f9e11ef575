//! The answer to a browser that does not hold the login which it asks for.

use http::StatusCode;

use super::{answer, refusal::Refusal, visit::Visit};
use crate::{
    body::OwnResponse,
    error::OAuthErrorCode,
    event::{Event, Reason, Step},
    login::{Absent, absent},
    oauth::Params,
    page::Situation,
    proxy::Proxy,
};

/// The page for a browser without the login of this id, or of the callback with this `state`: over and done with
/// here, too old, or not of this browser.
pub(super) fn page(proxy: &Proxy, step: Step, asked: &str, visit: &Visit<'_>) -> OwnResponse {
    let headers = visit.headers();
    let (ttl, now) = (proxy.options.transaction_ttl, proxy.now());
    if let Some(finished) = proxy.cookies.finished(headers, asked, ttl, now) {
        let event = Event::refused(step, Reason::Replayed).login(&*finished.id);
        proxy.emit(&event.detail("the person came back to a login of theirs that is over"));
        let situation = match finished.has_access {
            true => Situation::Finished,
            false => Situation::AlreadyUsed,
        };
        return answer::message(&visit.in_login(&finished.id), StatusCode::OK, situation);
    }
    let detail = match step {
        Step::Callback => "no login cookie answers to this state",
        Step::Consent => "no request cookie of this login",
        _ => "no account cookie of this login",
    };
    let keeps_cookies = proxy.cookies.has_any(headers);
    let (reason, situation) = match absent(asked, keeps_cookies, ttl, now) {
        Absent::Expired => (Reason::Expired, Situation::Expired),
        // A browser that kept no cookie does not come so far by itself: somebody may have sent the link.
        Absent::NoCookies | Absent::Elsewhere if step == Step::Callback => {
            (Reason::Browser, Situation::NotThisBrowser)
        }
        Absent::NoCookies => (Reason::Browser, Situation::NoCookies),
        Absent::Elsewhere => (Reason::Browser, Situation::NotWaiting),
    };
    let detail = match keeps_cookies {
        true => detail.to_owned(),
        false => format!("{detail}; the browser sent no cookie of ours"),
    };
    refusal(reason, &detail).into_page(proxy, step, situation, visit)
}

/// The same of a form. Who cancels what is not there any more has what they want.
pub(super) fn after_form(
    proxy: &Proxy,
    step: Step,
    params: &Params,
    visit: &Visit<'_>,
) -> OwnResponse {
    match params.get("decision") {
        Some("deny") => {
            let refusal = refusal(Reason::PersonDenied, "no cookie of this login");
            refusal.into_page(proxy, step, Situation::Cancelled, visit)
        }
        _ => {
            let asked = params.get("login").unwrap_or_default();
            page(proxy, step, asked, visit)
        }
    }
}

/// The same of a callback: the person said no at the provider, and no client is known that could hear of it.
pub(super) fn cancelled(proxy: &Proxy, visit: &Visit<'_>) -> OwnResponse {
    let detail = "the provider was told no, and no login cookie answers to this state";
    let refusal = refusal(Reason::ProviderDenied, detail);
    refusal.into_page(proxy, Step::Callback, Situation::Cancelled, visit)
}

/// A form that is not the one of the page that this browser was shown.
pub(super) fn not_ours(proxy: &Proxy, step: Step, detail: &str, visit: &Visit<'_>) -> OwnResponse {
    refusal(Reason::Browser, detail).into_page(proxy, step, Situation::NotWaiting, visit)
}

fn refusal(reason: Reason, detail: &str) -> Refusal {
    Refusal::new(reason, OAuthErrorCode::InvalidRequest, detail.to_owned())
}
