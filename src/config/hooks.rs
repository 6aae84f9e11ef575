//! The operator's own code: what it is shown, and how it says no.

use std::{borrow::Cow, fmt, future::Future, pin::Pin, sync::Arc};

use crate::{
    error::ConfigError,
    login::{Identity, domain_of},
    oauth::ScopeSet,
};

/// A hook's "no", with words that the client or the person may read.
///
/// ```
/// use tower_oauth_proxy::Refusal;
///
/// let refusal = Refusal::new("this service is for members only");
/// assert_eq!(refusal.description(), "this service is for members only");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    description: Cow<'static, str>,
}

impl Refusal {
    /// A refusal with a description that is safe to show. What the protocol does not allow there
    /// (anything outside printable ASCII, `"` and `\`) becomes `?`, and 600 characters are kept.
    pub fn new(description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            description: description.into(),
        }
    }

    /// What is shown.
    pub fn description(&self) -> &str {
        &self.description
    }

    pub(crate) fn into_description(self) -> Cow<'static, str> {
        self.description
    }
}

/// A registration (RFC 7591) that passed every rule and waits for the operator's word.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RegistrationRequest {
    /// The name that the client gives itself; anybody can claim any name.
    pub client_name: Option<String>,
    /// Where the client wants its codes sent.
    pub redirect_uris: Vec<String>,
    /// The scopes that the client names, of those that exist.
    pub scopes: ScopeSet,
}

/// A person who wants in, or who is in and is looked at again. Made by the proxy, read by
/// [`on_login`](crate::OAuthProxyConfigBuilder::on_login).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LoginRequest {
    /// Who it is, as the provider knows them now.
    pub person: Identity,
    /// The client that acts for them: [`AuthSession::client_id`](crate::AuthSession::client_id).
    pub client_id: String,
    /// What the client asks for at login; later, what it was granted.
    pub scopes: ScopeSet,
    /// The protected resource that the tokens are for (RFC 8707): the base URL or a URL below it.
    pub resource: String,
    /// Whether this is the login, or a later look at the same person.
    pub occasion: Occasion,
}

/// When the operator's rules are asked about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Occasion {
    /// The person has come back from the provider. A no ends the login.
    Login,
    /// The provider renewed their token, or a client refreshed and the last look is older than
    /// [`identity_max_age`](crate::OAuthProxyConfigBuilder::identity_max_age). A no ends the grant.
    Recheck,
}

type HookFuture = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>;
type Hook<T> = Arc<dyn Fn(T) -> HookFuture + Send + Sync>;
pub(crate) type RegistrationHook = Hook<RegistrationRequest>;
pub(crate) type LoginHook = Hook<LoginRequest>;

/// Turns an async closure into a stored hook.
pub(crate) fn hook<T, F, Fut>(closure: F) -> Hook<T>
where
    T: 'static,
    F: Fn(T) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Refusal>> + Send + 'static,
{
    Arc::new(move |input| Box::pin(closure(input)))
}

/// Who may log in, by address. Not wanted: everybody that the provider lets in.
#[derive(Clone, Default)]
pub(crate) struct AllowList {
    pub(crate) emails: Vec<String>,
    pub(crate) domains: Vec<String>,
    pub(crate) trust_unverified: bool,
    /// Whether the operator called for a list at all: one that turns out empty must not admit
    /// everybody.
    pub(crate) is_wanted: bool,
}

impl AllowList {
    /// Checks a list that was called for.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if !self.is_wanted {
            return Ok(());
        }
        let is_email = |email: &String| domain_of(email).is_some();
        let is_domain = |domain: &String| !domain.is_empty() && !domain.contains(['@', ' ', '*']);
        if self.emails.is_empty() && self.domains.is_empty() {
            return Err(ConfigError::new(
                "allowed_emails",
                "the lists are empty: nobody could log in (is an environment variable unset?)",
            ));
        }
        if !self.emails.iter().all(is_email) {
            return Err(ConfigError::new(
                "allowed_emails",
                "an entry is no e-mail address",
            ));
        }
        if !self.domains.iter().all(is_domain) {
            return Err(ConfigError::new("allowed_domains", "an entry is no domain"));
        }
        Ok(())
    }

    /// Whether the person is on the list. An address counts only when the provider says that it is
    /// verified, and only with exactly one `@` (multi-`@` domain bypass of a peer).
    pub(crate) fn admits(&self, person: &Identity) -> bool {
        if !self.is_wanted {
            return true;
        }
        let email = match self.trust_unverified {
            true => person.email.as_deref(),
            false => person.verified_email(),
        };
        let Some((email, domain)) = email.and_then(|email| Some((email, domain_of(email)?))) else {
            return false;
        };
        self.emails
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(email))
            || self
                .domains
                .iter()
                .any(|allowed| allowed.eq_ignore_ascii_case(domain))
    }
}

impl fmt::Debug for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllowList")
            .field("emails", &self.emails.len())
            .field("domains", &self.domains)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(email: &str, verified: bool) -> Identity {
        Identity {
            email: Some(email.to_owned()),
            email_verified: verified,
            ..Identity::default()
        }
    }

    #[test]
    fn only_a_verified_address_with_one_at_sign_of_a_listed_domain_is_admitted() {
        let list = AllowList {
            emails: vec!["guest@other.example".into()],
            domains: vec!["corp.example".into()],
            trust_unverified: false,
            is_wanted: true,
        };
        assert!(list.admits(&person("ada@CORP.example", true)));
        assert!(list.admits(&person("guest@other.example", true)));
        for email in [
            "ada@evil.example",
            "ada@corp.example.evil.example",
            "ada@evil.example@corp.example",
            "ada@corp.example@evil.example",
            "@corp.example",
            "ada@sub.corp.example",
            "corp.example",
            "ada@",
        ] {
            assert!(!list.admits(&person(email, true)), "{email}");
        }
        assert!(!list.admits(&person("ada@corp.example", false)));
        assert!(!list.admits(&Identity::default()));
        assert!(AllowList::default().admits(&Identity::default()));
        let unset = AllowList {
            is_wanted: true,
            ..AllowList::default()
        };
        assert!(!unset.admits(&person("ada@corp.example", true)));
        assert!(unset.check().is_err());
    }
}
