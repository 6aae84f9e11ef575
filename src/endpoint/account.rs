//! `GET` and `POST {base}/oauth/account`: the person is back from the provider, sees which account that is, and
//! says whether the client gets access. `login/account.rs` says against what.
//!
//! Nothing was handed out so far. What the page shows and what its buttons do comes from one sealed cookie.

use http::{HeaderMap, request::Parts};
use http_body::Body;

use super::{account_decision, account_page, not_here, request, same_site, visit::Visit};
use crate::{
    body::OwnResponse,
    error::BoxError,
    event::{Step, mark_span},
    key::constant_time_eq,
    login::Account,
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
        None => not_here::page(proxy, Step::Account, id, &visit),
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
        Some("approve") => account_decision::go_on(proxy, &account, grant, admission, &visit).await,
        Some("other") => {
            account_decision::choose_again(proxy, account, grant, admission, headers).await
        }
        Some("deny") => account_decision::cancel(proxy, &account, grant, admission, headers).await,
        _ => not_ours("no decision in the form"),
    }
}

fn find(proxy: &Proxy, headers: &HeaderMap, id: &str) -> Option<Account> {
    let ttl = proxy.options.transaction_ttl;
    proxy.cookies.account(headers, id, ttl, proxy.now())
}
