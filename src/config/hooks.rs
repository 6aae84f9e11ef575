//! The operator's own code: what it is asked, and how it says no.

use std::{borrow::Cow, future::Future, pin::Pin, sync::Arc};

use crate::{oauth::ScopeSet, provider::Identity};

/// A hook's no, with words that the client or the person may read.
///
/// ```
/// use tower_oauth_proxy::Veto;
///
/// let veto = Veto::new("this service is for members only");
/// assert_eq!(veto.description(), "this service is for members only");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a veto stops something only when the hook returns it"]
pub struct Veto {
    description: Cow<'static, str>,
}

impl Veto {
    /// A no with a description that is safe to show. What the protocol does not allow in a description
    /// (anything outside printable ASCII, `"` and `\`) becomes `?`, and 600 characters are kept.
    pub fn new(description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            description: description.into(),
        }
    }

    /// The words that are shown.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    pub(crate) fn into_description(self) -> Cow<'static, str> {
        self.description
    }
}

/// A registration (RFC 7591), or a client's metadata document, that passed every rule and waits for
/// [`on_register`](crate::OAuthProxyConfigBuilder::on_register).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RegistrationRequest {
    /// The name that the client gives itself. Any client can claim any name.
    pub client_name: Option<String>,
    /// Where the client wants its codes sent.
    pub redirect_uris: Vec<String>,
    /// Those of the configured scopes that the client names.
    pub scopes: ScopeSet,
    /// The URL of the document, which is the client's id; `None` for a registration. The host of the URL is
    /// proven, as nothing else of a client is.
    pub document: Option<String>,
}

impl RegistrationRequest {
    /// A request of a client without a name or scopes, to test a hook with; set the fields that it reads.
    ///
    /// ```
    /// use tower_oauth_proxy::{RegistrationRequest, Veto};
    ///
    /// async fn named(request: RegistrationRequest) -> Result<(), Veto> {
    ///     let name = request.client_name.ok_or(Veto::new("give a client_name"))?;
    ///     println!("{name} registers");
    ///     Ok(())
    /// }
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// let request = RegistrationRequest::new(["https://app.example.com/callback"]);
    /// assert_eq!(named(request).await, Err(Veto::new("give a client_name")));
    /// # });
    /// ```
    pub fn new<I: IntoIterator<Item: Into<String>>>(redirect_uris: I) -> Self {
        Self {
            client_name: None,
            redirect_uris: redirect_uris.into_iter().map(Into::into).collect(),
            scopes: ScopeSet::default(),
            document: None,
        }
    }
}

/// A person who wants in, or who came in earlier and is looked at again; see
/// [`on_login`](crate::OAuthProxyConfigBuilder::on_login).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LoginRequest {
    /// Who it is, as the provider knows them now.
    pub person: Identity,
    /// How they are named here: [`AuthSession::subject`](crate::AuthSession::subject). The provider's own name
    /// for them is in `person`.
    pub subject: String,
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

impl LoginRequest {
    /// A request without client, scopes and resource, to test a hook with; set the fields that it reads.
    ///
    /// ```
    /// use tower_oauth_proxy::{Identity, LoginRequest, Occasion, Veto};
    ///
    /// async fn staff(request: LoginRequest) -> Result<(), Veto> {
    ///     match request.person.claims.get("hd") {
    ///         Some(domain) if domain == "example.com" => Ok(()),
    ///         _ => Err(Veto::new("this service is for example.com only")),
    ///     }
    /// }
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// let mut person = Identity::default();
    /// let stranger = LoginRequest::new(person.clone(), Occasion::Login);
    /// assert!(staff(stranger).await.is_err());
    ///
    /// person.claims.insert("hd".into(), "example.com".into());
    /// assert!(staff(LoginRequest::new(person, Occasion::Recheck)).await.is_ok());
    /// # });
    /// ```
    #[must_use]
    pub fn new(person: Identity, occasion: Occasion) -> Self {
        Self {
            subject: person.subject.clone().unwrap_or_default(),
            person,
            provider: String::new(),
            client_id: String::new(),
            scopes: ScopeSet::default(),
            resource: String::new(),
            occasion,
        }
    }
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
    /// A client brought an [identity assertion](crate::TrustedIssuer::assertions) of the person. A no refuses
    /// the token.
    Assertion,
    /// Someone came with an access token of a [trusted issuer](crate::TrustedIssuer::access_tokens) or of
    /// [`introspection`](crate::OAuthProxyConfigBuilder::introspection): at its first sight, and again in each
    /// [`session_cache_ttl`](crate::OAuthProxyConfigBuilder::session_cache_ttl). A no refuses the request.
    AccessToken,
}

type HookFuture = Pin<Box<dyn Future<Output = Result<(), Veto>> + Send>>;
type Hook<T> = Arc<dyn Fn(T) -> HookFuture + Send + Sync>;
pub(crate) type RegistrationHook = Hook<RegistrationRequest>;
pub(crate) type LoginHook = Hook<LoginRequest>;

/// Turns an async closure into a stored hook.
pub(crate) fn hook<T, F, Fut>(closure: F) -> Hook<T>
where
    T: 'static,
    F: Fn(T) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Veto>> + Send + 'static,
{
    Arc::new(move |input| Box::pin(closure(input)))
}
