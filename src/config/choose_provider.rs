//! Which of several providers a login goes to, where the operator has a rule for it.

use std::sync::Arc;

use crate::oauth::ScopeSet;

/// A login whose provider is to be chosen; see
/// [`choose_provider`](crate::OAuthProxyConfigBuilder::choose_provider).
///
/// All of it is the client's word, and a link can make a browser ask for anything: it is good for sending a
/// person to the right provider, and proves nothing.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ProviderRequest {
    /// The protected resource that the tokens are to be for (RFC 8707): the base URL or a URL below it.
    pub resource: String,
    /// The path of that URL; empty for an origin.
    pub path: String,
    /// The client that asks: [`AuthSession::client_id`](crate::AuthSession::client_id).
    pub client_id: String,
    /// The name that the client gives itself. Any client can claim any name.
    pub client_name: Option<String>,
    /// The scopes that the client asks for.
    pub scopes: ScopeSet,
    /// Whom the client expects to log in (OpenID Connect Core section 3.1.2.1): mostly an address. It is
    /// given whether or not it is passed on to the provider.
    pub login_hint: Option<String>,
}

impl ProviderRequest {
    /// A request for this resource and without anything else, to test a rule with; set the fields that it
    /// reads.
    ///
    /// ```
    /// use tower_oauth_proxy::{ProviderChoice, ProviderRequest};
    ///
    /// fn by_path(request: &ProviderRequest) -> ProviderChoice {
    ///     match request.path.starts_with("/staff/") {
    ///         true => ProviderChoice::of("google"),
    ///         false => ProviderChoice::Person,
    ///     }
    /// }
    ///
    /// let staff = ProviderRequest::new("https://mcp.example.com/staff/mcp");
    /// assert_eq!(by_path(&staff), ProviderChoice::of("google"));
    /// let other = ProviderRequest::new("https://mcp.example.com/mcp");
    /// assert_eq!(by_path(&other), ProviderChoice::Person);
    /// ```
    #[must_use]
    pub fn new(resource: impl Into<String>) -> Self {
        let resource = resource.into();
        let rest = resource.split_once("://").map_or("", |(_, rest)| rest);
        let path = rest.find('/').and_then(|start| rest.get(start..));
        Self {
            path: path.unwrap_or_default().to_owned(),
            resource,
            ..Self::default()
        }
    }
}

/// What the operator's rule comes to; see
/// [`choose_provider`](crate::OAuthProxyConfigBuilder::choose_provider).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderChoice {
    /// The person chooses.
    Person,
    /// The provider with this id. One that is not configured ends the login with `server_error`.
    Provider(String),
}

impl ProviderChoice {
    /// The provider with this [`id`](crate::Provider::id).
    #[must_use]
    pub fn of(id: impl Into<String>) -> Self {
        Self::Provider(id.into())
    }
}

/// The operator's rule.
pub(crate) type ProviderRule = Arc<dyn Fn(&ProviderRequest) -> ProviderChoice + Send + Sync>;
