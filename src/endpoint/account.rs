//! `GET` and `POST {base}/oauth/account`: the person is back from the provider, sees which account that is, and
//! says whether the client gets access. `login/account.rs` says against what.
//!
//! Nothing was handed out so far. What the page shows and what its buttons do comes from one sealed cookie.

use http::request::Parts;
use http_body::Body;

use super::{
    account_decision, account_page, not_here,
    own_form::{self, Undecided},
    request, same_site,
    visit::Visit,
};
use crate::{body::OwnResponse, error::BoxError, event::Step, login::Account, proxy::Proxy};

/// `GET`: the page. May be fetched more than once: it changes nothing.
pub(super) fn show(proxy: &Proxy, parts: &Parts) -> OwnResponse {
    let visit = Visit::of(proxy, parts);
    let params = request::query(parts).unwrap_or_default();
    let id = params.get("login").unwrap_or_default();
    match Account::find(proxy, &parts.headers, id) {
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
    if !same_site::says_where_from(headers) {
        return not_ours("nothing says from which site the form was posted");
    }
    let (params, account) = match own_form::read::<Account, _>(proxy, parts, body, &visit).await {
        Ok(form) => form,
        Err(response) => return response,
    };
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
