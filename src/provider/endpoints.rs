//! Where a provider is.

/// The provider's URLs, as the preset or the operator gave them. [`Provider::check`] parses each.
///
/// [`Provider::check`]: super::Provider::check
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    pub(crate) authorize: String,
    pub(crate) token: String,
    pub(crate) revocation: Option<String>,
    pub(crate) userinfo: Option<String>,
}

impl Endpoints {
    pub(crate) fn new(authorize: impl Into<String>, token: impl Into<String>) -> Self {
        Self {
            authorize: authorize.into(),
            token: token.into(),
            revocation: None,
            userinfo: None,
        }
    }

    /// The authorize URL without its query, and that query. A fragment is left out: a check refuses one
    /// at start, and in a redirect it would swallow the request.
    pub(super) fn authorize_parts(&self) -> (&str, &str) {
        let whole = self.authorize.split('#').next().unwrap_or_default();
        whole.split_once('?').unwrap_or((whole, ""))
    }

    /// Each with a name for errors.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("authorize", Some(&self.authorize)),
            ("token", Some(&self.token)),
            ("revocation", self.revocation.as_ref()),
            ("userinfo", self.userinfo.as_ref()),
        ]
        .into_iter()
        .filter_map(|(what, url)| Some((what, url?.as_str())))
    }
}
