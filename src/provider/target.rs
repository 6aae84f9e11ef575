//! The other API that a token is for.

use std::fmt;

use url::Url;

use crate::{
    limits::{MAX_RESOURCE, MAX_SHOWN},
    oauth::{ScopeSet, printable},
};

/// The grant type of RFC 8693 section 2.1, and its name in `grant_types_supported`.
pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// The other API that a token is for, and what it may do there: see
/// [`AuthSession::token_for`](crate::AuthSession::token_for).
///
/// ```
/// use tower_oauth_proxy::TokenTarget;
///
/// let files = TokenTarget::audience("https://files.example.com").scopes(["read"]);
/// assert_eq!(files.to_string(), "audience https://files.example.com, scope read");
/// // A name is an audience.
/// assert_eq!(TokenTarget::from("billing"), TokenTarget::audience("billing"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[must_use]
pub struct TokenTarget {
    audience: Option<String>,
    resource: Option<String>,
    scopes: Vec<String>,
}

impl TokenTarget {
    /// An API by its name at the provider (`audience`, RFC 8693 section 2.1): a client id, or an
    /// identifier URI. 1 to 2,048 bytes.
    pub fn audience(name: impl Into<String>) -> Self {
        Self {
            audience: Some(name.into()),
            resource: None,
            scopes: Vec::new(),
        }
    }

    /// An API by its URL (`resource`, RFC 8693 section 2.1): absolute, without a fragment, 2,048 bytes
    /// at most.
    pub fn resource(url: impl Into<String>) -> Self {
        Self {
            audience: None,
            resource: Some(url.into()),
            scopes: Vec::new(),
        }
    }

    /// What the token may do there, in the API's own names, in place of those given before. Without
    /// any, the provider decides.
    pub fn scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The name or the URL.
    pub(crate) fn api(&self) -> &str {
        let given = self.audience.as_deref().or(self.resource.as_deref());
        given.unwrap_or_default()
    }

    pub(crate) fn scope_names(&self) -> &[String] {
        &self.scopes
    }

    /// The parameters that name it (RFC 8693 section 2.1).
    pub(super) fn params(&self) -> Vec<(&'static str, String)> {
        let scope = (!self.scopes.is_empty()).then(|| self.scopes.join(" "));
        [
            ("audience", self.audience.clone()),
            ("resource", self.resource.clone()),
            ("scope", scope),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    /// The same for two targets that ask for the same.
    pub(crate) fn key(&self) -> String {
        let mut scopes: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        scopes.sort_unstable();
        scopes.dedup();
        let kind = if self.audience.is_some() { 'a' } else { 'r' };
        format!("{kind} {}\n{}", self.api(), scopes.join(" "))
    }

    /// What is wrong with it, in words for the one who wrote it.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (api, shown) = (self.api(), printable(self.api(), MAX_SHOWN));
        if api.is_empty() {
            return Err("the API has no name".to_owned());
        }
        if api.len() > MAX_RESOURCE {
            return Err(format!(
                "the API's name is longer than {MAX_RESOURCE} bytes"
            ));
        }
        if api.chars().any(char::is_control) {
            return Err(format!(
                "the API's name {shown:?} holds a control character"
            ));
        }
        // RFC 8693 section 2.1: the value of `resource` "MUST be an absolute URI", and "MUST NOT include a
        // fragment component".
        let is_absolute = |url: &String| Url::parse(url).is_ok_and(|url| url.fragment().is_none());
        if self.resource.as_ref().is_some_and(|url| !is_absolute(url)) {
            return Err(format!(
                "{shown:?} is not an absolute URL without a fragment"
            ));
        }
        match ScopeSet::new(&self.scopes) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl From<&str> for TokenTarget {
    fn from(audience: &str) -> Self {
        Self::audience(audience)
    }
}

impl From<String> for TokenTarget {
    fn from(audience: String) -> Self {
        Self::audience(audience)
    }
}

impl fmt::Display for TokenTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params = self.params();
        let words = params.iter().map(|(name, value)| format!("{name} {value}"));
        f.write_str(&words.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_targets_share_a_token_only_if_they_ask_for_the_same() {
        let files = || TokenTarget::audience("https://files.example");
        let key = files().scopes(["read", "write"]).key();
        assert_eq!(files().scopes(["write", "read", "read"]).key(), key);
        for other in [
            files(),
            files().scopes(["read"]),
            files().scopes(["read write-all"]),
            TokenTarget::resource("https://files.example").scopes(["read", "write"]),
            TokenTarget::audience("https://files.example\nread write"),
        ] {
            assert_ne!(other.key(), key, "{other}");
        }
    }

    #[test]
    fn what_no_request_could_carry_is_refused_here() {
        let long = "a".repeat(MAX_RESOURCE + 1);
        for good in [
            TokenTarget::audience("api://files"),
            TokenTarget::resource("https://files.example/v1?tenant=a"),
            TokenTarget::resource("urn:example:files").scopes(["https://graph.example/.default"]),
        ] {
            assert_eq!(good.check(), Ok(()), "{good}");
        }
        for bad in [
            TokenTarget::audience(""),
            TokenTarget::audience(&*long),
            TokenTarget::audience("files\r\nx"),
            TokenTarget::resource("files"),
            TokenTarget::resource("https://files.example/#part"),
            TokenTarget::audience("files").scopes(["a b"]),
            TokenTarget::audience("files").scopes([""]),
            TokenTarget::audience("files").scopes((0..65).map(|n| n.to_string())),
        ] {
            assert!(bad.check().is_err(), "{bad}");
        }
    }
}
