//! `AuthSession`: what a handler gets.

mod cache;
#[cfg(test)]
pub(crate) mod tests;
mod token_source;
mod upstream;
mod whom;

use std::{fmt, sync::Arc, time::SystemTime};

use http::{Extensions, Uri, uri::PathAndQuery};
use serde_json::{Map, Value};

use self::token_source::is_of_an_app;
use crate::{
    challenge::Challenges,
    grant::{GrantName, is_named_by_provider},
    oauth::{BaseUrl, HeldScopes, Resource, ScopeSet},
    time::Unix,
    token::CarriedClaims,
};

pub(crate) use cache::{SessionCache, Validated};
pub use token_source::TokenSource;
pub(crate) use upstream::{Another, ForAnotherApi, RenewsUpstream, TokenOf};
pub use upstream::{UpstreamTokenError, UpstreamTokens};

/// Who is calling, and what they may do: the request's validated bearer token, looked up.
///
/// The layer puts one into the extensions of every authenticated request. Cloning is one reference
/// count. `Debug` prints no token and no claim values.
///
/// ```
/// use tower_oauth_proxy::AuthSession;
///
/// fn handler(request: &http::Request<()>) -> String {
///     match AuthSession::from_extensions(request.extensions()) {
///         Some(session) => format!("hello {}", session.subject()),
///         None => "hello stranger".to_owned(),
///     }
/// }
/// assert_eq!(handler(&http::Request::new(())), "hello stranger");
/// ```
#[derive(Clone)]
pub struct AuthSession {
    inner: Arc<Inner>,
    /// The path that the layer saw: a router may have cut it since.
    asked: Option<PathAndQuery>,
}

/// The parts of a session, put together by a bearer source.
pub(crate) struct Inner {
    pub(crate) source: TokenSource,
    pub(crate) subject: String,
    /// As the provider names them, where that is not the subject.
    pub(crate) provider_subject: Option<Box<str>>,
    /// `None` where none stands behind the token: at a resource server, and for machines and API keys.
    pub(crate) provider: Option<Arc<str>>,
    pub(crate) client_id: String,
    pub(crate) scopes: HeldScopes,
    pub(crate) claims: CarriedClaims,
    pub(crate) roles: Vec<String>,
    pub(crate) resource: Resource,
    pub(crate) expires_at: Unix,
    /// `None` where this proxy did not issue the token.
    pub(crate) grant_id: Option<LoginName>,
    pub(crate) upstream: UpstreamTokens,
    /// Where another token of the provider comes from.
    pub(crate) renewal: Option<Arc<dyn RenewsUpstream>>,
    /// For guards, which have to challenge as the layer does. Here and not beside the session: one
    /// more value in each request's extensions would be one more allocation.
    pub(crate) challenges: Option<Challenges>,
}

/// What the login behind a session is called, or the token where none is.
pub(crate) enum LoginName {
    Grant(GrantName),
    /// The `jti` of a machine's token, which no grant stands behind.
    Token(Box<str>),
    #[cfg(feature = "testing")]
    MadeUp(String),
}

impl LoginName {
    fn grant(&self) -> Option<&str> {
        match self {
            Self::Grant(name) => Some(name.as_str()),
            Self::Token(_) => None,
            #[cfg(feature = "testing")]
            Self::MadeUp(name) => Some(name),
        }
    }
}

#[cfg(feature = "testing")]
impl Inner {
    /// The parts of a session behind which no token, grant or provider stands.
    pub(crate) fn made_up(subject: String, base: &BaseUrl) -> Self {
        Self {
            source: TokenSource::Login,
            subject,
            provider_subject: None,
            provider: Some("test".into()),
            client_id: "test-client".to_owned(),
            scopes: HeldScopes::default(),
            claims: CarriedClaims::default(),
            roles: Vec::new(),
            resource: Resource::base(base),
            expires_at: Unix::NEVER,
            grant_id: None,
            upstream: UpstreamTokens::alone("upstream-access-token", None),
            renewal: None,
            challenges: Some(Challenges::without_rules(base)),
        }
    }
}

