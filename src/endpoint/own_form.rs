//! A form of our own page comes back: who may have sent it, and which login it is about.

use http::{HeaderMap, request::Parts};
use http_body::Body;

use super::{not_here, request, same_site, visit::Visit};
use crate::{
    body::OwnResponse,
    error::BoxError,
    event::{Step, Who, mark_span},
    key::constant_time_eq,
    login::{Account, RequestedLogin},
    oauth::Params,
    page::Situation,
    proxy::Proxy,
};

/// What a sealed cookie holds while its page waits for a decision.
pub(super) trait Undecided: Sized {
    const STEP: Step;
    /// Opens the cookie of this login, where the browser has it.
    fn find(proxy: &Proxy, headers: &HeaderMap, id: &str) -> Option<Self>;
    fn form_token(&self) -> &str;
    fn who(&self) -> Who;
}

impl Undecided for RequestedLogin {
    const STEP: Step = Step::Consent;

    fn find(proxy: &Proxy, headers: &HeaderMap, id: &str) -> Option<Self> {
        let ttl = proxy.options.transaction_ttl;
        proxy.cookies.request(headers, id, ttl, proxy.now())
    }

    fn form_token(&self) -> &str {
        &self.form_token
    }

    fn who(&self) -> Who {
        self.who()
    }
}

impl Undecided for Account {
    const STEP: Step = Step::Account;

    fn find(proxy: &Proxy, headers: &HeaderMap, id: &str) -> Option<Self> {
        let ttl = proxy.options.transaction_ttl;
        proxy.cookies.account(headers, id, ttl, proxy.now())
    }

    fn form_token(&self) -> &str {
        &self.form_token
    }

    fn who(&self) -> Who {
        self.who()
    }
}

/// The form, and what it decides: posted by our own page, in the browser that holds the login, with the token that
/// this page had. Otherwise the page that says what is wrong.
pub(super) async fn read<L: Undecided, B>(
    proxy: &Proxy,
    parts: &Parts,
    body: B,
    visit: &Visit<'_>,
) -> Result<(Params, L), OwnResponse>
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let not_ours = |detail| not_here::not_ours(proxy, L::STEP, detail, visit);
    if !same_site::is_own_form(proxy, &parts.headers) {
        return Err(not_ours("the form was posted from another site"));
    }
    let params = match request::form(parts, body).await {
        Ok(params) => params,
        Err(refusal) => {
            return Err(refusal.into_page(proxy, L::STEP, Situation::UnreadableForm, visit));
        }
    };
    let id = params.get("login");
    let Some(login) = id.and_then(|id| L::find(proxy, &parts.headers, id)) else {
        return Err(not_here::after_form(proxy, L::STEP, &params, visit));
    };
    mark_span(|| login.who());
    let form_token = params.get("csrf").unwrap_or_default();
    match constant_time_eq(form_token.as_bytes(), login.form_token().as_bytes()) {
        true => Ok((params, login)),
        false => Err(not_ours("the form token is another one")),
    }
}
