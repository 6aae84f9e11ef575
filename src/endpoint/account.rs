//! `GET` and `POST {base}/oauth/account`: the person is back from the provider, sees which account that is, and
//! says whether the client gets access. `login/account.rs` says against what.
//!
//! Nothing was handed out so far. What the page shows and what its buttons do comes from one sealed cookie.

use http::{HeaderMap, StatusCode, request::Parts};
use http_body::Body;

use super::{
    account_page, not_here,
    redirect::{self, Target},
    refusal::Refusal,
    request, same_site,
    visit::Visit,
};
use crate::{
    body::OwnResponse,
    error::{BoxError, OAuthError, OAuthErrorCode as Code},
    event::{Event, Reason, Step, mark_span},
    grant::GrantId,
    key::constant_time_eq,
    login::{
        Account,
        admission::{Admission, HandedOut},
    },
    page::Situation,
    proxy::Proxy,
};

/// `GET`: the page. May be fetched more than once: it changes nothing.
pub(super) fn show(proxy: &Proxy, parts: &Parts) -> OwnResponse {
    let visit = Visit::of(proxy, parts);
    let params = request::query(parts).unwrap_or_default();
    let id = params.get("login").unwrap_or_default();
    match find(proxy, &parts.headers, id) {
        Some(account) => account_page::page(proxy, &account, &visit),
        None => {
            let detail = "no account cookie of this login";
            not_here::page(proxy, Step::Account, id, detail, &visit)
        }
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
    let not_ours = |detail| not_here::not_ours(proxy, Step::Account, detail, &visit);
    // The cookies say nothing here: a neighbour may have planted them, and knows the form's token then.
    if !same_site::is_own_form(proxy, headers) || !same_site::says_where_from(headers) {
        return not_ours("the form was posted from another site, or nothing says from where");
    }
    let params = match request::form(parts, body).await {
        Ok(params) => params,
        Err(refusal) => {
            return refusal.into_page(proxy, Step::Account, Situation::UnreadableForm, &visit);
        }
    };
    let account = params.get("login").and_then(|id| find(proxy, headers, id));
    let Some(account) = account else {
        return not_here::after_form(proxy, Step::Account, &params, &visit);
    };
    mark_span(|| account.who());
    let form_token = params.get("csrf").unwrap_or_default();
    if !constant_time_eq(form_token.as_bytes(), account.form_token.as_bytes()) {
        return not_ours("the form token is another one");
    }
    let admission = proxy.admissions.of(&account.provider);
    let (Some(grant), Some(admission)) = (account.grant(), admission) else {
        return not_ours("the provider of this login is not configured any more");
    };
    match params.get("decision") {
        Some("approve") => go_on(proxy, &account, grant, admission, &visit).await,
        Some("other") => {
            drop_grant(proxy, &account, grant, admission, Reason::AnotherAccount).await;
            let provider = &admission.provider;
            let (taken, prompt) = (
                proxy.cookies.take_account(&account),
                provider.about().prompt_for_another_account(),
            );
            let again = account.with_another_account(prompt, proxy.now());
            let status = StatusCode::SEE_OTHER;
            redirect::to_provider(proxy, headers, again, provider, status, taken).await
        }
        Some("deny") => {
            drop_grant(proxy, &account, grant, admission, Reason::PersonDenied).await;
            let error = OAuthError::new(Code::AccessDenied, "the person denied access");
            without_access(proxy, headers, &account, &error)
        }
        _ => not_ours("no decision in the form"),
    }
}

/// It is the right account: the client gets its code.
async fn go_on(
    proxy: &Proxy,
    account: &Account,
    grant: GrantId,
    admission: &Admission,
    visit: &Visit<'_>,
) -> OwnResponse {
    let (headers, visit) = (visit.headers(), &visit.of_account(account));
    let (ttl, now) = (proxy.options.transaction_ttl, proxy.now());
    let gone = |reason, text| {
        let refusal = Refusal::new(reason, Code::AccessDenied, text);
        refusal.of(grant).about(account.who())
    };
    match admission.hand_out(grant, &account.code, now).await {
        Ok(HandedOut::Code) => {
            let event = Event::done(Step::Account).grant(grant);
            proxy.emit(&event.about(account.who()));
            let over = proxy
                .cookies
                .finish_account(headers, account, true, ttl, now);
            let target = Target::of(&account.request);
            target.with_code(proxy, StatusCode::SEE_OTHER, &account.code, over)
        }
        Ok(HandedOut::Redeemed) => gone(Reason::Replayed, "the code was redeemed before")
            .into_page(proxy, Step::Account, Situation::AlreadyUsed, visit),
        Ok(HandedOut::Gone) => {
            let refusal = gone(Reason::GrantEnded, "the login was not continued in time");
            proxy.emit(&refusal.event(Step::Account));
            without_access(proxy, headers, account, &refusal.error)
        }
        Err(error) => {
            let refusal = Refusal::from(error).of(grant).about(account.who());
            let again = account_page::url(proxy, &account.id);
            let situation = Situation::CannotFinish;
            refusal.into_page_with(proxy, Step::Account, situation, visit, Some(&again))
        }
    }
}

/// What the person does not want ends now; where the store does not answer, by its time.
async fn drop_grant(
    proxy: &Proxy,
    account: &Account,
    grant: GrantId,
    admission: &Admission,
    reason: Reason,
) {
    let event = Event::refused(Step::Account, reason).grant(grant);
    proxy.emit(&event.about(account.who()));
    if let Err(error) = admission.drop_held_back(grant).await {
        let refusal = Refusal::from(error).of(grant).about(account.who());
        proxy.emit(&refusal.event(Step::Storage));
    }
}

fn without_access(
    proxy: &Proxy,
    headers: &HeaderMap,
    account: &Account,
    error: &OAuthError,
) -> OwnResponse {
    let (ttl, now) = (proxy.options.transaction_ttl, proxy.now());
    let over = proxy
        .cookies
        .finish_account(headers, account, false, ttl, now);
    let target = Target::of(&account.request);
    target.with_error(proxy, StatusCode::SEE_OTHER, error, over)
}

fn find(proxy: &Proxy, headers: &HeaderMap, id: &str) -> Option<Account> {
    let ttl = proxy.options.transaction_ttl;
    proxy.cookies.account(headers, id, ttl, proxy.now())
}
