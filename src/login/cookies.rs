//! The sealed cookies: names, attributes, sealing, and how many a browser may hold.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    approvals::Approvals,
    progress::{Login, RequestedLogin, is_live, is_tag, login_tag, request_tag},
    room::{Held, Rank, evicted},
};
use crate::{
    key::{Rotating, SealKey, sha256},
    limits,
    oauth::BaseUrl,
};

/// One key for each cookie, so that none can be presented as another.
pub(crate) struct CookieKeys {
    request: Rotating<SealKey>,
    login: Rotating<SealKey>,
    approvals: Rotating<SealKey>,
}

impl CookieKeys {
    /// From a source of keys by label.
    pub(crate) fn derived(key: impl Fn(&str) -> Rotating<SealKey>) -> Self {
        Self {
            request: key("request cookie"),
            login: key("login cookie"),
            approvals: key("approvals cookie"),
        }
    }
}

/// Makes and reads the cookies of one proxy.
pub(crate) struct Cookies {
    keys: CookieKeys,
    prefix: String,
    /// A hash of the base URL, because a host's ports share their cookies (RFC 6265 section 8.5) and
    /// two proxies must not take each other's.
    id: String,
    base: String,
    secure: bool,
}

/// A cookie that would be larger than browsers have to keep, or has no room beside the others.
#[derive(Debug)]
pub(crate) struct TooLarge;

/// Which of the cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Login,
    Approvals,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Login => "login",
            Self::Approvals => "approved",
        }
    }
}

