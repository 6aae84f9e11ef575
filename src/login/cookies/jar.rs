//! The cookies of one proxy in one browser: set, found and taken.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;

use super::{
    kind::{Kind, is_tag, tag},
    line::{line, pairs},
    room::{Held, Rank, evicted},
    sealing::{CookieKeys, Sealing},
};
use crate::{
    key::sha256,
    limits,
    login::{
        account::{Account, Finished},
        approvals::Approvals,
        progress::{Login, RequestedLogin, is_live},
    },
    oauth::BaseUrl,
    time::Unix,
};

/// Makes and reads the cookies of one proxy.
pub(crate) struct Cookies {
    pub(super) sealing: Sealing,
    prefix: String,
    /// A hash of the base URL, because a host's ports share their cookies (RFC 6265 section 8.5) and
    /// two proxies must not take each other's.
    id: String,
    secure: bool,
    /// What a login's cookie has to leave free of a cookie's size.
    login_leaves: usize,
}

/// A cookie that would be larger than browsers have to keep, or has no room beside the others.
#[derive(Debug)]
pub(crate) struct TooLarge;

impl Cookies {
    pub(crate) fn new(base: &BaseUrl, prefix: &str, keys: CookieKeys) -> Self {
        let id = sha256(base.as_str().as_bytes())
            .iter()
            .take(3)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            sealing: Sealing::new(keys, base.as_str()),
            prefix: prefix.to_owned(),
            id,
            secure: base.is_https(),
            login_leaves: 0,
        }
    }

    /// Where each login comes to the account page: refuses one whose cookie could not grow into that page's.
    #[must_use]
    pub(crate) fn with_account_page(mut self, is_shown: bool) -> Self {
        self.login_leaves = if is_shown { limits::ACCOUNT_ROOM } else { 0 };
        self
    }

    /// The header lines that give the browser this request, and take what has to make room.
    pub(crate) fn set_request(
        &self,
        headers: &HeaderMap,
        requested: &RequestedLogin,
        ttl: Duration,
        now: Unix,
    ) -> Result<Vec<HeaderValue>, TooLarge> {
        let tag = tag(&requested.id);
        let value = self.sealing.seal(Kind::Request, &tag, requested);
        let rank = Rank::of(Kind::Request, requested.start.from_elsewhere);
        self.set(
            headers,
            (Kind::Request, rank),
            (&tag, &value),
            &[],
            ttl,
            now,
        )
    }

    /// The same for a login.
    pub(crate) fn set_login(
        &self,
        headers: &HeaderMap,
        login: &Login,
        ttl: Duration,
        now: Unix,
    ) -> Result<Vec<HeaderValue>, TooLarge> {
        let tag = tag(&login.state);
        let value = self.sealing.seal(Kind::Login, &tag, login);
        if value.len() + self.login_leaves > limits::MAX_COOKIE {
            return Err(TooLarge);
        }
        let rank = Rank::of(Kind::Login, login.from_elsewhere);
        self.set(headers, (Kind::Login, rank), (&tag, &value), &[], ttl, now)
    }

    /// The header lines that set one cookie, and take what has to make room for it beside those that are `gone`.
    pub(super) fn set(
        &self,
        headers: &HeaderMap,
        (kind, rank): (Kind, Rank),
        (tag, value): (&str, &str),
        gone: &[(Kind, String)],
        ttl: Duration,
        now: Unix,
    ) -> Result<Vec<HeaderValue>, TooLarge> {
        let name = self.name(kind, tag);
        let line = self.line(&name, value, ttl)?;
        let new = Held {
            issued_at: Some(now),
            kind,
            rank,
            bytes: name.len() + value.len(),
            tag: tag.to_owned(),
        };
        let mut held = self.held(headers, ttl, now);
        held.retain(|held| {
            let is = |(kind, tag): (Kind, &str)| (held.kind, &*held.tag) == (kind, tag);
            !is((kind, tag)) && !gone.iter().any(|(kind, tag)| is((*kind, tag)))
        });
        // What stays anyway counts too.
        let approvals = self.name(Kind::Approvals, "");
        let besides = pairs(headers)
            .filter(|(name, _)| *name == approvals)
            .map(|(name, value)| name.len() + value.len())
            .sum();
        let evicted = evicted(held, &new, besides).ok_or(TooLarge)?;
        let removals = evicted
            .iter()
            .filter_map(|held| self.removal(&self.name(held.kind, &held.tag)));
        Ok(removals.chain([line]).collect())
    }

    /// What is in this browser of logins that wait or are over.
    fn held(&self, headers: &HeaderMap, ttl: Duration, now: Unix) -> Vec<Held> {
        let requests = self.tagged(headers, Kind::Request, |tag, value| {
            let requested: Option<RequestedLogin> = self.sealing.open(Kind::Request, tag, value);
            requested.map(|requested| (requested.issued_at, requested.start.from_elsewhere))
        });
        let logins = self.tagged(headers, Kind::Login, |tag, value| {
            let login: Option<Login> = self.sealing.open(Kind::Login, tag, value);
            login.map(|login| (login.issued_at, login.from_elsewhere))
        });
        let accounts = self.tagged(headers, Kind::Account, |tag, value| {
            let account: Option<Account> = self.sealing.open(Kind::Account, tag, value);
            account.map(|account| (account.issued_at, account.from_elsewhere))
        });
        let finished = self.tagged(headers, Kind::Finished, |tag, value| {
            let finished: Option<Finished> = self.sealing.open(Kind::Finished, tag, value);
            finished.map(|finished| (finished.at, false))
        });
        let held = requests.into_iter().chain(logins);
        let held = held.chain(accounts).chain(finished);
        let live = |at: &Unix| is_live(*at, ttl, now);
        held.map(|(kind, tag, bytes, opened)| Held {
            issued_at: opened.map(|(at, _)| at).filter(live),
            kind,
            rank: Rank::of(kind, opened.is_some_and(|(_, elsewhere)| elsewhere)),
            bytes,
            tag,
        })
        .collect()
    }

    /// The cookies of a kind whose names are exactly ours: each tag, the size, and what was read.
    pub(super) fn tagged<T>(
        &self,
        headers: &HeaderMap,
        kind: Kind,
        read: impl Fn(&str, &str) -> T,
    ) -> Vec<(Kind, String, usize, T)> {
        let stem = self.name(kind, "");
        pairs(headers)
            .filter_map(|(name, value)| {
                let tag = name.strip_prefix(&*stem).filter(|tag| is_tag(tag))?;
                Some((tag, name.len() + value.len(), value))
            })
            .take(limits::MAX_COOKIES_OPENED)
            .map(|(tag, bytes, value)| (kind, tag.to_owned(), bytes, read(tag, value)))
            .collect()
    }

    /// The request that waits in this browser under this id.
    pub(crate) fn request(
        &self,
        headers: &HeaderMap,
        id: &str,
        ttl: Duration,
        now: Unix,
    ) -> Option<RequestedLogin> {
        self.find(headers, Kind::Request, &tag(id))
            .filter(|requested: &RequestedLogin| {
                requested.id == id && is_live(requested.issued_at, ttl, now)
            })
    }

    /// The login in this browser that the provider's `state` answers.
    pub(crate) fn login(
        &self,
        headers: &HeaderMap,
        state: &str,
        ttl: Duration,
        now: Unix,
    ) -> Option<Login> {
        self.find(headers, Kind::Login, &tag(state))
            .filter(|login: &Login| login.answers_to(state) && is_live(login.issued_at, ttl, now))
    }

    /// What this browser approved before.
    pub(crate) fn approvals(&self, headers: &HeaderMap, now: Unix) -> Approvals {
        let approvals: Option<Approvals> = self.find(headers, Kind::Approvals, "");
        approvals.unwrap_or_default().still_live(now)
    }

    pub(crate) fn set_approvals(&self, approvals: &Approvals) -> Option<HeaderValue> {
        let sealed = self.sealing.seal(Kind::Approvals, "", approvals);
        let name = self.name(Kind::Approvals, "");
        self.line(&name, &sealed, limits::APPROVAL_TTL).ok()
    }

    pub(super) fn name(&self, kind: Kind, tag: &str) -> String {
        let (prefix, word, id) = (&self.prefix, kind.word(), &self.id);
        match kind {
            Kind::Approvals => format!("{prefix}oauth-{word}-{id}"),
            _ => format!("{prefix}oauth-{word}-{id}-{tag}"),
        }
    }

    /// A browser may send several cookies of one name (another path, another subdomain); the one
    /// that opens is ours.
    pub(super) fn find<T: DeserializeOwned>(
        &self,
        headers: &HeaderMap,
        kind: Kind,
        tag: &str,
    ) -> Option<T> {
        let name = self.name(kind, tag);
        pairs(headers)
            .filter(|(found, _)| *found == name)
            .take(limits::MAX_COOKIES_OPENED)
            .find_map(|(_, value)| self.sealing.open(kind, tag, value))
    }

    fn line(&self, name: &str, value: &str, ttl: Duration) -> Result<HeaderValue, TooLarge> {
        if name.len() + value.len() > limits::MAX_COOKIE {
            return Err(TooLarge);
        }
        line(name, value, ttl, self.secure).ok_or(TooLarge)
    }

    pub(super) fn removal(&self, name: &str) -> Option<HeaderValue> {
        line(name, "", Duration::ZERO, self.secure)
    }
}

#[cfg(test)]
mod tests;
