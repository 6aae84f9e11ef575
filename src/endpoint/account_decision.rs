//! What comes of each button of the account page.

use http::{HeaderMap, StatusCode};

use super::{
    account_page,
    redirect::{self, Target},
    refusal::Refusal,
    visit::Visit,
};
use crate::{
    body::OwnResponse,
    error::{OAuthError, OAuthErrorCode as Code},
    event::{Event, Reason, Step},
    grant::GrantId,
    login::{
        Account,
        admission::{Admission, HandedOut},
    },
    page::Situation,
    proxy::Proxy,
};

/// It is the right account: the client gets its code.
pub(super) async fn go_on(
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
            let target = Target::of(&account.request).in_login(&account.id);
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

/// To the provider once more, for another account.
pub(super) async fn choose_again(
    proxy: &Proxy,
    account: Account,
    grant: GrantId,
    admission: &Admission,
    headers: &HeaderMap,
) -> OwnResponse {
    drop_grant(proxy, &account, grant, admission, Reason::AnotherAccount).await;
    let provider = &admission.provider;
    let taken = proxy.cookies.take_account(&account);
    let prompt = provider.prompt_for_another_account();
    let again = account.with_another_account(prompt, proxy.now());
    let status = StatusCode::SEE_OTHER;
    redirect::to_provider(proxy, headers, again, provider, status, taken).await
}

/// The person said no.
pub(super) async fn cancel(
    proxy: &Proxy,
    account: &Account,
    grant: GrantId,
    admission: &Admission,
    headers: &HeaderMap,
) -> OwnResponse {
    drop_grant(proxy, account, grant, admission, Reason::PersonDenied).await;
    let error = OAuthError::new(Code::AccessDenied, "the person denied access");
    without_access(proxy, headers, account, &error)
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
    let target = Target::of(&account.request).in_login(&account.id);
    target.with_error(proxy, StatusCode::SEE_OTHER, error, over)
}
