//! The type that every preset fills in, and what can be changed about it.

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::{IssuerRule, azure, github, scopes::ScopeRule};
use crate::error::ConfigError;

/// How the proxy proves to the token endpoint that it is the registered app (RFC 6749 section
/// 2.3.1). Without a client secret neither is used: the `client_id` alone is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenEndpointAuth {
    /// `client_secret_basic`: the `Authorization` header. Every server must know it.
    Basic,
    /// `client_secret_post`: `client_id` and `client_secret` in the body.
    Post,
}

/// Where the person's identity is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// In the ID token, or at the userinfo endpoint (OpenID Connect).
    OpenId,
    /// At GitHub's REST API.
    GitHub,
}

/// How a token is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Revocation {
    /// A form, as RFC 7009 has it.
    Rfc7009,
    /// GitHub's REST API: `DELETE` with a JSON body; access tokens only.
    GitHub,
}

/// What moves along when [`Provider::authority`] names another host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Home {
    /// Nothing: the URLs are the provider's own.
    Fixed,
    /// Entra ID: every URL holds the tenant.
    Entra { tenant: String },
    /// GitHub Enterprise Server.
    GitHub,
}

/// An identity provider and the one app that is registered there.
///
/// Constructors and setters do not fail; [`Provider::check`] says what is wrong, and building the
/// configuration calls it. Prints without the client secret.
#[derive(Debug, Clone)]
pub struct Provider {
    pub(crate) name: String,
    pub(crate) authorize_url: String,
    pub(crate) token_url: String,
    pub(crate) revocation_url: Option<String>,
    pub(crate) userinfo_url: Option<String>,
    pub(crate) issuer: IssuerRule,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<SecretString>,
    pub(crate) token_endpoint_auth: TokenEndpointAuth,
    /// What is asked for unless the configuration names scopes; the operator's names.
    pub(crate) scopes: Vec<String>,
    /// Always added towards the provider, never offered to clients; the provider's names.
    pub(crate) upstream_scopes: Vec<String>,
    pub(crate) scope_rule: ScopeRule,
    pub(crate) authorization_params: Vec<(String, String)>,
    pub(crate) token_params: Vec<(String, String)>,
    pub(crate) refresh_params: Vec<(String, String)>,
    pub(crate) forward_resource: bool,
    /// The provider refuses every request that has a `resource` (Entra ID).
    pub(crate) refuses_resource: bool,
    pub(crate) sends_scope_on_refresh: bool,
    pub(crate) uses_pkce: bool,
    pub(crate) always_userinfo: bool,
    pub(crate) who: Who,
    pub(crate) revocation: Revocation,
    pub(crate) home: Home,
    /// A setter that could not do what it was asked.
    pub(crate) mistake: Option<&'static str>,
}

