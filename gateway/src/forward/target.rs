//! The URI that the server behind is asked for: a rule, without I/O.

use http::{
    Uri,
    uri::{Authority, PathAndQuery, Scheme},
};

use crate::settings::{HostSent, PublicName, ServerAddress, UpstreamSettings};

/// What stays the same for every request.
#[derive(Debug, Clone)]
pub(super) struct Target {
    scheme: Scheme,
    /// What the server sees as `Host` or `:authority`.
    host: Authority,
    path: String,
    strip_prefix: String,
}

impl Target {
    pub(super) fn new(settings: &UpstreamSettings, public: &PublicName) -> Self {
        let own = match &settings.server {
            ServerAddress::Http(host) | ServerAddress::Https(host) => host.clone(),
            // A socket has no name; this one is accepted where others are refused.
            ServerAddress::Unix(_) => Authority::from_static("localhost"),
        };
        let host = match &settings.host {
            HostSent::Own => own,
            HostSent::Public => public.host.clone(),
            HostSent::Other(host) => host.clone(),
        };
        let scheme = match &settings.server {
            ServerAddress::Https(_) => Scheme::HTTPS,
            _ => Scheme::HTTP,
        };
        Self {
            scheme,
            host,
            path: settings.path.clone(),
            strip_prefix: settings.strip_prefix.clone(),
        }
    }

    /// What the server sees as `Host`.
    pub(super) fn host(&self) -> &Authority {
        &self.host
    }

    /// For a request of this URI, which is in origin form. `None` where it cannot be asked for.
    pub(super) fn of(&self, asked: &Uri) -> Option<Uri> {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.host.clone());
        parts.path_and_query = Some(self.path_and_query(asked)?);
        Uri::from_parts(parts).ok()
    }

    fn path_and_query(&self, asked: &Uri) -> Option<PathAndQuery> {
        let whole = asked.path_and_query()?;
        let stripped = self.stripped(whole.path());
        if self.path.is_empty() && stripped.len() == whole.path().len() {
            return Some(whole.clone());
        }
        let query = whole.query().map(|query| format!("?{query}"));
        let path = format!("{}{stripped}{}", self.path, query.unwrap_or_default());
        path.parse().ok()
    }

    /// `/api` is cut from `/api/mcp` and from `/api`, not from `/apis`.
    fn stripped<'a>(&self, path: &'a str) -> &'a str {
        match path.strip_prefix(&self.strip_prefix) {
            Some("") => "/",
            Some(rest) if rest.starts_with('/') => rest,
            _ => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str, strip: &str, host: HostSent) -> Target {
        let mut settings = UpstreamSettings::of(url).unwrap();
        settings.strip_prefix = strip.to_owned();
        settings.host = host;
        let public = PublicName::of("https://mcp.example.com").unwrap();
        Target::new(&settings, &public)
    }

    fn asked(target: &Target, path: &str) -> String {
        target.of(&path.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn paths_are_joined_and_queries_stay() {
        let plain = target("http://127.0.0.1:9000", "", HostSent::Own);
        assert_eq!(
            asked(&plain, "/mcp?a=%2Fb"),
            "http://127.0.0.1:9000/mcp?a=%2Fb"
        );
        let below = target("http://127.0.0.1:9000/app/", "", HostSent::Own);
        assert_eq!(
            asked(&below, "/mcp?a=b"),
            "http://127.0.0.1:9000/app/mcp?a=b"
        );
        assert_eq!(asked(&below, "/"), "http://127.0.0.1:9000/app/");
    }

    #[test]
    fn a_prefix_is_cut_at_a_slash() {
        let cut = target("http://127.0.0.1:9000", "/api", HostSent::Own);
        assert_eq!(asked(&cut, "/api/mcp?x"), "http://127.0.0.1:9000/mcp?x");
        assert_eq!(asked(&cut, "/api"), "http://127.0.0.1:9000/");
        assert_eq!(asked(&cut, "/apis"), "http://127.0.0.1:9000/apis");
    }

    #[test]
    fn the_host_is_the_operators_choice() {
        let own = target("https://behind.internal", "", HostSent::Own);
        assert_eq!(asked(&own, "/"), "https://behind.internal/");
        let public = target("https://behind.internal", "", HostSent::Public);
        assert_eq!(asked(&public, "/"), "https://mcp.example.com/");
        let other = HostSent::Other("name:1".parse().unwrap());
        assert_eq!(asked(&target("unix:/s", "", other), "/"), "http://name:1/");
        assert_eq!(
            asked(&target("unix:/s", "", HostSent::Own), "/"),
            "http://localhost/"
        );
    }
}