impl Cookies {
    pub(crate) fn new(base: &BaseUrl, prefix: &str, keys: CookieKeys) -> Self {
        let id = sha256(base.as_str().as_bytes())
            .iter()
            .take(3)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            keys,
            prefix: prefix.to_owned(),
            id,
            base: base.as_str().to_owned(),
            secure: base.is_https(),
        }
    }

    /// The header lines that give the browser this request, and take what has to make room.
    pub(crate) fn set_request(
        &self,
        headers: &HeaderMap,
        requested: &RequestedLogin,
        ttl: Duration,
        now: u64,
    ) -> Result<Vec<HeaderValue>, TooLarge> {
        let tag = request_tag(&requested.id);
        let value = self.seal(Kind::Request, &tag, requested);
        let rank = Rank::of(Kind::Request, requested.from_elsewhere);
        self.set(headers, (Kind::Request, rank), &tag, &value, ttl, now)
    }

    /// The same for a login.
    pub(crate) fn set_login(
        &self,
        headers: &HeaderMap,
        login: &Login,
        ttl: Duration,
        now: u64,
    ) -> Result<Vec<HeaderValue>, TooLarge> {
        let tag = login_tag(&login.state);
        let value = self.seal(Kind::Login, &tag, login);
        let rank = Rank::of(Kind::Login, login.from_elsewhere);
        self.set(headers, (Kind::Login, rank), &tag, &value, ttl, now)
    }

    fn set(
        &self,
        headers: &HeaderMap,
        (kind, rank): (Kind, Rank),
        tag: &str,
        value: &str,
        ttl: Duration,
        now: u64,
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
        held.retain(|held| (held.kind, &*held.tag) != (kind, tag));
        // What stays besides, too.
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

    /// The requests and logins in this browser.
    fn held(&self, headers: &HeaderMap, ttl: Duration, now: u64) -> Vec<Held> {
        let requests = self.tagged(headers, Kind::Request, |tag, value| {
            let requested: Option<RequestedLogin> = self.open(Kind::Request, tag, value);
            requested.map(|requested| (requested.issued_at, requested.from_elsewhere))
        });
        let logins = self.tagged(headers, Kind::Login, |tag, value| {
            let login: Option<Login> = self.open(Kind::Login, tag, value);
            login.map(|login| (login.issued_at, login.from_elsewhere))
        });
        let held = requests.into_iter().chain(logins);
        let live = |at: &u64| is_live(*at, ttl.as_secs(), now);
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
    fn tagged<T>(
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
            .take(MOST)
            .map(|(tag, bytes, value)| (kind, tag.to_owned(), bytes, read(tag, value)))
            .collect()
    }

    /// The request that waits in this browser under this id.
    pub(crate) fn request(
        &self,
        headers: &HeaderMap,
        id: &str,
        ttl: Duration,
        now: u64,
    ) -> Option<RequestedLogin> {
        self.find(headers, Kind::Request, &request_tag(id))
            .filter(|requested: &RequestedLogin| {
                requested.id == id && is_live(requested.issued_at, ttl.as_secs(), now)
            })
    }

    /// The login in this browser that the provider's `state` answers.
    pub(crate) fn login(
        &self,
        headers: &HeaderMap,
        state: &str,
        ttl: Duration,
        now: u64,
    ) -> Option<Login> {
        self.find(headers, Kind::Login, &login_tag(state))
            .filter(|login: &Login| {
                login.answers_to(state) && is_live(login.issued_at, ttl.as_secs(), now)
            })
    }

    /// Takes both cookies of a finished login.
    pub(crate) fn clear(&self, login: &Login) -> Vec<HeaderValue> {
        let names = [
            self.name(Kind::Request, &request_tag(&login.id)),
            self.name(Kind::Login, &login_tag(&login.state)),
        ];
        names.iter().filter_map(|name| self.removal(name)).collect()
    }

    /// Takes the cookie of a request that the person denied.
    pub(crate) fn clear_request(&self, requested: &RequestedLogin) -> Vec<HeaderValue> {
        let name = self.name(Kind::Request, &request_tag(&requested.id));
        self.removal(&name).into_iter().collect()
    }

    /// What this browser approved before.
    pub(crate) fn approvals(&self, headers: &HeaderMap, now: u64) -> Approvals {
        let approvals: Option<Approvals> = self.find(headers, Kind::Approvals, "");
        approvals.unwrap_or_default().still_live(now)
    }

    pub(crate) fn set_approvals(&self, approvals: &Approvals) -> Option<HeaderValue> {
        let sealed = self.seal(Kind::Approvals, "", approvals);
        let name = self.name(Kind::Approvals, "");
        self.line(&name, &sealed, limits::APPROVAL_TTL).ok()
    }

    fn name(&self, kind: Kind, tag: &str) -> String {
        let (prefix, word, id) = (&self.prefix, kind.word(), &self.id);
        match kind {
            Kind::Approvals => format!("{prefix}oauth-{word}-{id}"),
            Kind::Request | Kind::Login => format!("{prefix}oauth-{word}-{id}-{tag}"),
        }
    }

    /// Associated data: a cookie opens as what it is, at the proxy that made it, under its own name.
    fn context(&self, kind: Kind, tag: &str) -> String {
        // No part holds a line break.
        [kind.word(), &self.base, tag].join("\n")
    }

    fn keys(&self, kind: Kind) -> &Rotating<SealKey> {
        match kind {
            Kind::Request => &self.keys.request,
            Kind::Login => &self.keys.login,
            Kind::Approvals => &self.keys.approvals,
        }
    }

    fn seal<T: Serialize>(&self, kind: Kind, tag: &str, value: &T) -> String {
        // These types are strings, numbers and lists of them: they always serialise.
        let plain = serde_json::to_vec(value).unwrap_or_default();
        let context = self.context(kind, tag);
        URL_SAFE_NO_PAD.encode(self.keys(kind).seal(context.as_bytes(), &plain))
    }

    fn open<T: DeserializeOwned>(&self, kind: Kind, tag: &str, value: &str) -> Option<T> {
        if value.len() > limits::MAX_COOKIE {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(value).ok()?;
        let context = self.context(kind, tag);
        let plain = self.keys(kind).open(context.as_bytes(), sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    /// A browser may send several cookies of one name (another path, another subdomain); the one
    /// that opens is ours.
    fn find<T: DeserializeOwned>(&self, headers: &HeaderMap, kind: Kind, tag: &str) -> Option<T> {
        let name = self.name(kind, tag);
        pairs(headers)
            .filter(|(found, _)| *found == name)
            .take(MOST)
            .find_map(|(_, value)| self.open(kind, tag, value))
    }

    fn line(&self, name: &str, value: &str, ttl: Duration) -> Result<HeaderValue, TooLarge> {
        if name.len() + value.len() > limits::MAX_COOKIE {
            return Err(TooLarge);
        }
        self.header(name, value, ttl.as_secs()).ok_or(TooLarge)
    }

    fn removal(&self, name: &str) -> Option<HeaderValue> {
        self.header(name, "", 0)
    }

    /// Nothing here needs quoting (RFC 6265 section 4.1.1): a name is our own to the last digit, and
    /// a value is base64url.
    fn header(&self, name: &str, value: &str, max_age: u64) -> Option<HeaderValue> {
        let secure = if self.secure { "Secure; " } else { "" };
        // Lax, not Strict: the provider's redirect back is a cross-site navigation.
        let line =
            format!("{name}={value}; HttpOnly; SameSite=Lax; {secure}Path=/; Max-Age={max_age}");
        HeaderValue::try_from(line).ok()
    }
}

/// Ours are a handful; a stranger's header of thousands is not worth opening.
const MOST: usize = 32;

/// Names and values of all cookies.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        // Another app's cookie in the same line may be no ASCII; ours are.
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair.trim_ascii()).ok())
        .filter_map(|pair| pair.split_once('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies_with(base: &str, prefix: &str, keys: CookieKeys) -> Cookies {
        Cookies::new(&BaseUrl::parse(base).unwrap(), prefix, keys)
    }

    fn key(label: &str) -> Rotating<SealKey> {
        Rotating::new(crate::key::tests::key().seal(label), [])
    }

    fn cookies(base: &str, prefix: &str) -> Cookies {
        cookies_with(base, prefix, CookieKeys::derived(key))
    }

    const KINDS: [Kind; 3] = [Kind::Request, Kind::Login, Kind::Approvals];

    #[test]
    fn no_two_cookies_share_a_key() {
        let keys = CookieKeys::derived(key);
        let all = [&keys.request, &keys.login, &keys.approvals];
        for (n, sealing) in all.iter().enumerate() {
            let sealed = sealing.seal(b"", b"x");
            for (m, opening) in all.iter().enumerate() {
                assert_eq!(opening.open(b"", sealed.clone()).is_ok(), n == m, "{n} {m}");
            }
        }
    }

    /// Even where all keys were one: each part of the associated data holds by itself.
    #[test]
    fn a_cookie_opens_as_what_it_is_where_it_was_made_and_under_its_name() {
        let one_key = |base| cookies_with(base, "", CookieKeys::derived(|_| key("one")));
        let here = one_key("https://mcp.example.com");
        let there = one_key("https://mcp.example.com:8443");
        let tag = request_tag("a");
        for kind in KINDS {
            let sealed = here.seal(kind, &tag, &"x");
            let opened =
                |at: &Cookies, kind, tag: &str| -> Option<String> { at.open(kind, tag, &sealed) };
            assert_eq!(opened(&here, kind, &tag).as_deref(), Some("x"));
            assert_eq!(opened(&there, kind, &tag), None, "{kind:?}");
            assert_eq!(opened(&here, kind, &request_tag("b")), None, "{kind:?}");
            for other in KINDS.into_iter().filter(|other| *other != kind) {
                assert_eq!(opened(&here, other, &tag), None, "{kind:?} {other:?}");
            }
        }
    }

    #[test]
    fn only_names_of_exactly_our_form_are_repeated() {
        let cookies = cookies("https://mcp.example.com", "__Host-");
        let stem = cookies.name(Kind::Login, "");
        let ours = format!("{stem}0123456789ab");
        let mut headers = HeaderMap::new();
        for odd in [
            "0123456789aB",
            "0123456789a",
            "0123456789abc",
            "",
            "<script>....",
            "\u{e9}12345678ab",
            "0123456789ab,",
            "\"123456789ab",
        ] {
            let line = format!("{stem}{odd}=x; {ours}=dead");
            let line = HeaderValue::from_bytes(line.as_bytes()).unwrap();
            headers.append(header::COOKIE, line);
        }
        let held = cookies.held(&headers, Duration::from_secs(600), 1_000);
        assert_eq!(held.len(), 8);
        for held in held {
            assert_eq!(cookies.name(held.kind, &held.tag), ours);
        }
    }

    #[test]
    fn the_lines_of_set_cookie_are_exactly_these() {
        let https = cookies("https://mcp.example.com", "__Host-");
        assert_eq!(
            https
                .line("__Host-a", "a-_9", Duration::from_secs(600))
                .unwrap(),
            "__Host-a=a-_9; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600"
        );
        assert_eq!(
            https.removal("__Host-a").unwrap(),
            "__Host-a=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0"
        );
        let loopback = cookies("http://127.0.0.1:8000", "");
        assert_eq!(
            loopback
                .line("a", "a-_9", Duration::from_secs(600))
                .unwrap(),
            "a=a-_9; HttpOnly; SameSite=Lax; Path=/; Max-Age=600"
        );
        assert_eq!(
            loopback.removal("a").unwrap(),
            "a=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"
        );
    }
}
