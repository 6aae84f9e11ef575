//! Why a provider's document about itself is of no use, in words for the operator.

use crate::{
    limits::{MAX_DETAIL, MAX_QUOTED},
    oauth::printable,
};

/// Why a provider's document about itself is of no use. Nothing is lost: the next login asks again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DiscoveryError {
    /// It could not be had: what was asked, and what came.
    #[error("the discovery document {url} cannot be read: {why}")]
    Fetch { url: String, why: String },
    /// It came, and says what it must not, or what nothing can be done with.
    #[error("the discovery document {0}")]
    Unusable(String),
    /// An endpoint that is needed now, by its name in the document.
    #[error("the discovery document names no `{0}`: name it, or use `provider::generic`")]
    Missing(&'static str),
}

impl DiscoveryError {
    /// Whether it may be otherwise in a moment, without anyone mending anything.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Fetch { .. })
    }

    pub(super) fn issuer(expected: &str, named: &str) -> Self {
        let [expected, named] = [expected, named].map(|issuer| printable(issuer, MAX_QUOTED));
        Self::Unusable(format!(
            "is that of the issuer {named:?}, and {expected:?} is configured: they must be the same to \
             the byte, a trailing slash included"
        ))
    }

    pub(super) fn endpoint(member: &str, url: &str, why: &str) -> Self {
        let end = url.find(['?', '#']).unwrap_or(url.len());
        let shown = match url.contains('@') {
            true => "(not shown: it holds an @)".to_owned(),
            false => format!(
                "{:?}",
                printable(url.get(..end).unwrap_or_default(), MAX_QUOTED)
            ),
        };
        Self::Unusable(format!("has a `{member}` that {why}: {shown}"))
    }

    pub(super) fn algorithms(listed: &[String]) -> Self {
        let listed = list(listed);
        Self::Unusable(format!(
            "lists {listed} for ID tokens: none is verified by a published key. Choose RS256 or ES256 for \
             this client, or use `provider::generic`"
        ))
    }

    pub(super) fn client_auth(listed: &[String]) -> Self {
        let listed = list(listed);
        Self::Unusable(format!(
            "lists {listed} as ways to authenticate, and none takes a client secret as it is: choose another \
             way for this client, or say `token_endpoint_auth_method`"
        ))
    }
}

fn list(words: &[String]) -> String {
    printable(&words.join(", "), MAX_DETAIL / 2)
}
