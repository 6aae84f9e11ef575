//! The only room that knows URL paths: one table of our own URLs, and `(path) -> Route`.
//!
//! A path is compared byte for byte with the one that the client sent. Nothing is decoded or normalised:
//! `//oauth/token`, `/%6fauth/token` and `/oauth/../mcp` are not endpoints, and so they are protected like
//! anything else.
//!
//! A new endpoint is a variant and a row of the table, and a file in `endpoint/`.

mod table;

use crate::oauth::BaseUrl;

pub(crate) use table::{
    ACCOUNT, AUTHORIZATION_SERVER, CALLBACK, CLIENT_DOCUMENT, CONSENT, Caller, Endpoint,
    OPENID_CONFIGURATION, RETURN, Row, TOKEN,
};
use table::{PROTECTED_RESOURCE, Place, TABLE, UNKNOWN_DOCUMENT};

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// One of our own URLs; the inner service never sees it.
    Own(&'static Row),
    /// Straight to the inner service, without a session.
    Public,
    /// Everything else.
    Protected,
}

/// Which rows of the table are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Served {
    All,
    /// The well-known documents.
    Documents,
    /// The documents of resources.
    Resource,
}

/// The paths of one configuration, put together once.
#[derive(Debug, Clone)]
pub(crate) struct Routes {
    base_path: Box<str>,
    served: Served,
    /// Rows that this configuration does not serve.
    absent: Vec<Endpoint>,
    callback: Box<str>,
    /// The ids of the providers that have a callback of their own.
    further: Box<[Box<str>]>,
    public: Box<[Box<str>]>,
}

impl Routes {
    pub(crate) fn new(base: &BaseUrl, callback: &str, public: &[String]) -> Self {
        Self {
            base_path: base.path().into(),
            served: Served::All,
            absent: vec![
                Endpoint::ClientDocument,
                Endpoint::Introspect,
                Endpoint::KeySet,
            ],
            callback: callback.into(),
            further: Box::default(),
            public: public.iter().map(|path| path.as_str().into()).collect(),
        }
    }

    /// The same, with or without an endpoint that not every configuration has.
    pub(crate) fn with(mut self, endpoint: Endpoint, is_there: bool) -> Self {
        self.absent.retain(|absent| *absent != endpoint);
        self.absent.extend((!is_there).then_some(endpoint));
        self
    }

