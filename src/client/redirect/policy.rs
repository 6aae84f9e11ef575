//! Which redirect URIs may be registered at all: the operator's choice.

use super::{known::KnownClient, uri::RedirectUri};
use crate::{
    error::ConfigError,
    limits::MAX_REDIRECT_URI,
    oauth::{StrictUri, describable},
};

const OPTION: &str = "allowed_redirect_uri_patterns";

/// The redirect URIs that a client may register. By default only those on the person's own
/// computer: `http` to `localhost`, 127.0.0.0/8 or `[::1]`, any port and path.
///
/// Patterns are compared by parsed parts, never as text:
///
/// | pattern | permits |
/// |---|---|
/// | `https://app.example.com/callback` | exactly this |
/// | `https://app.example.com/oauth/*` | every path that begins with `/oauth/`, any query |
/// | `https://*.example.com/callback` | one label in place of the star: `a.example.com`, not `a.b.example.com` |
/// | `http://localhost:*` | http on localhost, any port and path |
/// | `http://127.0.0.1:*/callback` | any port, this path |
/// | `myapp://callback/*` | an app's own scheme, this host |
/// | `myapp://*` | everything of an app's own scheme |
///
/// Use a star for a label only below a domain that is all yours, never below a shared one such as a
/// hosting service's.
///
/// ```
/// use tower_oauth_proxy::{KnownClient, RedirectPolicy};
///
/// let policy = RedirectPolicy::loopback()
///     .allow("https://*.example.com/oauth/callback")?
///     .allow_client(KnownClient::Claude);
/// assert!(RedirectPolicy::none().allow("https://*").is_err());
/// # Ok::<(), tower_oauth_proxy::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RedirectPolicy {
    loopback: bool,
    patterns: Vec<Pattern>,
    /// What was allowed, in the operator's words.
    said: Vec<String>,
}

impl Default for RedirectPolicy {
    fn default() -> Self {
        Self::loopback()
    }
}

impl RedirectPolicy {
    /// Permits http on the person's own computer; the default.
    #[must_use]
    pub fn loopback() -> Self {
        Self {
            loopback: true,
            patterns: Vec::new(),
            said: Vec::new(),
        }
    }

    /// Permits nothing until something is allowed.
    #[must_use]
    pub fn none() -> Self {
        Self {
            loopback: false,
            patterns: Vec::new(),
            said: Vec::new(),
        }
    }

    /// Also permits what a pattern describes. The table above lists the forms.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the pattern has none of these forms, or would permit every site.
    pub fn allow(mut self, pattern: &str) -> Result<Self, ConfigError> {
        let parsed = Pattern::parse(pattern)
            .map_err(|why| ConfigError::new(OPTION, format!("`{pattern}` {why}")))?;
        self.patterns.push(parsed);
        self.said.push(pattern.to_owned());
        Ok(self)
    }

    /// Also permits the callbacks of a well-known client.
    #[must_use]
    pub fn allow_client(mut self, client: KnownClient) -> Self {
        // Each of them parses, as a test checks.
        let known = client.patterns().iter().map(|text| Pattern::parse(text));
        self.patterns.extend(known.filter_map(Result::ok));
        self.said.push(format!("{client:?}"));
        self
    }

    /// Whether no client could register.
    pub(crate) fn permits_nothing(&self) -> bool {
        !self.loopback && self.patterns.is_empty()
    }

    /// What is permitted, in words for the operator.
    pub(crate) fn words(&self) -> Vec<String> {
        let loopback = self.loopback.then(|| "http on loopback".to_owned());
        loopback.into_iter().chain(self.said.clone()).collect()
    }

    /// Whether a client may register this URI.
    pub(crate) fn permits(&self, redirect: &RedirectUri) -> bool {
        let loopback = redirect.uri().scheme() == "http" && redirect.is_loopback();
        (self.loopback && loopback) || self.patterns.iter().any(|p| p.matches(redirect.uri()))
    }

    /// What the operator can change so that this URI is permitted.
    pub(crate) fn advice(redirect: &RedirectUri) -> String {
        let shown = describable(redirect.as_str());
        let owner = KnownClient::all().iter().find(|client| {
            let only = Self::none().allow_client(**client);
            only.permits(redirect)
        });
        match owner {
            Some(client) => format!(
                "the policy does not permit {shown}: allow it with \
                 RedirectPolicy::allow_client(KnownClient::{client:?}), or add it to `{OPTION}`"
            ),
            None => format!("the policy does not permit {shown}: add it to `{OPTION}`"),
        }
    }
}

#[derive(Clone, Debug)]
struct Pattern {
    scheme: Box<str>,
    host: HostPattern,
    port: PortPattern,
    path: PathPattern,
}

#[derive(Clone, Debug)]
enum HostPattern {
    /// `authority`: whether there is one. `app:/x` is not `app:///x`.
    Exact { host: Box<str>, authority: bool },
    /// One label, then this: `.example.com`.
    OneLabelBelow(Box<str>),
    /// Of an app's own scheme only.
    Any,
}

