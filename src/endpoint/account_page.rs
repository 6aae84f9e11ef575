//! The page that shows a person the account that they came back with, and the way there.

use http::{HeaderMap, StatusCode};

use super::{answer, consent_page, redirect::Target, refusal::Refusal, visit::Visit};
use crate::{
    body::OwnResponse,
    error::OAuthErrorCode,
    event::{Reason, Step},
    login::{Account, AccountName, Granted, Login},
    page::{Page, Situation, YourAccount},
    proxy::Proxy,
    route,
};

/// From the callback to the page. What the page needs goes along in a cookie; the URL of the callback, with the
/// provider's code in it, stays behind.
pub(super) fn go_there(
    proxy: &Proxy,
    headers: &HeaderMap,
    login: &Login,
    granted: &Granted,
    name: &AccountName,
) -> OwnResponse {
    let (ttl, now) = (proxy.options.transaction_ttl, proxy.now());
    let account = Account::new(login, &granted.code, name.clone(), now);
    match proxy
        .cookies
        .set_account(headers, login, &account, ttl, now)
    {
        Ok(cookies) => answer::redirect(StatusCode::FOUND, &url(proxy, &account.id), cookies),
        // The login's cookie left room for this; a neighbour's cookies may have taken it. The code stays here.
        Err(_) => {
            let text =
                "this browser has no room for another cookie: finish the logins that wait in it";
            let refusal = Refusal::new(Reason::TooLarge, OAuthErrorCode::ServerError, text);
            let refusal = refusal.about(granted.who.clone()).about(login.who());
            proxy.emit(&refusal.event(Step::Account));
            let over = proxy.cookies.finish_login(headers, login, false, ttl, now);
            Target::of(&login.request)
                .in_login(&login.id)
                .refuse(proxy, &refusal, over)
        }
    }
}

/// To a page that waits already.
pub(super) fn back_there(proxy: &Proxy, id: &str) -> OwnResponse {
    answer::redirect(StatusCode::FOUND, &url(proxy, id), Vec::new())
}

pub(super) fn url(proxy: &Proxy, id: &str) -> String {
    format!("{}?login={id}", proxy.options.base.join(route::ACCOUNT))
}

pub(super) fn page(proxy: &Proxy, account: &Account, visit: &Visit<'_>) -> OwnResponse {
    let (request, visit) = (&account.request, &visit.of_account(account));
    let not_now = |detail: String| {
        let refusal = Refusal::new(Reason::Browser, OAuthErrorCode::InvalidRequest, detail);
        let refusal = refusal.about(account.who());
        refusal.into_page(proxy, Step::Account, Situation::NotWaiting, visit)
    };
    let Some(provider) = proxy.providers.of(&account.provider) else {
        return not_now(format!(
            "the provider `{}` is not configured any more",
            account.provider
        ));
    };
    let client = match proxy.clients.recall(&request.client) {
        Ok(client) => client,
        Err(why) => return not_now(why.to_string()),
    };
    let (host, uri) = (client.document_host(), &request.redirect_uri);
    let (person, address) = (&account.person, uri.shown_address());
    let page = Page::Account(YourAccount {
        provider: &provider.about().name,
        name: person.name.as_deref(),
        address: person.address.as_deref(),
        is_confirmed: person.is_confirmed,
        login_name: person.login_name.as_deref(),
        subject: person.subject.as_deref(),
        can_change: provider.prompt_for_another_account().is_some(),
        client: client.name.as_deref(),
        host: host.as_deref(),
        target: consent_page::target(uri, &address),
        redirect_uri: uri.as_str(),
        trust: consent_page::trust(&client, uri),
        scopes: &request.scopes,
        resource: request.resource.as_str(),
        action: &proxy.options.base.join(route::ACCOUNT),
        login: &account.id,
        form_token: &account.form_token,
    });
    answer::page(visit, StatusCode::OK, &page)
}
