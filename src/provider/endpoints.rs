//! Where a provider is.

use super::discovery_error::DiscoveryError;

/// The provider's URLs: as the preset or the operator stated them, and where they leave one out, as
/// the provider's own document names it. [`Provider::check`] parses each that is stated.
///
/// [`Provider::check`]: super::Provider::check
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Endpoints {
    pub(crate) authorize: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) revocation: Option<String>,
    pub(crate) userinfo: Option<String>,
    pub(crate) introspection: Option<String>,
    /// The key set that ID tokens are verified with.
    pub(crate) jwks: Option<String>,
}

/// A document of the provider about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Discovery {
    /// The issuer below which it stands.
    pub(crate) issuer: String,
    pub(crate) fills: Fills,
}

/// What is taken from the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fills {
    /// All that is not stated.
    Everything,
    /// Where the keys are, for a preset that states all else.
    Keys,
}

impl Endpoints {
    pub(crate) fn new(authorize: impl Into<String>, token: impl Into<String>) -> Self {
        Self {
            authorize: Some(authorize.into()),
            token: Some(token.into()),
            ..Self::default()
        }
    }

    /// Where a person logs in.
    pub(crate) fn authorize(&self) -> Result<&str, DiscoveryError> {
        let url = self.authorize.as_deref();
        url.ok_or(DiscoveryError::Missing("authorization_endpoint"))
    }

    /// Where codes and refresh tokens are traded.
    pub(crate) fn token(&self) -> Result<&str, DiscoveryError> {
        let url = self.token.as_deref();
        url.ok_or(DiscoveryError::Missing("token_endpoint"))
    }

    /// The authorize URL without its query, and that query. A fragment is left out: a check refuses one
    /// at start, and in a redirect it would swallow the request.
    pub(super) fn authorize_parts(&self) -> (&str, &str) {
        let url = self.authorize.as_deref().unwrap_or_default();
        let whole = url.split('#').next().unwrap_or_default();
        whole.split_once('?').unwrap_or((whole, ""))
    }

    /// Each with a name for errors.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("authorize", &self.authorize),
            ("token", &self.token),
            ("revocation", &self.revocation),
            ("userinfo", &self.userinfo),
            ("introspection", &self.introspection),
            ("key set", &self.jwks),
        ]
        .into_iter()
        .filter_map(|(what, url)| Some((what, url.as_deref()?)))
    }
}
