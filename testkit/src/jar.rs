//! A browser's cookies, by the rules of RFC 6265bis.
//!
//! A `Set-Cookie` that a browser would drop is a bug in the server under test, so the jar panics.

use super::FakeClock;

/// The largest cookie that browsers keep, name and value together.
const MAX_COOKIE: usize = 4096;

/// How a cookie travels across sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    Strict,
    Lax,
    None,
}

/// A cookie as the browser keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    pub name: String,
    pub value: String,
    /// Without port: cookies do not tell ports apart.
    pub host: String,
    /// Set with `Domain`: also sent to subdomains.
    pub domain: bool,
    pub path: String,
    pub secure: bool,
    pub http_only: bool,
    pub same_site: SameSite,
    /// Unix time; `None` for the length of the browser session.
    pub expires: Option<u64>,
}

/// Where a request comes from, as far as cookies care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initiator {
    /// The same site, or the person (address bar, another app).
    SameSite,
    /// A top-level navigation with a safe method from another site.
    CrossSiteNavigation,
    /// Anything else from another site, e.g. a posted form.
    CrossSite,
}

/// All cookies of one browser profile.
#[derive(Debug, Clone)]
pub struct Jar {
    cookies: Vec<Cookie>,
    clock: FakeClock,
}

impl Jar {
    pub fn new(clock: FakeClock) -> Self {
        Self {
            cookies: Vec::new(),
            clock,
        }
    }

    /// The cookies alive now.
    pub fn all(&self) -> Vec<&Cookie> {
        let now = self.clock.unix();
        self.cookies
            .iter()
            .filter(|cookie| cookie.expires.is_none_or(|at| at > now))
            .collect()
    }

    /// A living cookie by name.
    pub fn get(&self, name: &str) -> Option<&Cookie> {
        self.all().into_iter().find(|cookie| cookie.name == name)
    }

    /// Changes a cookie's value, as malware or another app on the same host could.
    pub fn tamper(&mut self, name: &str, value: &str) {
        let cookie = self.cookies.iter_mut().find(|c| c.name == name);
        value.clone_into(&mut cookie.expect("a cookie of that name").value);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.cookies.clear();
    }

    /// Puts in a cookie that no server sent.
    pub fn plant(&mut self, cookie: Cookie) {
        self.cookies.push(cookie);
    }

    /// Keeps what one `Set-Cookie` header says.
    pub fn store(&mut self, url: &url::Url, header: &str) {
        let cookie = self.parse(url, header);
        self.cookies.retain(|old| {
            (&old.name, &old.host, &old.path) != (&cookie.name, &cookie.host, &cookie.path)
        });
        if cookie.expires.is_none_or(|at| at > self.clock.unix()) {
            self.cookies.push(cookie);
        }
    }

    /// The `Cookie` header for a request, longest paths first.
    pub fn header(&self, url: &url::Url, initiator: Initiator) -> Option<String> {
        let host = url.host_str().expect("a host");
        let mut sent: Vec<_> = self
            .all()
            .into_iter()
            .filter(|cookie| {
                let same_host = cookie.host == host
                    || cookie.domain && host.ends_with(&format!(".{}", cookie.host));
                let allowed = match cookie.same_site {
                    SameSite::None => true,
                    SameSite::Lax => initiator != Initiator::CrossSite,
                    SameSite::Strict => initiator == Initiator::SameSite,
                };
                same_host
                    && allowed
                    && path_matches(url.path(), &cookie.path)
                    && (!cookie.secure || trustworthy(url))
            })
            .collect();
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<_> = sent
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn parse(&self, url: &url::Url, header: &str) -> Cookie {
        let mut parts = header.split(';').map(str::trim);
        let (name, value) = parts
            .next()
            .and_then(|pair| pair.split_once('='))
            .unwrap_or_else(|| panic!("no cookie pair in {header}"));
        let host = url.host_str().expect("a host").to_owned();
        let mut cookie = Cookie {
            name: name.to_owned(),
            value: value.to_owned(),
            host,
            domain: false,
            path: default_path(url.path()),
            secure: false,
            http_only: false,
            same_site: SameSite::Lax,
            expires: None,
        };
        for attribute in parts {
            let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            match key.to_ascii_lowercase().as_str() {
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "domain" => {
                    let domain = value.trim_start_matches('.');
                    let covers =
                        cookie.host == domain || cookie.host.ends_with(&format!(".{domain}"));
                    assert!(covers, "{} cannot set a cookie for {domain}", cookie.host);
                    domain.clone_into(&mut cookie.host);
                    cookie.domain = true;
                }
                "secure" => cookie.secure = true,
                "httponly" => cookie.http_only = true,
                "samesite" => {
                    cookie.same_site = match value.to_ascii_lowercase().as_str() {
                        "strict" => SameSite::Strict,
                        "lax" => SameSite::Lax,
                        "none" => SameSite::None,
                        other => panic!("SameSite={other}: {header}"),
                    };
                }
                "max-age" => {
                    let seconds: i64 = value.parse().expect("Max-Age in seconds");
                    let now = self.clock.unix();
                    cookie.expires = Some(u64::try_from(seconds).map_or(0, |s| now + s));
                }
                // Max-Age wins where both stand; alone it would need a calendar here.
                "expires" => {}
                other => panic!("unknown cookie attribute {other}: {header}"),
            }
        }
        obey_prefixes_and_limits(&cookie, url, header);
        cookie
    }
}

fn obey_prefixes_and_limits(cookie: &Cookie, url: &url::Url, header: &str) {
    if cookie.name.starts_with("__Host-") {
        assert!(
            cookie.secure && !cookie.domain && cookie.path == "/",
            "__Host- needs Secure, Path=/ and no Domain: {header}"
        );
    }
    if cookie.name.starts_with("__Secure-") {
        assert!(cookie.secure, "__Secure- needs Secure: {header}");
    }
    if cookie.same_site == SameSite::None {
        assert!(cookie.secure, "SameSite=None needs Secure: {header}");
    }
    if cookie.secure {
        // Safari drops these even on loopback, where Chromium and Firefox do not.
        assert_eq!(url.scheme(), "https", "Secure over http: {header}");
    }
    let size = cookie.name.len() + cookie.value.len();
    assert!(size <= MAX_COOKIE, "a cookie of {size} bytes is dropped");
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | ',' | ';' | '\\');
    assert!(cookie.value.chars().all(plain), "odd value: {header}");
}

fn trustworthy(url: &url::Url) -> bool {
    url.scheme() == "https"
}

fn default_path(path: &str) -> String {
    match path.rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(end) => path[..end].to_owned(),
    }
}

fn path_matches(request: &str, cookie: &str) -> bool {
    request == cookie
        || request.starts_with(cookie)
            && (cookie.ends_with('/') || request[cookie.len()..].starts_with('/'))
}
