//! The type that every preset fills in, and what can be changed about it.

use std::sync::Arc;

use super::{
    claim_rule::ClaimRule,
    credential::Credential,
    dialect::Dialect,
    endpoints::{Discovery, Endpoints},
};

/// How the client secret is sent to the provider (RFC 6749 section 2.3.1). Of no effect where there
/// is none: a public app sends its `client_id` alone, and an assertion (RFC 7523 section 2.2) has
/// parameters of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenEndpointAuth {
    /// `client_secret_basic`: the `Authorization` header. Every server must know it.
    Basic,
    /// `client_secret_post`: `client_id` and `client_secret` in the body.
    Post,
}

/// An identity provider and the one app that is registered there.
///
/// Constructors and setters do not fail; [`Provider::check`] says what is wrong, and building the
/// configuration calls it. Prints without the client secret.
#[derive(Debug, Clone)]
pub struct Provider {
    /// See [`Provider::id`].
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) endpoints: Endpoints,
    /// The document that says what is not stated.
    pub(crate) discovery: Option<Discovery>,
    /// What only this provider does.
    pub(crate) dialect: Arc<dyn Dialect>,
    /// What `iss` must be; unset, the dialect knows.
    pub(crate) issuer: Option<String>,
    pub(crate) client_id: String,
    /// What proves that it is the registered app.
    pub(crate) credential: Credential,
    pub(crate) token_endpoint_auth: TokenEndpointAuth,
    /// See [`Provider::client_metadata_document`].
    pub(crate) has_document: bool,
    /// See [`Provider::assertion_audience`].
    pub(crate) assertion_audience: Option<String>,
    /// What is asked for unless the configuration names scopes; the operator's names.
    pub(crate) scopes: Vec<String>,
    /// Always added towards the provider, never offered to clients; the provider's names.
    pub(crate) upstream_scopes: Vec<String>,
    /// What the provider wants before the scopes of the operator's own API.
    pub(crate) scope_prefix: Option<String>,
    pub(crate) authorization_params: Vec<(String, String)>,
    pub(crate) token_params: Vec<(String, String)>,
    pub(crate) refresh_params: Vec<(String, String)>,
    pub(crate) forward_resource: bool,
    pub(crate) sends_scope_on_refresh: bool,
    pub(crate) uses_pkce: bool,
    /// The answer to an authorization request comes as a posted form.
    pub(crate) posts_answer: bool,
    pub(crate) always_userinfo: bool,
    /// The provider names itself in every redirect back (RFC 9207).
    pub(crate) names_issuer: bool,
    /// What neither the preset nor the operator has chosen, so that the document may.
    pub(crate) open: Open,
    /// Whether it serves RFC 8693; `None` where neither the operator nor its document says.
    pub(crate) exchanges_tokens: Option<bool>,
    /// See [`Provider::allowed_organizations`]; `None` where nothing is said.
    pub(crate) organizations: Option<Vec<String>>,
    /// See [`Provider::allowed_claim`].
    pub(crate) claim_rules: Vec<ClaimRule>,
    /// A setter that could not do what it was asked.
    pub(crate) mistake: Option<&'static str>,
}

/// What the provider's document may choose.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Open {
    /// [`Provider::token_endpoint_auth_method`].
    pub(crate) client_auth: bool,
    /// [`Provider::upstream_scopes`].
    pub(crate) upstream_scopes: bool,
}

