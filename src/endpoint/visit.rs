//! One browser at one of our URLs: the language of its pages, and the id that a page and its event share.

use http::{HeaderMap, header, request::Parts};

use crate::{
    config::Options,
    login::{Account, Login, RequestedLogin},
    page::Stage,
    proxy::Proxy,
    random,
    resource_server::ResourceServer,
    time::Unix,
};

/// What a page needs to know of the request that it answers. Nothing is read before there is a page.
#[derive(Clone, Copy)]
pub(super) struct Visit<'a> {
    options: &'a Options,
    headers: &'a HeaderMap,
    at: Unix,
    /// The languages that the app named for the person (`ui_locales`).
    locales: Option<&'a str>,
    login: Option<&'a str>,
}

impl<'a> Visit<'a> {
    pub(super) fn of(proxy: &'a Proxy, parts: &'a Parts) -> Self {
        Self::new(&proxy.options, parts, proxy.now())
    }

    /// The same where no authorization server may be.
    pub(super) fn of_server(server: &'a ResourceServer, parts: &'a Parts) -> Self {
        Self::new(&server.options, parts, server.now())
    }

    fn new(options: &'a Options, parts: &'a Parts, at: Unix) -> Self {
        Self {
            options,
            headers: &parts.headers,
            at,
            locales: None,
            login: None,
        }
    }

    /// In these languages sooner than in the browser's own.
    pub(super) fn speaking(self, locales: Option<&'a str>) -> Self {
        Self { locales, ..self }
    }

    /// The visit belongs to a login that waits for the person's decision.
    pub(super) fn of_requested(self, requested: &'a RequestedLogin) -> Self {
        let locales = requested.request.wishes.ui_locales();
        self.speaking(locales).in_login(&requested.id)
    }

    /// The visit belongs to a login that comes back from the provider.
    pub(super) fn of_login(self, login: &'a Login) -> Self {
        let locales = login.request.wishes.ui_locales();
        self.speaking(locales).in_login(&login.id)
    }

    /// The visit belongs to a login that waits at the account page.
    pub(super) fn of_account(self, account: &'a Account) -> Self {
        let locales = account.request.wishes.ui_locales();
        self.speaking(locales).in_login(&account.id)
    }

    /// The login's id is the page's, and its event's.
    pub(super) fn in_login(self, id: &'a str) -> Self {
        let login = Some(id);
        Self { login, ..self }
    }

    pub(super) fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// The id of the login that it belongs to; else a fresh one. Ask once, for the event, and give it to
    /// [`in_login`](Self::in_login) for the page.
    pub(super) fn id(&self) -> String {
        self.login.map_or_else(random::spoken, str::to_owned)
    }

    /// Everything that a page of this id needs besides its content.
    pub(super) fn stage(&self, id: &'a str) -> Stage<'a> {
        let accepted = self.headers.get_all(header::ACCEPT_LANGUAGE).iter();
        let accepted = accepted.filter_map(|value| value.to_str().ok());
        Stage {
            look: &self.options.look,
            language: self.options.languages.choose(self.locales, accepted),
            id,
            at: self.at,
        }
    }
}