#[derive(Clone, Copy, Debug)]
enum PortPattern {
    Exact(Option<u16>),
    Any,
}

#[derive(Clone, Debug)]
enum PathPattern {
    Exact {
        path: Box<str>,
        query: Option<Box<str>>,
    },
    /// Ends with `/`.
    Below(Box<str>),
    Any,
}

impl Pattern {
    /// Takes the stars out of the three places where they are allowed, and parses the rest as a URI.
    fn parse(pattern: &str) -> Result<Self, String> {
        // Only a scheme may stand before the first `://`: `app:/x?u=https://*` does not open a scheme.
        let split = pattern.split_once("://");
        let Some((scheme, rest)) = split.filter(|(scheme, _)| !scheme.contains([':', '/', '?']))
        else {
            return Self::exact(pattern);
        };
        if rest == "*" {
            return Self::whole_scheme(scheme);
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, any_port) = match authority.strip_suffix(":*") {
            Some(host) => (host, true),
            None => (authority, false),
        };
        let (host, one_label) = match host.strip_prefix("*.") {
            Some(parent) => (parent, true),
            None => (host, false),
        };
        let (path, below) = match path.strip_suffix('*') {
            Some(prefix) if prefix.ends_with('/') => (prefix, true),
            _ => (path, false),
        };
        let mut parsed = Self::exact(&format!("{scheme}://{host}{path}"))?;
        let uri = read(&format!("{scheme}://{host}{path}"))?;
        if below {
            if uri.query().is_some() {
                return Err("has a star in its query".to_owned());
            }
            parsed.path = PathPattern::Below(path.into());
        }
        if any_port {
            if !uri.is_loopback() || uri.scheme() != "http" || one_label {
                return Err("may have any port only for http on localhost".to_owned());
            }
            parsed.port = PortPattern::Any;
            if path.is_empty() {
                parsed.path = PathPattern::Any;
            }
        }
        if one_label {
            let is_name = url::Host::parse(host).is_ok_and(|h| matches!(h, url::Host::Domain(_)));
            if uri.scheme() != "https" || !is_name || !host.contains('.') || host.ends_with('.') {
                return Err(
                    "may have a star for one label only below a domain of yours, with https: \
                     https://*.example.com/callback"
                        .to_owned(),
                );
            }
            parsed.host = HostPattern::OneLabelBelow(format!(".{}", uri.host()).into());
        }
        Ok(parsed)
    }

    fn exact(pattern: &str) -> Result<Self, String> {
        let uri = read(pattern)?;
        Ok(Self {
            scheme: uri.scheme().into(),
            host: HostPattern::Exact {
                host: uri.host().into(),
                authority: uri.has_authority(),
            },
            port: PortPattern::Exact(uri.effective_port()),
            path: PathPattern::Exact {
                path: uri.path_or_root().into(),
                query: uri.query().map(Into::into),
            },
        })
    }

    fn whole_scheme(scheme: &str) -> Result<Self, String> {
        let uri = read(&format!("{scheme}://x/"))?;
        if uri.is_web() {
            return Err("would permit every site: name the hosts".to_owned());
        }
        Ok(Self {
            scheme: uri.scheme().into(),
            host: HostPattern::Any,
            port: PortPattern::Any,
            path: PathPattern::Any,
        })
    }

    fn matches(&self, uri: &StrictUri) -> bool {
        *self.scheme == *uri.scheme()
            && self.host.matches(uri)
            && match self.port {
                PortPattern::Exact(port) => port == uri.effective_port(),
                PortPattern::Any => true,
            }
            && match &self.path {
                PathPattern::Exact { path, query } => {
                    **path == *uri.path_or_root() && query.as_deref() == uri.query()
                }
                PathPattern::Below(prefix) => uri.path_or_root().starts_with(&**prefix),
                PathPattern::Any => true,
            }
    }
}

impl HostPattern {
    fn matches(&self, uri: &StrictUri) -> bool {
        match self {
            Self::Exact { host, authority } => {
                **host == *uri.host() && *authority == uri.has_authority()
            }
            Self::OneLabelBelow(parent) => uri
                .host()
                .strip_suffix(&**parent)
                .is_some_and(|label| !label.is_empty() && !label.contains('.')),
            Self::Any => true,
        }
    }
}

/// The rest of a pattern must be a URI that could be registered.
fn read(pattern: &str) -> Result<StrictUri, String> {
    if pattern.len() > MAX_REDIRECT_URI {
        return Err("is too long".to_owned());
    }
    if pattern.contains('*') {
        return Err(
            "has a star in a wrong place: it can stand for one whole label after `https://`, for the \
             port of http on localhost, and for all that follows a `/` at the end"
                .to_owned(),
        );
    }
    RedirectUri::parse(pattern)
        .map(|redirect| redirect.uri().clone())
        .map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests;