    /// The same with the callbacks of further providers.
    #[must_use]
    pub(crate) fn returning_from<'a>(self, providers: impl Iterator<Item = &'a str>) -> Self {
        Self {
            further: providers.map(Into::into).collect(),
            ..self
        }
    }

    /// Those of a resource server alone: the rest of the table is the provider's, at its own URLs, and a
    /// path of it is like any other here.
    ///
    /// With `redirects`, the authorization server's documents are ours, to send clients on to its own.
    pub(crate) fn of_resource(base: &BaseUrl, redirects: bool, public: &[String]) -> Self {
        let served = match redirects {
            true => Served::Documents,
            false => Served::Resource,
        };
        Self {
            served,
            ..Self::new(base, "", public)
        }
    }

    /// Where each of them is, but those that are found by more than one URL of their own.
    pub(crate) fn urls(&self, base: &BaseUrl) -> Vec<(&'static Row, String)> {
        let below = |path: &str| vec![base.join(path)];
        let of = |row: &'static Row| {
            let urls = match row.place {
                Place::Below => below(row.path),
                Place::Callback => below(&self.callback),
                Place::Return => {
                    let ids = self.further.iter();
                    ids.map(|id| base.join(&[row.path, id].concat())).collect()
                }
                // RFC 8414 section 3, RFC 9728 section 3.1.
                Place::Issuer | Place::Resource => {
                    vec![[base.origin(), row.path, base.path()].concat()]
                }
                Place::Nowhere => Vec::new(),
            };
            urls.into_iter().map(move |url| (row, url))
        };
        self.served().flat_map(of).collect()
    }

    pub(crate) fn serves_authorization(&self) -> bool {
        self.served == Served::All
    }

    /// The rows that are served, and so may be advertised.
    pub(crate) fn served(&self) -> impl Iterator<Item = &'static Row> {
        let is_served = |row: &&Row| match self.served {
            Served::All => !self.absent.contains(&row.endpoint),
            Served::Documents => matches!(row.place, Place::Resource | Place::Issuer),
            Served::Resource => row.place == Place::Resource,
        };
        TABLE.iter().filter(is_served)
    }

    /// Decides by the path alone; a wrong method is the endpoint's to refuse (405 with `Allow`).
    pub(crate) fn find(&self, path: &str) -> Route {
        let own = self.inserted(path).or_else(|| self.below_base(path));
        match own {
            Some(row) => Route::Own(row),
            None if self.public.iter().any(|public| **public == *path) => Route::Public,
            None => Route::Protected,
        }
    }

    /// This stands before every request, so what cannot be ours is recognised by its first bytes.
    fn below_base(&self, path: &str) -> Option<&'static Row> {
        let below = match self.base_path.is_empty() {
            true => path,
            false => path.strip_prefix(&*self.base_path)?,
        };
        let is_callback = *below == *self.callback;
        if !is_callback && !below.starts_with("/oauth/") && !below.starts_with("/.well-known/o") {
            return None;
        }
        self.served().find(|row| match row.place {
            Place::Below | Place::Issuer => row.path == below,
            Place::Callback => is_callback,
            Place::Return => self.returns(below.strip_prefix(row.path)),
            Place::Resource | Place::Nowhere => false,
        })
    }

    fn returns(&self, id: Option<&str>) -> bool {
        id.is_some_and(|id| self.further.iter().any(|known| **known == *id))
    }

    /// A well-known document whose path begins at the root, the base URL's behind its name.
    fn inserted(&self, path: &str) -> Option<&'static Row> {
        if !path.starts_with("/.well-known/o") {
            return None;
        }
        self.served().find_map(|row| {
            let suffix = path.strip_prefix(row.path)?;
            let is_path = suffix.is_empty() || suffix.starts_with('/');
            match row.place {
                Place::Resource if is_path => Some(row),
                Place::Issuer if matches!(suffix, "" | "/") || *suffix == *self.base_path => {
                    Some(row)
                }
                Place::Issuer if is_path => Some(&UNKNOWN_DOCUMENT),
                _ => None,
            }
        })
    }
}

/// The URL of the RFC 9728 document for the base URL; for a resource below it, what stands below is
/// appended.
pub(crate) fn protected_resource_url(base: &BaseUrl) -> String {
    [base.origin(), PROTECTED_RESOURCE, base.path()].concat()
}

