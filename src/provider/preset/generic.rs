//! Any OAuth 2.0 or OpenID Connect server.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{github, google};
use crate::provider::{
    dialect::Dialect, endpoints::Endpoints, provider::Provider, upstream_error::Finality,
};

/// A provider that keeps to the RFCs, given by its two URLs.
///
/// Register one confidential app there with the callback `{base_url}/oauth/callback`. The client
/// secret is sent in the `Authorization` header
/// ([`Basic`](crate::provider::TokenEndpointAuth::Basic)), PKCE is used, and no scope is asked for
/// until you name some. Name the [`issuer`](Provider::issuer) if you know it: ID tokens are then
/// checked against it; and the [`jwks_url`](Provider::jwks_url): they are then verified by their
/// signature. A server that has a document about itself needs none of this: see
/// [`oidc`](crate::provider::oidc()).
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let keycloak = provider::generic(
///     "https://sso.example/realms/acme/protocol/openid-connect/auth",
///     "https://sso.example/realms/acme/protocol/openid-connect/token",
///     "mcp",
///     "client-secret",
/// )
/// .name("Acme")
/// .issuer("https://sso.example/realms/acme")
/// .revocation_url("https://sso.example/realms/acme/protocol/openid-connect/revoke")
/// .scopes(["openid", "profile", "email"]);
/// assert!(keycloak.check().is_ok());
/// ```
#[must_use]
pub fn generic(
    authorize_url: impl Into<String>,
    token_url: impl Into<String>,
    client_id: impl Into<String>,
    client_secret: impl Into<String>,
) -> Provider {
    Provider::new(
        "oauth",
        "your identity provider",
        Endpoints::new(authorize_url, token_url),
        Arc::new(Generic),
        client_id,
        client_secret,
    )
}

/// May stand for any server, so it takes what any is known to answer.
#[derive(Debug)]
pub(super) struct Generic;

impl Dialect for Generic {
    /// Slack puts a person's token, and all that belongs to it, one level down.
    fn tokens(&self, mut answer: Map<String, Value>) -> Map<String, Value> {
        if answer.contains_key("access_token") {
            return answer;
        }
        match answer.remove("authed_user") {
            Some(Value::Object(user)) if user.contains_key("access_token") => user,
            _ => answer,
        }
    }

    fn finality(&self, code: &str) -> Option<Finality> {
        google::finality(code).or_else(|| github::finality(code))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;
    use crate::provider::{
        fake::json_answer,
        provider::TokenEndpointAuth,
        token_answer::{TokenAnswer, token_answer},
    };

    const IDP: &str = "https://idp.example/x";

    fn read(body: &Value) -> TokenAnswer {
        let provider = generic(IDP, IDP, "id", "s");
        token_answer(&provider, &json_answer(200, &body.to_string())).unwrap()
    }

    #[test]
    fn a_generic_provider_starts_from_the_rfcs() {
        let provider = generic("https://a.example/a", "https://a.example/t", "id", "s");
        // RFC 6749 section 2.3.1: Basic is what every server must support.
        assert_eq!(provider.token_endpoint_auth, TokenEndpointAuth::Basic);
        assert_eq!(provider.issuer, None);
        assert!(provider.uses_pkce && !provider.is_open_to_all());
        assert!(!provider.forward_resource && !provider.sends_scope_on_refresh);
        assert!(provider.scopes.is_empty() && provider.authorization_params.is_empty());
    }

    #[test]
    fn slacks_nested_token_is_found_but_never_preferred() {
        let user =
            json!({"access_token": "xoxp", "scope": "users:read,chat:write", "token_type": "user"});
        let answer = read(&json!({"ok": true, "authed_user": user}));
        assert_eq!(answer.access_token.expose_secret(), "xoxp");
        assert_eq!(answer.scope.unwrap().to_string(), "users:read chat:write");
        let both = read(&json!({"access_token": "xoxb", "token_type": "bot", "authed_user": user}));
        assert_eq!(both.access_token.expose_secret(), "xoxb");
    }
}