impl AuthSession {
    pub(crate) fn new(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
            asked: None,
        }
    }

    /// The session of a request that passed the layer; `None` on a public path, or in optional mode
    /// without a token.
    #[must_use]
    pub fn from_extensions(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    /// Where the token came from.
    ///
    /// ```
    /// use tower_oauth_proxy::{AuthSession, TokenSource};
    ///
    /// fn greeting(session: &AuthSession) -> String {
    ///     match session.source() {
    ///         TokenSource::ApiKey => format!("hello, program {}", session.subject()),
    ///         _ => format!("hello, {}", session.subject()),
    ///     }
    /// }
    /// # let _ = greeting;
    /// ```
    pub fn source(&self) -> TokenSource {
        self.inner.source
    }

    /// Whether a person is behind the token. `false` for API keys, machines and workloads, and for a token of
    /// another issuer that says of itself that it is an app's own: its `sub` is its client, or a claim such as
    /// `idtyp` says so. An issuer that does not tell them apart gives `true`.
    pub fn is_person(&self) -> bool {
        let Inner {
            source,
            subject,
            provider_subject,
            client_id,
            claims,
            ..
        } = &*self.inner;
        source.has_person().unwrap_or_else(|| {
            let subject = provider_subject.as_deref().unwrap_or(subject);
            !is_of_an_app(subject, client_id, claims.map())
        })
    }

    /// Who is calling: stable, and no one else's, whichever source the token has. Of a person with one provider it
    /// is that provider's name for them (`sub`); with several, [`Subjects`](crate::Subjects) says how they are
    /// named. Where the provider does not name them, it is `grant:` and a random id, different at each login.
    pub fn subject(&self) -> &str {
        &self.inner.subject
    }

    /// The provider's own name for the person (`sub`), to call its API or to compare with its claims: unique at
    /// that provider alone, so key nothing by it. `None` where the provider does not name them.
    /// Nor is there one behind an API key or a machine.
    pub fn provider_subject(&self) -> Option<&str> {
        let named = self.inner.provider_subject.as_deref();
        let is_bare =
            |subject: &&str| self.source().has_provider_subject() && is_named_by_provider(subject);
        let bare = || Some(self.subject()).filter(is_bare);
        named.or_else(bare)
    }

    /// The [`id`](crate::Provider::id) of the provider that the person logged in at, or that vouches for them;
    /// `None` where no configured one does: at a resource server, behind an API key, behind a machine.
    pub fn provider(&self) -> Option<&str> {
        self.inner.provider.as_deref()
    }

    /// The MCP client that holds the token.
    pub fn client_id(&self) -> &str {
        &self.inner.client_id
    }

    /// The scopes that this token names. It may be good for more, which these imply: to decide something, ask
    /// [`has_scope`](Self::has_scope).
    pub fn scopes(&self) -> &ScopeSet {
        self.inner.scopes.named()
    }

    /// Whether the token is good for this scope: it names it, or a scope that implies it
    /// ([`scopes_imply`](crate::OAuthProxyConfigBuilder::scopes_imply)). [Guards](crate::guard) ask the same.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.effective_scopes().contains(scope)
    }

    /// The scopes that this token names, and after them what they imply: all that it is good for.
    pub fn effective_scopes(&self) -> &ScopeSet {
        self.inner.scopes.all()
    }

    /// Whether the token is good for all of these.
    pub(crate) fn covers_scopes(&self, needed: &ScopeSet) -> bool {
        self.inner.scopes.cover(needed)
    }

    /// The provider's claims that the configuration lets through.
    pub fn claims(&self) -> &Map<String, Value> {
        self.inner.claims.map()
    }

    /// The person's roles, as the provider names them in the claims that `role_claims` lists. Kept
    /// whatever `custom_claims_passthrough` lets through.
    pub fn roles(&self) -> &[String] {
        &self.inner.roles
    }

    /// The protected resource that the token is for (RFC 8707): the base URL or a URL below it.
    pub fn resource(&self) -> &str {
        self.inner.resource.as_str()
    }

    /// About what it takes in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        // Names, numbers and pointers of an ordinary session.
        const FIXED: usize = 600;
        let Inner {
            subject,
            provider_subject,
            client_id,
            scopes,
            claims,
            roles,
            upstream,
            ..
        } = &*self.inner;
        FIXED
            + subject.len()
            + provider_subject.as_ref().map_or(0, |subject| subject.len())
            + client_id.len()
            + claims.size()
            + scopes.size()
            + roles.iter().map(|role| role.len() + 24).sum::<usize>()
            + upstream.size()
    }

    /// This session, for a request of this URI.
    #[must_use]
    pub(crate) fn asked_at(mut self, uri: &Uri) -> Self {
        self.asked = uri.path_and_query().cloned();
        self
    }

    pub(crate) fn asked(&self) -> Option<&str> {
        self.asked.as_ref().map(PathAndQuery::path)
    }

    pub(crate) fn challenges(&self) -> Option<&Challenges> {
        self.inner.challenges.as_ref()
    }

    /// Whether the token is for what stands at this path.
    pub(crate) fn covers(&self, base: &BaseUrl, path: &str) -> bool {
        self.inner.resource.covers(base, path)
    }

    /// When this access token ends.
    pub fn expires_at(&self) -> SystemTime {
        SystemTime::from(self.inner.expires_at)
    }

    /// An opaque name of the login that this token comes from, the same in events; for correlation.
    /// `None` for all but tokens of this proxy, and for those of machines, which did not log in.
    pub fn grant_id(&self) -> Option<&str> {
        self.inner.grant_id.as_ref().and_then(LoginName::grant)
    }

    /// The `jti` of a token that no grant stands behind.
    pub(crate) fn grantless_token(&self) -> Option<&str> {
        match &self.inner.grant_id {
            Some(LoginName::Token(jti)) => Some(jti),
            _ => None,
        }
    }

    /// The provider's own tokens, to call the provider's API in the person's name. Where none stand behind the
    /// session ([`has_upstream`](Self::has_upstream)), the access token is empty text, which every API refuses.
    pub fn upstream(&self) -> &UpstreamTokens {
        &self.inner.upstream
    }

    /// Whether the provider's own tokens stand behind this session: after a login, and where clients hold the
    /// provider's token. Not behind API keys, machines, assertions and tokens of a trusted issuer or of an
    /// introspection endpoint: those are for this service, and no other server should see them.
    pub fn has_upstream(&self) -> bool {
        !self.inner.upstream.access_token.is_empty()
    }
}

impl fmt::Debug for AuthSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthSession")
            .field("source", &self.inner.source)
            .field("subject", &self.inner.subject)
            .field("scopes", self.scopes())
            .field("resource", &self.inner.resource)
            .field("expires_at", &self.inner.expires_at)
            .finish_non_exhaustive()
    }
}
