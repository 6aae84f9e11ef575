//! The cookies of a login that is back from the provider: the one that waits at the account page, and what is
//! left of one that is over.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use super::{
    jar::{Cookies, TooLarge},
    kind::{Kind, tag},
    line::pairs,
    room::Rank,
};
use crate::{
    login::{
        account::{Account, Finished, StateMark},
        progress::{Login, RequestedLogin, is_live},
    },
    time::Unix,
};

impl Cookies {
    /// Both cookies of a login that is back from the provider, for the one that waits at the account page.
    pub(crate) fn set_account(
        &self,
        headers: &HeaderMap,
        login: &Login,
        account: &Account,
        ttl: Duration,
        now: Unix,
    ) -> Result<Vec<HeaderValue>, TooLarge> {
        let new = tag(&account.id);
        let value = self.sealing.seal(Kind::Account, &new, account);
        let rank = Rank::of(Kind::Account, account.from_elsewhere);
        let gone = [
            (Kind::Request, tag(&login.id)),
            (Kind::Login, tag(&login.state)),
        ];
        let taken = self.taken(&gone);
        let set = self.set(
            headers,
            (Kind::Account, rank),
            (&new, &value),
            &gone,
            ttl,
            now,
        )?;
        Ok(taken.chain(set).collect())
    }

    /// The login that waits at the account page under this id.
    pub(crate) fn account(
        &self,
        headers: &HeaderMap,
        id: &str,
        ttl: Duration,
        now: Unix,
    ) -> Option<Account> {
        self.find(headers, Kind::Account, &tag(id))
            .filter(|account: &Account| account.id == id && is_live(account.issued_at, ttl, now))
    }

    /// The id of the login that this callback brought to the account page.
    pub(crate) fn account_after(
        &self,
        headers: &HeaderMap,
        state: &str,
        ttl: Duration,
        now: Unix,
    ) -> Option<String> {
        let accounts = self.tagged(headers, Kind::Account, |tag, value| {
            self.sealing.open(Kind::Account, tag, value)
        });
        let state = StateMark::of(state);
        let opened = accounts.into_iter().filter_map(|(.., account)| account);
        let mut live = opened.filter(|account: &Account| is_live(account.issued_at, ttl, now));
        live.find(|account| account.state == state)
            .map(|account| account.id)
    }

    /// A login of this browser that is over, by its id or by the `state` of its callback.
    pub(crate) fn finished(
        &self,
        headers: &HeaderMap,
        of: &str,
        ttl: Duration,
        now: Unix,
    ) -> Option<Finished> {
        let finished = self.tagged(headers, Kind::Finished, |tag, value| {
            self.sealing.open(Kind::Finished, tag, value)
        });
        let state = Some(StateMark::of(of));
        let opened = finished.into_iter().filter_map(|(.., finished)| finished);
        let mut live = opened.filter(|finished: &Finished| is_live(finished.at, ttl, now));
        live.find(|finished| finished.id == of || finished.state == state)
    }

    /// Whether this browser sent any cookie of ours.
    pub(crate) fn has_any(&self, headers: &HeaderMap) -> bool {
        let stems = Kind::ALL.map(|kind| self.name(kind, ""));
        pairs(headers).any(|(name, _)| stems.iter().any(|stem| name.starts_with(stem)))
    }

    /// Takes all cookies of a login that came back, and leaves one that says that it is over.
    pub(crate) fn finish_login(
        &self,
        headers: &HeaderMap,
        login: &Login,
        has_access: bool,
        ttl: Duration,
        now: Unix,
    ) -> Vec<HeaderValue> {
        let gone = [
            (Kind::Request, tag(&login.id)),
            (Kind::Login, tag(&login.state)),
        ];
        let finished = Finished {
            id: login.id.clone(),
            state: Some(StateMark::of(&login.state)),
            at: now,
            has_access,
        };
        self.finish(headers, &gone, &finished, ttl)
    }

    /// The same at the account page.
    pub(crate) fn finish_account(
        &self,
        headers: &HeaderMap,
        account: &Account,
        has_access: bool,
        ttl: Duration,
        now: Unix,
    ) -> Vec<HeaderValue> {
        let finished = Finished {
            id: account.id.clone(),
            state: Some(account.state),
            at: now,
            has_access,
        };
        let gone = [(Kind::Account, tag(&account.id))];
        self.finish(headers, &gone, &finished, ttl)
    }

    /// The same of a request that goes no further than to the consent page.
    pub(crate) fn finish_request(
        &self,
        headers: &HeaderMap,
        requested: &RequestedLogin,
        ttl: Duration,
        now: Unix,
    ) -> Vec<HeaderValue> {
        let finished = Finished {
            id: requested.id.clone(),
            state: None,
            at: now,
            has_access: false,
        };
        let gone = [(Kind::Request, tag(&requested.id))];
        self.finish(headers, &gone, &finished, ttl)
    }

    fn finish(
        &self,
        headers: &HeaderMap,
        gone: &[(Kind, String)],
        finished: &Finished,
        ttl: Duration,
    ) -> Vec<HeaderValue> {
        let new = tag(&finished.id);
        let value = self.sealing.seal(Kind::Finished, &new, finished);
        let (of, now) = ((Kind::Finished, Rank::Finished), finished.at);
        let set = self.set(headers, of, (&new, &value), gone, ttl, now);
        // Where there is no room, a reload meets a page that knows less.
        self.taken(gone).chain(set.unwrap_or_default()).collect()
    }

    /// Takes the cookie of an account page whose person goes back to the provider.
    pub(crate) fn take_account(&self, account: &Account) -> Option<HeaderValue> {
        self.removal(&self.name(Kind::Account, &tag(&account.id)))
    }

    fn taken(&self, gone: &[(Kind, String)]) -> impl Iterator<Item = HeaderValue> {
        gone.iter()
            .filter_map(|(kind, tag)| self.removal(&self.name(*kind, tag)))
    }
}