impl Provider {
    /// A provider that keeps to the RFCs.
    pub(crate) fn new(
        name: &str,
        authorize_url: &str,
        token_url: &str,
        client_id: impl Into<String>,
        client_secret: impl Into<SecretString>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            authorize_url: authorize_url.to_owned(),
            token_url: token_url.to_owned(),
            revocation_url: None,
            userinfo_url: None,
            issuer: IssuerRule::Unknown,
            client_id: client_id.into(),
            client_secret: Some(client_secret.into()),
            token_endpoint_auth: TokenEndpointAuth::Basic,
            scopes: Vec::new(),
            upstream_scopes: Vec::new(),
            scope_rule: ScopeRule::Same,
            authorization_params: Vec::new(),
            token_params: Vec::new(),
            refresh_params: Vec::new(),
            forward_resource: false,
            refuses_resource: false,
            sends_scope_on_refresh: false,
            uses_pkce: true,
            always_userinfo: false,
            who: Who::OpenId,
            revocation: Revocation::Rfc7009,
            home: Home::Fixed,
            mistake: None,
        }
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
        match self.home.clone() {
            Home::Entra { tenant } => azure::at(self, url, &tenant),
            Home::GitHub => github::at(self, url),
            Home::Fixed => {
                self.mistake = Some("`authority` has a meaning for azure and github only");
                self
            }
        }
    }

    /// Where tokens are revoked (RFC 7009).
    #[must_use]
    pub fn revocation_url(mut self, url: impl Into<String>) -> Self {
        self.revocation_url = Some(url.into());
        self
    }

    /// Where the person's claims are read (OpenID Connect Core section 5.3). Asked only when the
    /// token answer holds no ID token; see [`Provider::always_userinfo`].
    #[must_use]
    pub fn userinfo_url(mut self, url: impl Into<String>) -> Self {
        self.userinfo_url = Some(url.into());
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
        self.issuer = IssuerRule::Exact(issuer.into());
        self
    }

    /// How the client secret is sent to the token and revocation endpoints.
    #[must_use]
    pub fn token_endpoint_auth_method(mut self, method: TokenEndpointAuth) -> Self {
        self.token_endpoint_auth = method;
        self
    }

    /// For an app that is registered as a public client: no secret is sent, PKCE stays. The proxy
    /// then needs a secret key of its own.
    #[must_use]
    pub fn without_client_secret(mut self) -> Self {
        self.client_secret = None;
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
        self
    }

    /// The identifier URI of your API, for providers that want `{identifier URI}/{scope}`:
    /// Entra ID's Application ID URI (`api://{client_id}` unless set), Cognito's resource server.
    /// Clients see the bare scope. OpenID Connect's scopes and URIs pass as they are.
    #[must_use]
    pub fn identifier_uri(mut self, uri: &str) -> Self {
        self.scope_rule = ScopeRule::prefixed(uri);
        self
    }

    /// Adds a parameter to the authorization request, or replaces the preset's. The protocol's own
    /// parameters cannot be changed.
    #[must_use]
    pub fn authorization_param(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        replace(&mut self.authorization_params, name.into(), value.into());
        self
    }

    /// Adds a parameter to the exchange of a code, or replaces the preset's. The protocol's own
    /// parameters cannot be changed.
    #[must_use]
    pub fn token_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        replace(&mut self.token_params, name.into(), value.into());
        self
    }

    /// Adds a parameter to a refresh, or replaces the preset's. The protocol's own parameters
    /// cannot be changed.
    #[must_use]
    pub fn refresh_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        replace(&mut self.refresh_params, name.into(), value.into());
        self
    }

    /// Passes the client's `resource` on to the provider (RFC 8707). Off, because most providers
    /// ignore it and some refuse the request.
    #[must_use]
    pub fn forward_resource(mut self, on: bool) -> Self {
        self.forward_resource = on;
        self
    }

    /// Names the scopes again on refresh (Entra ID needs it).
    #[must_use]
    pub fn sends_scope_on_refresh(mut self, on: bool) -> Self {
        self.sends_scope_on_refresh = on;
        self
    }

    /// PKCE towards the provider; off only for one that refuses unknown parameters.
    #[must_use]
    pub fn uses_pkce(mut self, on: bool) -> Self {
        self.uses_pkce = on;
        self
    }

    /// Whether this can work at all.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a URL cannot be parsed, is not https (loopback hosts may be http), or
    /// carries credentials or a fragment (RFC 6749 section 3.1); when the client id is empty; when
    /// a client secret is given but empty; when `forward_resource` is on for a provider that
    /// refuses `resource`.
    pub fn check(&self) -> Result<(), ConfigError> {
        let fault = |message: String| Err(ConfigError::new("provider", message));
        if let Some(mistake) = self.mistake {
            return fault(mistake.to_owned());
        }
        if let Home::Entra { tenant } = &self.home
            && !azure::is_tenant(tenant)
        {
            return fault(format!(
                "`{tenant}` is no tenant: give its id, its domain, or `organizations`, `common` \
                 or `consumers`"
            ));
        }
        for (what, url) in [
            ("authorize", Some(&self.authorize_url)),
            ("token", Some(&self.token_url)),
            ("revocation", self.revocation_url.as_ref()),
            ("userinfo", self.userinfo_url.as_ref()),
        ] {
            if let Some(url) = url
                && let Err(why) = check_url(url)
            {
                // The URL itself is not repeated: it may hold a password.
                return fault(format!("the {what} URL {why}"));
            }
        }
        if self.client_id.is_empty() {
            return fault("the client id is empty".to_owned());
        }
        if let Some(secret) = &self.client_secret
            && secret.expose_secret().is_empty()
        {
            return fault(
                "the client secret is empty; for an app without one say `without_client_secret`"
                    .to_owned(),
            );
        }
        if self.forward_resource && self.refuses_resource {
            return fault(format!(
                "{} refuses requests with a `resource`: leave `forward_resource` off",
                self.name
            ));
        }
        Ok(())
    }
}

