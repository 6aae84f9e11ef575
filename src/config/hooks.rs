//! The operator's own code: what it is shown, and how it says no.

use std::{borrow::Cow, future::Future, pin::Pin, sync::Arc};

use crate::{oauth::ScopeSet, provider::Identity};

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
#[derive(Debug, Clone, Default)]
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
///
/// A test of a hook begins with the default and sets what the hook reads:
///
/// ```
/// use tower_oauth_proxy::{LoginRequest, Refusal};
///
/// async fn members_only(request: LoginRequest) -> Result<(), Refusal> {
///     match request.person.email.as_deref() {
///         Some("ada@example.com") => Ok(()),
///         _ => Err(Refusal::new("members only")),
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut request = LoginRequest::default();
/// assert!(members_only(request.clone()).await.is_err());
/// request.person.email = Some("ada@example.com".into());
/// assert!(members_only(request).await.is_ok());
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LoginRequest {
    /// Who it is, as the provider knows them now.
    pub person: Identity,
    /// The id of the provider that vouches for them, such as `github`.
    pub provider: String,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Occasion {
    /// The person has come back from the provider. A no ends the login.
    #[default]
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