impl Provider {
    /// What every preset starts from.
    pub(crate) fn new(
        id: &str,
        name: &str,
        endpoints: Endpoints,
        dialect: Arc<dyn Dialect>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            endpoints,
            discovery: None,
            dialect,
            issuer: None,
            client_id: client_id.into(),
            credential: Credential::Secret(client_secret.into().into()),
            token_endpoint_auth: TokenEndpointAuth::Basic,
            has_document: false,
            assertion_audience: None,
            scopes: Vec::new(),
            upstream_scopes: Vec::new(),
            scope_prefix: None,
            authorization_params: Vec::new(),
            token_params: Vec::new(),
            refresh_params: Vec::new(),
            forward_resource: false,
            sends_scope_on_refresh: false,
            uses_pkce: true,
            posts_answer: false,
            always_userinfo: false,
            names_issuer: false,
            open: Open::default(),
            exchanges_tokens: None,
            organizations: None,
            claim_rules: Vec::new(),
            mistake: None,
        }
    }

    /// A short name of this provider that stays: 1 to 32 characters of `a` to `z`, `0` to `9` and
    /// `-`. Each preset has one (`google`, `github`, `entra`; `oauth` for any other).
    ///
    /// The cookie of a login in progress and the record of each grant name the provider by it, so
    /// once people have logged in, leave it as it is. People never see it; for them there is
    /// [`name`](Self::name).
    ///
    /// ```
    /// use tower_oauth_proxy::provider;
    ///
    /// let url = |path: &str| format!("https://sso.example/{path}");
    /// let staff = provider::generic(url("authorize"), url("token"), "client-id", "client-secret")
    ///     .id("staff")
    ///     .name("Acme Staff");
    /// assert!(staff.check().is_ok());
    /// assert!(staff.id("Acme Staff").check().is_err());
    /// ```
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// What people call it; stands on the consent page.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Another host with the same layout: a national cloud or an external tenant of Entra ID
    /// (`https://login.microsoftonline.us`), or a GitHub Enterprise Server
    /// (`https://github.example.com`). Call it before the setters of single URLs.
    #[must_use]
    pub fn authority(mut self, url: &str) -> Self {
        let url = url.strip_suffix('/').unwrap_or(url);
        let Some(home) = self.dialect.relocate(url) else {
            self.mistake = Some("`authority` has no meaning for this provider: set its URLs");
            return self;
        };
        let known = self.endpoints;
        self.endpoints = Endpoints {
            revocation: home.endpoints.revocation.or(known.revocation),
            userinfo: home.endpoints.userinfo.or(known.userinfo),
            introspection: home.endpoints.introspection.or(known.introspection),
            jwks: home.endpoints.jwks.or(known.jwks),
            ..home.endpoints
        };
        if let (Some(discovery), Some(issuer)) = (&mut self.discovery, home.issuer) {
            discovery.issuer = issuer;
        }
        self.dialect = home.dialect;
        self
    }

    /// Where tokens are revoked (RFC 7009).
    #[must_use]
    pub fn revocation_url(mut self, url: impl Into<String>) -> Self {
        self.endpoints.revocation = Some(url.into());
        self
    }

    /// Where the person's claims are read (OpenID Connect Core section 5.3). Asked only when the
    /// token answer holds no ID token; see [`Provider::always_userinfo`].
    #[must_use]
    pub fn userinfo_url(mut self, url: impl Into<String>) -> Self {
        self.endpoints.userinfo = Some(url.into());
        self
    }

    /// Where the provider publishes the keys of its ID tokens (RFC 7517). ID tokens are then verified
    /// by their signature, at login and at each renewal. Without it, and without discovery, an ID
    /// token is believed because it came straight from the token endpoint over TLS (OpenID Connect
    /// Core section 3.1.3.7 item 6).
    ///
    /// ```
    /// use tower_oauth_proxy::provider;
    ///
    /// let url = |path: &str| format!("https://sso.example/{path}");
    /// let sso = provider::generic(url("authorize"), url("token"), "client-id", "client-secret")
    ///     .issuer("https://sso.example")
    ///     .jwks_url(url("keys"));
    /// assert!(sso.check().is_ok());
    /// ```
    #[must_use]
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.endpoints.jwks = Some(url.into());
        self
    }

    /// Asks the userinfo endpoint even when there is an ID token, for providers whose ID token
    /// lacks claims that you need (`email`, groups). Its `sub` must be the ID token's.
    #[must_use]
    pub fn always_userinfo(mut self, on: bool) -> Self {
        self.always_userinfo = on;
        self
    }

    /// What `iss` must be, to the byte, in ID tokens and in the redirect back (RFC 9207). Not
    /// checked while it is unknown.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// How the client secret is sent to the token, revocation and introspection endpoints.
    #[must_use]
    pub fn token_endpoint_auth_method(mut self, method: TokenEndpointAuth) -> Self {
        self.token_endpoint_auth = method;
        self.open.client_auth = false;
        self
    }

    /// The scopes that are offered to clients and asked of the provider, unless the configuration
    /// names others.
    #[must_use]
    pub fn scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Scopes that are always asked of the provider, in its own names, and never offered to
    /// clients (`offline_access`, say).
    #[must_use]
    pub fn upstream_scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.upstream_scopes = scopes.into_iter().map(Into::into).collect();
        self.open.upstream_scopes = false;
        self
    }

    /// The identifier URI of your API, for providers that want `{identifier URI}/{scope}`:
    /// Entra ID's Application ID URI (`api://{client_id}` unless set), Cognito's resource server.
    /// Clients see the bare scope. OpenID Connect's scopes and URIs pass as they are.
    #[must_use]
    pub fn identifier_uri(mut self, uri: &str) -> Self {
        self.scope_prefix = Some(format!("{}/", uri.strip_suffix('/').unwrap_or(uri)));
        self
    }

    /// Passes the client's `resource` on to the provider (RFC 8707). Off, because most providers
    /// ignore it and some refuse the request.
    #[must_use]
    pub fn forward_resource(mut self, on: bool) -> Self {
        self.forward_resource = on;
        self
    }

    /// Whether the provider trades a person's token for one of another API (token exchange, RFC 8693):
    /// see [`AuthSession::token_for`](crate::AuthSession::token_for). Default: as its discovery document
    /// says in `grant_types_supported`; without one, no. A preset whose provider has a way of its own
    /// (Entra ID: on behalf of) uses that, whatever is said here.
    #[must_use]
    pub fn token_exchange(mut self, on: bool) -> Self {
        self.exchanges_tokens = Some(on);
        self
    }

    /// Names the scopes again on refresh (Entra ID needs it).
    #[must_use]
    pub fn sends_scope_on_refresh(mut self, on: bool) -> Self {
        self.sends_scope_on_refresh = on;
        self
    }

    /// Asks the provider to post its answer to the callback (`response_mode=form_post`), for those
    /// that give some scopes in no other way: Apple wants it for `name` and `email`. Default: off.
    ///
    /// The browser brings no `SameSite=Lax` cookie with a post from another site, so the proxy sends
    /// it on to its own callback, with `code`, `state`, `iss`, `error` and `error_description` in the
    /// query. Anything else that was posted, such as Apple's `user`, is dropped.
    #[must_use]
    pub fn form_post(mut self, on: bool) -> Self {
        self.posts_answer = on;
        self
    }

    /// PKCE towards the provider; off only for one that refuses unknown parameters.
    #[must_use]
    pub fn uses_pkce(mut self, on: bool) -> Self {
        self.uses_pkce = on;
        self
    }
}

#[cfg(test)]
mod tests {
    use crate::provider::google;

    #[test]
    fn a_provider_prints_without_its_secret() {
        let printed = format!("{:?}", google("id", "hunter2"));
        assert!(printed.contains("google") && !printed.contains("hunter2"));
    }
}
