//! The identity provider by environment: one of the presets, an issuer, or single URLs; and who checks its tokens
//! where clients hold them.

use tower_oauth_proxy::{
    IntrospectionVerifier, JwksVerifier, OAuthProxyConfigBuilder, Provider,
    provider::{self, ClientKey},
};

use super::env::{Env, Refusal};

impl Env {
    /// Any OAuth server: by `UPSTREAM_ISSUER` alone, which says where the rest is, or by its URLs.
    pub fn custom_provider(&self) -> Result<Provider, Refusal> {
        let id = self.required("UPSTREAM_CLIENT_ID")?;
        let key = self.client_key("UPSTREAM_KEY_FILE")?;
        let secret = match &key {
            Some(_) => self.optional("UPSTREAM_CLIENT_SECRET").unwrap_or_default(),
            None => self.required("UPSTREAM_CLIENT_SECRET")?,
        };
        let endpoints = ["UPSTREAM_AUTHORIZE_URL", "UPSTREAM_TOKEN_URL"];
        let are_known = endpoints.iter().any(|name| self.optional(name).is_some());
        let mut upstream = match self.url("UPSTREAM_ISSUER")? {
            Some(issuer) if !are_known => provider::oidc(issuer, id, secret),
            issuer => {
                let [authorize, token] = endpoints;
                let (authorize, token) = (self.required_url(authorize)?, self.required_url(token)?);
                let known = provider::generic(authorize, token, id, secret);
                match issuer {
                    Some(issuer) => known.issuer(issuer),
                    None => known,
                }
            }
        };
        if let Some(key) = key {
            upstream = upstream.private_key_jwt(key);
        }
        if let Some(url) = self.url("UPSTREAM_REVOCATION_URL")? {
            upstream = upstream.revocation_url(url);
        }
        if let Some(url) = self.url("UPSTREAM_USERINFO_URL")? {
            upstream = upstream.userinfo_url(url);
        }
        if let Some(url) = self.url("UPSTREAM_JWKS_URL")? {
            upstream = upstream.jwks_url(url);
        }
        if let Some(on) = self.switch("UPSTREAM_FORM_POST")? {
            upstream = upstream.form_post(on);
        }
        self.of_organizations(upstream)
    }

    /// Whose people may log in, of those that the provider has.
    fn of_organizations(&self, provider: Provider) -> Result<Provider, Refusal> {
        Ok(match self.people("ALLOWED_ORGANIZATIONS")? {
            Some(organizations) => provider.allowed_organizations(organizations),
            None => provider,
        })
    }

    /// The preset that `PROVIDER` names.
    pub fn preset(&self) -> Result<Provider, Refusal> {
        let id = self.required("PROVIDER_CLIENT_ID")?;
        let secret = self.required("PROVIDER_CLIENT_SECRET")?;
        let domain = || self.required("PROVIDER_DOMAIN");
        let tenant = || self.required("PROVIDER_TENANT");
        let preset = match self.required("PROVIDER")? {
            "atlassian" => provider::atlassian(id, secret),
            "auth0" => provider::auth0(domain()?, id, secret),
            "authentik" => {
                provider::authentik(domain()?, self.required("PROVIDER_SLUG")?, id, secret)
            }
            "azure" => provider::azure(tenant()?, id, secret),
            "azure-b2c" => {
                let policy = self.required("PROVIDER_POLICY")?;
                provider::azure_b2c(domain()?, tenant()?, policy, id, secret)
            }
            "azure-external" => provider::azure_external(domain()?, tenant()?, id, secret),
            "cognito" => provider::cognito(self.required("PROVIDER_POOL")?, id, secret),
            "discord" => provider::discord(id, secret),
            "github" => provider::github(id, secret),
            "github-app" => provider::github_app(id, secret),
            "gitlab" => {
                let host = self.optional("PROVIDER_DOMAIN").unwrap_or("gitlab.com");
                provider::gitlab(host, id, secret)
            }
            "google" => provider::google(id, secret),
            "hugging-face" => provider::hugging_face(id, secret),
            "keycloak" => {
                provider::keycloak(domain()?, self.required("PROVIDER_REALM")?, id, secret)
            }
            "linkedin" => provider::linkedin(id, secret),
            "notion" => provider::notion(id, secret),
            "oidc" => provider::oidc(self.required_url("PROVIDER_ISSUER")?, id, secret),
            "okta" => provider::okta(domain()?, id, secret),
            "salesforce" => provider::salesforce(id, secret),
            "slack" => provider::slack(id, secret),
            "workos" => provider::workos(domain()?, id, secret),
            other => {
                return Err(Self::wrong(
                    "PROVIDER",
                    other,
                    "not a preset of this example",
                ));
            }
        };
        self.of_organizations(preset)
    }

    /// `TOKEN_SWAP=false`: clients hold the provider's own tokens, which are checked by introspection, or by the keys
    /// of the issuer.
    pub fn token_swap(
        &self,
        builder: OAuthProxyConfigBuilder,
    ) -> Result<OAuthProxyConfigBuilder, Refusal> {
        if self.switch("TOKEN_SWAP")?.unwrap_or(true) {
            return Ok(builder);
        }
        let audience = self.optional("UPSTREAM_AUDIENCE");
        if let Some(url) = self.url("UPSTREAM_INTROSPECTION_URL")? {
            let id = self.required("UPSTREAM_CLIENT_ID")?;
            let secret = self.required("UPSTREAM_CLIENT_SECRET")?;
            let verifier = IntrospectionVerifier::new(url, id, secret);
            return Ok(builder.passthrough(match audience {
                Some(audience) => verifier.audience(audience),
                // Then it must be this app that the token was issued to.
                None => verifier.without_audience().client(id),
            }));
        }
        let audience = self.required("UPSTREAM_AUDIENCE")?;
        let verifier = match (self.url("UPSTREAM_JWKS_URL")?, self.url("UPSTREAM_ISSUER")?) {
            (Some(url), Some(issuer)) => JwksVerifier::new(url).issuer(issuer),
            (None, Some(issuer)) => JwksVerifier::for_issuer(issuer),
            (_, None) => {
                let what =
                    "needs UPSTREAM_INTROSPECTION_URL, or UPSTREAM_ISSUER, to check the tokens";
                return Err(Refusal(format!("TOKEN_SWAP: `false` {what}")));
            }
        };
        Ok(builder.passthrough(verifier.audience(audience)))
    }

    /// A key in a PEM file, to prove with that this is the app.
    fn client_key(&self, name: &str) -> Result<Option<ClientKey>, Refusal> {
        let Some(path) = self.optional(name) else {
            return Ok(None);
        };
        let refused = |error: &dyn std::fmt::Display| Refusal(format!("{name}: {path}: {error}"));
        let pem = std::fs::read_to_string(path).map_err(|error| refused(&error))?;
        ClientKey::from_pem(pem)
            .map(Some)
            .map_err(|error| refused(&error))
    }

    fn required_url(&self, name: &str) -> Result<&str, Refusal> {
        self.required(name)?;
        Ok(self.url(name)?.unwrap_or_default())
    }

    /// Names the variable at fault, where the configuration could only name the provider.
    fn url(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let Some(value) = self.optional(name) else {
            return Ok(None);
        };
        match url::Url::parse(value) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(value)),
            _ => Err(Self::wrong(name, value, "not an http or https URL")),
        }
    }
}
