//! An answer's header on its way to the client: what the server behind says of places, in the client's words. A rule,
//! without I/O.

use http::{HeaderMap, HeaderName, HeaderValue, header, uri::Authority};

use crate::{
    headers::end_hop_of_answer,
    settings::{PublicName, UpstreamSettings},
};

/// What stays the same for every answer.
#[derive(Debug, Clone)]
pub(super) struct WayBack {
    /// As the server behind was asked.
    host: Authority,
    path: String,
    strip_prefix: String,
    public: PublicName,
    own_cookies: Vec<u8>,
}

impl WayBack {
    pub(super) fn new(
        settings: &UpstreamSettings,
        host: Authority,
        public: PublicName,
        own_cookies: Vec<u8>,
    ) -> Self {
        Self {
            host,
            path: settings.path.clone(),
            strip_prefix: settings.strip_prefix.clone(),
            public,
            own_cookies,
        }
    }

    /// Takes what is of one hop, makes the server's own places public ones, and drops cookies that only the proxy sets.
    pub(super) fn prepare(&self, headers: &mut HeaderMap) {
        end_hop_of_answer(headers);
        for name in [header::LOCATION, header::CONTENT_LOCATION] {
            self.publish(headers, name);
        }
        self.drop_own_cookies(headers);
    }

    /// A server that sends `/mcp` to `/mcp/` names itself by the host that it was asked for: a place that clients do not
    /// reach, and should not know. Other places stay as they are.
    fn publish(&self, headers: &mut HeaderMap, name: HeaderName) {
        let Some(place) = headers.get(&name).and_then(|place| place.to_str().ok()) else {
            return;
        };
        let public = match self.path_of(place) {
            Some(path) => {
                let scheme = if self.public.is_https {
                    "https"
                } else {
                    "http"
                };
                format!("{scheme}://{}{}", self.public.host, self.as_asked(path))
            }
            // Below its own root, where its URL has a path or ours is cut.
            None if place.starts_with('/') && !place.starts_with("//") => {
                self.as_asked(place).into_owned()
            }
            None => return,
        };
        if let Ok(public) = HeaderValue::from_str(&public) {
            headers.insert(name, public);
        }
    }

    /// The path and all behind it, of a URL at the server's own host.
    fn path_of<'a>(&self, place: &'a str) -> Option<&'a str> {
        let (scheme, rest) = place.split_once("://")?;
        let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        (is_http && host.eq_ignore_ascii_case(self.host.as_str())).then_some(path)
    }

    /// The path that a client asks for, of one that the server was asked for.
    fn as_asked<'a>(&self, path: &'a str) -> std::borrow::Cow<'a, str> {
        let below = path.strip_prefix(&*self.path);
        let below = below.filter(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']));
        let path = below.unwrap_or(path);
        match &*self.strip_prefix {
            "" => path.into(),
            prefix => format!("{prefix}{path}").into(),
        }
    }

    /// A cookie of a login that the server behind could plant.
    fn drop_own_cookies(&self, headers: &mut HeaderMap) {
        let is_own = |cookie: &HeaderValue| {
            cookie
                .as_bytes()
                .trim_ascii_start()
                .starts_with(&self.own_cookies)
        };
        if !headers.get_all(header::SET_COOKIE).iter().any(is_own) {
            return;
        }
        let cookies = headers.get_all(header::SET_COOKIE).iter();
        let others: Vec<_> = cookies.filter(|cookie| !is_own(cookie)).cloned().collect();
        headers.remove(header::SET_COOKIE);
        for cookie in others {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(url: &str, strip: &str) -> WayBack {
        let mut settings = UpstreamSettings::of(url).unwrap();
        settings.strip_prefix = strip.to_owned();
        let host = Authority::from_static("127.0.0.1:9000");
        let public = PublicName::of("https://mcp.example.com/api").unwrap();
        WayBack::new(&settings, host, public, b"__Host-oauth-".to_vec())
    }

    fn sent(way: &WayBack, place: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, place.parse().unwrap());
        way.prepare(&mut headers);
        headers[header::LOCATION].to_str().unwrap().to_owned()
    }

    #[test]
    fn the_servers_own_place_becomes_the_public_one() {
        let plain = way("http://127.0.0.1:9000", "");
        for (place, public) in [
            (
                "http://127.0.0.1:9000/mcp/?a=b",
                "https://mcp.example.com/mcp/?a=b",
            ),
            (
                "HTTPS://127.0.0.1:9000/mcp/",
                "https://mcp.example.com/mcp/",
            ),
            ("http://127.0.0.1:9000", "https://mcp.example.com"),
            ("/mcp/", "/mcp/"),
            ("mcp/", "mcp/"),
            ("https://elsewhere.example/x", "https://elsewhere.example/x"),
            ("http://127.0.0.1:90001/mcp", "http://127.0.0.1:90001/mcp"),
            ("//elsewhere.example/x", "//elsewhere.example/x"),
        ] {
            assert_eq!(sent(&plain, place), public);
        }
    }

    #[test]
    fn what_is_put_before_a_path_is_taken_off_again() {
        let below = way("http://127.0.0.1:9000/app", "/api");
        for (place, public) in [
            (
                "http://127.0.0.1:9000/app/mcp/",
                "https://mcp.example.com/api/mcp/",
            ),
            ("/app/mcp/", "/api/mcp/"),
            ("/apple", "/api/apple"),
        ] {
            assert_eq!(sent(&below, place), public);
        }
    }

    #[test]
    fn the_server_behind_sets_no_cookie_of_the_proxy() {
        let mut headers = HeaderMap::new();
        for cookie in [
            "a=1",
            "__Host-oauth-login-x-y=planted; Path=/",
            "b=2; HttpOnly",
        ] {
            headers.append(header::SET_COOKIE, cookie.parse().unwrap());
        }
        way("http://127.0.0.1:9000", "").prepare(&mut headers);
        let left: Vec<_> = headers.get_all(header::SET_COOKIE).iter().collect();
        assert_eq!(left, ["a=1", "b=2; HttpOnly"]);
    }
}
