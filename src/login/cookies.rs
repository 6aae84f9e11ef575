//! The sealed cookies: names, attributes, sealing, and how many a browser may hold.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    approvals::Approvals,
    transaction::{Login, PendingRequest, is_live, login_tag, request_tag},
};
use crate::{
    key::{Rotating, SealKey, sha256},
    limits,
    oauth::BaseUrl,
};

/// One key for each cookie, so that none can be presented as another.
pub(crate) struct CookieKeys {
    pub(crate) request: Rotating<SealKey>,
    pub(crate) login: Rotating<SealKey>,
    pub(crate) approvals: Rotating<SealKey>,
}

/// Makes and reads the cookies of one proxy.
pub(crate) struct Cookies {
    keys: CookieKeys,
    /// The part of the names before the tag; holds a hash of the base URL, because a host's ports
    /// share their cookies (RFC 6265 section 8.5) and two proxies must not take each other's.
    request_name: String,
    login_name: String,
    approvals_name: String,
    secure: bool,
    /// Associated data: a cookie of another proxy with the same secret does not open.
    context: String,
}

/// A cookie that would be larger than browsers have to keep.
#[derive(Debug)]
pub(crate) struct TooLarge;

impl Cookies {
    pub(crate) fn new(base: &BaseUrl, prefix: &str, keys: CookieKeys) -> Self {
        let id: String = sha256(base.as_str().as_bytes())
            .iter()
            .take(3)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            keys,
            request_name: format!("{prefix}oauth-request-{id}-"),
            login_name: format!("{prefix}oauth-login-{id}-"),
            approvals_name: format!("{prefix}oauth-approved-{id}"),
            secure: base.is_https(),
            context: base.as_str().to_owned(),
        }
    }

    /// The header lines that give the browser this request, and take the oldest of too many.
    pub(crate) fn set_request(
        &self,
        headers: &HeaderMap,
        pending: &PendingRequest,
        ttl: Duration,
        now: u64,
    ) -> Result<Vec<HeaderValue>, TooLarge> {
        let name = format!("{}{}", self.request_name, request_tag(&pending.id));
        let value = self.seal(&self.keys.request, pending);
        self.set(headers, &name, &value, ttl, now)
    }

    /// The same for a login.
    pub(crate) fn set_login(
        &self,
        headers: &HeaderMap,
        login: &Login,
        ttl: Duration,
        now: u64,
    ) -> Result<Vec<HeaderValue>, TooLarge> {
        let name = format!("{}{}", self.login_name, login_tag(&login.state));
        let value = self.seal(&self.keys.login, login);
        self.set(headers, &name, &value, ttl, now)
    }

    fn set(
        &self,
        headers: &HeaderMap,
        name: &str,
        value: &str,
        ttl: Duration,
        now: u64,
    ) -> Result<Vec<HeaderValue>, TooLarge> {
        let line = self.line(name, value, ttl)?;
        let mut held = self.held(headers, ttl, now);
        held.retain(|held| held.name != name);
        // What stays besides, too.
        let approvals = self.named(headers, &self.approvals_name);
        let besides: usize = approvals
            .map(|(name, value)| name.len() + value.len())
            .sum();
        let bytes = name.len() + value.len() + besides;
        let evicted = evicted(held, self.kind_of(name), bytes);
        let removals = evicted.iter().filter_map(|name| self.removal(name));
        Ok(removals.chain([line]).collect())
    }

    /// The requests and logins in this browser.
    fn held(&self, headers: &HeaderMap, ttl: Duration, now: u64) -> Vec<Held> {
        let requests = self
            .named(headers, &self.request_name)
            .map(|(name, value)| {
                let pending: Option<PendingRequest> = self.open(&self.keys.request, &value);
                (pending.map(|pending| pending.issued_at), name, value.len())
            });
        let logins = self.named(headers, &self.login_name).map(|(name, value)| {
            let login: Option<Login> = self.open(&self.keys.login, &value);
            (login.map(|login| login.issued_at), name, value.len())
        });
        let held = requests
            .chain(logins)
            .map(|(issued_at, name, length)| Held {
                issued_at: issued_at.filter(|at| is_live(*at, ttl.as_secs(), now)),
                kind: self.kind_of(&name),
                bytes: name.len() + length,
                name,
            });
        held.collect()
    }

    fn kind_of(&self, name: &str) -> Kind {
        match name.starts_with(&self.login_name) {
            true => Kind::Login,
            false => Kind::Request,
        }
    }

    /// The request that waits in this browser under this id.
    pub(crate) fn request(
        &self,
        headers: &HeaderMap,
        id: &str,
        ttl: Duration,
        now: u64,
    ) -> Option<PendingRequest> {
        let name = format!("{}{}", self.request_name, request_tag(id));
        self.find(headers, &name, &self.keys.request)
            .filter(|pending: &PendingRequest| {
                pending.id == id && is_live(pending.issued_at, ttl.as_secs(), now)
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
        let name = format!("{}{}", self.login_name, login_tag(state));
        self.find(headers, &name, &self.keys.login)
            .filter(|login: &Login| {
                login.answers_to(state) && is_live(login.issued_at, ttl.as_secs(), now)
            })
    }

    /// Takes both cookies of a finished login.
    pub(crate) fn clear(&self, login: &Login) -> Vec<HeaderValue> {
        let names = [
            format!("{}{}", self.request_name, request_tag(&login.id)),
            format!("{}{}", self.login_name, login_tag(&login.state)),
        ];
        names.iter().filter_map(|name| self.removal(name)).collect()
    }

    /// Takes the cookie of a request that the person denied.
    pub(crate) fn clear_request(&self, pending: &PendingRequest) -> Vec<HeaderValue> {
        let name = format!("{}{}", self.request_name, request_tag(&pending.id));
        self.removal(&name).into_iter().collect()
    }

    /// What this browser approved before.
    pub(crate) fn approvals(&self, headers: &HeaderMap, now: u64) -> Approvals {
        let approvals: Option<Approvals> =
            self.find(headers, &self.approvals_name, &self.keys.approvals);
        approvals.unwrap_or_default().still_live(now)
    }

    pub(crate) fn set_approvals(&self, approvals: &Approvals) -> Option<HeaderValue> {
        let sealed = self.seal(&self.keys.approvals, approvals);
        self.line(&self.approvals_name, &sealed, limits::APPROVAL_TTL)
            .ok()
    }

    fn seal<T: Serialize>(&self, keys: &Rotating<SealKey>, value: &T) -> String {
        // These types are strings, numbers and lists of them: they always serialise.
        let plain = serde_json::to_vec(value).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(keys.seal(self.context.as_bytes(), &plain))
    }

    fn open<T: DeserializeOwned>(&self, keys: &Rotating<SealKey>, value: &str) -> Option<T> {
        if value.len() > limits::MAX_COOKIE {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(value).ok()?;
        let plain = keys.open(self.context.as_bytes(), sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    /// A browser may send several cookies of one name (another path, another subdomain); the one
    /// that opens is ours.
    fn find<T: DeserializeOwned>(
        &self,
        headers: &HeaderMap,
        name: &str,
        keys: &Rotating<SealKey>,
    ) -> Option<T> {
        self.named(headers, name)
            .filter(|(found, _)| found == name)
            .take(limits::MAX_LOGINS_PER_BROWSER)
            .find_map(|(_, value)| self.open(keys, &value))
    }

    fn named<'a>(
        &self,
        headers: &'a HeaderMap,
        prefix: &'a str,
    ) -> impl Iterator<Item = (String, String)> + use<'a> {
        // Ours are a handful; a stranger's header of thousands is not worth opening.
        const MOST: usize = 16;
        headers
            .get_all(header::COOKIE)
            .iter()
            // Another app's cookie in the same line may be no ASCII; ours are.
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
            .filter_map(|pair| std::str::from_utf8(pair.trim_ascii()).ok())
            .filter_map(|pair| pair.split_once('='))
            // A removal repeats the name: only what we could have set is ours.
            .filter(move |(name, _)| name.strip_prefix(prefix).is_some_and(is_tag))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .take(MOST)
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

    /// Nothing here needs quoting (RFC 6265 section 4.1.1): a value is base64url, and a name is our
    /// own or was read from between the `;` and the `=` of what a browser sent.
    fn header(&self, name: &str, value: &str, max_age: u64) -> Option<HeaderValue> {
        let secure = if self.secure { "Secure; " } else { "" };
        // Lax, not Strict: the provider's redirect back is a cross-site navigation.
        let line =
            format!("{name}={value}; HttpOnly; SameSite=Lax; {secure}Path=/; Max-Age={max_age}");
        HeaderValue::try_from(line).ok()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Request,
    Login,
}

/// Whether this can stand after the prefix of our names: what [`login_tag`] makes, or nothing.
fn is_tag(text: &str) -> bool {
    let is_hex = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (text.is_empty() || text.len() == 12) && text.bytes().all(is_hex)
}

/// One of our cookies in a browser.
struct Held {
    /// `None` when it does not open, or is over.
    issued_at: Option<u64>,
    kind: Kind,
    bytes: usize,
    name: String,
}

/// Which cookies have to go when one more of this kind and size comes: those that are dead, then
/// the oldest of its kind over the number, then the oldest of all over the bytes.
fn evicted(mut held: Vec<Held>, new: Kind, new_bytes: usize) -> Vec<String> {
    held.sort_by_key(|held| held.issued_at);
    let of_kind = held
        .iter()
        .filter(|held| held.kind == new && held.issued_at.is_some());
    let mut over_number = (of_kind.count() + 1).saturating_sub(limits::MAX_LOGINS_PER_BROWSER);
    let live = held.iter().filter(|held| held.issued_at.is_some());
    let mut bytes = new_bytes + live.map(|held| held.bytes).sum::<usize>();
    let mut evicted = Vec::new();
    for held in held {
        let is_over_number = held.kind == new && over_number > 0;
        let is_live = held.issued_at.is_some();
        if is_live && !is_over_number && bytes <= limits::MAX_COOKIES_BYTES {
            continue;
        }
        if is_live {
            bytes -= held.bytes;
            over_number = over_number.saturating_sub(usize::from(held.kind == new));
        }
        evicted.push(held.name);
    }
    evicted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(name: &str, kind: Kind, issued_at: Option<u64>, bytes: usize) -> Held {
        Held {
            issued_at,
            kind,
            bytes,
            name: name.to_owned(),
        }
    }

    fn cookies(base: &str, prefix: &str) -> Cookies {
        let key = |label| Rotating::new(crate::key::tests::key().seal(label), []);
        let keys = CookieKeys {
            request: key("request cookie"),
            login: key("login cookie"),
            approvals: key("approvals cookie"),
        };
        Cookies::new(&BaseUrl::parse(base).unwrap(), prefix, keys)
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

    #[test]
    fn a_browser_holds_three_of_each_and_six_kilobytes_of_all() {
        use Kind::{Login, Request};
        let of = |held: Vec<Held>, bytes| evicted(held, Request, bytes);
        assert!(of(vec![held("a", Request, Some(1), 900)], 900).is_empty());
        let three = || {
            vec![
                held("new", Request, Some(3), 900),
                held("old", Request, Some(1), 900),
                held("mid", Request, Some(2), 900),
            ]
        };
        assert_eq!(of(three(), 900), ["old"]);
        let mut with_login = three();
        with_login.push(held("login", Login, Some(0), 900));
        assert_eq!(of(with_login, 900), ["old"]);
        assert_eq!(of(vec![held("dead", Login, None, 9)], 900), ["dead"]);
        let large = vec![
            held("login", Login, Some(1), 3_000),
            held("request", Request, Some(2), 3_000),
        ];
        assert_eq!(of(large, 3_000), ["login"]);
    }
}
