//! Where a session's token came from, and whether there is a person behind it.

use std::fmt;

use serde_json::{Map, Value};

use crate::grant::About;

/// Where the token behind an [`AuthSession`](crate::AuthSession) came from. `Display` and [`as_str`](Self::as_str)
/// give a name for logs and metrics.
///
/// ```
/// use tower_oauth_proxy::TokenSource;
///
/// assert_eq!(TokenSource::ApiKey.as_str(), "api_key");
/// assert_eq!(TokenSource::Login.to_string(), "login");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenSource {
    /// A person's login here: a token of this proxy.
    Login,
    /// A machine that showed its own credentials at the token endpoint: a token of this proxy.
    ClientCredentials,
    /// A trusted issuer's assertion about a person: a token of this proxy.
    Assertion,
    /// A trusted issuer's assertion about a workload: a token of this proxy.
    Workload,
    /// An API key of the configuration.
    ApiKey,
    /// A token that a trusted issuer made.
    TrustedIssuer,
    /// A token that an introspection endpoint called active.
    Introspection,
    /// The provider's own token: in passthrough mode, and at a resource server.
    Provider,
}

impl TokenSource {
    /// Of a token of this proxy that has a grant: what an assertion's is about, or a login.
    pub(crate) fn of_grant(about: Option<About>) -> Self {
        match about {
            None => Self::Login,
            Some(About::Person) => Self::Assertion,
            Some(About::Workload) => Self::Workload,
        }
    }

    /// In words for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::ClientCredentials => "client_credentials",
            Self::Assertion => "assertion",
            Self::Workload => "workload",
            Self::ApiKey => "api_key",
            Self::TrustedIssuer => "trusted_issuer",
            Self::Introspection => "introspection",
            Self::Provider => "provider",
        }
    }

    /// Whether a token of this kind has a person behind it; `None` where its issuer knows and this proxy does not.
    pub(super) fn has_person(self) -> Option<bool> {
        match self {
            Self::Login | Self::Assertion => Some(true),
            Self::ClientCredentials | Self::Workload | Self::ApiKey => Some(false),
            Self::TrustedIssuer | Self::Introspection | Self::Provider => None,
        }
    }

    /// Whether the provider's or issuer's own name for the caller stands behind the subject.
    pub(super) fn has_provider_subject(self) -> bool {
        !matches!(self, Self::ClientCredentials | Self::ApiKey)
    }
}

impl fmt::Display for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a token that another server issued says of itself that it is an app's own.
///
/// RFC 9068 section 2.2, `sub`: "In cases of access tokens obtained through grants where no resource owner is
/// involved, such as the client credentials grant, the value of "sub" SHOULD correspond to an identifier the
/// authorization server uses to indicate the client application." Some say it by a claim of their own.
pub(super) fn is_of_an_app(subject: &str, client_id: &str, claims: &Map<String, Value>) -> bool {
    let says = |name: &str, word: &str| claims.get(name).and_then(Value::as_str) == Some(word);
    let named = |subject: &str| !client_id.is_empty() && subject == client_id;
    named(subject)
        || subject.strip_suffix("@clients").is_some_and(named)
        || says("idtyp", "app")
        || says("gty", "client-credentials")
        || (claims.get("preferred_username").and_then(Value::as_str))
            .is_some_and(|name| name.strip_prefix("service-account-").is_some_and(named))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_an_apps_own_where_its_subject_is_the_app_or_a_claim_says_so() {
        let is = |subject: &str, client: &str, claims: Value| {
            is_of_an_app(subject, client, claims.as_object().unwrap())
        };
        assert!(is("app", "app", json!({})));
        assert!(is("app@clients", "app", json!({})));
        assert!(is("7", "app", json!({"idtyp": "app"})));
        assert!(is("7", "app", json!({"gty": "client-credentials"})));
        let account = json!({"preferred_username": "service-account-app"});
        assert!(is("7", "app", account.clone()));
        // A person may call themselves so, where the app is another.
        assert!(!is("7", "other", account));
        for person in [
            json!({}),
            json!({"idtyp": "user"}),
            json!({"gty": "password"}),
        ] {
            assert!(!is("ada", "app", person));
        }
        assert!(!is("", "", json!({})));
        assert!(!is("@clients", "", json!({})));
    }
}