/// The path of the resource whose RFC 9728 document is asked for at this path.
pub(crate) fn resource_path(document: &str) -> &str {
    document
        .strip_prefix(PROTECTED_RESOURCE)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(base: &str) -> Routes {
        let base = BaseUrl::parse(base).unwrap();
        Routes::new(&base, CALLBACK, &["/health".to_owned()])
    }

    fn endpoint(routes: &Routes, path: &str) -> Option<Endpoint> {
        match routes.find(path) {
            Route::Own(row) => Some(row.endpoint),
            Route::Public | Route::Protected => None,
        }
    }

    #[test]
    fn an_odd_path_is_never_normalised_into_an_endpoint() {
        let routes = routes("https://proxy.example");
        for path in [
            "//oauth/token",
            "/%6fauth/token",
            "/oauth%2ftoken",
            "/oauth/../oauth/token",
            "/oauth/./token",
            "/oauth/token/",
            "/oauth//token",
            "/OAuth/token",
            "/oauth/token;x",
            "/oauth/token%00",
            "/oauth",
            "/oauth/",
            "/health/",
            "/health%2f",
            "//health",
            "/health/../mcp",
            "/.well-known/oauth-authorization-serverx",
            "/.well-known/oauth-protected-resourcex",
            "/.well-known/../mcp",
            "*",
            "",
        ] {
            assert_eq!(routes.find(path), Route::Protected, "{path}");
        }
        assert_eq!(endpoint(&routes, "/oauth/token"), Some(Endpoint::Token));
        assert_eq!(routes.find("/health"), Route::Public);
    }

    /// The configuration refuses this; should it ever not, they are ours all the same.
    #[test]
    fn what_is_ours_cannot_be_made_public() {
        let base = BaseUrl::parse("https://proxy.example").unwrap();
        let ours = ["/oauth/token", "/.well-known/openid-configuration"];
        let routes = Routes::new(&base, CALLBACK, &ours.map(str::to_owned));
        for path in ours {
            assert_ne!(routes.find(path), Route::Public, "{path}");
        }
    }

    #[test]
    fn documents_are_found_at_the_root_inserted_and_appended() {
        let at_path = routes("https://proxy.example/api");
        for path in [
            "/.well-known/oauth-authorization-server",
            "/.well-known/oauth-authorization-server/api",
            "/.well-known/openid-configuration",
            "/.well-known/openid-configuration/api",
            "/api/.well-known/openid-configuration",
        ] {
            let found = endpoint(&at_path, path);
            assert_eq!(found, Some(Endpoint::AuthorizationServerMetadata), "{path}");
        }
        for (path, expected) in [
            (
                "/.well-known/oauth-authorization-server/other",
                Some(Endpoint::UnknownDocument),
            ),
            (
                "/.well-known/oauth-protected-resource/api/mcp",
                Some(Endpoint::ProtectedResourceMetadata),
            ),
            ("/api/.well-known/oauth-protected-resource", None),
            ("/api", None),
            ("/oauth/token", None),
            ("/api/oauth/token", Some(Endpoint::Token)),
        ] {
            assert_eq!(endpoint(&at_path, path), expected, "{path}");
        }
    }

    /// `below_base` looks at the table for no other path.
    #[test]
    fn every_row_is_found_at_its_own_path_and_only_there() {
        let routes = routes("https://proxy.example");
        for row in routes.served() {
            if row.place == Place::Return {
                continue;
            }
            assert_eq!(routes.find(row.path), Route::Own(row));
            let deeper = endpoint(&routes, &[row.path, "/x"].concat());
            let expected = match row.place {
                Place::Below | Place::Callback | Place::Return => None,
                Place::Issuer | Place::Nowhere => Some(Endpoint::UnknownDocument),
                Place::Resource => Some(row.endpoint),
            };
            assert_eq!(deeper, expected, "{row:?}");
        }
        let base = BaseUrl::parse("https://proxy.example").unwrap();
        let moved = Routes::new(&base, "/login/back", &[]);
        assert_eq!(endpoint(&moved, "/login/back"), Some(Endpoint::Callback));
        assert_eq!(endpoint(&moved, CALLBACK), None);
    }

    #[test]
    fn a_further_provider_has_a_callback_of_its_own_and_no_other_path_is_one() {
        let base = BaseUrl::parse("https://proxy.example/api").unwrap();
        let routes = Routes::new(&base, CALLBACK, &[]);
        assert_eq!(endpoint(&routes, "/api/oauth/return/b"), None);
        let routes = routes.returning_from(["b", "c-1"].into_iter());
        for path in ["/api/oauth/return/b", "/api/oauth/return/c-1"] {
            assert_eq!(endpoint(&routes, path), Some(Endpoint::Callback), "{path}");
        }
        for path in [
            "/api/oauth/return/",
            "/api/oauth/return",
            "/api/oauth/return/a",
            "/api/oauth/return/b/",
            "/api/oauth/return/B",
            "/api/oauth/return//b",
            "/oauth/return/b",
            "/api/oauth/callback/b",
        ] {
            assert_eq!(routes.find(path), Route::Protected, "{path}");
        }
    }
}
