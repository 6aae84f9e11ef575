//! Any OAuth 2.0 or OpenID Connect server.

use secrecy::SecretString;

use crate::provider::Provider;

/// A provider that keeps to the RFCs, given by its two URLs.
///
/// Register one confidential app there with the callback `{base_url}/oauth/callback`. The client
/// secret is sent in the `Authorization` header ([`Basic`](crate::provider::TokenEndpointAuth::Basic)), PKCE
/// is used, and no scope is asked for until you name some. Name the
/// [`issuer`](Provider::issuer) if you know it: ID tokens are then checked against it.
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
    authorize_url: &str,
    token_url: &str,
    client_id: impl Into<String>,
    client_secret: impl Into<SecretString>,
) -> Provider {
    Provider::new(
        "oauth",
        "your identity provider",
        authorize_url,
        token_url,
        client_id,
        client_secret,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{IssuerRule, TokenEndpointAuth};

    #[test]
    fn a_generic_provider_starts_from_the_rfcs() {
        let provider = generic("https://a.example/a", "https://a.example/t", "id", "s");
        // RFC 6749 section 2.3.1: Basic is what every server must support.
        assert_eq!(provider.token_endpoint_auth, TokenEndpointAuth::Basic);
        assert_eq!(provider.issuer, IssuerRule::Unknown);
        assert!(provider.uses_pkce);
        assert!(!provider.forward_resource && !provider.sends_scope_on_refresh);
        assert!(provider.scopes.is_empty() && provider.authorization_params.is_empty());
    }
}
