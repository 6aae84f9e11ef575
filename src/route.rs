//! The only room that knows URL paths: `(path) -> Route`.
//!
//! Paths are compared byte for byte with the path the client sent. Nothing is decoded or normalised:
//! `//oauth/token`, `/%6fauth/token` and `/oauth/../mcp` are none of the endpoints, and so they are
//! protected like anything else.

use crate::oauth::BaseUrl;

/// Where the person's browser is sent to decide.
pub(crate) const CONSENT: &str = "/oauth/consent";
pub(crate) const AUTHORIZE: &str = "/oauth/authorize";
pub(crate) const REGISTER: &str = "/oauth/register";
pub(crate) const TOKEN: &str = "/oauth/token";
pub(crate) const REVOKE: &str = "/oauth/revoke";
/// Where the provider sends the browser back, unless the operator chose another path.
pub(crate) const CALLBACK: &str = "/oauth/callback";

const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
const PROTECTED_RESOURCE: &str = "/.well-known/oauth-protected-resource";

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// RFC 8414 metadata.
    AuthorizationServerMetadata,
    /// RFC 9728 metadata of the resource at this path below the host; the part after the well-known
    /// name starts at this byte of the path.
    ProtectedResourceMetadata {
        suffix_at: usize,
    },
    /// A document below our well-known names that does not exist.
    UnknownDocument,
    Register,
    Authorize,
    Consent,
    Callback,
    Token,
    Revoke,
    /// Straight to the inner service, without a session.
    Public,
    /// Everything else.
    Protected,
}

/// The paths of one configuration, put together once.
#[derive(Debug, Clone)]
pub(crate) struct Routes {
    base_path: Box<str>,
    callback: Box<str>,
    public: Box<[Box<str>]>,
}

impl Routes {
    pub(crate) fn new(base: &BaseUrl, callback: &str, public: &[String]) -> Self {
        Self {
            base_path: base.path().into(),
            callback: callback.into(),
            public: public.iter().map(|path| path.as_str().into()).collect(),
        }
    }

    /// Decides by the path alone; the method is the endpoint's business (405 with `Allow`).
    pub(crate) fn find(&self, path: &str) -> Route {
        if let Some(route) = self.well_known(path) {
            return route;
        }
        if let Some(below) = self.below_base(path) {
            match below {
                REGISTER => return Route::Register,
                AUTHORIZE => return Route::Authorize,
                CONSENT => return Route::Consent,
                TOKEN => return Route::Token,
                REVOKE => return Route::Revoke,
                _ if *below == *self.callback => return Route::Callback,
                // OpenID Connect Discovery appends instead of inserting.
                OPENID_CONFIGURATION | AUTHORIZATION_SERVER => {
                    return Route::AuthorizationServerMetadata;
                }
                _ => {}
            }
        }
        if self.public.iter().any(|public| **public == *path) {
            return Route::Public;
        }
        Route::Protected
    }

    /// Without a base path, which is the common case, nothing is compared: this stands before every
    /// request.
    fn below_base<'a>(&self, path: &'a str) -> Option<&'a str> {
        match self.base_path.is_empty() {
            true => Some(path),
            false => path.strip_prefix(&*self.base_path),
        }
    }

    fn well_known(&self, path: &str) -> Option<Route> {
        if !path.starts_with("/.well-known/o") {
            return None;
        }
        if let Some(suffix) = path.strip_prefix(PROTECTED_RESOURCE) {
            return match suffix.as_bytes().first() {
                None | Some(b'/') => Some(Route::ProtectedResourceMetadata {
                    suffix_at: PROTECTED_RESOURCE.len(),
                }),
                Some(_) => None,
            };
        }
        let suffix = path
            .strip_prefix(AUTHORIZATION_SERVER)
            .or_else(|| path.strip_prefix(OPENID_CONFIGURATION))?;
        let is_root = matches!(suffix, "" | "/");
        if is_root || *suffix == *self.base_path {
            Some(Route::AuthorizationServerMetadata)
        } else if suffix.starts_with('/') {
            // A document for an issuer that is not us (RFC 8414 section 3.3 wants them equal).
            Some(Route::UnknownDocument)
        } else {
            None
        }
    }
}

/// The URL of the RFC 9728 document for the base URL; for a resource below it, what stands below is
/// appended.
pub(crate) fn protected_resource_url(base: &BaseUrl) -> String {
    [base.origin(), PROTECTED_RESOURCE, base.path()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(base: &str) -> Routes {
        let base = BaseUrl::parse(base).unwrap();
        Routes::new(&base, CALLBACK, &["/health".to_owned()])
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
        assert_eq!(routes.find("/oauth/token"), Route::Token);
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
            assert_eq!(
                at_path.find(path),
                Route::AuthorizationServerMetadata,
                "{path}"
            );
        }
        assert_eq!(
            at_path.find("/.well-known/oauth-authorization-server/other"),
            Route::UnknownDocument
        );
        assert_eq!(at_path.find("/oauth/token"), Route::Protected);
        assert_eq!(at_path.find("/api/oauth/token"), Route::Token);
        assert!(matches!(
            at_path.find("/.well-known/oauth-protected-resource/api/mcp"),
            Route::ProtectedResourceMetadata { .. }
        ));
    }
}
