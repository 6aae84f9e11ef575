//! A session without a login.

use std::{fmt, time::SystemTime};

use http::Request;
use serde_json::Value;

use crate::{
    challenge::Challenges,
    oauth::{BaseUrl, HeldScopes, Resource, ScopeSet},
    session::{AuthSession, Inner, LoginName, TokenSource, UpstreamTokens},
    time::Unix,
};

/// Where a session's token is for, unless a test says otherwise.
const RESOURCE: &str = "https://mcp.example.com";

/// Begins a session for the person with this `sub`, as a handler would get it from the layer.
///
/// ```
/// use tower_oauth_proxy::testing;
///
/// let session = testing::session("ada")
///     .client("inspector")
///     .scopes(["reports:read"])
///     .roles(["analyst"])
///     .claim("email", "ada@example.com")
///     .build();
/// assert_eq!(session.subject(), "ada");
/// assert!(session.scopes().contains("reports:read"));
/// assert_eq!(session.claims()["email"], "ada@example.com");
/// ```
pub fn session(subject: impl Into<String>) -> SessionBuilder {
    SessionBuilder {
        parts: Inner::made_up(subject.into(), &base(RESOURCE)),
    }
}

/// A session under construction; [`session`] begins one.
///
/// Without further words it belongs to the client `test-client`, has no scopes, roles or claims, is
/// for `https://mcp.example.com`, does not expire, and holds the provider's token
/// `upstream-access-token`, which
/// [`upstream_token_refused`](AuthSession::upstream_token_refused) cannot renew.
#[must_use = "a builder does nothing until it is built or put on a request"]
pub struct SessionBuilder {
    parts: Inner,
}

impl SessionBuilder {
    /// The MCP client that holds the token.
    pub fn client(mut self, client_id: impl Into<String>) -> Self {
        self.parts.client_id = client_id.into();
        self
    }

    /// Where the token came from; a [login](TokenSource::Login) unless given. Behind any but a login and the
    /// provider's own token stand no tokens of a provider, so those given before are forgotten.
    ///
    /// ```
    /// use tower_oauth_proxy::{TokenSource, testing};
    ///
    /// let session = testing::session("key|ci").source(TokenSource::ApiKey).build();
    /// assert!(!session.is_person() && !session.has_upstream());
    /// assert_eq!(session.provider(), None);
    /// ```
    pub fn source(mut self, source: TokenSource) -> Self {
        self.parts.source = source;
        if !matches!(source, TokenSource::Login | TokenSource::Provider) {
            self.parts.provider = None;
            self.parts.upstream = UpstreamTokens::none();
        }
        self
    }

    /// The [`id`](crate::Provider::id) of the provider that the person logged in at; `test` unless given.
    pub fn provider(mut self, id: impl Into<String>) -> Self {
        self.parts.provider = Some(id.into().into());
        self
    }

    /// The provider's own name for the person, where the service has another; the subject unless given.
    pub fn provider_subject(mut self, subject: impl Into<String>) -> Self {
        self.parts.provider_subject = Some(subject.into().into());
        self
    }

    /// The scopes of the token, in place of those given before.
    ///
    /// # Panics
    ///
    /// When one is not a scope token (RFC 6749 section 3.3).
    #[track_caller]
    pub fn scopes<I>(mut self, scopes: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.parts.scopes = HeldScopes::made_up(good(ScopeSet::new(scopes)), &ScopeSet::default());
        self
    }

    /// Scopes that those of the token imply, as
    /// [`scopes_imply`](crate::OAuthProxyConfigBuilder::scopes_imply) says of real tokens. After
    /// [`scopes`](Self::scopes).
    ///
    /// # Panics
    ///
    /// When one is not a scope token (RFC 6749 section 3.3).
    ///
    /// ```
    /// use tower_oauth_proxy::testing;
    ///
    /// let session = testing::session("ada").scopes(["write"]).implied_scopes(["read"]).build();
    /// assert!(session.has_scope("read") && !session.scopes().contains("read"));
    /// ```
    #[track_caller]
    pub fn implied_scopes<I>(mut self, scopes: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let named = self.parts.scopes.named().clone();
        self.parts.scopes = HeldScopes::made_up(named, &good(ScopeSet::new(scopes)));
        self
    }

    /// The person's roles, in place of those given before.
    pub fn roles<I>(mut self, roles: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.parts.roles = roles.into_iter().map(Into::into).collect();
        self
    }

    /// One of the provider's claims that the configuration lets through.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let mut claims = self.parts.claims.map().clone();
        claims.insert(name.into(), value.into());
        self.parts.claims = claims.into();
        self
    }

    /// The protected resource that the token is for: an absolute URL. A guard's challenge names the
    /// metadata of its origin.
    ///
    /// # Panics
    ///
    /// When a base URL could not look like this: it has a query, or is plain http to another host
    /// than loopback.
    #[track_caller]
    pub fn resource(mut self, url: &str) -> Self {
        let resource = base(url);
        let base = base(resource.origin());
        self.parts.challenges = Some(Challenges::without_rules(&base));
        self.parts.resource = Resource::base(&resource);
        self
    }

    /// When the access token ends, to the second.
    pub fn expires_at(mut self, end: SystemTime) -> Self {
        self.parts.expires_at = Unix::from(end);
        self
    }

    /// The name of the login that the token comes from; none unless given.
    pub fn grant_id(mut self, id: impl Into<String>) -> Self {
        self.parts.grant_id = Some(LoginName::MadeUp(id.into()));
        self
    }

    /// The provider's access token, for a handler that calls the provider's API.
    pub fn upstream_access_token(mut self, token: impl Into<String>) -> Self {
        self.parts.upstream.access_token = token.into().into();
        self
    }

    /// The provider's ID token; none unless given.
    pub fn upstream_id_token(mut self, token: impl Into<String>) -> Self {
        self.parts.upstream.id_token = Some(token.into().into());
        self
    }

    /// The session. In a request's extensions a handler finds it; in axum,
    /// `.layer(Extension(session))` puts it on every request.
    #[must_use]
    pub fn build(self) -> AuthSession {
        AuthSession::new(self.parts)
    }

    /// The request with the session, as the layer hands it on.
    pub fn on<B>(self, mut request: Request<B>) -> Request<B> {
        let session = self.build().asked_at(request.uri());
        request.extensions_mut().insert(session);
        request
    }
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBuilder")
            .field("subject", &self.parts.subject)
            .finish_non_exhaustive()
    }
}

#[track_caller]
fn base(url: &str) -> BaseUrl {
    good(BaseUrl::parse(url))
}

/// What a test wrote is right, or the test stops where it was written.
#[track_caller]
#[allow(clippy::panic, reason = "for tests, which fail by panicking")]
fn good<T, E: fmt::Display>(written: Result<T, E>) -> T {
    written.unwrap_or_else(|error| panic!("{error}"))
}