fn replace(params: &mut Vec<(String, String)>, name: String, value: String) {
    params.retain(|(known, _)| *known != name);
    params.push((name, value));
}

/// The rule for every URL at which the proxy or a browser meets the provider.
fn check_url(url: &str) -> Result<(), &'static str> {
    let Ok(parsed) = Url::parse(url) else {
        return Err("cannot be parsed");
    };
    let loopback = match parsed.host() {
        None => return Err("has no host"),
        Some(Host::Domain(domain)) => domain == "localhost" || domain.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
    };
    match parsed.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => return Err("must be https: tokens and secrets travel there"),
        _ => return Err("must be https"),
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("carries a user name or password");
    }
    if parsed.fragment().is_some() {
        return Err("has a fragment");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{generic, github, google};

    fn with(authorize: &str, token: &str) -> Provider {
        generic(authorize, token, "id", "secret")
    }

    #[test]
    fn every_url_must_be_https_unless_its_host_is_loopback() {
        const OK: &str = "https://idp.example/x";
        for good in [
            OK,
            "http://localhost:8080/token",
            "http://127.0.0.9/token",
            "http://[::1]:1/token",
            "https://idp.example/x?tenant=a",
        ] {
            assert_eq!(with(good, OK).check(), Ok(()), "{good}");
            assert_eq!(with(OK, good).revocation_url(good).check(), Ok(()));
        }
        for bad in [
            "",
            "idp.example/token",
            "/token",
            "http://idp.example/token",
            "http://localhost.evil.example/token",
            "http://localhost:80@evil.example/token",
            "ftp://localhost/token",
            "javascript:alert(1)",
            "https://user:hunter2@idp.example/token",
            "https://idp.example/token#f",
            "https://idp.example:99999/token",
        ] {
            for provider in [
                with(bad, OK),
                with(OK, bad),
                with(OK, OK).revocation_url(bad),
                with(OK, OK).userinfo_url(bad),
            ] {
                let error = provider.check().expect_err(bad).to_string();
                assert!(!error.contains("hunter2"), "{error}");
            }
        }
    }

    #[test]
    fn an_empty_client_id_or_secret_is_refused_but_a_public_app_is_fine() {
        assert!(google("", "secret").check().is_err());
        assert!(google("id", "").check().is_err());
        assert!(google("id", "").without_client_secret().check().is_ok());
    }

    #[test]
    fn authority_is_refused_where_it_means_nothing() {
        assert!(
            google("id", "s")
                .authority("https://a.example")
                .check()
                .is_err()
        );
        assert!(
            github("id", "s")
                .authority("https://a.example")
                .check()
                .is_ok()
        );
    }

    #[test]
    fn a_provider_prints_without_its_secret() {
        let printed = format!("{:?}", google("id", "hunter2"));
        assert!(printed.contains("google") && !printed.contains("hunter2"));
    }

    #[test]
    fn setting_a_parameter_again_replaces_it() {
        let provider = google("id", "s").authorization_param("prompt", "select_account");
        let prompts: Vec<_> = provider
            .authorization_params
            .iter()
            .filter(|(name, _)| name == "prompt")
            .collect();
        assert_eq!(
            prompts,
            [&("prompt".to_owned(), "select_account".to_owned())]
        );
    }
}
